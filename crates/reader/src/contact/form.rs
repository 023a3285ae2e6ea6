//! Forms of the private area. Field names are drawn anew for every load, so that no browser offers what was typed
//! before; only their last character, which says nothing by itself, is ours to read.

use std::fmt;

use axum::extract::{Multipart, multipart::MultipartError};
use client::cleaning::MAX_FILE;
use proto::{DeskId, story::StoryId};
use rand::CryptoRng;
use ui::passphrase::spread;
use zeroize::Zeroizing;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Ties the form to the window in which the area was opened.
    Page,
    /// What to do; the last one counts, so that a button overrides the form's own.
    Step,
    Text,
    Desk,
    /// The story under the area, to which one leaves.
    From,
    /// A file that was chosen.
    File,
    /// Which of several: a size to send, or the document to take back.
    Which,
    /// One of six words, from 0.
    Word(u8),
}

impl Field {
    const ALL: [Field; 13] = [
        Field::Page,
        Field::Step,
        Field::Text,
        Field::Desk,
        Field::From,
        Field::File,
        Field::Which,
        Field::Word(0),
        Field::Word(1),
        Field::Word(2),
        Field::Word(3),
        Field::Word(4),
        Field::Word(5),
    ];

    fn mark(self) -> char {
        match self {
            Field::Page => 'a',
            Field::Step => 'b',
            Field::Text => 'c',
            Field::Desk => 'd',
            Field::From => 'e',
            Field::File => 'x',
            Field::Which => 'y',
            Field::Word(n) => char::from(b'f' + n.min(5)),
        }
    }
}

/// The names of one load.
pub(crate) struct Names(String);

impl Names {
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Names {
        let mut bytes = [0; 8];
        rng.fill_bytes(&mut bytes);
        Names(hex::encode(bytes))
    }

    pub(crate) fn of(&self, field: Field) -> String {
        format!("{}{}", self.0, field.mark())
    }
}

/// A step of the private area, as a form asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Leave,
    /// One of the three questions, from 0; 3 is what follows them.
    Question(u8),
    Advice(u8),
    ShowWords,
    Retype,
    Begin,
    Words,
    Unlock,
    Home,
    Look,
    Choose,
    Compose,
    Measure,
    Send,
    SendAnyway,
    /// Choose a file.
    Attach,
    /// Look at the file that was chosen.
    LookOver,
    /// Put it on its way.
    SendDocument,
    TakeBack,
    Delete,
    DeleteNow,
    Erase,
    EraseNow,
}

impl Step {
    const ALL: [(&str, Step); 28] = [
        ("leave", Step::Leave),
        ("q0", Step::Question(0)),
        ("q1", Step::Question(1)),
        ("q2", Step::Question(2)),
        ("q3", Step::Question(3)),
        ("a0", Step::Advice(0)),
        ("a1", Step::Advice(1)),
        ("a2", Step::Advice(2)),
        ("show", Step::ShowWords),
        ("retype", Step::Retype),
        ("begin", Step::Begin),
        ("words", Step::Words),
        ("unlock", Step::Unlock),
        ("home", Step::Home),
        ("look", Step::Look),
        ("choose", Step::Choose),
        ("compose", Step::Compose),
        ("measure", Step::Measure),
        ("send", Step::Send),
        ("anyway", Step::SendAnyway),
        ("attach", Step::Attach),
        ("lookover", Step::LookOver),
        ("senddoc", Step::SendDocument),
        ("takeback", Step::TakeBack),
        ("delete", Step::Delete),
        ("deleted", Step::DeleteNow),
        ("erase", Step::Erase),
        ("erased", Step::EraseNow),
    ];

    fn parse(text: &str) -> Option<Step> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, step)| *step)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, step)| step == self).map_or("", |(name, _)| name))
    }
}

/// What a form brought. No `Debug`: it may hold a passphrase or a message.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) step: Option<Step>,
    /// Of which load it is: what all its names begin with.
    pub(crate) load: String,
    pub(crate) page: String,
    pub(crate) text: String,
    pub(crate) desk: Option<DeskId>,
    pub(crate) from: Option<StoryId>,
    pub(crate) words: [String; 6],
    /// A file's name and bytes.
    pub(crate) file: Option<(String, Zeroizing<Vec<u8>>)>,
    /// The file was longer than what is read.
    pub(crate) is_huge: bool,
    pub(crate) which: u32,
}

impl Form {
    /// Reads the fields by the last character of their names; unknown ones are passed over.
    pub(crate) fn read(pairs: Vec<(String, String)>) -> Form {
        let mut form = Form::default();
        for (name, value) in pairs {
            let Some(field) = Field::ALL.into_iter().find(|f| name.ends_with(f.mark())) else { continue };
            match field {
                Field::Page => form.page = value,
                Field::Step => {
                    form.step = Step::parse(&value);
                    form.load = name.strip_suffix(field.mark()).unwrap_or_default().to_owned();
                }
                Field::Text => form.text = value.replace("\r\n", "\n"),
                Field::Desk => form.desk = DeskId::from_hex(&value),
                Field::From => form.from = ui::story::parse_id(&value).map(StoryId),
                Field::Which => form.which = value.parse().unwrap_or_default(),
                // a browser without files in its form
                Field::File => {}
                Field::Word(n) => form.words[usize::from(n)] = value,
            }
        }
        form.words = spread(form.words);
        form
    }

    /// Reads a form that brings a file.
    pub(crate) async fn read_with_file(mut parts: Multipart) -> Result<Form, MultipartError> {
        let (mut pairs, mut file, mut is_huge) = (Vec::new(), None, false);
        while let Some(part) = parts.next_field().await? {
            let name = part.name().unwrap_or_default().to_owned();
            if name.ends_with(Field::File.mark()) {
                let called = part.file_name().unwrap_or_default().to_owned();
                let bytes = Zeroizing::new(Vec::from(part.bytes().await?));
                is_huge = bytes.len() > MAX_FILE;
                file = (!bytes.is_empty() && !is_huge).then_some((called, bytes));
            } else {
                pairs.push((name, part.text().await?));
            }
        }
        Ok(Form { file, is_huge, ..Form::read(pairs) })
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn every_field_comes_back_under_names_of_one_load() {
        let mut rng = StdRng::seed_from_u64(1);
        let (names, others) = (Names::draw(&mut rng), Names::draw(&mut rng));
        for field in Field::ALL {
            assert_ne!(names.of(field), others.of(field));
            let marks = Field::ALL.iter().filter(|f| f.mark() == field.mark()).count();
            assert_eq!(marks, 1, "{field:?}");
        }
        let desk = DeskId([3; 16]);
        let form = Form::read(vec![
            (names.of(Field::Step), "look".into()),
            (names.of(Field::Word(2)), " Candle ".into()),
            (names.of(Field::Desk), desk.to_string()),
            (names.of(Field::From), "zz".into()),
            (names.of(Field::Text), "a\r\nb".into()),
            (names.of(Field::Step), "home".into()),
        ]);
        assert!(form.step == Some(Step::Home) && form.desk == Some(desk) && form.from.is_none());
        assert!(form.words[2] == "candle" && form.text == "a\nb");
    }

    #[test]
    fn steps_read_as_they_are_written() {
        for (_, step) in Step::ALL {
            assert_eq!(Step::parse(&step.to_string()), Some(step));
        }
        assert_eq!(Step::parse("q9"), None);
    }
}
