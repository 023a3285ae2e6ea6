//! Every sentence the desk's screens show, in one place, so that a test can read them all.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

words! {
    DESK = "Desk";
    INBOX = "Inbox";
    NOT_HERE_TITLE = "Not here";
    NOT_HERE = "There is nothing at this address.";
    NO_CONVERSATION = "This conversation is not in the inbox.";
    LOCK = "Lock";
    LOCK_HINT = "Hides everything. Collecting goes on.";

    // the vault
    VAULT = "Vault";
    OPEN_TITLE = "Open the vault";
    OPEN_WHAT = "It holds the keys of this desk and all its conversations.";
    OPEN = "Open";
    WRONG = "These words do not open the vault. Look at each word again.";
    NOT_A_WORD = "Word {} is not in the list of words. Look at it again.";
    SIX_NEEDED = "Six words are needed. Look at each box.";
    BROKEN = "The vault's file cannot be read. Nothing was changed. Put the newest copy of it back, then try again.";
    MAKE_TITLE = "Make this desk's vault";
    MAKE_WHAT = "The vault holds the keys of this desk and all its conversations.";
    MAKE_WORDS = "Six words open it. Together they are its passphrase.";
    MAKE_LOST = "Nobody can give you the words again. Without them nobody reads the messages.";
    SHOW_WORDS = "Show the six words";
    SHOWN = "The vault's passphrase";
    SHOWN_WHAT = "Write the six words on paper. Keep the paper where only this desk looks.";
    HIDE = "Hide the words (Alt+H)";
    HAVE_THEM = "I have them";
    RETYPE = "Type the six words";
    RETYPE_WHY = "Then you can be sure that you can come back.";
    ONE_DIFFERS = "Word {} is different. Look at it again.";
    SOME_DIFFER = "Words {} are different. Look at them again.";
    MAKE = "Make the vault";
    SHOW_AGAIN = "Show the words again";
    NO_MEMORY = "This computer has too little free memory. Close other programs, then try again.";
    NOT_SET_UP = "This desk is not set up yet. Whoever runs the newsroom gives it its keys.";
    MAKE_FAILED = "The vault's file could not be written. Nothing was made. Look at the folder and the free space.";

    // the inbox
    EMPTY = "Nothing has come yet.";
    NEXT = "The next collection is in {}.";
    NEXT_APPEARS = "What it brings appears here by itself.";
    NO_EDITION = "The first edition is on its way. Collecting starts with it.";
    OFFLINE = "The network was not reached at the last try. Nothing could be collected.";
    UNVERIFIED = "What came last could not be verified. It was thrown away. Nothing of it was collected.";
    STALE = "No new edition has come for a while. Nothing new can be collected from it.";
    WRONG_CLOCK = "The clock of this computer is wrong. Set it. Then collecting goes on.";
    FULL_DISK = "Writing to the disk failed at the last try. The disk may be full. Until it works, nothing is sent. \
                 What comes may not be kept. What the vault holds stays. Make room on the disk.";
    UNWRITTEN = "The vault could not be written at the last try. What came last is on the screen and not on the disk. \
                 What comes later is looked at once it works. No answer is sealed until then. \
                 Make room on the disk. See that the vault's folder is there.";
    /// P8
    REPLACED = "Another file lies in the place of this vault. It was not written over. What came last is on the screen and not on \
                the disk. What comes later is looked at, and answers are sealed, once the program was started again. \
                Stop the program, see that the right file lies there, and start it again.";
    /// P8
    LACKS = "What is written to this desk between {} and {} cannot be read here. This vault has no key for it. \
             It may be an old copy. Stop the program first. Keep the vault that is there aside. \
             Then put the newest copy in its place. If this is the newest copy, somebody else may read what is written then. \
             Tell whoever runs the newsroom at once.";
    /// P8
    FOREIGN = "This vault belongs to another desk than the one of this computer. What is written to this desk cannot be read with it. \
               It makes no keys here. Stop the program first. Keep the vault that is there aside. \
               Then put this desk's own vault in its place.";
    /// P8
    KEYLESS = "Nobody can write to this desk now. The newest edition names no key of it for this week. \
               A key that was handed in comes with one of the next editions. If this stays, tell whoever runs the newsroom.";
    /// P8
    UNLISTED = "The newest edition does not list this desk. Nobody can write to it, and nothing comes to it. \
                Tell whoever runs the newsroom.";
    /// P8
    DENIED = "The network answered, and gave this desk nothing. Is the clock of this computer right? \
              Two minutes off are too many. If it is right, tell whoever runs the newsroom.";
    /// P6
    FORKED = "What came last does not go on from what this desk was shown before. It was thrown away. \
              Someone may be trying to show this desk what others do not see. Tell whoever runs the newsroom.";
    /// P6
    TWO_PAGES = "The stories that came last are not the front page that the press signed for everyone. They were thrown away. \
                 Nothing of that edition was collected. Tell whoever runs the newsroom.";
    FROZEN = "The witnesses have co-signed nothing for more than three rounds. New editions may be held back. \
              Look at this computer's clock too.";
    UNWITNESSED = "Too few witnesses have co-signed what came last. It was thrown away. Nothing of it was collected.";
    STARTED_OVER = "This desk was away for too long. It began anew with the newest edition. \
                    Messages that came meanwhile are lost to it.";
    /// P8
    MISSED = "What came between {} and {} was not looked through here, and is not there any more. \
              The vault was closed for too long, or this device is new. \
              Sources are told that it was not acknowledged, unless a newer copy of the vault acknowledged it.";
    NEW = "new";
    ANSWERED = "answered";
    /// P8
    ANSWER_WAITS = "answer has not left";
    /// P8
    ANSWER_UNKNOWN = "answer may be lost";

    // one conversation
    CONVERSATION = "Conversation";
    SOURCE = "Source";
    THIS_DESK = "This desk";
    TEXT_ONLY = "Shown as text only. Nothing in it is opened or fetched.";
    /// P8
    GAP = "At least one message before this one has not come.";
    DOCUMENT = "A document";
    PARTS = "{} of {} parts have come. The rest takes {} or more.";
    DAMAGED = "All parts have come, and they do not fit together. The document is damaged.";
    SAVE = "Save the document";
    SAVE_WHAT = "What is saved is as it came. It may do harm when opened. Use a computer without a network.";
    HASH = "Fingerprint (SHA-256): {}";
    PREVIEW = "Shown here: what this program read from the picture, drawn anew.";
    NO_PREVIEW = "This picture cannot be shown.";
    ANSWER = "Your answer";
    ANSWER_HINT = "The source sees it as an answer of this desk.";
    SEND = "Send the answer";
    EMPTY_ANSWER = "The answer is empty. Nothing was sent.";
    TOO_EARLY = "The first edition is still to come. Nothing was sent. Wait for it, then try again.";
    TOO_OLD = "The source last wrote too long ago. Nothing was sent. You can answer when they write again.";
    NO_LINKS = "There is no room for more answers. Nothing was sent. You can answer when the source writes again.";
    FEW_LINKS = "Nothing was sent. There is room for about {} letters. Make it shorter.";
    /// Said beside the form, before anything is written.
    ROOM = "Room for about {} letters in all, until the source writes again.";
    ROOM_NONE = "You can answer when the source writes again.";
    TOO_LONG = "The answer is too long. Nothing was sent. Make it shorter.";
    DISK = "The vault could not be written. Nothing was sent. The inbox says why.";
    SENT_BEFORE = "Your first answer was sent. This text is another one. Send it if the source is to have both.";
    WAITING = "Waiting. It leaves between {} and {}.";
    /// Where both ends of the window read the same.
    WAITING_AT = "Waiting. It leaves at {}.";
    /// P8
    STAYS_NO_PASS = "Waits in the vault. Answers leave with a pass that the last mix gives to all desks each day. \
                     There is none to use now. The answer leaves once there is one and the vault is open.";
    /// P8
    STAYS_NO_LINKS = "Waits in the vault. It cannot be sent before the source writes again.";
    /// P8
    STAYS_NO_PLACE = "Waits in the vault. It leaves in its turn, after what was written before it, if the vault is open by then.";
    /// P8
    STAYS_HALTED = "Waiting. It cannot leave as things are now. Once that is over, it leaves.";
    LEFT = "Left at some time before {}.";
    RECEIVED_BY_SOURCE = "The source has it.";
    COPY = "The source has not said that it has it, so it is sent again. This is time {} of 3.";
    /// P8
    UNKNOWN = "Copies sent: {} of 3. Nobody knows if the source has it. It says so when it writes.";
    ROUND = "round {}";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_short_and_plain() {
        let banned = [
            "military",
            "guarantee",
            "anonymous",
            "password",
            "safe",
            "secure",
            "secret",
            "!",
            "tip-off",
            "leak",
        ];
        for (name, text) in ALL {
            for sentence in text.split_inclusive(['.', '?']) {
                let count = sentence.split_whitespace().count();
                assert!(count <= 18, "{name}: {count} words: {sentence}");
            }
            for word in banned {
                assert!(!text.to_lowercase().contains(word), "{name} says {word:?}");
            }
        }
    }
}
