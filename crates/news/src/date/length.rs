//! Lengths of time: "three years", "the past five days".

use super::lexicon::Lex;
use super::phrase::Phrase;
use super::piece::{Length, Unit};
use super::verb::Verb;
use super::word::{Gap, Word, before, gap, lex};
use super::{Hedge, Meaning};

/// "three years", "the past five days", "the first nine months", "a couple of hours", "two-week".
pub(super) fn length(words: &[Word], at: usize) -> Option<Phrase> {
    let each = lex(words, at) == Lex::Each && lex(words, at + 1) == Lex::Of;
    let the = at + if each { 2 } else { 0 };
    let has_the = lex(words, the) == Lex::The;
    let which = the + usize::from(has_the);
    let told = is_which(lex(words, which));
    let mut from = which + usize::from(told);
    if let (Lex::Unit(Unit::Year), Lex::Earlier | Lex::Ago) = (lex(words, from), lex(words, from + 1)) {
        // "the year-earlier nine months"
        from += 2;
    }
    let unit_at = from + usize::from(lex(words, from) == Lex::Whole);
    let length = |count, unit| Meaning::Length(Length { count, half: false, unit });
    match lex(words, unit_at) {
        // "The past year" is a length, "last year" a date.
        Lex::Unit(unit) if lex(words, which) == Lex::Past && unit != Unit::Weekend => {
            Some(Phrase::new(unit_at + 1, length(Some(1), unit)))
        }
        Lex::Units(unit) if told || has_the || matches!(before(words, at), Lex::For | Lex::In) => {
            Some(Phrase::new(unit_at + 1, length(None, unit)))
        }
        _ => {
            let about = usize::from(matches!(lex(words, from), Lex::About | Lex::Nearly));
            let (end, length) = count(words, from + about)?;
            let joined = gap(words, end - 1) == Gap::Hyphen;
            let one = lex(words, at) == Lex::A;
            let age = lex(words, end) == Lex::Old;
            let rate = one && end == at + 2 && is_rate(words, at);
            let share = length.unit == Unit::Quarter && (joined || one);
            // The article of "the two-week strike" is the strike's.
            let article = has_the && !told && joined;
            let hedge = (about == 1).then_some(Hedge::About);
            let phrase = Phrase { hedge, ..Phrase::new(end, Meaning::Length(length)) };
            (!(age || rate || share || article)).then_some(phrase)
        }
    }
}

/// Words that say which of several lengths: "the last two weeks".
fn is_which(lex: Lex) -> bool {
    use Lex::{Coming, First, Following, Last, Next, Past, Previous, This};
    matches!(lex, Past | Last | Next | First | Coming | Previous | Following | This)
}

/// Whether "a year" says how often: "four flights a week", "$500 a month". A length has a word before it that wants one.
fn is_rate(words: &[Word], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| words[at]) else { return false };
    matches!(before.lex, Lex::Number(_) | Lex::Year(_) | Lex::Amount | Lex::AndHalf(_) | Lex::One)
        || before.lex == Lex::Other
            && before.verb == Verb::None
            && before.end - before.at > 2
            && words[at].gap == Gap::Blank
}

/// A number and a unit: "two weeks", "5 1/2 hours", "two and a half years", "a year and a half", "one-day".
pub(super) fn count(words: &[Word], at: usize) -> Option<(usize, Length)> {
    let (mut end, number, mut half) = number(words, at)?;
    if lex(words, end) == Lex::More {
        end += 1;
    }
    if lex(words, end) == Lex::Whole {
        end += 1;
    }
    let (Lex::Unit(unit) | Lex::Units(unit)) = lex(words, end) else { return None };
    if !matches!(gap(words, end), Gap::Blank | Gap::Hyphen) {
        return None;
    }
    end += 1;
    if (lex(words, end), lex(words, end + 1), lex(words, end + 2)) == (Lex::And, Lex::A, Lex::Half) {
        (half, end) = (true, end + 3);
    }
    Some((end, Length { count: number, half, unit }))
}

/// A count: behind it, its value (absent for "several"), and whether a half comes on top.
fn number(words: &[Word], at: usize) -> Option<(usize, Option<u32>, bool)> {
    let and_half = |end: usize| match (lex(words, end), lex(words, end + 1), lex(words, end + 2)) {
        (Lex::HalfSign, ..) => Some(end + 1),
        (Lex::And, Lex::A | Lex::One, Lex::Half) => Some(end + 3),
        (Lex::And, Lex::HalfSign, _) => Some(end + 2),
        _ => None,
    };
    if gap(words, at) == Gap::Amount {
        return None;
    }
    match (lex(words, at), lex(words, at + 1), lex(words, at + 2)) {
        (Lex::A, Lex::Couple, Lex::Of) => Some((at + 3, Some(2), false)),
        (Lex::A, Lex::Couple, _) | (Lex::Couple, Lex::Of, _) => Some((at + 2, Some(2), false)),
        (Lex::A, Lex::Few | Lex::Several, _) => Some((at + 2, None, false)),
        (Lex::A, Lex::Number(number @ (12 | 100 | 1000)), _) => Some((at + 2, Some(number), false)),
        (Lex::Half, Lex::A, _) | (Lex::A, Lex::Half, _) => Some((at + 2, Some(0), true)),
        (Lex::HalfSign, ..) => Some((at + 1, Some(0), true)),
        (Lex::Few | Lex::Several, ..) => Some((at + 1, None, false)),
        (Lex::AndHalf(number), ..) => Some((at + 1, Some(number), true)),
        (Lex::A, ..) => Some((at + 1, Some(1), false)),
        (Lex::One, ..) => Some(and_half(at + 1).map_or((at + 1, Some(1), false), |end| (end, Some(1), true))),
        (Lex::Number(first) | Lex::Year(first), next, _) => {
            let (end, value) = match next {
                Lex::Number(ones @ 1..=9)
                    if (20..=90).contains(&first) && gap(words, at + 1) == Gap::Hyphen =>
                {
                    (at + 2, first + ones)
                }
                Lex::One if (20..=90).contains(&first) && gap(words, at + 1) == Gap::Hyphen => {
                    (at + 2, first + 1)
                }
                // "two or three weeks": the second is nearer to the end.
                Lex::Or | Lex::To if let Lex::Number(number) = lex(words, at + 2) => (at + 3, number),
                Lex::Number(scale @ (100 | 1000)) => (at + 2, first.checked_mul(scale)?),
                _ => (at + 1, first),
            };
            Some(and_half(end).map_or((end, Some(value), false), |end| (end, Some(value), true)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::date::tests::check;

    #[test]
    fn lengths() {
        check(&[
            ("It rained for two and a half years.", &["two and a half years = P2Y6M"]),
            ("It rained for 5 1/2 hours.", &["5 1/2 hours = PT5H30M"]),
            ("It rained for a minute and a half.", &["a minute and a half = PT1M30S"]),
            ("It rained for the past five days.", &["the past five days = P5D"]),
            ("It was a two-week strike.", &["two-week = P2W"]),
            ("It rained for twenty-one days.", &["twenty-one days = P21D"]),
            ("It rained for several weeks.", &["several weeks = PXW"]),
            ("It rained for a couple of hours.", &["a couple of hours = PT2H"]),
            ("It rained for two decades.", &["two decades = P20Y"]),
        ]);
    }

    #[test]
    fn ages_rates_and_shares_are_no_lengths() {
        check(&[
            ("The 6-year-old boy met a woman 62 years old.", &[]),
            ("The line has four flights a week and earns $500 a month.", &[]),
            ("They eat three-quarters of the bread.", &[]),
        ]);
    }
}
