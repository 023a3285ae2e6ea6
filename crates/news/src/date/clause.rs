//! The tense of the clause that a time expression stands in.
//!
//! Newswire puts the day behind the verb ("met on Friday", "will meet Friday") or at the head of the clause ("On Friday, they will
//! meet"). So the nearest verb before it tells, and if none is there, the first one behind it.

use super::Direction;
use super::lexicon::Lex;
use super::verb::Verb;
use super::word::{Gap, Word, before_verb, gap, lex};

/// How far a verb before or behind may stand, in words.
const REACH: usize = 24;
/// How far from its verb the day of saying may stand: "told reporters in the port on Monday".
const SAYING_REACH: usize = 8;

/// How far before "could" a "neither" may stand, in words.
const NOT_REACH: usize = 8;

/// What the clause of the words from `first` to before `last` says, and whether they tell when something was said.
pub(super) fn direction(words: &[Word], first: usize, last: usize) -> (Option<Direction>, bool) {
    let preposition = first.checked_sub(1).filter(|&at| {
        matches!(words[at].lex, Lex::On | Lex::In | Lex::At | Lex::By | Lex::Until | Lex::Since)
    });
    let head = preposition.unwrap_or(first);
    // "Wednesday's ruling" and "the Wednesday ruling" have been made, whatever will be done about them; "for Wednesday's" may be ahead.
    let the = usize::from(first > 0 && words[first - 1].lex == Lex::The);
    let ahead_of = first > the
        && matches!(
            words[first - the - 1].lex,
            Lex::For | Lex::Before | Lex::Of | Lex::To | Lex::By | Lex::Until
        );
    let possessive = (lex(words, last) == Lex::S || the == 1) && !ahead_of;
    let saying = is_saying(words, head);
    match preposition.map(|at| words[at].lex) {
        _ if saying => return (Some(Direction::Past), true),
        Some(Lex::Since) => return (Some(Direction::Past), false),
        _ if possessive => return (Some(Direction::Past), false),
        _ => {}
    }
    // A clause that begins with the expression has its verb behind it.
    let begins = head == 0
        || matches!(gap(words, head), Gap::Comma | Gap::Other)
        || matches!(words[head - 1].lex, Lex::That | Lex::And)
        || words[head - 1].verb == Verb::Clause;
    let told = if begins && head > 0 {
        ahead(words, last, true).or_else(|| behind(words, head, last))
    } else {
        behind(words, head, last)
    };
    let until = matches!(preposition.map(|at| words[at].lex), Some(Lex::By | Lex::Until));
    // "Called a meeting for Friday".
    if told == Some(Direction::Past) && is_for_a_day(words, first) {
        return (Some(Direction::Planned), false);
    }
    let told = match told {
        // "Has until Friday", "gave him until Friday to pay".
        Some(Direction::Past) | None
            if until
                && (matches!(before_verb(words, head), Verb::Have | Verb::Is) || is_to_verb(words, last)) =>
        {
            Some(Direction::Planned)
        }
        // "Has credit through January" and "had to choose by May" tell of a day that may be to come.
        Some(Direction::Past) if until => None,
        told => told,
    };
    (told, false)
}

/// Whether the words at `head` tell when something was said: "said on Monday", "told reporters in the port on Monday".
fn is_saying(words: &[Word], head: usize) -> bool {
    let mut near = head.saturating_sub(SAYING_REACH)..head;
    let verb = near.rfind(|&at| !matches!(words[at].verb, Verb::None | Verb::Not | Verb::To | Verb::Owner));
    verb.is_some_and(|at| {
        // "Said the fire on Monday" goes on to say what the fire did.
        let what = matches!(words[at + 1].lex, Lex::The | Lex::A | Lex::That | Lex::This)
            || words[at + 1].verb == Verb::Owner;
        words[at].verb == Verb::Said && !what && is_whole(&words[at..=head])
    })
}

/// Whether nothing but blanks stands between words.
fn is_whole(words: &[Word]) -> bool {
    words.iter().skip(1).all(|word| !matches!(word.gap, Gap::Comma | Gap::Other))
}

/// The nearest verb before a word, or else the first behind the expression.
fn behind(words: &[Word], head: usize, last: usize) -> Option<Direction> {
    // "to" before a verb leaves the tense to the verb before it: "agreed to meet", "failed to meet".
    let mut infinitive = false;
    for at in (head.saturating_sub(REACH)..head).rev() {
        let told = match words[at].verb {
            Verb::To => {
                infinitive |= is_verb_next(words, at);
                None
            }
            Verb::Plan | Verb::Due => plan(words, at),
            Verb::Will => Some(Direction::Planned),
            Verb::May => Some(Direction::Uncertain),
            Verb::Could => Some(could(words, at)),
            Verb::Bare if before_verb(words, at) != Verb::To && !is_noun(words, at) => {
                match nearer(words, at) {
                    Direction::Uncertain => Some(Direction::Uncertain),
                    Direction::Past | Direction::Planned => Some(Direction::Planned),
                }
            }
            Verb::Scheduled if is_arranged(words, at) => plan(words, at),
            Verb::Vow if infinitive => plan(words, at),
            // "Set for Friday", "set to begin".
            Verb::Set if lex(words, at + 1) == Lex::For || is_to_verb(words, at + 1) => plan(words, at),
            // "Is to meet", but not "was quick to leave".
            Verb::Is | Verb::Was if infinitive && lex(words, at + 1) == Lex::To => Some(Direction::Planned),
            // "Ahead of a vote on Friday", and not "ahead of the vote, the mayor on Friday told".
            Verb::Ahead if matches!(lex(words, at + 1), Lex::Of | Lex::To) && is_whole(&words[at..=head]) => {
                Some(Direction::Planned)
            }
            // "The vote is on Friday".
            Verb::Is if at + 1 == head && nearer(words, at) == Direction::Past => Some(Direction::Planned),
            verb if verb.tells() => Some(nearer(words, at)),
            _ => None,
        };
        if told.is_some() {
            return told;
        }
    }
    ahead(words, last, false).or(infinitive.then_some(Direction::Planned))
}

/// What a word of planning says: nothing as a noun ("the plan") or a cause ("due to the rain"); what had been planned is past.
fn plan(words: &[Word], at: usize) -> Option<Direction> {
    let cause = words[at].verb == Verb::Due && lex(words, at + 1) == Lex::To && !is_verb_next(words, at + 1);
    if words[at].verb != Verb::Scheduled && is_noun(words, at) || cause {
        return None;
    }
    let had = words[at.saturating_sub(3)..at].iter().any(|word| word.verb == Verb::Had);
    Some(if had { Direction::Past } else { Direction::Planned })
}

/// "Could" tells of what may come; "could not be reached" of what was tried, but for "could not leave before Friday".
fn could(words: &[Word], at: usize) -> Direction {
    let beside = &words[at.saturating_sub(NOT_REACH)..words.len().min(at + 2)];
    let not = beside.iter().any(|word| word.verb == Verb::Not);
    let before = words[at..words.len().min(at + REACH)].iter().any(|word| word.lex == Lex::Before);
    if not && !before { Direction::Past } else { Direction::Uncertain }
}

/// Whether something is planned, and did not happen "as planned".
fn is_arranged(words: &[Word], at: usize) -> bool {
    matches!(before_verb(words, at), Verb::Is | Verb::Was)
        || !words[at.saturating_sub(2)..at].iter().any(|word| word.verb == Verb::Clause)
}

/// Whether an article or "its" makes the word a noun: "the plan", "their return".
fn is_noun(words: &[Word], at: usize) -> bool {
    at > 0
        && (matches!(words[at - 1].lex, Lex::The | Lex::A | Lex::This | Lex::That)
            || words[at - 1].verb == Verb::Owner)
}

/// A past form counts as what stands right before it says: "will be held", "is scheduled", "could have left".
fn nearer(words: &[Word], at: usize) -> Direction {
    if words[at].verb == Verb::Is && words.get(at + 1).is_some_and(|word| word.verb == Verb::Going) {
        return Direction::Planned;
    }
    if words[at].verb == Verb::Vow && matches!(before_verb(words, at), Verb::Is | Verb::Was) {
        return Direction::Planned;
    }
    let mut have = words[at].verb == Verb::Have;
    for before in (at.saturating_sub(4)..at).rev() {
        // A comma ends what belongs to the verb: "on his way to the coast," she said.
        if matches!(words[before + 1].gap, Gap::Comma | Gap::Other) {
            break;
        }
        match words[before].verb {
            // "May have left" is a doubt about the past.
            Verb::May if have => return Direction::Past,
            Verb::Will | Verb::To => return Direction::Planned,
            Verb::Plan | Verb::Due => return plan(words, before).unwrap_or(Direction::Past),
            Verb::Scheduled if is_arranged(words, before) => return Direction::Planned,
            Verb::May => return Direction::Uncertain,
            Verb::Could if have => return Direction::Past,
            Verb::Could => return could(words, before),
            Verb::Have => have = true,
            Verb::Is | Verb::Was | Verb::Not => {}
            // "will not be", "would also have been"
            Verb::None if words[before].lex == Lex::Other => {}
            _ => break,
        }
    }
    Direction::Past
}

/// The first verb behind the words; `near` stops where the next clause begins.
fn ahead(words: &[Word], last: usize, near: bool) -> Option<Direction> {
    for at in last..words.len().min(last + REACH) {
        if near && at == last && gap(words, at) == Gap::Other {
            return None;
        }
        if near && at > last && matches!(gap(words, at), Gap::Comma | Gap::Other) {
            return None;
        }
        match words[at].verb {
            Verb::Will => return Some(Direction::Planned),
            Verb::Plan | Verb::Due if plan(words, at).is_some() => return plan(words, at),
            Verb::Scheduled if is_arranged(words, at) => return plan(words, at),
            Verb::May => return Some(Direction::Uncertain),
            Verb::Could => return Some(could(words, at)),
            Verb::Is | Verb::Was | Verb::Have
                if words.get(at + 1).is_some_and(|word| {
                    matches!(
                        word.verb,
                        Verb::Plan | Verb::Scheduled | Verb::Due | Verb::Set | Verb::To | Verb::Going
                    )
                }) =>
            {
                return Some(Direction::Planned);
            }
            verb if verb.tells() => return Some(Direction::Past),
            _ => {}
        }
    }
    None
}

/// Whether a weekday is what something is for: "called a meeting for Friday", but not "paid for Friday's meal".
fn is_for_a_day(words: &[Word], first: usize) -> bool {
    matches!(lex(words, first), Lex::Weekday(_))
        && first > 0
        && words[first - 1].lex == Lex::For
        && lex(words, first + 1) != Lex::S
}

fn is_to_verb(words: &[Word], at: usize) -> bool {
    lex(words, at) == Lex::To && gap(words, at) == Gap::Blank && is_verb_next(words, at)
}

/// Whether "to" stands before a verb, and not before a place or a number.
fn is_verb_next(words: &[Word], to: usize) -> bool {
    words.get(to + 1).is_some_and(|word| {
        !word.capital && word.lex == Lex::Other && word.verb != Verb::Owner && word.gap == Gap::Blank
    })
}

#[cfg(test)]
mod tests {
    use crate::date::Direction::{self, Past, Planned, Uncertain};
    use crate::date::times;

    /// What the clause of the first expression says.
    fn said(text: &str) -> (Option<Direction>, bool) {
        let times = times(text);
        (times[0].direction, times[0].saying)
    }

    #[test]
    fn the_verb_before_tells() {
        for (text, wanted) in [
            ("The ministers met on Friday.", Past),
            ("The ministers will meet on Friday.", Planned),
            ("The ministers would not meet before Friday.", Planned),
            ("The ministers are to meet on Friday.", Planned),
            ("The ministers are meeting on Friday.", Planned),
            ("The ministers were meeting on Friday.", Past),
            ("The ministers are due to meet on Friday.", Planned),
            ("The ministers plan to meet on Friday.", Planned),
            ("The ministers agreed to meet on Friday.", Planned),
            ("The ministers agreed on Friday.", Past),
            ("The ministers failed to meet on Friday.", Past),
            ("The ministers were quick to leave on Friday.", Past),
            ("The ministers had planned to meet on Friday.", Past),
            ("A meeting scheduled for Friday is off.", Planned),
            ("The ministers spoke before a planned visit on Friday.", Planned),
            ("The ministers met as planned on Friday.", Past),
            ("The talks, which are planned for Friday, may fail.", Planned),
            ("The talks, set to begin on Friday, may fail.", Planned),
            ("Talks set for Friday were put off.", Planned),
            ("The minister called a meeting for Friday.", Planned),
            ("The minister paid for Friday's meal.", Past),
            ("The vote is on Friday.", Planned),
            ("Ministers have until Friday to vote.", Planned),
            ("The judge gave them until Friday to pay.", Planned),
            ("They resigned ahead of a vote on Friday.", Planned),
            ("Just ahead of the vote, the ministers on Friday resigned.", Past),
            ("The ministers won on Friday.", Past),
            ("The ministers won't vote on Friday.", Planned),
            ("The shop closes on Friday.", Planned),
            ("Talks resume on Friday.", Planned),
            ("The choir sang on Friday.", Past),
            ("The ministers could not be reached on Friday.", Past),
            ("Neither of the ministers could be reached on Friday.", Past),
            ("The ministers couldn't be reached on Friday.", Past),
            ("The ministers could not meet before Friday.", Uncertain),
            ("Nobody spoke of a way to the coast, said a note read on Friday.", Past),
            ("The ministers spoke of a possible visit on Friday.", Uncertain),
            ("The ministers could meet on Friday.", Uncertain),
            ("The ministers may have met on Friday.", Past),
            ("The plan fell on Friday.", Past),
            ("The match was lost due to its rain on Friday.", Past),
        ] {
            assert_eq!(said(text).0, Some(wanted), "{text}");
        }
    }

    #[test]
    fn a_clause_that_begins_with_its_day_is_told_by_the_verb_behind() {
        assert_eq!(said("On Friday, the ministers will meet.").0, Some(Planned));
        assert_eq!(said("She said that on Friday the ministers will meet.").0, Some(Planned));
        assert_eq!(said("They will pay, but on Friday they met.").0, Some(Past));
    }

    #[test]
    fn the_day_of_saying_is_past_whatever_is_said() {
        assert_eq!(said("She said on Friday the ministers will meet."), (Some(Past), true));
        assert_eq!(
            said("She told reporters in the port on Friday the ministers will meet."),
            (Some(Past), true)
        );
        assert_eq!(said("She said the fire on Friday was small."), (Some(Past), false));
        assert_eq!(said("She said the ministers met on Friday."), (Some(Past), false));
        assert_eq!(said("The ministers will meet soon, she said Friday."), (Some(Planned), false));
    }

    #[test]
    fn what_belongs_to_a_day_has_been() {
        assert_eq!(said("They will appeal Friday's ruling.").0, Some(Past));
        assert_eq!(said("They will prepare for Friday's talks.").0, Some(Planned));
    }
}
