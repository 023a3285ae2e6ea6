//! Words that time expressions and the tense of a clause are made of.

use jiff::civil::{Date, Weekday};

use super::piece::{Part, Season, Unit};
use super::verb::{Verb, verb};

/// What a word can be in a time expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lex {
    Other,
    /// A number in digits or a word.
    Number(u32),
    /// Four digits alone: a year, or a number.
    Year(u32),
    /// '98.
    ShortYear(u32),
    /// 1990s, '90s, nineties.
    Decade(u32),
    /// 2.5: two and a half.
    AndHalf(u32),
    /// A number that is no count of units.
    Amount,
    /// 1/2.
    HalfSign,
    Ordinal(u32),
    Date(Date),
    Clock(i8, i8),
    /// False: before noon.
    HalfDay(bool),
    Zone,
    Month(i8),
    Weekday(Weekday),
    Weekdays(Weekday),
    Season(Season),
    Part(Part),
    /// nights, mornings.
    Parts(Part),
    Noon(i8),
    Unit(Unit),
    Units(Unit),
    /// A unit of no size: "period".
    Period,
    /// daily, monthly.
    Often(Unit),
    Holiday(Holiday),
    /// The first word of a feast that goes on with "Day": Boxing.
    DayOf(Holiday),
    New,
    Good,
    Eve,
    Today,
    Yesterday,
    Tomorrow,
    Tonight,
    Overnight,
    Last,
    Next,
    This,
    These,
    That,
    Past,
    Coming,
    Previous,
    Following,
    Same,
    Latest,
    Current,
    Ago,
    Earlier,
    Later,
    Before,
    After,
    The,
    A,
    One,
    Of,
    And,
    Or,
    In,
    At,
    On,
    By,
    Since,
    From,
    To,
    Until,
    During,
    For,
    Early,
    Late,
    Mid,
    Begin,
    Middle,
    End,
    Now,
    Recent,
    Recently,
    Soon,
    Future,
    Term,
    Near,
    Each,
    Few,
    Several,
    Couple,
    Half,
    Fiscal,
    About,
    Nearly,
    More,
    Less,
    Than,
    Least,
    Over,
    /// Words between a verb and a length: "barely a month".
    Only,
    First,
    Whole,
    Old,
    S,
}

/// Feasts that are kept on a day that can be reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holiday {
    /// 1 January.
    NewYearsDay,
    /// 31 December.
    NewYearsEve,
    /// 14 February.
    ValentinesDay,
    /// Easter Sunday of the western churches.
    Easter,
    /// The Friday before Easter.
    GoodFriday,
    /// 1 May.
    MayDay,
    /// The last Monday of May.
    MemorialDay,
    /// 4 July, as in the United States.
    IndependenceDay,
    /// The first Monday of September.
    LaborDay,
    /// 31 October.
    Halloween,
    /// 11 November.
    VeteransDay,
    /// The fourth Thursday of November.
    Thanksgiving,
    /// 24 December.
    ChristmasEve,
    /// 25 December.
    Christmas,
    /// 26 December.
    BoxingDay,
}

/// Longer words mean nothing here.
const LONGEST: usize = 16;

/// What a word of letters can mean, in any case of letters.
pub(super) fn look_up(word: &str) -> (Lex, Verb) {
    let mut small = [0; LONGEST];
    let Some(small) = small.get_mut(..word.len()) else { return (Lex::Other, Verb::None) };
    small.copy_from_slice(word.as_bytes());
    small.make_ascii_lowercase();
    let capital = word.starts_with(|c: char| c.is_ascii_uppercase());
    let lex = lex(small, capital);
    let verb =
        if lex == Lex::Other || matches!(lex, Lex::To | Lex::Coming) { verb(small) } else { Verb::None };
    (lex, verb)
}

fn lex(word: &[u8], capital: bool) -> Lex {
    use Weekday::*;
    match word {
        b"one" => Lex::One,
        b"two" => Lex::Number(2),
        b"three" => Lex::Number(3),
        b"four" => Lex::Number(4),
        b"five" => Lex::Number(5),
        b"six" => Lex::Number(6),
        b"seven" => Lex::Number(7),
        b"eight" => Lex::Number(8),
        b"nine" => Lex::Number(9),
        b"ten" => Lex::Number(10),
        b"eleven" => Lex::Number(11),
        b"twelve" => Lex::Number(12),
        b"thirteen" => Lex::Number(13),
        b"fourteen" => Lex::Number(14),
        b"fifteen" => Lex::Number(15),
        b"sixteen" => Lex::Number(16),
        b"seventeen" => Lex::Number(17),
        b"eighteen" => Lex::Number(18),
        b"nineteen" => Lex::Number(19),
        b"twenty" => Lex::Number(20),
        b"thirty" => Lex::Number(30),
        b"forty" => Lex::Number(40),
        b"fifty" => Lex::Number(50),
        b"sixty" => Lex::Number(60),
        b"seventy" => Lex::Number(70),
        b"eighty" => Lex::Number(80),
        b"ninety" => Lex::Number(90),
        b"hundred" => Lex::Number(100),
        b"thousand" => Lex::Number(1000),
        b"dozen" => Lex::Number(12),
        b"twenties" => Lex::Decade(1920),
        b"thirties" => Lex::Decade(1930),
        b"forties" => Lex::Decade(1940),
        b"fifties" => Lex::Decade(1950),
        b"sixties" => Lex::Decade(1960),
        b"seventies" => Lex::Decade(1970),
        b"eighties" => Lex::Decade(1980),
        b"nineties" => Lex::Decade(1990),
        b"first" => Lex::First,
        b"second" => Lex::Ordinal(2),
        b"third" => Lex::Ordinal(3),
        b"fourth" => Lex::Ordinal(4),
        b"fifth" => Lex::Ordinal(5),
        b"sixth" => Lex::Ordinal(6),
        b"seventh" => Lex::Ordinal(7),
        b"eighth" => Lex::Ordinal(8),
        b"ninth" => Lex::Ordinal(9),
        b"tenth" => Lex::Ordinal(10),
        b"eleventh" => Lex::Ordinal(11),
        b"twelfth" => Lex::Ordinal(12),
        b"thirteenth" => Lex::Ordinal(13),
        b"fourteenth" => Lex::Ordinal(14),
        b"fifteenth" => Lex::Ordinal(15),
        b"sixteenth" => Lex::Ordinal(16),
        b"seventeenth" => Lex::Ordinal(17),
        b"eighteenth" => Lex::Ordinal(18),
        b"nineteenth" => Lex::Ordinal(19),
        b"twentieth" => Lex::Ordinal(20),
        b"thirtieth" => Lex::Ordinal(30),
        b"a.m." | b"a.m" | b"am" => Lex::HalfDay(false),
        b"p.m." | b"p.m" | b"pm" => Lex::HalfDay(true),
        b"gmt" | b"utc" | b"est" | b"edt" | b"cst" | b"cdt" | b"mst" | b"mdt" | b"pst" | b"pdt" | b"bst"
        | b"cet" | b"cest" => Lex::Zone,
        b"january" => Lex::Month(1),
        b"february" => Lex::Month(2),
        b"march" if capital => Lex::Month(3),
        b"april" => Lex::Month(4),
        b"may" if capital => Lex::Month(5),
        b"june" => Lex::Month(6),
        b"july" => Lex::Month(7),
        b"august" if capital => Lex::Month(8),
        b"september" => Lex::Month(9),
        b"october" => Lex::Month(10),
        b"november" => Lex::Month(11),
        b"december" => Lex::Month(12),
        b"jan" if capital => Lex::Month(1),
        b"feb" if capital => Lex::Month(2),
        b"mar" if capital => Lex::Month(3),
        b"apr" if capital => Lex::Month(4),
        b"jun" if capital => Lex::Month(6),
        b"jul" if capital => Lex::Month(7),
        b"aug" if capital => Lex::Month(8),
        b"sep" | b"sept" if capital => Lex::Month(9),
        b"oct" if capital => Lex::Month(10),
        b"nov" if capital => Lex::Month(11),
        b"dec" if capital => Lex::Month(12),
        b"monday" => Lex::Weekday(Monday),
        b"tuesday" => Lex::Weekday(Tuesday),
        b"wednesday" => Lex::Weekday(Wednesday),
        b"thursday" => Lex::Weekday(Thursday),
        b"friday" => Lex::Weekday(Friday),
        b"saturday" => Lex::Weekday(Saturday),
        b"sunday" => Lex::Weekday(Sunday),
        b"mondays" => Lex::Weekdays(Monday),
        b"tuesdays" => Lex::Weekdays(Tuesday),
        b"wednesdays" => Lex::Weekdays(Wednesday),
        b"thursdays" => Lex::Weekdays(Thursday),
        b"fridays" => Lex::Weekdays(Friday),
        b"saturdays" => Lex::Weekdays(Saturday),
        b"sundays" => Lex::Weekdays(Sunday),
        b"mon" if capital => Lex::Weekday(Monday),
        b"tue" | b"tues" if capital => Lex::Weekday(Tuesday),
        b"wed" if capital => Lex::Weekday(Wednesday),
        b"thu" | b"thur" | b"thurs" if capital => Lex::Weekday(Thursday),
        b"fri" if capital => Lex::Weekday(Friday),
        b"spring" => Lex::Season(Season::Spring),
        b"summer" => Lex::Season(Season::Summer),
        b"autumn" | b"fall" => Lex::Season(Season::Autumn),
        b"winter" => Lex::Season(Season::Winter),
        b"morning" => Lex::Part(Part::Morning),
        b"afternoon" => Lex::Part(Part::Afternoon),
        b"evening" => Lex::Part(Part::Evening),
        b"night" => Lex::Part(Part::Night),
        b"mornings" => Lex::Parts(Part::Morning),
        b"afternoons" => Lex::Parts(Part::Afternoon),
        b"evenings" => Lex::Parts(Part::Evening),
        b"nights" => Lex::Parts(Part::Night),
        b"noon" | b"midday" => Lex::Noon(12),
        b"midnight" => Lex::Noon(0),
        b"minute" => Lex::Unit(Unit::Minute),
        b"hour" => Lex::Unit(Unit::Hour),
        b"day" => Lex::Unit(Unit::Day),
        b"week" => Lex::Unit(Unit::Week),
        b"fortnight" => Lex::Unit(Unit::Week),
        b"weekend" => Lex::Unit(Unit::Weekend),
        b"month" => Lex::Unit(Unit::Month),
        b"quarter" => Lex::Unit(Unit::Quarter),
        b"year" => Lex::Unit(Unit::Year),
        b"decade" => Lex::Unit(Unit::Decade),
        b"century" => Lex::Unit(Unit::Century),
        b"seconds" => Lex::Units(Unit::Second),
        b"minutes" => Lex::Units(Unit::Minute),
        b"hours" => Lex::Units(Unit::Hour),
        b"days" => Lex::Units(Unit::Day),
        b"weeks" => Lex::Units(Unit::Week),
        b"weekends" => Lex::Units(Unit::Weekend),
        b"months" => Lex::Units(Unit::Month),
        b"quarters" => Lex::Units(Unit::Quarter),
        b"years" => Lex::Units(Unit::Year),
        b"decades" => Lex::Units(Unit::Decade),
        b"centuries" => Lex::Units(Unit::Century),
        b"period" => Lex::Period,
        b"hourly" => Lex::Often(Unit::Hour),
        b"daily" => Lex::Often(Unit::Day),
        b"nightly" => Lex::Often(Unit::Day),
        b"weekly" => Lex::Often(Unit::Week),
        b"monthly" => Lex::Often(Unit::Month),
        b"annually" | b"yearly" => Lex::Often(Unit::Year),
        b"christmas" => Lex::Holiday(Holiday::Christmas),
        b"thanksgiving" => Lex::Holiday(Holiday::Thanksgiving),
        b"easter" => Lex::Holiday(Holiday::Easter),
        b"halloween" => Lex::Holiday(Holiday::Halloween),
        b"memorial" if capital => Lex::DayOf(Holiday::MemorialDay),
        b"independence" if capital => Lex::DayOf(Holiday::IndependenceDay),
        b"labor" | b"labour" if capital => Lex::DayOf(Holiday::LaborDay),
        b"veterans" if capital => Lex::DayOf(Holiday::VeteransDay),
        b"valentine" if capital => Lex::DayOf(Holiday::ValentinesDay),
        b"boxing" if capital => Lex::DayOf(Holiday::BoxingDay),
        b"new" if capital => Lex::New,
        b"good" if capital => Lex::Good,
        b"eve" if capital => Lex::Eve,
        b"today" => Lex::Today,
        b"yesterday" => Lex::Yesterday,
        b"tomorrow" => Lex::Tomorrow,
        b"tonight" => Lex::Tonight,
        b"overnight" => Lex::Overnight,
        b"last" => Lex::Last,
        b"next" => Lex::Next,
        b"this" => Lex::This,
        b"these" => Lex::These,
        b"that" => Lex::That,
        b"past" => Lex::Past,
        b"coming" | b"upcoming" => Lex::Coming,
        b"previous" | b"preceding" | b"prior" => Lex::Previous,
        b"following" | b"ensuing" => Lex::Following,
        b"same" => Lex::Same,
        b"latest" => Lex::Latest,
        b"current" => Lex::Current,
        b"ago" => Lex::Ago,
        b"earlier" => Lex::Earlier,
        b"later" => Lex::Later,
        b"before" => Lex::Before,
        b"after" => Lex::After,
        b"the" => Lex::The,
        b"a" | b"an" => Lex::A,
        b"of" => Lex::Of,
        b"and" => Lex::And,
        b"or" => Lex::Or,
        b"in" => Lex::In,
        b"at" => Lex::At,
        b"on" => Lex::On,
        b"by" => Lex::By,
        b"since" => Lex::Since,
        b"from" => Lex::From,
        b"to" => Lex::To,
        b"until" | b"till" | b"through" => Lex::Until,
        b"during" | b"throughout" | b"within" => Lex::During,
        b"for" => Lex::For,
        b"early" => Lex::Early,
        b"late" => Lex::Late,
        b"mid" => Lex::Mid,
        b"beginning" | b"start" => Lex::Begin,
        b"middle" => Lex::Middle,
        b"end" => Lex::End,
        b"now" | b"currently" | b"nowadays" => Lex::Now,
        b"recent" => Lex::Recent,
        b"recently" | b"lately" => Lex::Recently,
        b"soon" => Lex::Soon,
        b"future" => Lex::Future,
        b"term" => Lex::Term,
        b"near" | b"short" => Lex::Near,
        b"each" | b"every" => Lex::Each,
        b"few" => Lex::Few,
        b"several" | b"many" => Lex::Several,
        b"couple" => Lex::Couple,
        b"half" => Lex::Half,
        b"fiscal" => Lex::Fiscal,
        b"about" | b"around" | b"roughly" | b"approximately" | b"some" => Lex::About,
        b"nearly" | b"almost" => Lex::Nearly,
        b"more" => Lex::More,
        b"less" | b"fewer" => Lex::Less,
        b"than" => Lex::Than,
        b"least" | b"most" => Lex::Least,
        b"over" => Lex::Over,
        b"barely" | b"just" | b"only" => Lex::Only,
        b"whole" | b"entire" | b"final" | b"full" | b"additional" | b"consecutive" | b"straight" => {
            Lex::Whole
        }
        b"old" => Lex::Old,
        b"s" => Lex::S,
        _ => Lex::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_looked_up_in_any_letters() {
        assert_eq!(look_up("OCTOBER").0, Lex::Month(10));
        assert_eq!(look_up("march").0, Lex::Other);
        assert_eq!(look_up("may"), (Lex::Other, Verb::May));
        assert_eq!(look_up("halted").1, Verb::Past);
        assert_eq!(look_up("indeed").1, Verb::None);
        assert_eq!(look_up("antidisestablishmentarianism"), (Lex::Other, Verb::None));
    }
}
