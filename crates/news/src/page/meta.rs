//! Where a page states its title, author, date, outlet and address, best place first.

use dom_smoothie::{Article, Readability};

/// What a page states about itself.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) title: Option<String>,
    pub(super) byline: Option<String>,
    pub(super) outlet: Option<String>,
    pub(super) published: Option<String>,
    pub(super) language: Option<String>,
    pub(super) address: Option<String>,
}

/// Reads what must be read before the extractor takes the page apart.
pub(super) fn read(page: &Readability) -> Meta {
    let attribute = |selector: &str, name: &str| {
        let found = page.doc.try_select(selector)?;
        found.attr(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let first =
        |places: &[(&str, &str)]| places.iter().find_map(|(selector, name)| attribute(selector, name));
    let structured = page.parse_json_ld();
    let date = structured.as_ref().and_then(|data| data.published_time.clone());
    Meta {
        // Structured data and meta tags are weighed by the extractor; see `complete`.
        title: None,
        byline: None,
        outlet: None,
        published: date.or_else(|| {
            first(&[
                ("meta[property='article:published_time']", "content"),
                ("meta[itemprop='datePublished']", "content"),
                ("meta[name='article:published_time']", "content"),
                ("meta[name='parsely-pub-date']", "content"),
                ("meta[name='sailthru.date']", "content"),
                ("meta[name='dc.date.issued']", "content"),
                ("meta[name='DC.date.issued']", "content"),
                ("meta[name='date']", "content"),
                ("meta[name='pubdate']", "content"),
                ("time[itemprop='datePublished']", "datetime"),
                ("time[pubdate]", "datetime"),
                ("article header time[datetime]", "datetime"),
            ])
        }),
        language: first(&[("html", "lang")]).filter(|tag| tag.len() <= 35 && tag.is_ascii()),
        address: first(&[("link[rel='canonical']", "href"), ("meta[property='og:url']", "content")]),
    }
}

impl Meta {
    /// Adds what the extractor found.
    pub(super) fn complete(&mut self, article: &Article) {
        self.title = one_line(&article.title, 300);
        self.byline = article.byline.as_deref().and_then(author);
        self.outlet = article.site_name.as_deref().and_then(|name| one_line(name, 100));
        self.published = self.published.take().or_else(|| article.published_time.clone());
        self.address = self.address.take().or_else(|| article.url.clone());
    }

    /// Adds what is stated in a page that the extractor could not read.
    pub(super) fn complete_without_article(&mut self, page: &Readability) {
        let meta = page.get_article_metadata(page.parse_json_ld());
        self.title = one_line(&meta.title, 300);
        self.byline = meta.byline.as_deref().and_then(author);
        self.outlet = meta.site_name.as_deref().and_then(|name| one_line(name, 100));
    }
}

/// A name as printed, without "By"; some pages state an address there.
fn author(text: &str) -> Option<String> {
    let line = one_line(text, 160)?;
    let name = ["By ", "by ", "BY "].iter().find_map(|by| line.strip_prefix(by)).unwrap_or(&line).trim();
    (!name.contains("://") && !name.is_empty()).then(|| name.to_owned())
}

/// `text` on one line; `None` if it is empty or too long to be what it should be.
fn one_line(text: &str, longest: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty() && line.chars().count() <= longest).then_some(line)
}
