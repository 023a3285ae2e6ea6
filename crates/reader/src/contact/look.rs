//! Looks at a message before it is sealed: words of the passphrase, addresses that could identify, length.
//!
//! Everything happens on this device, on text that has not left it.

/// What in a text could lead to its writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identifies {
    Email,
    Url,
}

/// How far apart two words of the passphrase may stand and still count: "1. word and then word".
const APART: usize = 3;

/// Whether two or more of the passphrase's words stand in the text in their order, close to each other.
pub(crate) fn holds_passphrase<'a>(text: &str, passphrase: impl Iterator<Item = &'a str>) -> bool {
    let passphrase: Vec<&str> = passphrase.collect();
    let text = text.to_lowercase();
    let tokens: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic() && c != '-').filter(|t| !t.is_empty()).collect();
    tokens.iter().enumerate().any(|(at, token)| {
        passphrase.iter().enumerate().filter(|(_, word)| *word == token).any(|(place, _)| {
            let near = &tokens[at + 1..tokens.len().min(at + 1 + APART)];
            passphrase[place + 1..].iter().any(|later| near.contains(later))
        })
    })
}

/// The first thing in the text that looks like an e-mail or a web address.
pub(crate) fn identifies(text: &str) -> Option<Identifies> {
    text.split(|c: char| c.is_whitespace() || "<>()[]\"“”'‘’,;".contains(c)).find_map(|token| {
        let token = token.trim_matches(|c: char| !c.is_alphanumeric());
        if is_email(token) {
            return Some(Identifies::Email);
        }
        is_url(token).then_some(Identifies::Url)
    })
}

fn is_email(token: &str) -> bool {
    token.split_once('@').is_some_and(|(name, host)| !name.is_empty() && is_host(host))
}

fn is_url(token: &str) -> bool {
    let lower = token.to_lowercase();
    if lower.contains("://") || lower.starts_with("www.") {
        return true;
    }
    let (host, path) =
        lower.split_once('/').map_or((lower.as_str(), None), |(host, path)| (host, Some(path)));
    // "end.Then" is a missing space, not an address: without a path only well-known endings count
    let ending = host.rsplit('.').next().unwrap_or("");
    let known = [
        "com", "org", "net", "info", "onion", "eu", "uk", "de", "fr", "io", "me", "ly", "gov", "edu",
        "example",
    ];
    is_host(host) && (path.is_some() || known.contains(&ending))
}

/// Two or more labels, the last of letters only.
fn is_host(host: &str) -> bool {
    let mut labels = host.split('.');
    let last = labels.next_back().unwrap_or("");
    let mut rest = labels.peekable();
    let plain = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    rest.peek().is_some() && rest.all(plain) && last.len() >= 2 && last.chars().all(char::is_alphabetic)
}

/// About how many words still fit (`Ok`) or are too many (`Err`), from the bytes after compression. Rounded down, or
/// up, to tens: a promise of room must hold.
pub(crate) fn words_left(text: &str, used: usize, total: usize) -> Result<usize, usize> {
    let words = text.split_whitespace().count();
    // English prose packs to three to six bytes a word; a longer text tells its own rate, which may be higher.
    let own = if words >= 30 { used / words } else { 0 };
    if used <= total {
        Ok((total - used) / own.max(6) / 10 * 10)
    } else {
        Err(((used - total) / own.max(3) + 1).next_multiple_of(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: [&str; 6] = ["anchor", "bramble", "candle", "drift-wood", "ember", "fennel"];

    #[test]
    fn passphrase_is_found_however_it_was_pasted() {
        for text in [
            "anchor bramble candle drift-wood ember fennel",
            "1. Anchor\n2. Bramble",
            "my words: ember, and FENNEL ok?",
            "the candle and the ember",
        ] {
            assert!(holds_passphrase(text, SIX.iter().copied()), "{text}");
        }
    }

    #[test]
    fn one_word_or_the_wrong_order_is_no_passphrase() {
        for text in [
            "",
            "the anchor was lost",
            "bramble anchor",
            "an ember. Much later in the year, some fennel",
            "anchors brambles",
        ] {
            assert!(!holds_passphrase(text, SIX.iter().copied()), "{text}");
        }
    }

    #[test]
    fn addresses_are_noticed() {
        for (text, found) in [
            ("write to ana@harbour.example, soon", Some(Identifies::Email)),
            ("(see https://drive.example/x?y=1).", Some(Identifies::Url)),
            ("www.harbour", Some(Identifies::Url)),
            ("on harbour.example/minutes it says", Some(Identifies::Url)),
            ("harbour.com", Some(Identifies::Url)),
            ("It ended.Then it rained. At 14.30 it was 3.5 m.", None),
            ("the @ sign, a@b, e.g. this, and/or that, 24/7", None),
        ] {
            assert_eq!(identifies(text), found, "{text}");
        }
    }

    #[test]
    fn room_is_rounded_the_honest_way() {
        assert_eq!(words_left("", 0, 3_552), Ok(590));
        assert_eq!(words_left("few words", 3_549, 3_552), Ok(0));
        assert_eq!(words_left("few words", 3_600, 3_552), Err(20));
        let prose = "word ".repeat(100);
        assert_eq!(words_left(&prose, 800, 3_552), Ok(340));
    }
}
