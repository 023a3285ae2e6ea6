//! What the language says of words that origins are told with.

use std::sync::LazyLock;

use crate::quote::MEDIA as MEDIA_WORDS;
use crate::word::{Key, Table, Word};

/// Some of the bits below.
pub(super) type Part = u16;

/// What is recorded, or written down as it was said.
pub(super) const RECORDING: Part = 1;
/// What is written.
pub(super) const PAPER: Part = 1 << 1;
/// An outlet's own work.
pub(super) const REPORT: Part = 1 << 2;
/// How somebody comes to have something.
pub(super) const HAD: Part = 1 << 3;
/// The same, of what everybody can read then.
pub(super) const HEARD: Part = 1 << 4;
/// Those who hear what is said to all.
pub(super) const TO_ALL: Part = 1 << 5;
/// What is said or written for all.
pub(super) const PUBLISHED: Part = 1 << 6;
/// Ends the name of an outlet, or stands for one: what quotes take for one, and a few more.
pub(super) const MEDIA: Part = 1 << 7;
/// Puts something on a platform.
pub(super) const POST: Part = 1 << 8;
/// Stands before who did something, or who has it now.
pub(super) const BY: Part = 1 << 9;
/// Stands before what things happen in.
pub(super) const INSIDE: Part = 1 << 10;

/// Can be looked up by everybody.
pub(super) const RECORD: Part = 1 << 11;
/// Stands before a paper that everybody can look up.
pub(super) const OPEN: Part = 1 << 12;
/// Works for an outlet.
pub(super) const REPORTER: Part = 1 << 13;
/// What somebody does who is there.
pub(super) const SAW: Part = 1 << 14;
/// What an outlet has done that knows something itself.
pub(super) const LEARNED: Part = 1 << 15;

const WORDS: &[(Part, &str)] = &[
    (RECORDING, "audio footage recording recordings tape tapes transcript transcripts video videos"),
    (
        PAPER,
        "cable cables communique contract contracts data document documents dossier draft drafts e-mail e-mails email emails \
         file files filing filings letter letters memo memorandum memos minutes paper papers records spreadsheet spreadsheets \
         text texts",
    ),
    (REPORT, "analysis expose exposé investigation investigations report reports scoop story"),
    (
        HAD,
        "aired broadcast given handed leaked obtained provided published released reported revealed reviewed seen sent shared \
         shown verified viewed",
    ),
    (HEARD, "aired broadcast published released reported revealed"),
    (TO_ALL, "journalists reporters"),
    (PUBLISHED, "address briefing broadcast conference hearing release sermon speech statement testimony"),
    (MEDIA, "agency media website"),
    (POST, "post posted posting tweeted wrote"),
    (BY, "by from in to with"),
    (INSIDE, "across against between in inside into near throughout"),
    (
        RECORD,
        "affidavit census docket filing filings gazette indictment judgement judgment minutes records register registers registry \
         ruling tender tenders verdict",
    ),
    (
        OPEN,
        "bankruptcy business charity commercial companies company court electoral federal land official planning procurement \
         property public regulatory tender trade",
    ),
    (
        REPORTER,
        "correspondent correspondents journalist journalists photographer photographers reporter reporters",
    ),
    (SAW, "attended counted heard observed saw visited watched witnessed"),
    (
        LEARNED,
        "confirmed counted established found heard learned learnt obtained reviewed seen verified viewed witnessed",
    ),
];

static KNOWN: LazyLock<Table<Part>> = LazyLock::new(|| {
    let mut known = Table::default();
    let mut add = |word: &str, part: Part| {
        let Some(key) = Key::of(word) else { return };
        *known.entry(key).or_default() |= part;
    };
    for (part, words) in WORDS {
        words.split_whitespace().for_each(|word| add(word, *part));
    }
    MEDIA_WORDS.iter().for_each(|word| add(word, MEDIA));
    known
});

/// What a word is.
pub(super) fn part(word: &Word<'_>) -> Part {
    Key::of(word.text).and_then(|key| KNOWN.get(&key).copied()).unwrap_or_default()
}
