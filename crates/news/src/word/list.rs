//! The lists of the language.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::LazyLock;

use super::Class;

/// Verbs that introduce words, without those whose past is irregular.
const SAY: &str = "acknowledge add admit admonish advise affirm agree allege announce answer apologize apologise \
    argue ask assert assure attest banter bark beg begin bellow blare blog blurt boast boom brag bristle caution \
    charge chime chuckle claim clarify comment complain concede conclude concur confess confide confirm contend continue \
    counter crack cry declare deadpan demand deny drawl echo elaborate email emphasize \
    emphasise enthuse exclaim exhort explain explode exult fire fume gloat groan grouse growl gush hint holler howl \
    huff implore imply indicate inform inquire insist instruct interject intone recognize recognise invoke jeer jest joke lament \
    lecture marvel mumble murmur muse mutter note notify object observe offer opine phrase plead pledge \
    point post posit pray predict press proclaim profess prod promise pronounce propose question quip quote rail \
    rant rasp read reason reassure recall recite recount reiterate rejoin relate relay remark remember remind repeat reply \
    report request respond retort retweet reveal riff roar scoff scrawl scream seethe shout shriek shrug sigh sing snap \
    snarl sneer snort sob speculate state stress stipulate suggest sum surmise swear tease testify theorize thunder \
    tweet urge utter maintain grumble crow moan gasp hiss beam stammer splutter taunt wisecrack summarize summarise reckon insinuate \
    volunteer vow wail warn whine whisper wonder worry write yell";
/// Verbs that give something a name or a nature.
const NAMED: &str = "accuse attack rip blame brand call cast characterize characterise christen compare condemn credit deem deride describe dismiss \
    dub entitle equate frame hail identify bill label lambast lambaste liken mock name nickname paint portray ridicule tag term title";
/// Verbs of opinion, will and show.
const HOLD: &str = "introduce laud commend champion defend dispute refute rebut outline envisage highlight retaliate criticise find snipe interrupt start criticize decry denounce detail mention praise tout thank protest blast slam assail scold chide jab refer text \
    advocate agonize anticipate applaud assume attribute bash believe bemoan berate boo \
    cite celebrate challenge chant cheer contemplate decide demonstrate deplore \
    desire discuss doubt endorse envision estimate expect express fault favor favour fear forecast foresee \
    greet guarantee hammer hope intend invite issue knock list prefer preach pretend \
    ponder publish reason recommend reference reject refuse regard release request resolve savage seek sign signal solicit \
    suspect think threaten trumpet underscore view want welcome wish";
/// Forms that no rule makes.
const IRREGULAR: &[(&str, &str)] = &[
    ("say", "said saying says"),
    ("tell", "told telling tells"),
    ("write", "wrote written writing writes"),
    ("find", "found finding finds"),
    ("go", "went going goes"),
    ("shoot", "shot shooting shoots"),
    ("put", "put putting puts"),
    ("begin", "began begun beginning begins"),
    ("read", "read reading reads"),
    ("sing", "sang sung singing sings"),
    ("swear", "swore sworn swearing swears"),
    ("seek", "sought seeking seeks"),
    ("speak", "spoke spoken speaking speaks"),
    ("think", "thought thinking thinks"),
    ("understand", "understood understanding understands"),
    ("foresee", "foresaw foreseen foreseeing foresees"),
    ("show", "showed shown showing shows"),
    ("plead", "pleaded pled pleading pleads"),
    ("cast", "cast casting casts"),
    ("forecast", "forecast forecasting forecasts"),
    ("admit", "admitted admitting admits"),
    ("quip", "quipped quipping quips"),
    ("brag", "bragged bragging brags"),
    ("beg", "begged begging begs"),
    ("sob", "sobbed sobbing sobs"),
    ("dub", "dubbed dubbing dubs"),
    ("tag", "tagged tagging tags"),
    ("jab", "jabbed jabbing jabs"),
    ("blog", "blogged blogging blogs"),
    ("slam", "slammed slamming slams"),
    ("snap", "snapped snapping snaps"),
    ("prod", "prodded prodding prods"),
    ("plan", "planned planning plans"),
    ("sum", "summed summing sums"),
    ("refer", "referred referring refers"),
    ("prefer", "preferred preferring prefers"),
    ("concur", "concurred concurring concurs"),
    ("chide", "chided chid chiding chides"),
];
/// Of the verbs of saying, those whose first object is who was told.
const TELL: &str = "tell assure inform remind advise notify ask reassure instruct";

/// Of all these verbs, those whose plain form and form in -s are nouns too.
const NOUN: &str = "address advocate answer attack back bark bash blame blast blog boast boom brand call campaign cast caution challenge chant charge \
    cheer chime claim comment counter crack credit cry demand desire detail direct doubt echo email estimate express fault favor favour fear \
    forecast frame guarantee hammer hint holler hope howl issue jab jest joke label lecture list marvel mention murmur name note notice object offer \
    paint phrase plan pledge point pose post praise press promise protest question quote rail rant rasp reason release report reprise \
    request resolve retort reveal riff savage scream share shout shriek sigh sign signal sing snap snort sob state stress support suspect \
    tag tease term text title trumpet tweet urge view volunteer vow welcome whisper wish wonder worry yell bill request relay show shrug bill \
    promote roar reference";

const AUX: &str = "am are be been being can cannot could couldn't couldn’t did didn't didn’t do does doesn't doesn’t don't don’t had \
    hadn't hadn’t has hasn't hasn’t have haven't haven’t having is isn't isn’t may might must never not shall should shouldn't shouldn’t was \
    wasn't wasn’t were weren't weren’t will won't won’t would wouldn't wouldn’t he'd he’d she'd she’d";
const ADVERB: &str = "however afterwards afterward again ago already also always back ever famously first further here instead just later never now often once only \
    out previously quite rather since so sometimes soon still then there therefore though thus too twice very yet";
/// They end in -ly and are no adverbs.
const NO_ADVERB: &str = "ally family reply italy july assembly monopoly only supply apply rely early bully";
const DETERMINER: &str = "a an another any both each either every her his its many more most my no one our several some such that the \
    their these this those two three four five six seven eight nine ten your all few other half whose";
const PREPOSITION: &str = "aboard about above across after against along alongside amid among around as at before behind below beneath beside besides \
    between beyond by concerning despite down during except for from in inside into like near of off on onto opposite outside over \
    per regarding since through throughout to toward towards under underneath until unlike up upon via with within without";
const AND: &str = "and but or nor & yet";
const SUBORDINATOR: &str = "after although as because before even if once since so that though unless until when whenever where \
    whereas whether which while who whom why how what";
const PRONOUN: &str = "he she they it who i we you which him her them us me himself herself themselves everyone everybody someone \
    somebody nobody";
const TIME: &str = "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september \
    october november december jan feb mar apr jun jul aug sept oct nov dec jan. feb. mar. apr. aug. sept. oct. nov. dec. yesterday today \
    tomorrow tonight earlier later recently last";
const TITLE: &str = "mr. mrs. ms. mr mrs ms dr. dr sir dame lord lady sen. sen rep. rep gov. gov gen. gen lt. lt col. col maj. capt. capt sgt. prof. \
    prof rev. rev hon. st. adm. adm supt. senator senators representative congressman congresswoman governor president vice \
    vice-president chancellor premier minister secretary attorney general mayor councillor councilman councilwoman judge \
    justice sheriff chief captain colonel major sergeant lieutenant admiral commander professor pope cardinal bishop archbishop \
    king queen prince princess ambassador chairman chairwoman chair director speaker leader spokesman spokeswoman \
    spokesperson reporter correspondent editor columnist author host anchor strategist adviser advisor candidate nominee analyst \
    economist historian lawyer doctor officer deputy assistant former";
const BODY: &str = "agency alliance assembly army association authority bank board brigade bureau campaign centre center chamber church city \
    club coalition college commission committee company congress corporation corp corp. co. council country court department \
    federation force forces foundation fund government group house inc inc. industries institute league ltd ltd. ministry movement \
    nation office organisation organization parliament party police project school senate service society state states team \
    times post journal news television tv radio union university network press daily herald tribune gazette guardian";
const DOCUMENT: &str = "ad ads advertisement affidavit article authors ballot banner bill blog book brief broadcast caption chapter column \
    communique communiqué complaint constitution cover description document documents draft editorial email emails e-mail essay \
    filing flyer guidelines headline headlines indictment invitation law lawsuit letter leaflet magazine manifesto manual \
    memo memorandum message messages motion motto newsletter newspaper note notes notice op-ed order outlet page pamphlet \
    paper paragraph petition placard plaque platform poll post poster posters posting profile proposal question \
    ranking release report reports resolution review ruling script sign signs slogan speech statement statements statute story \
    study subject survey text title transcript tweet tweets video website site verdict";
const PEOPLE: &str = "activists administration advisers advisors advocates agents aides allies analysts attendees attorneys authorities backers \
    campaigners citizens colleagues commentators conservatives critics crowd defenders delegates democrats detectives diplomats \
    doctors donors economists editors employees executives experts fans friends families insiders investigators \
    journalists judges lawmakers lawyers leaders liberals marchers members ministers neighbours neighbors observers officers officials \
    operatives opponents organisers organizers others parents people politicians pollsters progressives prosecutors protesters pundits \
    reporters republicans representatives researchers residents respondents rivals scholars scientists soldiers source sources \
    spokesman spokesmen spokesperson spokeswoman staff staffers strategists students supporters teachers viewers volunteers voters \
    witnesses workers writers official aide adviser advisor diplomat";

/// Words that keep a stop behind them.
const ABBREVIATION: &str = "mr mrs ms dr sen sens rep reps gov gen lt col maj capt sgt prof rev hon st adm supt jr sr inc ltd corp co jan feb mar apr \
    aug sept oct nov dec vs no fla calif pa va mass ariz colo conn ill mich minn tenn tex wash wis vt ga la md";

/// Longest word that a list holds, with its endings.
const LONGEST: usize = 24;

/// What a list says of its words.
pub(crate) type Table<T> = HashMap<Key, T, BuildHasherDefault<Folded>>;

/// A word in small letters, with nothing behind it, as numbers: each word of each article is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u64; LONGEST / 8]);

impl Key {
    /// None for a longer word than any list holds.
    pub(crate) fn of(word: &str) -> Option<Key> {
        let mut small = [0; LONGEST];
        small.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
        small.make_ascii_lowercase();
        let (chunks, _) = small.as_chunks::<8>();
        Some(Key(std::array::from_fn(|at| u64::from_le_bytes(chunks[at]))))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|letters| state.write_u64(*letters));
    }
}

/// The tables are ours, so nobody can choose their words to collide.
#[derive(Default)]
pub(crate) struct Folded(u64);

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, letters: u64) {
        self.0 = (self.0.rotate_left(29) ^ letters).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

static CLASSES: LazyLock<Table<Class>> = LazyLock::new(|| {
    let mut classes = Table::default();
    let mut add = |word: String, class: Class| {
        let Some(key) = Key::of(&word) else { return };
        let known = classes.entry(key).or_insert(Class::NONE);
        *known = *known | class;
    };
    let irregular: HashMap<_, _> = IRREGULAR.iter().copied().collect();
    let irregular_verbs = ["say", "tell", "write", "shoot", "put", "go"].into_iter();
    let tell: Vec<_> = TELL.split_whitespace().collect();
    let noun: Vec<_> = NOUN.split_whitespace().collect();
    let verbs = (SAY.split_whitespace().chain(irregular_verbs).map(|verb| (verb, Class::SAY)))
        .chain(NAMED.split_whitespace().map(|verb| (verb, Class::NAME)))
        .chain(HOLD.split_whitespace().map(|verb| (verb, Class::HOLD)));
    for (verb, class) in verbs {
        let class = if tell.contains(&verb) { class | Class::TELL } else { class };
        let plain = if noun.contains(&verb) { class | Class::NOUN } else { class };
        add(verb.to_owned(), plain);
        let forms = match irregular.get(verb) {
            Some(forms) => forms.split_whitespace().map(str::to_owned).collect(),
            None => regular(verb),
        };
        for form in forms {
            let class = match &form[form.len() - 1..] {
                "g" if form.len() > verb.len() => class | Class::ING,
                "s" => plain,
                _ => class,
            };
            add(form, class);
        }
    }
    for (list, class) in [
        (AUX, Class::AUX),
        (ADVERB, Class::ADVERB),
        (DETERMINER, Class::DETERMINER),
        (PREPOSITION, Class::PREPOSITION),
        (AND, Class::AND),
        (SUBORDINATOR, Class::SUBORDINATOR),
        (PRONOUN, Class::PRONOUN),
        (TIME, Class::TIME),
        (TITLE, Class::TITLE),
        (BODY, Class::BODY),
        (DOCUMENT, Class::DOCUMENT),
        (PEOPLE, Class::PEOPLE),
    ] {
        list.split_whitespace().for_each(|word| add(word.to_owned(), class));
    }
    NO_ADVERB.split_whitespace().for_each(|word| add(word.to_owned(), Class::NONE));
    classes
});

/// What a word can be, in whatever letters.
pub(super) fn class(word: &str) -> Class {
    let Some(key) = Key::of(word) else { return Class::NONE };
    match (CLASSES.get(&key), word.as_bytes()) {
        (Some(class), _) => *class,
        (None, [_, _, _, .., b'l' | b'L', b'y' | b'Y']) => Class::ADVERB,
        (None, _) => Class::NONE,
    }
}

/// Whether a stop behind the word belongs to it. Any case.
pub(super) fn is_abbreviation(word: &str) -> bool {
    word.len() <= 5
        && word.starts_with(char::is_uppercase)
        && ABBREVIATION.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

/// Past, -ing and -s of a regular verb.
fn regular(verb: &str) -> Vec<String> {
    let stem = &verb[..verb.len() - 1];
    let before_y = verb.ends_with('y') && !stem.ends_with(['a', 'e', 'o', 'u']);
    if verb.ends_with("ee") {
        vec![format!("{verb}d"), format!("{verb}ing"), format!("{verb}s")]
    } else if verb.ends_with('e') {
        vec![format!("{verb}d"), format!("{stem}ing"), format!("{verb}s")]
    } else if before_y {
        vec![format!("{stem}ied"), format!("{verb}ing"), format!("{stem}ies")]
    } else if verb.ends_with(['s', 'x', 'z']) || verb.ends_with("sh") || verb.ends_with("ch") {
        vec![format!("{verb}ed"), format!("{verb}ing"), format!("{verb}es")]
    } else {
        vec![format!("{verb}ed"), format!("{verb}ing"), format!("{verb}s")]
    }
}
