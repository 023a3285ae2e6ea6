//! Mentions -> names: which of them are the same person or body.

use foldhash::{HashMap, HashMapExt as _};

use super::mention::Found;
use super::{Mention, Name, Names, Sort};

/// Names of one beginning that are compared letter by letter. An article has some; more are made to take time.
const COMPARED: usize = 24;

pub(super) fn resolved(found: Vec<Found<'_>>) -> Names {
    let mut resolver = Resolver::default();
    // Full names first: a surname may stand before the name it is short for.
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&at| found[at].words.len() == 1);
    let mut known = vec![0; found.len()];
    for at in order {
        known[at] = resolver.name(&found[at]);
    }
    let mut names = Names::default();
    let mut places = HashMap::new();
    for (found, known) in found.into_iter().zip(known) {
        let name = *places.entry(known).or_insert_with(|| {
            names.names.push(resolver.names[known].name());
            names.names.len() - 1
        });
        names.mentions.push(Mention { span: found.span, name });
    }
    names
}

#[derive(Default)]
struct Resolver<'t> {
    names: Vec<Gathered<'t>>,
    /// Folded word -> names that have it.
    by_word: HashMap<String, Vec<usize>>,
    /// First letters of a folded surname -> names.
    by_beginning: HashMap<String, Vec<usize>>,
    /// Initials of bodies.
    by_initials: HashMap<String, usize>,
}

/// What the mentions of a name say together.
struct Gathered<'t> {
    words: Vec<&'t str>,
    folded: Vec<String>,
    title: Option<String>,
    pronoun: Option<super::Pronoun>,
    acts: bool,
    body: bool,
    /// Called by its last word alone.
    short: bool,
}

impl Gathered<'_> {
    fn name(&self) -> Name {
        let sort = match (self.acts || (self.short && self.words.len() > 1), self.body) {
            (true, false) => Sort::Person,
            (_, true) => Sort::Body,
            (false, false) => Sort::Other,
        };
        Name { full: self.words.join(" "), sort, title: self.title.clone(), pronoun: self.pronoun }
    }
}

impl<'t> Resolver<'t> {
    /// The name a mention belongs to; a new one if it is like none.
    fn name(&mut self, found: &Found<'t>) -> usize {
        let folded: Vec<String> = found.words.iter().map(|word| folded(word)).collect();
        let at = self.known(found, &folded).unwrap_or_else(|| self.begin(found, &folded));
        let name = &mut self.names[at];
        name.title = name.title.take().or_else(|| found.title.clone());
        name.pronoun = name.pronoun.or(found.pronoun);
        name.acts |= found.acts;
        name.body |= found.body && !(found.acts || name.title.is_some());
        name.short |= folded.len() == 1 && name.folded.last() == folded.last() && name.folded.len() > 1;
        if found.words.len() > name.words.len() {
            name.words.clone_from(&found.words);
        }
        at
    }

    fn known(&self, found: &Found<'t>, folded: &[String]) -> Option<usize> {
        let last = folded.last()?;
        let mut known = self.by_word.get(last).into_iter().flatten().rev().take(COMPARED);
        if folded.len() > 1 {
            return known
                .find(|&&at| self.is_same(at, folded))
                .or_else(|| self.similar(last).find(|&&at| self.is_same(at, folded)))
                .copied();
        }
        if let Some(&body) = self.by_initials.get(found.words[0]) {
            return Some(body);
        }
        // A surname before a given name, the latest name first.
        let mut given = None;
        for &at in known {
            let name = &self.names[at];
            if name.folded.last() == Some(last) {
                return Some(at);
            }
            if name.folded.first() == Some(last) && !name.body && given.is_none() {
                given = Some(at);
            }
        }
        given.or_else(|| self.similar(last).next().copied())
    }

    /// Names whose last word is spelled almost like this one.
    fn similar<'a>(&'a self, last: &'a str) -> impl Iterator<Item = &'a usize> {
        let near = self.by_beginning.get(&beginning(last)).into_iter().flatten().rev().take(COMPARED);
        near.filter(move |&&at| self.names[at].folded.last().is_some_and(|known| is_near(known, last)))
    }

    /// Whether a full name is this one: the same surname, and given names that do not differ.
    fn is_same(&self, at: usize, folded: &[String]) -> bool {
        let known = &self.names[at].folded;
        let (Some(last), Some(other)) = (known.last(), folded.last()) else { return false };
        if last != other && !is_near(last, other) {
            return false;
        }
        if known.len() == 1 {
            return true;
        }
        let (first, other) = (&known[0], &folded[0]);
        let initial =
            |short: &str, long: &str| short.ends_with('.') && long.starts_with(short.trim_end_matches('.'));
        first == other || initial(first, other) || initial(other, first)
    }

    fn begin(&mut self, found: &Found<'t>, folded: &[String]) -> usize {
        let at = self.names.len();
        for word in folded {
            self.by_word.entry(word.clone()).or_default().push(at);
        }
        if let Some(last) = folded.last() {
            self.by_beginning.entry(beginning(last)).or_default().push(at);
        }
        if folded.len() > 1 {
            let initials: String = found
                .words
                .iter()
                .filter_map(|word| word.chars().next())
                .filter(|c| c.is_uppercase())
                .collect();
            self.by_initials.entry(initials).or_insert(at);
        }
        self.names.push(Gathered {
            words: found.words.clone(),
            folded: folded.to_vec(),
            title: None,
            pronoun: None,
            acts: false,
            body: false,
            short: false,
        });
        at
    }
}

/// A word as all transcriptions of it are written: small, plain vowels, one ending for "-y", "-iy", "-yy", "-ii", "-ij", one for "-ov"
/// and "-off".
fn folded(word: &str) -> String {
    let mut small: String = word
        .chars()
        .filter(|c| !matches!(c, '\'' | '’' | '-' | '\u{ad}'))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' => 'a',
            'é' | 'è' | 'ê' | 'ë' | 'ē' | 'ę' => 'e',
            'í' | 'ì' | 'î' | 'ï' | 'ī' | 'ı' => 'i',
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'ō' => 'o',
            'ú' | 'ù' | 'û' | 'ü' | 'ū' => 'u',
            'ý' | 'ÿ' => 'y',
            'ç' | 'č' | 'ć' => 'c',
            'š' | 'ş' | 'ś' => 's',
            'ž' | 'ź' | 'ż' => 'z',
            'ñ' | 'ń' => 'n',
            'ł' => 'l',
            _ => c,
        })
        .collect();
    const LONG: usize = 5;
    if small.len() > LONG {
        for ending in ["iy", "yy", "yi", "ii", "ij", "iyi"] {
            if let Some(stem) = small.strip_suffix(ending) {
                small = format!("{stem}y");
                break;
            }
        }
        for (ending, one) in [("off", "ov"), ("eff", "ev"), ("ow", "ov"), ("ew", "ev")] {
            if let Some(stem) = small.strip_suffix(ending) {
                small = format!("{stem}{one}");
                break;
            }
        }
    }
    small
}

fn beginning(folded: &str) -> String {
    folded.chars().take(3).collect()
}

/// Whether two long words differ by one letter: another, one more, one less.
fn is_near(one: &str, other: &str) -> bool {
    const SHORTEST: usize = 7;
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().min(other.len()) < SHORTEST || one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same..], &other[same..]);
    let tail = |a: &[char], b: &[char]| a == b;
    match one.len().cmp(&other.len()) {
        std::cmp::Ordering::Equal => one.is_empty() || tail(&one[1..], &other[1..]),
        std::cmp::Ordering::Less => tail(one, &other[1..]),
        std::cmp::Ordering::Greater => tail(&one[1..], other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_makes_long_words_near() {
        assert!(
            is_near("bergenov", "bergonov")
                && is_near("bergenov", "berggenov")
                && is_near("bergenov", "bergenov")
        );
        assert!(!is_near("bergenov", "burgonov") && !is_near("vole", "vale"));
    }

    #[test]
    fn transcriptions_fold_to_one() {
        for spelling in ["Zarensky", "Zarenskyy", "Zarenskiy", "Zarenskii", "Zarenskij"] {
            assert_eq!(folded(spelling), "zarensky", "{spelling}");
        }
        assert_eq!(folded("Bergenoff"), "bergenov");
        assert_eq!(folded("Lévy"), "levy");
    }
}
