//! Every sentence the reader's screens show, in one place, so that a test can read them all.
//!
//! Short, present, second person, one idea per sentence. What happens, when, who sees it. No screen says more than
//! the promises of the threat model (P1 to P9), whose ids stand beside the sentences that lean on them.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

words! {
    // everywhere
    FRONT_PAGE = "Front page";
    STORY = "A story";
    CONTACT = "Contact the newsroom";
    NOT_HERE_TITLE = "Not here";
    NOT_HERE = "There is nothing at this address.";
    NO_STORY = "This story is not in the edition on this device.";

    // front page
    VERIFIED = "verified";
    FIRST_TITLE = "The first edition is on its way";
    FIRST_WHEN = "The next exchange is in {}. The edition comes with it.";
    FIRST_WHY = "This device fetches the same edition as all readers, once in every round.";
    FIRST_NONE_STORIES = "This edition has no stories yet. The next one may.";
    OFFLINE = "The network was not reached at the last try. You can read the edition you have.";
    UNVERIFIED = "What came last could not be verified. It was thrown away. The edition you have is good.";
    /// P6
    FORKED = "What came last does not go on from what you were shown before. It was thrown away. \
              Someone may be trying to show you what others do not see. The edition you have is good.";
    /// P6
    TWO_PAGES = "The stories that came last are not the front page that the press signed for everyone. They were thrown away. \
                 Someone may be trying to show you what others do not see. The edition you have is good.";
    FROZEN = "The witnesses have co-signed nothing for more than three rounds. New editions may be held back. \
              The one you have is good. Look at this computer's clock too.";
    UNWITNESSED = "Too few witnesses have co-signed what came last. It was thrown away. The edition you have is good.";
    STARTED_OVER = "This device was away for too long. It began anew with the newest edition. \
                    Whether that one goes on from your last one could not be checked.";
    STALE = "No new edition has come for a while. The one you have is good.";
    WRONG_CLOCK = "The clock of this computer is wrong. Set it. Then the next edition comes.";
    FULL_DISK = "Writing to the disk failed at the last try. The disk may be full. Until it works, nothing is sent. \
                 What comes may not be kept. The edition you have is good. Make room on the disk.";

    // contact, the public page
    PUBLIC_LEAD = "You can write to a newsroom from here, and read its answer here.";
    /// P1
    PUBLIC_SAME = "Every reader sends one envelope in every round. Yours has the same size as all the others.";
    /// P2, P3
    PUBLIC_MIXES = "Mixes of different organisations pass it on. No single one can link it to you.";
    PUBLIC_ANSWER = "The answer comes inside the edition that everybody downloads.";
    PUBLIC_NO_NAME = "You need no name and no account.";
    PUBLIC_OPENING = "Opening this page sends nothing.";
    WHO_READS = "Who reads it";
    NO_DESKS = "No desk can be written to yet. Editions bring the list.";
    TO_COME = "Announced";
    /// DIR-14
    TO_COME_WHY = "A new desk is shown here for two days before anybody can write to it.";
    TO_COME_FROM = "From {} on.";
    START = "Start";
    HAVE_WORDS = "I have six words";
    LEAVE = "Leave at once";
    LEAVE_HINT = "Two presses of Esc do the same.";

    // three questions
    Q_DEVICE = "Is this device your own?";
    Q_DEVICE_WHY = "A device from work or school can record what it shows.";
    Q_DEVICE_YES = "Yes, it is mine";
    Q_DEVICE_NO = "No, or I am not sure";
    A_DEVICE = "Better not on this device";
    A_DEVICE_WHY = "Its owner may see the screen and the files. Stop here. Use a device of your own.";
    Q_NETWORK = "Is this network your own?";
    Q_NETWORK_WHY = "Who runs a network sees which apps are used on it. They do not see what you read or write here.";
    Q_NETWORK_YES = "Yes, or many people use it";
    Q_NETWORK_NO = "No, it is from work or school";
    A_NETWORK = "Better from another network";
    A_NETWORK_WHY = "Someone there can see that you have this app. That may be enough for a question. Write from home.";
    Q_TOLD = "Have you told anyone that you want to write?";
    Q_TOLD_WHY = "What others know, they can be asked about.";
    Q_TOLD_YES = "No, nobody";
    Q_TOLD_NO = "Yes, someone knows";
    A_TOLD = "Think about it first";
    A_TOLD_WHY = "No app can undo that. Tell nobody else. Wait if that seems better to you.";
    GO_ON = "Go on all the same";

    // six words
    BEFORE = "Before you get your six words";
    BEFORE_WHAT = "Six words open your mailbox on this device. Together they are your passphrase.";
    BEFORE_ERASE = "A new mailbox erases an earlier one on this device.";
    BEFORE_LOST = "Nobody can give you the words again. Without them nobody reads the answer, you included.";
    CANNOT = "What this app cannot do";
    CANNOT_DEVICE = "It cannot help when someone else controls this device.";
    CANNOT_SCREEN = "It cannot stop a picture of the screen.";
    CANNOT_ONLY = "It cannot help when you are the only one who knows a thing.";
    SHOW_WORDS = "Show my six words";
    SHOWN = "Your passphrase";
    SHOWN_WHAT = "Write the six words on paper, or learn them. Keep the paper where only you look.";
    HIDE = "Hide the words (Alt+H)";
    HAVE_THEM = "I have them";
    RETYPE = "Type the six words";
    RETYPE_WHY = "Then you can be sure that you can come back.";
    OPEN_NEW = "Open my mailbox";
    SHOW_AGAIN = "Show the words again";
    ONE_DIFFERS = "Word {} is different. Look at it again.";
    SOME_DIFFER = "Words {} are different. Look at them again.";
    BEGIN_FAILED = "This computer has too little free memory. Nothing was changed. Close other programs, then try again.";
    UNLOCK = "Type your six words";
    UNLOCK_WHAT = "They open your mailbox, if this device has one.";
    OPEN = "Open";
    /// P7: the same sentence whether or not there is a mailbox
    WRONG = "These words open nothing here. Look at each word again.";
    NO_MEMORY = "This computer has too little free memory. Close other programs, then try again.";
    NOT_A_WORD = "Word {} is not in the list of words. Look at it again.";
    SIX_NEEDED = "Six words are needed. Look at each box.";
    LOCKED = "The mailbox is closed in this window. Five minutes without a key close it. So does opening it elsewhere.";
    CARRIED = "What you wrote comes back once it is open. It is on this page and nowhere else.";

    // conversations
    CONVERSATIONS = "Your conversations";
    CHOOSE = "Choose a desk";
    CHOOSE_WHAT = "Only the desk you choose can read what you write.";
    YOU = "You";
    WRITE_MORE = "Write more";
    WRITE_OTHER = "Write to another desk";
    FULL = "The mailbox is full. It takes answers only. Delete a conversation to make room.";
    DRAFT = "What you were writing to {} is kept here.";
    GO_ON_WRITING = "Go on writing";
    LOOK_AGAIN = "Look again";
    LOOKS_ITSELF = "Answers appear here by themselves.";
    WAITING = "Waiting. It leaves with your normal reading between {} and {}.";
    /// Where both ends of the window read the same.
    WAITING_AT = "Waiting. It leaves with your normal reading at {}.";
    WAITING_CLOSE = "You can close this page. Do not stop reading.";
    LEFT = "Left this device at some time before {}.";
    LEFT_USUALLY = "A desk usually has it in {}.";
    /// P8
    OVERDUE = "It was not acknowledged. It may be lost. It is sealed anew when you next open the mailbox.";
    /// P8
    OVERDUE_GONE = "It was not acknowledged. It may be lost. Its desk is no longer listed, so it is not sealed anew.";
    /// P8
    ANEW = "It was not acknowledged in time, so it is sent again. This is time {} of 3.";
    /// P8
    UNKNOWN = "It was sent three times and not acknowledged. Nobody knows if it arrived. You can write it again.";
    ACKNOWLEDGED = "Collected by {}.";
    WAY = "Where it can be by now";
    WAY_DEVICE = "this device";
    WAY_MIXES = "the mixes";
    WAY_DESK = "the desk";

    // deleting
    DELETE = "Delete this conversation";
    DELETE_TITLE = "Delete the conversation with {}";
    DELETE_WHAT = "Its text, its draft and its keys are deleted on this device.";
    DELETE_WAITING = "Messages that still wait here are taken back.";
    DELETE_GONE = "What has left cannot be called back. The desk keeps what it has.";
    DELETE_ANSWERS = "Answers on their way can then be read by nobody.";
    ERASE = "Delete the mailbox";
    ERASE_DOES = "What this does";
    ERASE_WHAT = "All conversations, drafts and keys on this device are deleted.";
    ERASE_WORDS = "The six words then open nothing here, as on any other reader's device.";
    ERASE_DOES_NOT = "What this does not undo";
    /// P7: what the threat model says of disks
    ERASE_DISK = "Some disks keep old data for a while. No app can change that.";
    ERASE_WHEN = "Let the app run for two more minutes. By then the file is written anew.";
    ERASE_FAILS = "If the front page then says that writing failed, the old file is still there.";
    ERASE_NOW = "Delete it now";

    // writing
    WRITE_TO = "Write to {}";
    YOUR_MESSAGE = "Your message";
    WRITE_HINT = "Say what you know, and how you know it.";
    SEND = "Send";
    CHECK_LENGTH = "Check length";
    BACK = "Back";
    ROOM = "Room for about {} more words.";
    ROOM_FEW = "Room for a few more words.";
    TOO_LONG = "Too long. Nothing was sent. Take out about {} words.";
    EMPTY = "The message is empty. Nothing was sent.";
    HOLDS_PASSPHRASE = "Your message holds words of your passphrase. Nothing was sent. Take them out.";
    COULD_IDENTIFY = "This could identify you";
    HOLDS_EMAIL = "Your message holds an e-mail address.";
    HOLDS_URL = "Your message holds a web address.";
    IDENTIFY_WHY = "Nothing was sent yet. Leave it in only if the desk needs it.";
    SEND_ANYWAY = "Send it as it is";
    CHANGE_IT = "Change it";

    // documents
    ATTACH = "Attach a document";
    ATTACH_TO = "A document for {}";
    ATTACH_WHAT = "A document goes in many parts, one in each round. That takes time.";
    ATTACH_NOTHING = "First you see what the file carries and how long it takes. Nothing is sent before you say so.";
    FILE = "The file";
    FILE_KINDS = "A picture, a text, a PDF or an Office file, of at most 1 MB. Pictures may be larger.";
    LOOK_OVER = "Look at it";
    NO_FILE = "No file was chosen. Nothing was sent.";
    FILE_HUGE = "The file is too large. Nothing was sent. The limit is 32 MB for pictures, 1 MB for others.";
    FILE_LONG = "The file is empty or larger than 1 MB. Nothing was sent.";
    FILE_KIND = "This kind of file cannot be sent. Nothing was sent. Try it as JPEG, PNG or PDF.";
    FILE_DAMAGED = "The file is damaged. It could not be read. Nothing was sent.";
    FILE_BOMB = "Unpacked, the file would be too large for this device. Nothing was sent.";
    LOOKED = "What the file carries";
    CLEANED = "The picture was made anew on this device. Only what you can see in it is sent.";
    NOT_CLEANED = "This kind of file cannot be cleaned here. It would be sent as it is.";
    TAKEN_OUT = "Taken out";
    GOES_ALONG = "This goes along";
    FOUND_NOTHING = "Nothing was found beside the text.";
    FOUND_NOTHING_PICTURE = "Nothing was found beside the picture itself.";
    MAY_BE_MORE = "There may be more in it than is listed here.";
    CLEAN_IT_YOURSELF = "If the list names you, do not send it. A picture of a page carries less.";
    STAYS_VISIBLE = "What can be seen or read in it stays: names, faces, marks. So does its name.";
    HAS_PLACE = "The place where it was taken";
    HAS_PERSON = "A person";
    HAS_COMPANY = "A company";
    HAS_DEVICE = "The camera or phone";
    HAS_PATH = "A folder or file on a computer";
    HAS_PROGRAM = "The program that made it";
    HAS_DATE = "A date";
    HAS_TITLE = "A title or keywords";
    HAS_PROPERTY = "A property";
    HAS_COMMENTS = "Comments or changes";
    HAS_MACROS = "Small programs in it";
    HAS_FILE = "A file inside it";
    HAS_LOCKED = "It is locked, so not all could be read";
    MORE = "and {} more";
    MORE_THAN = "and more than {} more";
    TAKES = "What sending it takes";
    /// P2: what the threat model says of many messages
    COSTS = "Each part is one more message. Who watches for long learns more from many messages than from one.";
    COSTS_FEWER = "Fewer parts tell less. Send the smallest size that shows what matters.";
    TAKES_ALWAYS = "It has left in {} if this device is always on.";
    TAKES_30 = "It has left in {} if this device is on for three rounds in ten.";
    OPENINGS = "You have to open your mailbox at least {} times.";
    OPEN_AGAIN = "A closed mailbox sends only what is in line: 48 parts at most. Opening it adds more.";
    SEND_DOCUMENT = "Send this one";
    OTHER_FILE = "Choose another file";
    PARTS_LEFT = "Left this device: {} parts.";
    PARTS_ARRIVED = "At the desk: {}.";
    PARTS_LEAST = "The rest takes {} or more, if this device is always on.";
    OPEN_WITHIN = "Not all of it is in line yet. Open your mailbox again in {}.";
    TAKE_BACK = "Take it back";
    /// P8
    TAKEN_BACK = "Taken back. {} parts had left before. What arrived of them stays with the desk. It has {} at least.";
    /// P8
    PARTS_UNKNOWN = "Some parts were sent three times and not acknowledged. The desk has {} at least.";
    KIND_TEXT = "Text";
    KIND_PICTURE = "Picture";
    KIND_PDF = "PDF";
    KIND_OFFICE = "Office file";
    TOO_MANY_DOCUMENTS = "You have as many conversations as there can be. Nothing was sent. Delete one first.";
    TOO_EARLY = "The next edition is still to come. Nothing was sent. Wait for it, then try again.";
    LINE_FULL = "Too many messages wait in line. Nothing was sent. Wait until some have left.";
    MAILBOX_FULL = "The mailbox is full. Nothing was sent. Delete a conversation to make room.";
    TOO_MANY = "You have {} conversations, and there can be no more. Nothing was sent. Delete one first.";
    DESK_CLOSED = "This desk cannot be written to now. Nothing was sent. Try again later, or choose another.";
    DESK_GONE = "This desk is no longer listed. Nothing was sent. Choose another.";
    SEALED = "Your message is sealed.";
    SENT_BEFORE = "Your first message is sealed. This text is another one. Send it if the desk is to have both.";
    IN_LINE = "Your document is in line.";
    /// P8
    SEALED_KEPT = "Let the app run until {}. From then on it is kept when you close the app. \
                   If the disk cannot be written, it is said here.";
    /// P8
    NOT_KEPT = "What you did last is not on the disk yet. If you close the app now, it is lost. \
                The disk may be full. Make room on it and let the app run. Nothing is sent before that.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that promise too much, blame, praise, or name one thing a second time.
    const BANNED: [&str; 22] = [
        "military",
        "grade",
        "guarantee",
        "100%",
        "anonymous",
        "untraceable",
        "unbreakable",
        "impossible",
        "hacker",
        "brave",
        "hero",
        "safe",
        "secure",
        "protected",
        "password",
        "pass phrase",
        "codename",
        "secret",
        "token",
        "!",
        "please",
        "oops",
    ];

    #[test]
    fn sentences_are_short() {
        for (name, text) in ALL {
            for sentence in text.split_inclusive(['.', '?']) {
                let count = sentence.split_whitespace().count();
                assert!(count <= 18, "{name}: {count} words: {sentence}");
            }
        }
    }

    #[test]
    fn words_are_plain() {
        for (name, text) in ALL {
            let lower = text.to_lowercase();
            for banned in BANNED {
                assert!(!lower.contains(banned), "{name} says {banned:?}");
            }
            let letters = lower.chars().filter(|c| c.is_alphabetic()).count();
            let words = lower.split_whitespace().count();
            assert!(words < 4 || letters <= words * 6, "{name}: long words: {text}");
        }
    }
}
