//! `robots.txt` (RFC 9309): which pages of a site a program may fetch.

/// The name by which sites address the press, as `User-agent` of a group.
pub const TOKEN: &str = "firsthand";

/// As much of a file as is read, in bytes (section 2.5).
pub(super) const LONGEST: usize = 500 * 1024;

/// A site's rules for one program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// Normalised, with its signs `*` and `$`.
    pattern: String,
    allows: bool,
}

impl Robots {
    /// No page may be fetched: what holds while a site cannot say (section 2.3.1.4).
    pub(super) fn nothing() -> Self {
        Self(vec![Rule { pattern: "/".into(), allows: false }])
    }

    /// The rules of all groups that name `token`, or of those for everybody if none does (section 2.2.1).
    pub fn read(text: &str, token: &str) -> Self {
        let (mut ours, mut all) = (None::<Vec<Rule>>, Vec::new());
        // Whom the group at hand is for, and whether it has begun with rules: then a new `User-agent` begins another.
        let (mut for_us, mut for_all, mut has_rules) = (false, false, true);
        for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match key.as_str() {
                "user-agent" => {
                    if std::mem::take(&mut has_rules) {
                        (for_us, for_all) = (false, false);
                    }
                    let end = value.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_')));
                    let name = &value[..end.unwrap_or(value.len())];
                    for_all |= value.starts_with('*');
                    for_us |= name.eq_ignore_ascii_case(token);
                    if for_us {
                        ours.get_or_insert_default();
                    }
                }
                "allow" | "disallow" => {
                    has_rules = true;
                    if value.is_empty() {
                        continue;
                    }
                    let rule = Rule { pattern: normal(value), allows: key == "allow" };
                    match &mut ours {
                        Some(ours) if for_us => ours.push(rule),
                        _ if for_all => all.push(rule),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Self(ours.unwrap_or(all))
    }

    /// Whether a path, with its query, may be fetched: the longest pattern decides, of equally long ones the one that allows
    /// (section 2.2.2).
    pub fn allows(&self, path: &str) -> bool {
        let path = normal(path);
        if path == "/robots.txt" {
            return true;
        }
        let fits = self.0.iter().filter(|rule| matches(&rule.pattern, &path));
        fits.max_by_key(|rule| (rule.pattern.len(), rule.allows)).is_none_or(|rule| rule.allows)
    }
}

/// One way to write an octet: letters, digits and the like as they are, all others that are escaped or beyond ASCII as `%XX`.
fn normal(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| path.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        let (byte, step) = escaped.map_or((bytes[at], 1), |byte| (byte, 3));
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if byte.is_ascii() && (plain || escaped.is_none()) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        at += step;
    }
    out
}

/// Whether a pattern fits the beginning of a path, or all of it if it ends with `$`. Each part between stars is looked for once,
/// so that no pattern takes long.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, whole) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return !whole || rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    if whole { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(text: &str, path: &str) -> bool {
        Robots::read(text, TOKEN).allows(path)
    }

    #[test]
    fn the_group_that_names_us_counts_alone() {
        let text = "User-agent: *\nDisallow: /\n\nUser-Agent: Other\nUser-agent: FirstHand/2.0\nDisallow: /private # all of it\n\
                    Sitemap: https://quay.example/map\nAllow: /private/open\n\nuser-agent: firsthand\ndisallow: /late\n";
        for (path, may) in [
            ("/", true),
            ("/private", false),
            ("/private/x", false),
            ("/private/open/1", true),
            ("/late?x=1", false),
        ] {
            assert_eq!(allows(text, path), may, "{path}");
        }
        assert!(!Robots::read(text, "somebody").allows("/x"));
        assert!(!allows("User-agent: firsthand-news\nAllow: /\n\nUser-agent: *\nDisallow: /\n", "/x"));
    }

    #[test]
    fn an_empty_file_or_rule_forbids_nothing() {
        for text in [
            "",
            "\u{feff}",
            "User-agent: *\nDisallow:\n",
            "Disallow: /\n",
            "no rules\r\rat all:",
            "User-agent: *",
        ] {
            assert!(allows(text, "/x"), "{text:?}");
        }
        assert!(!Robots::nothing().allows("/x") && Robots::nothing().allows("/robots.txt"));
    }

    #[test]
    fn the_longest_pattern_decides_and_of_two_the_one_that_allows() {
        let text = "User-agent: *\r\nDisallow: /a\r\nAllow: /a\r\nDisallow: /*.pdf$\r\nDisallow: /b*/c\r\nAllow: /b/x/c/d\r\n\
                    Disallow: /caf\u{e9}\r\nDisallow: /%7Eada\r\n";
        for (path, may) in [
            ("/a", true),
            ("/x.pdf", false),
            ("/x.pdf?y", true),
            ("/x.pdfs", true),
            ("/b/x/c", false),
            ("/bc", true),
            ("/b/x/c/d/e", true),
            ("/caf%C3%A9/1", false),
            ("/caf%c3%a9", false),
            ("/~ada/", false),
            ("/A", true),
        ] {
            assert_eq!(allows(text, path), may, "{path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let text = format!("User-agent: *\nDisallow: /{}b\n", "*a".repeat(50_000));
        assert!(allows(&text, &format!("/{}", "a".repeat(100_000))));
    }

    proptest! {
        #[test]
        fn no_file_and_no_path_breaks_it(text in "(?s).{0,200}", path in "\\PC{0,50}") {
            Robots::read(&format!("user-agent:*\n{text}"), TOKEN).allows(&path);
        }
    }
}
