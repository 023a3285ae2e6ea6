//! Where a page states its title, author, date, outlet and address, best place first.

use dom_query::Selection;
use dom_smoothie::Readability;
use proto::story::When;
use serde_json::Value;

use crate::stamp;

/// What a page states about itself.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) title: Option<String>,
    pub(super) byline: Option<String>,
    pub(super) outlet: Option<String>,
    pub(super) section: Option<String>,
    pub(super) published: Option<When>,
    pub(super) language: Option<String>,
    pub(super) address: Option<String>,
}

/// Reads what must be read before the extractor takes the page apart. Title, byline and outlet are weighed by the
/// extractor itself.
pub(super) fn read(page: &Readability) -> Meta {
    let stated = page.get_article_metadata(page.parse_json_ld());
    let title = if stated.title.is_empty() { page.get_article_title().to_string() } else { stated.title };
    let mut meta = Meta {
        outlet: stated.site_name.as_deref().and_then(|name| one_line(name, 100)),
        section: ["property", "name"]
            .iter()
            .find_map(|key| attribute(page, &format!("meta[{key}='article:section']"), "content"))
            .and_then(|section| one_line(&section, 100)),
        byline: stated.byline.or_else(|| signed(page)).as_deref().and_then(author),
        published: published(page).or_else(|| stamp::parse(stated.published_time.as_deref()?)),
        language: attribute(page, "html", "lang").filter(|tag| tag.len() <= 35 && tag.is_ascii()),
        address: attribute(page, "link[rel='canonical']", "href")
            .or_else(|| attribute(page, "meta[property='og:url']", "content"))
            .or(stated.url),
        title: None,
    };
    meta.title = one_line(&title, 300).map(|title| meta.without_outlet(title));
    meta
}

/// The author as printed: what the first element says that is named for one.
fn signed(page: &Readability) -> Option<String> {
    const NAMED: &str = "[rel='author'],[itemprop*='author'],[class*='byline' i],[class*='author' i],[class*='writtenby' i],\
                         [class*='dateline' i],[id*='byline' i],[id*='author' i]";
    /// Few pages have more before the first that is one.
    const TRIED: usize = 20;
    /// Longer ones say more than who wrote it, in letters.
    const LONGEST: usize = 100;
    let found = page.doc.try_select(NAMED)?;
    found.nodes().iter().take(TRIED).find_map(|node| {
        let whole = node.text();
        if whole.trim().is_empty() || whole.trim().chars().count() >= LONGEST {
            return None;
        }
        let name = Selection::from(*node).select_single("[itemprop='name']");
        Some(if name.is_empty() { whole.trim().to_owned() } else { name.text().trim().to_owned() })
    })
}

fn attribute(page: &Readability, selector: &str, name: &str) -> Option<String> {
    let value = page.doc.try_select(selector)?.attr(name)?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The first place that states a date which can be one: some systems write "0001-01-01" for "not known".
fn published(page: &Readability) -> Option<When> {
    const PLACES: &[(&str, &str)] = &[
        ("meta[property='article:published_time']", "content"),
        ("meta[name='article:published_time']", "content"),
        ("[itemprop~='datePublished'][content]", "content"),
        ("[itemprop~='datePublished'][datetime]", "datetime"),
        ("meta[name='parsely-pub-date']", "content"),
        ("meta[name='sailthru.date']", "content"),
        ("meta[name='dc.date.issued']", "content"),
        ("meta[name='DC.date.issued']", "content"),
        ("meta[name='publish-date']", "content"),
        ("meta[name='pubdate']", "content"),
        ("meta[name='date']", "content"),
        ("time[pubdate]", "datetime"),
        ("time.entry-date", "datetime"),
        ("article header time[datetime]", "datetime"),
    ];
    let structured = structured_date(page).and_then(|date| stamp::parse(&date));
    structured.or_else(|| {
        PLACES.iter().find_map(|(selector, name)| {
            attribute(page, selector, name).and_then(|value| stamp::parse(&value))
        })
    })
}

/// `datePublished` of the article that a page's JSON-LD describes, or else of the page.
fn structured_date(page: &Readability) -> Option<String> {
    let mut of_page = None;
    for script in page.doc.try_select("script[type='application/ld+json']")?.iter() {
        let Ok(data) = serde_json::from_str::<Value>(script.text().trim()) else { continue };
        let mut open = vec![&data];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items.iter().rev()),
                Value::Object(object) => {
                    let date = object.get("datePublished").and_then(Value::as_str);
                    match (date, kind(object)) {
                        (Some(date), Kind::Article) => return Some(date.to_owned()),
                        (Some(date), Kind::Page) => {
                            of_page.get_or_insert_with(|| date.to_owned());
                        }
                        _ => {}
                    }
                    // What a page is made of, and what it is about; not what it links to.
                    open.extend(
                        ["@graph", "mainEntity", "mainEntityOfPage"]
                            .iter()
                            .filter_map(|key| object.get(*key)),
                    );
                }
                _ => {}
            }
        }
    }
    of_page
}

enum Kind {
    Article,
    Page,
    Other,
}

fn kind(object: &serde_json::Map<String, Value>) -> Kind {
    let names: Vec<&str> = match object.get("@type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if names
        .iter()
        .any(|name| name.ends_with("Article") || name.ends_with("BlogPosting") || *name == "Report")
    {
        Kind::Article
    } else if names.iter().any(|name| name.ends_with("WebPage")) {
        Kind::Page
    } else {
        Kind::Other
    }
}

impl Meta {
    /// "Ferry late | Harbour Post" is the headline "Ferry late".
    fn without_outlet(&self, title: String) -> String {
        let headline =
            self.outlet.as_deref().and_then(|outlet| title.strip_suffix(outlet)).map(str::trim_end);
        match headline
            .and_then(|headline| headline.strip_suffix(['|', '-', '–', '—', '·', '»']))
            .map(str::trim_end)
        {
            Some(headline) if !headline.is_empty() => headline.to_owned(),
            _ => title,
        }
    }
}

/// A name as printed, without "By"; some pages state an address there.
fn author(text: &str) -> Option<String> {
    let line = one_line(text, 160)?;
    let name = ["By ", "by ", "BY "].iter().find_map(|by| line.strip_prefix(by)).unwrap_or(&line);
    let name = name.trim_matches([' ', ',', ';']);
    (!name.contains("://") && !name.is_empty()).then(|| name.to_owned())
}

/// `text` on one line; `None` if it is empty or too long to be what it should be.
fn one_line(text: &str, longest: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty() && line.chars().count() <= longest).then_some(line)
}
