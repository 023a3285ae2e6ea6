//! What happens to a file on the device before it becomes a document: what it carries beside what it shows is found and told; a
//! picture is decoded and made anew, so that nothing but its points goes on; other files go as they are.
//!
//! What is found is found by looking in the places where such files usually carry it. Nothing here says that a file carries
//! nothing else.

mod exif;
mod office;
mod pdf;
mod picture;
mod search;
mod xml;

use proto::document::{Document, Format, MAX_CONTENT, Unfit, is_name};

pub use picture::preview;
use search::Search;

/// The longest picture that is looked at, in bytes. It is made smaller; of other files none is looked at that is too long to be
/// sent.
pub const MAX_FILE: usize = 32 << 20;
/// How long the text of one finding is at most, in characters.
const LENGTH: usize = 120;

/// What a file carries beside what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Where a picture was taken.
    Place,
    /// Who wrote or changed it.
    Person,
    /// For whom it was made.
    Company,
    /// The camera or phone.
    Device,
    /// A folder or file on a computer: where it lay, or what it was made from.
    Path,
    /// The program that made it.
    Program,
    /// When it was made, changed, printed or taken.
    Date,
    /// Its title, subject or keywords.
    Title,
    /// What else it says of itself, with the name that it gives it.
    Property,
    /// Comments, and changes that can be undone.
    Comments,
    /// Programs in it that run when it is opened.
    Macros,
    /// Files inside it.
    File,
    /// It is locked, and what it carries cannot be read.
    Locked,
}

/// One thing that a file carries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is.
    pub what: What,
    /// As it stands in the file, shortened; nothing if there is nothing to show.
    pub text: String,
}

impl Finding {
    fn new(what: What, text: &str) -> Self {
        // No further than it is shown: a text may be as long as the file.
        let words =
            text.split_whitespace().flat_map(|word| core::iter::once(' ').chain(word.chars())).skip(1);
        Self { what, text: words.filter(|c| !c.is_control()).take(LENGTH).collect() }
    }
}

/// That there is more of one kind than is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More {
    /// Of which kind.
    pub what: What,
    /// How many more.
    pub count: usize,
    /// There are more than that: they were counted no further.
    pub at_least: bool,
}

/// Sizes to make pictures in: what can be sent within 10 hours, within 30, and at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes that leave a device that is always on within 10 hours.
    pub ten: usize,
    /// Bytes that leave it within 30 hours.
    pub thirty: usize,
}

/// A file that was looked at.
pub struct Looked {
    /// What it carries, or carried: in order, each once, and of one kind not more than a screen shows.
    pub found: Vec<Finding>,
    /// Of which kinds there is more.
    pub more: Vec<More>,
    /// Whether all of it was taken out: so it is with pictures, which are made anew. If not, all of it goes along.
    pub cleaned: bool,
    /// What can be sent, the shortest first. Of a picture there are several sizes.
    pub documents: Vec<Document>,
}

/// Why a file cannot become a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// It is longer than any file that is looked at.
    #[error("the file has more than {MAX_FILE} bytes")]
    Huge,
    /// It is none of the kinds that can be sent.
    #[error("this kind of file cannot be sent")]
    Kind,
    /// It says what it is and cannot be read as that.
    #[error("the file is damaged and cannot be read")]
    Damaged,
    /// It would become too large when unpacked.
    #[error("unpacked, the file would be too large for this device")]
    Bomb,
    /// It cannot travel.
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// Looks at a file with this name, and makes of it what can be sent. Takes seconds for a large picture.
pub fn look(name: &str, bytes: &[u8], sizes: Sizes) -> Result<Looked, NotTaken> {
    if bytes.len() > MAX_FILE {
        return Err(NotTaken::Huge);
    }
    if bytes.is_empty() {
        return Err(Unfit::Empty.into());
    }
    let mut search = Search::default();
    if picture::is_one(bytes) {
        let name = named(name, Format::Picture);
        let made = picture::clean(bytes, sizes)?;
        exif::of_picture(bytes).into_iter().for_each(|finding| search.take(finding));
        let documents =
            made.into_iter().map(|content| Document { name: name.clone(), format: Format::Picture, content });
        let (documents, (found, more)) = (documents.collect(), search.end());
        return Ok(Looked { found, more, cleaned: true, documents });
    }
    let format = find(bytes, &mut search)?;
    let (found, more) = search.end();
    let document = Document { name: named(name, format), format, content: bytes.to_vec() };
    Ok(Looked { found, more, cleaned: false, documents: vec![document] })
}

/// Finds what a file carries that is no picture.
fn find(bytes: &[u8], search: &mut Search) -> Result<Format, NotTaken> {
    let (is_pdf, is_office) = (pdf::is_one(bytes), office::is_one(bytes));
    if !is_pdf && !is_office && !is_text(bytes) {
        return Err(NotTaken::Kind);
    }
    // Before it is looked at: what cannot be sent costs nothing.
    if bytes.len() > MAX_CONTENT {
        return Err(Unfit::TooLong(bytes.len()).into());
    }
    if is_pdf {
        pdf::found(bytes, search);
        Ok(Format::Pdf)
    } else if is_office {
        office::found(bytes, search)
    } else {
        Ok(Format::Text)
    }
}

/// A name that can travel, with the ending of its format: what of the given one may stay, or "document".
pub fn named(name: &str, format: Format) -> String {
    let ending = format.ending();
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut kept: String = stem.chars().filter(|c| is_name(&format!("a{c}"))).collect();
    while kept.len() + 1 + ending.len() > proto::document::MAX_NAME {
        kept.pop();
    }
    let kept = kept.trim().trim_start_matches('.');
    format!("{}.{ending}", if kept.is_empty() { "document" } else { kept })
}

fn is_text(bytes: &[u8]) -> bool {
    let plain =
        |text: &str| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'));
    core::str::from_utf8(bytes).is_ok_and(plain)
}

#[cfg(test)]
mod tests;
