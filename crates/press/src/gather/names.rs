//! Which name is whose. A feed may call itself anything; the name of another outlet it does not get, or whatever it tells would be
//! told by that one.

use std::collections::HashMap;

use url::Url;

use super::feeds::is_of;

/// Of each name, folded, an address of whose it is; empty: the operator says who that is.
#[derive(Default)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Notes that somebody at that address has a name, unless another has it already. Returns the name, folded, if it is new.
    pub(super) fn claim(&mut self, name: &str, at: &str) -> Option<String> {
        let name = folded(name);
        if name.is_empty() || self.0.contains_key(&name) {
            return None;
        }
        self.0.insert(name.clone(), at.to_owned());
        Some(name)
    }

    /// The same of a name that is folded.
    pub(super) fn claim_folded(&mut self, name: String, at: String) {
        self.0.entry(name).or_insert(at);
    }

    /// The name to print for a feed that calls itself so: with its host behind it if that is the name of an outlet on another site.
    pub(super) fn of_feed(&self, called: &str, feed: &str) -> String {
        let is_taken = |at: &String| at != feed && !is_of(at, feed);
        match self.0.get(&folded(called)) {
            Some(at) if is_taken(at) => format!("{} ({})", plain(called), host(feed)),
            _ => called.to_owned(),
        }
    }
}

/// A name as it is compared: its letters and digits alone, all small.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A name as it can be seen, and short enough for what comes behind it.
fn plain(name: &str) -> String {
    const LONGEST: usize = 80;
    let is_seen = |c: &char| {
        c.is_alphanumeric() || matches!(c, ' ' | '\'' | '’' | '&' | '-' | '–' | '.' | ',' | ':' | '!')
    };
    name.chars().filter(is_seen).take(LONGEST).collect()
}

fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    url.as_ref().and_then(Url::host_str).unwrap_or(address).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_does_not_get_the_name_of_an_outlet_elsewhere() {
        let mut names = Names::default();
        let quay = "https://www.quay.example/feed";
        assert_eq!(names.of_feed("The Quay", quay), "The Quay");
        assert_eq!(names.claim("The Quay", quay).as_deref(), Some("thequay"));
        assert_eq!(names.claim("the  quay!", "https://evil.test/feed"), None);
        for (feed, name) in [
            (quay, "The Quay"),
            ("https://feeds.quay.example/sport", "The Quay"),
            ("https://evil.test/feed", "The Quay (evil.test)"),
        ] {
            assert_eq!(names.of_feed("The Quay", feed), name);
        }
        assert_eq!(names.of_feed("THE QUAY.", "https://evil.test/feed"), "THE QUAY. (evil.test)");
        // What the operator calls so is nobody's site.
        names.claim("Own News", "");
        assert_eq!(names.of_feed("Own News", quay), "Own News (www.quay.example)");
        let hidden = format!("The Quay{}.", "\u{2060}".repeat(400));
        assert_eq!(names.of_feed(&hidden, "https://evil.test/feed"), "The Quay. (evil.test)");
        names.claim(" - ", quay);
        assert_eq!(names.of_feed("-", "https://evil.test/feed"), "-");
    }
}
