//! XML as office files and PDF files carry it. Damaged XML is read as far as it goes.

use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::search::Search;
use super::{LENGTH, What};

/// How deep elements stand in each other at most. No program writes deeper ones.
const DEEP: usize = 256;
/// Of a text no more characters are kept.
const TEXT: usize = 4_096;

/// What the text of an element is, and under which name it is told.
#[derive(Clone)]
pub(super) struct Says {
    what: What,
    name: Rc<str>,
}

impl Says {
    pub(super) fn what(what: What) -> Self {
        Self::named(what, "")
    }

    /// With the name that the file gives it.
    pub(super) fn named(what: What, name: &str) -> Self {
        Self { what, name: name.chars().take(LENGTH).collect::<String>().into() }
    }

    fn tell(&self, text: &str, search: &mut Search) {
        if text.trim().is_empty() {
        } else if self.name.is_empty() {
            search.tell(self.what, text);
        } else {
            search.tell(self.what, &format!("{}: {text}", self.name));
        }
    }
}

/// The beginning of an element.
pub(super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// Without the prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// As it stands there, with the prefix.
    pub(super) fn full_name(&self) -> &str {
        self.0.name().into_inner()
    }

    /// All attributes, by name without the prefix.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, String)> {
        let mut attributes = self.0.attributes();
        // Nobody minds one that is there twice, and to compare each with each takes long.
        attributes.with_checks(false);
        let known = attributes.filter_map(Result::ok).filter(|it| it.key.as_namespace_binding().is_none());
        known.map(|it| {
            let value = it.normalized_value(XmlVersion::Implicit1_0).unwrap_or_else(|_| it.value.clone());
            (it.key.local_name().into_inner(), value.into_owned())
        })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.attributes().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// Reads all of it. `tag` is given every element, may tell of it what it likes, and says what the texts in it are; if it says
/// nothing, they are what they are around it.
pub(super) fn read(
    xml: &[u8],
    search: &mut Search,
    mut tag: impl FnMut(&Tag<'_>, &mut Search) -> Option<Says>,
) {
    let xml = String::from_utf8_lossy(search.walk(xml));
    let mut reader = Reader::from_str(&xml);
    let config = reader.config_mut();
    (config.check_end_names, config.allow_unmatched_ends) = (false, true);
    let (mut around, mut text): (Vec<Option<Says>>, _) = (Vec::new(), String::new());
    loop {
        // Where it is damaged, it ends.
        let event = reader.read_event().unwrap_or(Event::Eof);
        let is_wanted = matches!(around.last(), Some(Some(_))) && text.len() < TEXT;
        match &event {
            Event::Text(piece) if is_wanted => text.extend(piece.chars().take(TEXT)),
            Event::CData(piece) if is_wanted => text.extend(piece.chars().take(TEXT)),
            Event::GeneralRef(name) if is_wanted => match quick_xml::escape::resolve_xml_entity(name) {
                Some(known) => text.push_str(known),
                None => text.extend(name.resolve_char_ref().ok().flatten()),
            },
            Event::Start(_) | Event::Empty(_) | Event::End(_) | Event::Eof => {
                if let Some(Some(says)) = around.last() {
                    says.tell(&text, search);
                }
                text.clear();
            }
            _ => {}
        }
        match event {
            Event::Start(_) if around.len() == DEEP => return,
            Event::Start(start) => {
                let says = tag(&Tag(start), search);
                around.push(says.or_else(|| around.last().cloned().flatten()));
            }
            Event::Empty(start) => {
                tag(&Tag(start), search);
            }
            Event::End(_) => {
                around.pop();
            }
            Event::Eof => return,
            _ => {}
        }
    }
}
