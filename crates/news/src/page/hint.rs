//! What the names that a page gives to its elements say about the text in them.
//!
//! Class names and ids are words of the language of those who build pages: `share-bar`, `relatedLinks`, `author__bio`. They are taken
//! apart into words; longer ones are known by their beginning, since they are written together (`newsletterbox`).

/// What the text of an element is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hint {
    /// Other articles, newsletters, advertisements.
    Promotion,
    /// What a visitor can do: share, comment, go elsewhere.
    Chrome,
    /// Who wrote it.
    Byline,
    /// When it was written.
    Dateline,
    /// What a picture shows.
    Caption,
    /// Has to do with a picture; its text is a caption if it is short.
    Picture,
}

/// What the names of one element say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) hint: Option<Hint>,
    /// It says that the text of the page is here.
    pub(super) content: bool,
}

/// Words that are a name by themselves.
#[rustfmt::skip]
const WORDS: &[(&str, Hint)] = &[
    ("ad", Hint::Promotion), ("ads", Hint::Promotion), ("cta", Hint::Promotion), ("donate", Hint::Promotion),
    ("donation", Hint::Promotion), ("popular", Hint::Promotion), ("readmore", Hint::Promotion), ("signup", Hint::Promotion),
    ("teaser", Hint::Promotion), ("teasers", Hint::Promotion), ("upsell", Hint::Promotion),
    ("consent", Hint::Chrome), ("contact", Hint::Chrome), ("footer", Hint::Chrome), ("gdpr", Hint::Chrome),
    ("loading", Hint::Chrome), ("login", Hint::Chrome), ("menu", Hint::Chrome), ("modal", Hint::Chrome), ("nav", Hint::Chrome),
    ("overlay", Hint::Chrome), ("pager", Hint::Chrome), ("pagination", Hint::Chrome), ("popup", Hint::Chrome),
    ("print", Hint::Chrome), ("rating", Hint::Chrome), ("ratings", Hint::Chrome), ("tags", Hint::Chrome),
    ("tooltip", Hint::Chrome), ("visuallyhidden", Hint::Chrome), ("masthead", Hint::Chrome),
    ("bio", Hint::Byline), ("byline", Hint::Byline), ("contributor", Hint::Byline), ("contributors", Hint::Byline),
    ("date", Hint::Dateline), ("dateline", Hint::Dateline), ("datetime", Hint::Dateline), ("meta", Hint::Dateline),
    ("metadata", Hint::Dateline), ("pubdate", Hint::Dateline), ("published", Hint::Dateline), ("time", Hint::Dateline),
    ("timestamp", Hint::Dateline), ("updated", Hint::Dateline),
    ("credit", Hint::Caption), ("credits", Hint::Caption), ("figcaption", Hint::Caption),
    ("figure", Hint::Picture), ("img", Hint::Picture), ("media", Hint::Picture), ("picture", Hint::Picture),
    ("player", Hint::Picture), ("slide", Hint::Picture), ("thumb", Hint::Picture),
];

/// Beginnings of words.
const STEMS: &[(&str, Hint)] = &[
    ("advert", Hint::Promotion),
    ("newsletter", Hint::Promotion),
    ("promo", Hint::Promotion),
    ("recommend", Hint::Promotion),
    ("related", Hint::Promotion),
    ("sponsor", Hint::Promotion),
    ("subscri", Hint::Promotion),
    ("trending", Hint::Promotion),
    ("breadcrumb", Hint::Chrome),
    ("comment", Hint::Chrome),
    ("cookie", Hint::Chrome),
    ("navbar", Hint::Chrome),
    ("navigation", Hint::Chrome),
    ("share", Hint::Chrome),
    ("sharing", Hint::Chrome),
    ("sidebar", Hint::Chrome),
    ("social", Hint::Chrome),
    ("toolbar", Hint::Chrome),
    ("author", Hint::Byline),
    ("timestamp", Hint::Dateline),
    ("caption", Hint::Caption),
    ("carousel", Hint::Picture),
    ("gallery", Hint::Picture),
    ("image", Hint::Picture),
    ("photo", Hint::Picture),
    ("slideshow", Hint::Picture),
    ("thumbnail", Hint::Picture),
    ("video", Hint::Picture),
];

/// Words of places where a page's text is.
const CONTENT: &[&str] =
    &["article", "blog", "body", "content", "entry", "hentry", "main", "page", "post", "story", "text"];

impl Named {
    /// Takes one more of the element's names into account.
    pub(super) fn add(&mut self, name: &str) {
        /// No name that means something is longer; some pages keep data in class names.
        const LONGEST: usize = 400;
        let mut end = name.len().min(LONGEST);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        for word in words(&name[..end]) {
            self.word(word);
        }
    }

    fn word(&mut self, word: &str) {
        /// The longest word of the lists is shorter.
        const LONGEST: usize = 40;
        let mut letters = [0; LONGEST];
        let Some(letters) = letters.get_mut(..word.len()) else { return };
        letters.copy_from_slice(word.as_bytes());
        letters.make_ascii_lowercase();
        let word: &[u8] = letters;
        self.content |= CONTENT.iter().any(|known| known.as_bytes() == word);
        let exact = WORDS.iter().find(|(known, _)| known.as_bytes() == word);
        let hint = exact.or_else(|| STEMS.iter().find(|(stem, _)| word.starts_with(stem.as_bytes())));
        if let Some((_, hint)) = hint {
            self.hint = Some(self.hint.map_or(*hint, |known| known.min(*hint)));
        }
    }
}

/// The words of a name: `shareBar-2` is `share`, `Bar` and `2`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let bytes = rest.as_bytes();
            let end = (1..bytes.len())
                .find(|&at| bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase())
                .unwrap_or(bytes.len());
            let word;
            (word, rest) = rest.split_at(end);
            Some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Named {
        let mut named = Named::default();
        named.add(name);
        named
    }

    #[test]
    fn names_are_read_word_by_word() {
        assert_eq!(named("shareBar-2").hint, Some(Hint::Chrome));
        assert_eq!(named("article__relatedLinks").hint, Some(Hint::Promotion));
        assert!(named("article__relatedLinks").content);
        assert_eq!(named("newsletterbox").hint, Some(Hint::Promotion));
        assert_eq!(named("entry-date").hint, Some(Hint::Dateline));
        for plain in ["up-to-standard", "paragraph", "shard", "", "é-ü"] {
            assert_eq!(named(plain), Named::default(), "{plain}");
        }
        assert_eq!(named(&"x".repeat(10_000)), Named::default());
    }
}
