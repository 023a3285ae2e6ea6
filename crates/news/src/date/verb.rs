//! Words that tell the tense of a clause.

/// What a word says of when its clause happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    None,
    Past,
    /// ended: "the quarter ended Sept. 30" is over.
    Ended,
    /// A past form of a verb of saying: what follows it has a tense of its own.
    Said,
    Have,
    /// had: a plan behind it is over.
    Had,
    /// is, are: "is to", "is coming".
    Is,
    /// was, were.
    Was,
    /// will, would, shall.
    Will,
    /// may, might.
    May,
    /// could: "could not be reached on Friday" is past.
    Could,
    /// not, neither, nor: says nothing of a tense.
    Not,
    /// plans, hopes.
    Plan,
    /// scheduled, planned: a plan behind an article too, "the planned visit".
    Scheduled,
    /// agreed, promised: planned with an infinitive behind it, else past.
    Vow,
    /// set: planned behind a form of "be", else past.
    Set,
    /// due: planned, but for "due to the rain".
    Due,
    /// meet, begin: a plan, but for an infinitive.
    Bare,
    /// its, their: what follows is a noun.
    Owner,
    /// "to", perhaps before a verb.
    To,
    /// ahead: "ahead of the vote on Friday" is before it.
    Ahead,
    /// coming, going: planned behind "is".
    Going,
    /// A word that a new clause begins with.
    Clause,
}

impl Verb {
    /// Whether its clause tells what was or is, unless words beside it make a plan of it.
    pub(super) fn tells(self) -> bool {
        use Verb::{Ended, Had, Have, Is, Past, Said, Scheduled, Set, Vow, Was};
        matches!(self, Past | Ended | Said | Have | Had | Is | Was | Vow | Scheduled | Set)
    }
}

/// Present forms are left out but where they tell of plans: they look like nouns.
pub(super) fn verb(word: &[u8]) -> Verb {
    match word {
        b"will" | b"would" | b"wouldn" | b"shall" | b"ll" => Verb::Will,
        b"may" | b"might" | b"possible" | b"possibly" | b"potential" | b"perhaps" => Verb::May,
        b"plan" | b"plans" | b"planning" | b"expects" | b"expect" | b"hopes" | b"hope" | b"intends"
        | b"intend" | b"wants" | b"want" | b"agrees" | b"aims" | b"must" | b"should" | b"postponed"
        | b"delayed" | b"begins" | b"starts" | b"opens" | b"ends" | b"expires" | b"meets" | b"arrives"
        | b"leaves" | b"returns" | b"faces" | b"takes" | b"resumes" | b"departs" | b"holds" | b"hosts"
        | b"travels" | b"goes" | b"concludes" | b"scheduling" | b"ready" | b"payable" | b"hoping"
        | b"unless" | b"likely" | b"forecast" | b"effective" | b"reopens" | b"reconvenes" | b"convenes"
        | b"closes" | b"kicks" | b"premieres" | b"airs" | b"debuts" | b"shouldn" | b"mustn" => Verb::Plan,
        b"agreed" | b"promised" | b"pledged" | b"hoped" | b"vowed" | b"intended" => Verb::Vow,
        b"scheduled" | b"slated" | b"expected" | b"planned" | b"proposed" | b"upcoming" | b"forthcoming" => {
            Verb::Scheduled
        }
        b"could" => Verb::Could,
        b"not" | b"neither" | b"nor" => Verb::Not,
        b"set" => Verb::Set,
        b"ended" => Verb::Ended,
        b"ahead" => Verb::Ahead,
        b"due" => Verb::Due,
        b"meet" | b"begin" | b"open" | b"leave" | b"arrive" | b"return" | b"resume" | b"reopen" | b"go"
        | b"expire" => Verb::Bare,
        b"its" | b"his" | b"her" | b"their" | b"our" | b"my" | b"your" => Verb::Owner,
        b"to" => Verb::To,
        b"is" | b"are" | b"be" | b"re" | b"isn" | b"aren" => Verb::Is,
        b"was" | b"were" | b"been" | b"being" | b"wasn" | b"weren" => Verb::Was,
        b"have" | b"has" | b"hasn" => Verb::Have,
        b"had" | b"hadn" => Verb::Had,
        b"said" | b"told" | b"announced" | b"reported" | b"added" | b"says" | b"stated" | b"testified"
        | b"wrote" => Verb::Said,
        b"who" | b"which" | b"but" | b"when" | b"while" | b"because" | b"if" | b"as" | b"although"
        | b"where" => Verb::Clause,
        b"ate" | b"became" | b"began" | b"bought" | b"blew" | b"broke" | b"brought" | b"built" | b"came"
        | b"caught" | b"chose" | b"cut" | b"did" | b"didn" | b"couldn" | b"died" | b"drew" | b"drove"
        | b"fell" | b"felt" | b"flew" | b"fought" | b"found" | b"fled" | b"gave" | b"given" | b"got"
        | b"grew" | b"held" | b"heard" | b"hit" | b"hurt" | b"kept" | b"killed" | b"knew" | b"laid"
        | b"led" | b"left" | b"lost" | b"made" | b"met" | b"paid" | b"put" | b"quit" | b"ran" | b"rose"
        | b"sat" | b"saw" | b"sent" | b"shot" | b"shown" | b"slid" | b"sold" | b"spent" | b"spoke"
        | b"stood" | b"struck" | b"swept" | b"swore" | b"taken" | b"took" | b"taught" | b"thought"
        | b"threw" | b"tore" | b"went" | b"withdrew" | b"won" | b"done" | b"seen" | b"sank" | b"split"
        | b"shook" | b"sought" | b"stuck" | b"arose" | b"awoke" | b"beaten" | b"begun" | b"bore"
        | b"borne" | b"bred" | b"broken" | b"burnt" | b"chosen" | b"clung" | b"crept" | b"dealt"
        | b"drank" | b"drawn" | b"driven" | b"dug" | b"eaten" | b"fallen" | b"flown" | b"forbade"
        | b"forgot" | b"forgotten" | b"froze" | b"frozen" | b"gone" | b"grown" | b"hid" | b"hidden"
        | b"hung" | b"knelt" | b"lent" | b"lit" | b"meant" | b"overcame" | b"oversaw" | b"overthrew"
        | b"overtook" | b"rang" | b"risen" | b"rode" | b"sang" | b"sewn" | b"shone" | b"shrank"
        | b"slept" | b"slew" | b"spat" | b"sped" | b"spoken" | b"sprang" | b"spun" | b"stole" | b"stolen"
        | b"stung" | b"strode" | b"sung" | b"swam" | b"sworn" | b"swung" | b"thrown" | b"torn"
        | b"underwent" | b"undertook" | b"upheld" | b"wept" | b"withdrawn" | b"withheld" | b"withstood"
        | b"woke" | b"wore" | b"worn" | b"written" => Verb::Past,
        b"hundred" | b"united" | b"indeed" | b"red" | b"bed" | b"fed" => Verb::None,
        _ if word.len() > 4 && word.ends_with(b"ing") => Verb::Going,
        _ if word.len() > 3 && word.ends_with(b"ed") && !word.ends_with(b"eed") => Verb::Past,
        _ => Verb::None,
    }
}
