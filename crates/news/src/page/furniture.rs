//! The words of lines that stand around an article on a page, and of no article's text.

use crate::document::Reason;
use crate::text::{count_words, ends_sentence, words};

/// Why this line is not the article's, by its words alone. `linked`: most of it is links.
pub(super) fn judge(text: &str, linked: bool) -> Option<Reason> {
    /// Longer ones have something to say.
    const LONGEST: usize = 60;
    if count_words(text, LONGEST + 1) > LONGEST {
        return None;
    }
    let lower = text.to_lowercase();
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    if begins(lower, LEADS) && (linked || !ends_sentence(text)) {
        return Some(Reason::Promotion);
    }
    if SIGN_UP.iter().any(|words| lower.contains(words)) {
        return Some(Reason::Promotion);
    }
    if begins(lower, PLAYER) {
        return Some(Reason::Chrome);
    }
    let label = lower.trim_end_matches(|c: char| !c.is_alphanumeric());
    LABELS.contains(&label).then_some(Reason::Chrome)
}

fn begins(text: &str, with: &[&str]) -> bool {
    with.iter()
        .any(|words| text.strip_prefix(words).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
}

/// Lead to another article; a headline follows.
#[rustfmt::skip]
const LEADS: &[&str] = &[
    "also on", "also read", "click here", "don't miss", "don’t miss", "find out more", "follow us", "further reading", 
    "in case you missed it", "learn more", "more from", "more on", "more stories", "must read", "read also", "read more",
    "read next", "recommended", "related", "see also", "see more", "share this", "watch", "you may also like",
    "you might also like",
    "leggi anche", "lea también", "lee también", "leia também", "leia mais", "lire aussi", "lesen sie auch", "mehr zum thema",
    "читайте также", "video", "follow",
];

/// Ask for something, wherever they stand.
#[rustfmt::skip]
const SIGN_UP: &[&str] = &[
    "sign up for our", "sign up to our", "sign up for the", "sign up here", "sign up today", "sign up now", "subscribe to our",
    "subscribe to the", "subscribe now", "subscribe today", "our newsletter", "free newsletter", "to your inbox", "in your inbox",
    "breaking news alerts", "download our app", "download the app", "follow us on", "like us on", "join us on",
    "share it with a friend", "like this story?", "join the conversation", "affiliate commission", "affiliate links",
    "may earn a commission", "may receive a commission",
];

/// What a player says that cannot play.
const PLAYER: &[&str] = &[
    "media playback is",
    "image copyright",
    "image caption",
    "your browser does not support",
    "javascript is",
    "please enable",
    "story continues below",
    "article continues below",
    "scroll down",
    "loading",
    "skip to",
];

/// Lines that are nothing but this.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "ad", "advert", "advertisement", "advertising", "comments", "comment", "share", "print", "email", "subscribe", "highlights",
    "buy now", "sharing is caring", "post comment", "tweet", "text size", "print article", "order reprints", "by", "trending",
    "sponsored", "whatsapp", "facebook", "twitter", "pinterest", "linkedin", "reddit", "advertentie", "anzeige", "publicidad",
    "publicidade", "pubblicità", "publicité", "реклама",
];

/// Says whose picture it is: in languages whose words the cleaning of texts does not know.
pub(super) fn is_credit(text: &str) -> bool {
    const LONGEST: usize = 30;
    let Some((label, _)) = text.split_once(':') else { return false };
    let label = label.trim();
    let known = ["bild", "foto", "fotos", "image", "imagem", "imagen", "immagine", "photo", "фото"];
    label.len() <= 10
        && known.contains(&label.to_lowercase().as_str())
        && count_words(text, LONGEST + 1) <= LONGEST
}

/// What a label announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// What stands behind an article, never in it: comments, the author, other articles.
    Ending,
    /// A box, which may stand anywhere.
    Box,
}

/// Behind an article.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    "about the author", "about author", "add comment", "add a comment", "also in", "article tags", "comment", "comments",
    "editor's picks", "editors' picks", "editor’s picks", "editors’ picks", "further reading", "join the conversation",
    "join the discussion", "keep reading", "leave a comment", "leave a reply", "more from", "more great", "more in", "more news",
    "more on", "more stories", "more like this", "most popular", "most read", "next article", "next post", "next story", "popular",
    "post a comment", "post comment", "previous article", "previous post", "previous story", "read next", "recent posts", "recommended",
    "related articles", "related posts", "related stories", "related news", "related topics", "similar", "tags", "topics", "trending",
    "want more", "what to read next", "you may also", "you might also", "we recommend", "tell us what you think", "you may like",
    "filed under", "sharing is caring", "from our partners", "promoted", "around the web", "from the web", "view comments",
    "show comments", "reader comments",
    "te puede interesar", "das könnte sie auch interessieren", "kommentare", "commentaires", "comentarios", "comentários",
    "commenti", "добавить отзыв", "комментарии", "похожие", "другие новости", "теги", "самые популярные",
];

/// Anywhere.
#[rustfmt::skip]
const BOXES: &[&str] = &[
    "also read", "best of", "don't miss", "don’t miss", "follow us", "get the latest", "latest", "newsletter", "read also", "read more",
    "related", "see also", "share this", "sign up", "sponsored", "subscribe",
    "leggi anche", "lea también", "lee también", "leia também", "leia mais", "veja também", "lire aussi", "à lire aussi",
    "lesen sie auch", "mehr zum thema", "читайте также",
];

/// What a line announces that is a label and no sentence.
pub(super) fn announces(text: &str) -> Option<Announced> {
    /// "More great stories from the harbour this week".
    const LONGEST: usize = 10;
    if (text.ends_with('.') && !text.ends_with("..")) || count_words(text, LONGEST + 1) > LONGEST {
        return None;
    }
    let lower = text.to_lowercase();
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    // "Next post", "Previous harbour news".
    let elsewhere = begins(lower, &["next", "previous"])
        && words(lower).last().is_some_and(|word| matches!(word, "article" | "news" | "post" | "story"));
    if elsewhere || begins(lower, ENDINGS) {
        Some(Announced::Ending)
    } else {
        begins(lower, BOXES).then_some(Announced::Box)
    }
}

/// "By Ada Moor, Harbour Desk".
pub(super) fn is_byline(text: &str) -> bool {
    const LONGEST: usize = 14;
    let by =
        ["By ", "BY ", "by ", "Written by ", "Posted by ", "Published by ", "Por ", "Von ", "Par ", "Di "];
    count_words(text, LONGEST + 1) <= LONGEST
        && !ends_sentence(text)
        && by.iter().any(|by| text.starts_with(by))
}

/// A day or an hour, with the words that go with one.
pub(super) fn is_dateline(text: &str) -> bool {
    const LONGEST: usize = 24;
    if text.len() > 200 {
        return false;
    }
    let (mut all, mut known, mut digits) = (0, 0, false);
    for word in words(text) {
        all += 1;
        let number = word.bytes().all(|byte| byte.is_ascii_digit());
        let hour = word.starts_with(|c: char| c.is_ascii_digit()) && word.len() <= 5;
        let zone = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        digits |= number || hour;
        known += usize::from(number || hour || zone || is_date_word(&word.to_lowercase()));
    }
    (2..=LONGEST).contains(&all) && digits && known * 10 >= all * 8
}

/// A short line with a year and the number of a day.
pub(super) fn is_dated(text: &str) -> bool {
    const LONGEST: usize = 20;
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    let numbers = || words(text).take(LONGEST).filter(is_number);
    text.len() <= 200
        && count_words(text, LONGEST + 1) <= LONGEST
        && numbers().any(is_year)
        && numbers().any(|word| word.len() <= 2)
}

fn is_date_word(word: &str) -> bool {
    /// Months and days, in languages that many pages are written in; three letters or more of one stand for it.
    #[rustfmt::skip]
    const NAMES: &[&str] = &[
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "sept", "october", "november", "december",
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
        "januar", "februar", "märz", "mai", "juni", "juli", "oktober", "dezember",
        "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag",
        "janvier", "février", "mars", "avril", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
        "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
        "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
        "gennaio", "febbraio", "aprile", "maggio", "giugno", "luglio", "settembre", "ottobre", "dicembre",
        "janeiro", "fevereiro", "março", "maio", "junho", "julho", "setembro", "outubro", "novembro", "dezembro",
        "segunda", "terça", "quarta", "quinta", "sexta",
        "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
    ];
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "a", "am", "at", "created", "date", "day", "days", "de", "edited", "el", "em", "est", "et", "feira", "first", "gmt", "hour",
        "hours", "ist", "last", "le", "m", "min", "minutes", "modified", "nd", "of", "on", "original", "p", "pm", "posted", "publicado",
        "published", "rd", "read", "st", "th", "the", "time", "uhr", "um", "updated", "utc", "à", "às",
    ];
    let named = word.chars().nth(2).is_some() && NAMES.iter().any(|name| name.starts_with(word));
    named || WORDS.contains(&word)
}

/// Who wrote it, and how to write to them: said behind the text.
pub(super) fn is_about_author(text: &str, byline: Option<&str>) -> bool {
    const LONGEST: usize = 90;
    if count_words(text, LONGEST + 1) > LONGEST {
        return false;
    }
    let lower = text.to_lowercase();
    const CONTACT: &[&str] = &[
        "follow him on",
        "follow her on",
        "follow me on",
        "follow them on",
        "follow us",
        "on twitter at",
        "on twitter @",
        "email him at",
        "email her at",
        "email me at",
        "write to ",
        "reach the reporter",
        "can be reached at",
        "contact the ",
        "follow @",
        "twitter.com/",
        "more articles from",
        "send tips",
        "news tip",
        "views expressed",
        "opinions expressed",
    ];
    const TRADE: &[&str] = &[
        "reporter",
        "writer",
        "editor",
        "correspondent",
        "journalist",
        "columnist",
        "contributor",
        "author of",
        "covers ",
        "producer",
        "freelance",
        "blogger",
        "joined ",
    ];
    if CONTACT.iter().any(|words| lower.contains(words)) {
        return true;
    }
    if lower.contains('@') && count_words(text, 8) < 8 {
        return true;
    }
    let named = byline.is_some_and(|byline| {
        words(byline).filter(|word| word.len() > 2).any(|name| words(text).take(3).any(|word| word == name))
    });
    let is = words(text)
        .skip(1)
        .take(5)
        .any(|word| matches!(word, "is" | "joined" | "covers" | "writes" | "was" | "has"));
    is && TRADE.iter().any(|words| lower.contains(words))
        && (named || text.starts_with(char::is_uppercase) && !lower.contains(" said"))
}

/// The same letters, whatever stands between them; or one is the other and a little more.
pub(super) fn same(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(400).collect()
    };
    let (one, other) = (letters(one), letters(other));
    !other.is_empty() && (one == other || (other.len() * 2 > one.len() && one.contains(&other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_known_by_their_words() {
        for (line, linked) in [
            ("Read more: Harbour bridge closes", false),
            ("See also our ten maps of the coast.", true),
            ("Leggi anche: il porto chiude", false),
        ] {
            assert_eq!(judge(line, linked), Some(Reason::Promotion), "{line}");
        }
        assert_eq!(
            judge("Sign up for our letter from the pier, every Monday.", false),
            Some(Reason::Promotion)
        );
        assert_eq!(judge("Media playback is unsupported on your device", false), Some(Reason::Chrome));
        assert_eq!(judge("ADVERTISEMENT", false), Some(Reason::Chrome));
        for plain in [
            "Read more slowly, the teacher told the harbour's children.",
            "Images of the pier were shown in court on Monday.",
            "The comments of the captain were not well received.",
            "",
        ] {
            assert_eq!(judge(plain, false), None, "{plain}");
        }
    }

    #[test]
    fn credits_name_the_picture() {
        assert!(is_credit("Foto: A. Licht"));
        assert!(is_credit("Фото: А. Свет"));
        assert!(!is_credit("Foto des Tages"));
        assert!(!is_credit(&format!("Foto: {}", "wort ".repeat(40))));
    }

    #[test]
    fn labels_announce_and_sentences_do_not() {
        for ending in [
            "Comments (12)",
            "MORE FROM THE ISLANDS",
            "You may also like…",
            "Previous harbour news",
            "Kommentare",
        ] {
            assert_eq!(announces(ending), Some(Announced::Ending), "{ending}");
        }
        assert_eq!(announces("Read also"), Some(Announced::Box));
        for plain in ["Comments were scarce.", "What comes next", "Next steps for the pier", "Moreover"] {
            assert_eq!(announces(plain), None, "{plain}");
        }
    }

    #[test]
    fn authors_and_days_are_told_from_text() {
        assert!(is_byline("By Ada Moor, Harbour Desk"));
        assert!(!is_byline("By Monday the ferry was late again."));
        for day in [
            "Published 4:00 am CST, Wednesday, November 4, 2026",
            "3 Nov 2026",
            "Updated: 2026-11-03 10:15 GMT",
            "3 de novembro de 2026",
        ] {
            assert!(is_dateline(day), "{day}");
        }
        for plain in ["The ferry left at 10", "12 Monkeys", "May", "2026"] {
            assert!(!is_dateline(plain), "{plain}");
        }
        assert!(is_dated("Skerry, 3/11/2026 - posted in: Sea"));
        assert!(!is_dated("In 2026 the ferry sank"));
        assert!(is_about_author("Ada Moor is a reporter at the harbour desk.", Some("Ada Moor")));
        assert!(is_about_author("Follow her on the usual networks.", None));
        assert!(is_about_author("moor@harbour.example", None));
        assert!(!is_about_author("Captain Gale is a writer too, the mayor said.", None));
        assert!(!is_about_author("The ferry is late.", Some("Ada Moor")));
    }

    #[test]
    fn the_same_words_are_the_same_title() {
        assert!(same("Ferry crew refuses to sail", "FERRY CREW: refuses to sail!"));
        assert!(same("Ferry crew refuses to sail, again", "Ferry crew refuses to sail"));
        assert!(!same("Ferry crew refuses to sail", "Ferry"));
        assert!(!same("Ferry crew refuses to sail", " "));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn any_line_is_judged(text in any::<String>(), other in any::<String>()) {
            let _ = (judge(&text, true), announces(&text), is_byline(&text), is_dateline(&text), is_dated(&text));
            let _ = (is_about_author(&text, Some(&other)), same(&text, &other));
        }
    }
}
