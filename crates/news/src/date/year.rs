//! Years and their parts: decades, centuries, quarters, halves.

use jiff::civil::Date;

use super::lexicon::Lex;
use super::phrase::Phrase;
use super::piece::{Piece, Unit, year};
use super::word::{Gap, Word, before, gap, lex};
use super::{Meaning, Name, Which};

/// Adds the year behind a name: ", 2019", "of 2019", "last year", "of this year".
pub(super) fn in_year(words: &[Word], end: usize, name: Name, which: Which) -> Phrase {
    let of = end + usize::from(matches!(lex(words, end), Lex::Of | Lex::In));
    let near = matches!(gap(words, end), Gap::Blank | Gap::Comma | Gap::Stop);
    let stated = |year, end| {
        let piece = match name {
            Name::Month(month) => Some(Piece::Month(year, month)),
            Name::Day(month, day) => Date::new(year, month, day).ok().map(Piece::Day),
            Name::Season(season) => Some(Piece::Season(year, season)),
            Name::Quarter(quarter) => Some(Piece::Quarter(year, quarter)),
            Name::Half(half) => Some(Piece::Half(year, half)),
            Name::WeekOf(month, day) => {
                Date::new(year, month, day).ok().and_then(|day| Piece::around(Unit::Week, day))
            }
            Name::Weekday(_) | Name::Weekend | Name::Holiday(_) => None,
        };
        Phrase::new(end, piece.map_or(Meaning::Named(name, Which::In(year)), Meaning::Stated))
    };
    if near {
        let fiscal = of + usize::from(lex(words, of) == Lex::Fiscal);
        match (lex(words, fiscal), lex(words, of + 1)) {
            (Lex::Year(number), _) | (Lex::ShortYear(number), _) => {
                if let Some(year) = year(number).filter(|year| (1000..=2999).contains(year)) {
                    return stated(year, fiscal + 1);
                }
            }
            (Lex::Last, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(-1)));
            }
            (Lex::This, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(0)));
            }
            (Lex::Next, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(1)));
            }
            _ => {}
        }
        if let Some((year, end)) = spoken_year(words, of) {
            return stated(year, end);
        }
    }
    Phrase::new(end, Meaning::Named(name, which))
}

/// "the third quarter of 2018", "third-quarter", "last year's second half", "the 2018 first quarter".
pub(super) fn quarter(words: &[Word], at: usize) -> Option<Phrase> {
    let mut from = at + usize::from(lex(words, at) == Lex::The);
    let mut which = Which::Bare;
    let mut stated = None;
    match (lex(words, from), lex(words, from + 1), lex(words, from + 2)) {
        (relation @ (Lex::This | Lex::Last | Lex::Next), Lex::Unit(Unit::Year), Lex::S) => {
            which = Which::Year(if relation == Lex::This {
                0
            } else if relation == Lex::Last {
                -1
            } else {
                1
            });
            from += 3;
        }
        (Lex::Year(number), ..) if from == at + 1 || lex(words, from + 1) == Lex::S => {
            stated = year(number);
            from += 1 + usize::from(lex(words, from + 1) == Lex::S);
        }
        _ => {}
    }
    if lex(words, from) == Lex::Fiscal {
        from += 1;
        if let Lex::Year(number) = lex(words, from) {
            stated = year(number);
            from += 1;
        }
    }
    if which == Which::Bare && stated.is_none() {
        match lex(words, from) {
            Lex::Last => (which, from) = (Which::Last, from + 1),
            Lex::Next => (which, from) = (Which::Next, from + 1),
            _ => {}
        }
    }
    let ordinal = match lex(words, from) {
        Lex::First => 1,
        Lex::Ordinal(ordinal @ 2..=4) => ordinal as u8,
        Lex::Last if lex(words, from + 1) == Lex::Half => 2,
        _ if which == Which::Last && lex(words, from) == Lex::Half => {
            return half_of(words, from + 1, 2, Which::Bare, stated);
        }
        _ => return None,
    };
    match lex(words, from + 1) {
        Lex::Unit(Unit::Quarter) => {
            let name = Name::Quarter(ordinal);
            Some(match stated {
                Some(year) => Phrase::new(from + 2, Meaning::Stated(Piece::Quarter(year, ordinal))),
                None => in_year(words, from + 2, name, which),
            })
        }
        Lex::Half if ordinal <= 2 => half_of(words, from + 2, ordinal, which, stated),
        _ => None,
    }
}

fn half_of(words: &[Word], end: usize, half: u8, which: Which, stated: Option<i16>) -> Option<Phrase> {
    let phrase = match stated {
        Some(year) => Phrase::new(end, Meaning::Stated(Piece::Half(year, half))),
        None => in_year(words, end, Name::Half(half), which),
    };
    // "The first half" alone may be that of a match.
    let dated = !matches!(phrase.meaning, Meaning::Named(_, Which::Bare));
    if !dated
        && lex(words, end) == Lex::Of
        && lex(words, end + 1) == Lex::The
        && lex(words, end + 2) == Lex::Unit(Unit::Year)
    {
        return Some(Phrase { end: end + 3, ..phrase });
    }
    dated.then_some(phrase)
}

/// "1998", "fiscal 1998", "the year 2000", "the 1990s", "nineteen ninety-four", "the 11th century".
pub(super) fn a_year(words: &[Word], at: usize) -> Option<Phrase> {
    let the = usize::from(lex(words, at) == Lex::The);
    let mut from = at + the;
    if lex(words, from) == Lex::Fiscal {
        from += 1;
    }
    if lex(words, from) == Lex::Unit(Unit::Year) {
        from += 1;
    }
    let told = from > at + the;
    match lex(words, from) {
        Lex::Decade(number) => {
            let decade = Piece::Decade(year(number)? / 10);
            Some(Phrase::new(from + 1, Meaning::Stated(decade)))
        }
        Lex::Year(number) => {
            let told = told
                || matches!(
                    before(words, at),
                    Lex::In | Lex::Since | Lex::Until | Lex::From | Lex::During | Lex::By
                );
            let likely = if told { 1000..=2999 } else { 1900..=2040 };
            let year = year(number).filter(|year| likely.contains(year))?;
            // "Orion 1980" is a name.
            let name = at == from
                && at > 1
                && words[at - 1].capital
                && before(words, at) == Lex::Other
                && gap(words, at) == Gap::Blank;
            let counted = name
                || matches!(lex(words, from + 1), Lex::Units(_) | Lex::Unit(_) | Lex::HalfDay(_))
                || (year % 100 == 0 && !told);
            let fits = !counted && !matches!(gap(words, from), Gap::Amount) && (the == 0 || told);
            fits.then(|| Phrase::new(from + 1, Meaning::Stated(Piece::Year(year))))
        }
        Lex::ShortYear(number) => Some(Phrase::new(from + 1, Meaning::Stated(Piece::Year(year(number)?)))),
        Lex::Ordinal(number @ 2..=30) if lex(words, from + 1) == Lex::Unit(Unit::Century) => {
            Some(Phrase::new(from + 2, Meaning::Stated(Piece::Century(number as i16 - 1))))
        }
        _ => {
            let (year, end) = spoken_year(words, from)?;
            (the == 0 || told).then(|| Phrase::new(end, Meaning::Stated(Piece::Year(year))))
        }
    }
}

/// "nineteen ninety-four"; "two thousand" and what follows it only behind "year".
fn spoken_year(words: &[Word], at: usize) -> Option<(i16, usize)> {
    match (lex(words, at), lex(words, at + 1)) {
        (Lex::Number(19), Lex::Number(tens @ 10..=90)) if tens < 20 || tens % 10 == 0 => {
            let spelled = words[at].end - words[at].at > 2 && words[at + 1].end - words[at + 1].at > 2;
            let (ones, end) = match lex(words, at + 2) {
                Lex::Number(ones @ 1..=9) if tens >= 20 && gap(words, at + 2) == Gap::Hyphen => {
                    (ones, at + 3)
                }
                Lex::One if tens >= 20 && gap(words, at + 2) == Gap::Hyphen => (1, at + 3),
                _ => (0, at + 2),
            };
            spelled.then_some((1900 + (tens + ones) as i16, end))
        }
        (Lex::Number(2), Lex::Number(1000)) if before(words, at) == Lex::Unit(Unit::Year) => {
            Some(match lex(words, at + 2) {
                Lex::Number(ones @ 2..=19) => (2000 + ones as i16, at + 3),
                _ => (2000, at + 2),
            })
        }
        _ => None,
    }
}

/// "year-end": its last day.
pub(super) fn year_end(words: &[Word], at: usize) -> Option<Phrase> {
    let end = (lex(words, at), lex(words, at + 1)) == (Lex::Unit(Unit::Year), Lex::End);
    end.then(|| Phrase::new(at + 2, Meaning::Named(Name::Day(12, 31), Which::Bare)))
}

#[cfg(test)]
mod tests {
    use crate::date::tests::check;

    #[test]
    fn years_decades_seasons_quarters_and_feasts() {
        check(&[
            ("It was built in 1998 and closed in '99.", &["1998 = 1998", "99 = 1999"]),
            ("It was built in the 1990s.", &["the 1990s = 199"]),
            ("It was built in the early '80s.", &["the early '80s = 198"]),
            ("It was built in the 11th century.", &["the 11th century = 10"]),
            ("It was built in nineteen ninety-four.", &["nineteen ninety-four = 1994"]),
            ("It closed in the summer of 2019.", &["the summer of 2019 = 2019-SU"]),
            ("It closed last winter.", &["last winter = 2023-WI"]),
            ("They fall in spring.", &["spring = 2025-SP"]),
            ("Sales rose in the third quarter.", &["the third quarter = 2024-Q3"]),
            ("Sales rose in the first quarter of 2019.", &["the first quarter of 2019 = 2019-Q1"]),
            ("Sales rose in last year's second half.", &["last year's second half = 2023-H2"]),
            ("It closed on Christmas Eve 2019.", &["Christmas Eve 2019 = 2019-12-24"]),
            ("It closed on Good Friday.", &["Good Friday = 2024-03-29"]),
            ("It closed on New Year's Day.", &["New Year's Day = 2024-01-01"]),
            ("It will close by year-end.", &["year-end = 2024-12-31"]),
        ]);
    }
}
