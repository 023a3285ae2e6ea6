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
fn of_word(word: &[u8]) -> Option<Hint> {
    Some(match word {
        b"ad" | b"ads" | b"cta" | b"donate" | b"donation" | b"popular" | b"readmore" | b"signup"
        | b"teaser" | b"teasers" | b"upsell" => Hint::Promotion,
        b"consent" | b"contact" | b"footer" | b"gdpr" | b"loading" | b"login" | b"masthead" | b"menu"
        | b"modal" | b"nav" | b"overlay" | b"pager" | b"pagination" | b"popup" | b"print" | b"rating"
        | b"ratings" | b"tags" | b"tooltip" | b"visuallyhidden" => Hint::Chrome,
        b"bio" | b"byline" | b"contributor" | b"contributors" => Hint::Byline,
        b"date" | b"dateline" | b"datetime" | b"meta" | b"metadata" | b"pubdate" | b"published" | b"time"
        | b"updated" => Hint::Dateline,
        b"credit" | b"credits" | b"figcaption" => Hint::Caption,
        b"figure" | b"img" | b"media" | b"picture" | b"player" | b"slide" | b"thumb" => Hint::Picture,
        _ => return None,
    })
}

/// Beginnings of words.
const STEMS: &[(&[u8], Hint)] = &[
    (b"advert", Hint::Promotion),
    (b"newsletter", Hint::Promotion),
    (b"promo", Hint::Promotion),
    (b"recommend", Hint::Promotion),
    (b"related", Hint::Promotion),
    (b"sponsor", Hint::Promotion),
    (b"subscri", Hint::Promotion),
    (b"trending", Hint::Promotion),
    (b"breadcrumb", Hint::Chrome),
    (b"comment", Hint::Chrome),
    (b"cookie", Hint::Chrome),
    (b"navbar", Hint::Chrome),
    (b"navigation", Hint::Chrome),
    (b"share", Hint::Chrome),
    (b"sharing", Hint::Chrome),
    (b"sidebar", Hint::Chrome),
    (b"social", Hint::Chrome),
    (b"toolbar", Hint::Chrome),
    (b"author", Hint::Byline),
    (b"timestamp", Hint::Dateline),
    (b"caption", Hint::Caption),
    (b"carousel", Hint::Picture),
    (b"gallery", Hint::Picture),
    (b"image", Hint::Picture),
    (b"photo", Hint::Picture),
    (b"slideshow", Hint::Picture),
    (b"thumbnail", Hint::Picture),
    (b"video", Hint::Picture),
];

/// Words of places where a page's text is.
fn is_content(word: &[u8]) -> bool {
    matches!(
        word,
        b"article"
            | b"blog"
            | b"body"
            | b"content"
            | b"entry"
            | b"hentry"
            | b"main"
            | b"page"
            | b"post"
            | b"story"
            | b"text"
    )
}

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
        self.content |= is_content(word);
        let stem = || STEMS.iter().find(|(stem, _)| word.first() == stem.first() && word.starts_with(stem));
        if let Some(hint) = of_word(word).or_else(|| stem().map(|(_, hint)| *hint)) {
            self.hint = Some(self.hint.map_or(hint, |known| known.min(hint)));
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
