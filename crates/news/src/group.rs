//! Articles -> stories, one article at a time.
//!
//! Each article becomes a sparse vector (tf-idf over stemmed words; names, numbers and the
//! headline weigh more, the places and offices of all world news less). It
//! joins the story it is most like, if it is like enough; otherwise it begins a story of its own (leader clustering).
//! Dates keep apart what returns every year: the further an article is from a story's last one, the more alike it
//! must be. A story keeps its id while coverage is added. At the end of a round stories [settle](Grouper::settle): two that
//! turn out to be one become one, and an article that is more like another story goes there.
//!
//! A story is full at some point: everybody downloads it, and one outlet alone could fill it. So the outlet that has the most of
//! a full story gives way. Of too many articles it loses the earliest, of too many bytes the longest; the article that the story
//! began with stays.
//!
//! The same articles in the same order give the same stories, byte for byte.

mod settle;
mod sketch;
mod space;
mod stopwords;
mod terms;

use foldhash::{HashMap, HashMapExt as _};
use proto::analysis::Analysis;
use proto::codec;
use proto::story::{Article, ArticleId, Block, MAX_ARTICLES, Story, StoryId};

use crate::article::{article, renamed};
use crate::document::Document;
use sketch::Sketch;
use space::Space;
pub(crate) use space::{Vector, product};
pub(crate) use stopwords::is_stop_word;
use terms::Terms;

/// Alike enough to be one story. One value for all data: on ECB+ 0.25 to 0.30 differ little once stories settle, the samples want less
/// than 0.28 (`tests/samples.rs`).
const ALIKE: f32 = 0.26;
/// Days between an article and a story after which it must be twice as alike.
const HALF_LIFE_DAYS: f32 = 14.0;
/// How many of a story's heaviest terms are kept; the tail adds cost and noise.
const STORY_TERMS: usize = 400;
/// How many of an article's heaviest terms lead to stories.
const LEADING_TERMS: usize = 48;
/// Stories compared in full, the most promising first.
const COMPARED: usize = 24;
/// The most that a story's articles may weigh in an edition, in bytes: four of the longest, or a hundred of the usual ones
/// with a small picture each hardly more than twice. A front page has room for three such stories, packed as badly as can be.
pub const HEAVIEST_STORY: usize = 1024 * 1024;
/// A term that leads to more stories than this tells none apart and is not followed.
const LEADS_TOO_FAR: usize = 4096;

/// So many stories are kept at least; twice as many before older ones are forgotten. A front page shows two hundred, and what is
/// older than some thousand gets no more articles, or begins anew.
const KEPT: usize = 5_000;

/// Groups documents into stories.
#[derive(Debug)]
pub struct Grouper {
    /// Stories that are kept at least.
    kept: usize,
    space: Space,
    clusters: Vec<Cluster>,
    /// Term -> the clusters it leads to, by rising number.
    leads: HashMap<u32, Vec<u32>>,
    by_article: HashMap<ArticleId, u32>,
    by_address: HashMap<(String, String), u32>,
    by_story: HashMap<StoryId, u32>,
    revision: u64,
    /// The revision up to which stories have settled.
    settled: u64,
    forgot: u64,
}

/// A story being put together.
#[derive(Debug)]
struct Cluster {
    id: StoryId,
    /// Sum of its articles' unit vectors, of the heaviest terms.
    sum: Vector,
    /// How long that is.
    length: f32,
    members: Vec<Member>,
    first: Option<i64>,
    last: Option<i64>,
    changed: u64,
}

#[derive(Debug)]
struct Member {
    article: Article,
    /// How many bytes it takes in an edition.
    weight: usize,
    sketch: Sketch,
    /// Its terms as they were worth when it came, scaled to length 1.
    unit: Vector,
    /// Whether the headline is the outlet's own.
    titled: bool,
    /// Earlier versions and copies, for which it stands.
    also: Vec<ArticleId>,
}

impl Member {
    fn of(article: Article, titled: bool) -> Member {
        let sketch = Sketch::of(article.body.iter().map(Block::text));
        Member {
            weight: codec::encode(&article).len(),
            sketch,
            unit: Vector::new(),
            article,
            titled,
            also: vec![],
        }
    }
}

/// An article with all that grouping needs of it alone: the greater part of the work.
#[derive(Debug)]
pub struct Prepared {
    member: Member,
    terms: Terms,
    /// The story that it was in before.
    story: Option<StoryId>,
}

impl Prepared {
    /// Of the article that was made from `document`.
    pub fn of(article: Article, document: &Document) -> Prepared {
        let (language, titled) = (document.language.as_deref(), document.title.is_some());
        let terms = terms::terms(document.title.as_deref(), document.paragraphs(), language);
        Prepared { member: Member::of(article, titled), terms, story: None }
    }

    /// The article.
    pub fn article(&self) -> &Article {
        &self.member.article
    }

    /// The same under another outlet's name.
    pub fn renamed(mut self, outlet: &str) -> Prepared {
        self.member.article = renamed(self.member.article, outlet);
        self.member.weight = codec::encode(&self.member.article).len();
        self
    }

    /// Of an article that was kept, with what its document said besides, and the story that it was in: it goes there again, whatever
    /// came before it, and the story keeps its id.
    pub fn again(article: Article, language: Option<&str>, titled: bool, story: StoryId) -> Prepared {
        let paragraphs = article.body.iter().filter_map(|block| match block {
            Block::Paragraph(text) => Some(text.as_str()),
            Block::Heading(_) | Block::Caption(_) => None,
        });
        let terms = terms::terms(titled.then_some(article.title.as_str()), paragraphs, language);
        Prepared { member: Member::of(article, titled), terms, story: Some(story) }
    }
}

impl Grouper {
    /// Knows no story yet.
    pub fn new() -> Grouper {
        Grouper::keeping(KEPT)
    }

    /// Knows no story yet, and will forget the older ones of more than twice as many.
    fn keeping(kept: usize) -> Grouper {
        Grouper {
            kept,
            space: Space::default(),
            clusters: Vec::new(),
            leads: HashMap::new(),
            by_article: HashMap::new(),
            by_address: HashMap::new(),
            by_story: HashMap::new(),
            revision: 0,
            settled: 0,
            forgot: 0,
        }
    }

    /// Adds a document, and says which story it belongs to.
    pub fn add(&mut self, document: &Document) -> StoryId {
        self.add_article(article(document), document)
    }

    /// Adds the article that was made from `document` ([`article()`]) and got its picture since.
    pub fn add_article(&mut self, article: Article, document: &Document) -> StoryId {
        match self.by_article.get(&article.id) {
            Some(&known) => self.clusters[known as usize].id,
            None => self.add_prepared(Prepared::of(article, document)),
        }
    }

    /// Adds an article that was made ready, on another thread perhaps.
    pub fn add_prepared(&mut self, Prepared { mut member, terms, story }: Prepared) -> StoryId {
        if let Some(&known) = self.by_article.get(&member.article.id) {
            return self.clusters[known as usize].id;
        }
        // Where it was before is where it goes.
        let is_there = |at: &u32| story.is_none_or(|story| self.by_story.get(&story) == Some(at));
        if let Some(at) = self.revised(&member).filter(is_there) {
            return self.replace(at, member);
        }
        let vector = self.space.learn(&terms);
        member.unit = self.space.unit(&vector);
        let leading = heaviest(&member.unit, LEADING_TERMS);
        let published = member.article.published.map(|when| when.unix);
        let nearest = || match story {
            Some(_) => None,
            None => self.nearest(&member.unit, &leading, published, None).map(|(_, at)| at),
        };
        let id = story.unwrap_or(StoryId(member.article.id.0));
        let at = match nearest().or_else(|| self.by_story.get(&id).copied()) {
            Some(at) => at,
            None => self.begin(id),
        };
        self.by_article.insert(member.article.id, at);
        if let Some(member) = self.clusters[at as usize].unless_double(member) {
            self.join(at, member, &leading);
        }
        let id = self.clusters[at as usize].id;
        if self.clusters.len() > 2 * self.kept {
            self.forget();
        }
        id
    }

    /// Forgets the stories that are neither among the newest by their dates nor among those that changed last, half of what is kept
    /// each; and the terms that nothing kept needs.
    fn forget(&mut self) {
        self.forgot += 1;
        let half = self.kept.div_ceil(2);
        let mut stays = vec![false; self.clusters.len()];
        let mut order: Vec<usize> = (0..self.clusters.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse((self.clusters[at].last, self.clusters[at].changed)));
        order.iter().take(half).for_each(|&at| stays[at] = true);
        order.sort_by_key(|&at| std::cmp::Reverse(self.clusters[at].changed));
        order.iter().take(half).for_each(|&at| stays[at] = true);

        let mut moved: Vec<Option<u32>> = Vec::with_capacity(stays.len());
        let mut next = 0;
        for stays in &stays {
            moved.push(stays.then_some(next));
            next += u32::from(*stays);
        }
        self.renumber(&moved, &stays);

        let sums = self.clusters.iter().flat_map(|cluster| cluster.sum.iter().map(|(term, _)| *term));
        let numbers = self.space.forget(sums.chain(self.leads.keys().copied()));
        for cluster in &mut self.clusters {
            cluster.sum.iter_mut().for_each(|(term, _)| *term = numbers[term]);
            let follow = |(term, _): &mut (u32, f32)| numbers.get(term).map(|new| *term = *new).is_some();
            cluster.members.iter_mut().for_each(|member| member.unit.retain_mut(follow));
        }
        self.leads =
            std::mem::take(&mut self.leads).into_iter().map(|(term, led)| (numbers[&term], led)).collect();
    }

    /// All stories, the one with the newest article first; undated ones last, in the order they came.
    pub fn stories(&self) -> Vec<Story> {
        self.changed_since(0)
    }

    /// The first `most` of [`Grouper::stories`].
    pub fn newest(&self, most: usize) -> Vec<Story> {
        self.in_order(0).into_iter().take(most).map(Cluster::story).collect()
    }

    /// Stories that are new or have changed after `revision`, in the order of [`Grouper::stories`].
    pub fn changed_since(&self, revision: u64) -> Vec<Story> {
        self.in_order(revision).into_iter().map(Cluster::story).collect()
    }

    fn in_order(&self, revision: u64) -> Vec<&Cluster> {
        let mut changed: Vec<&Cluster> = self.clusters.iter().filter(|c| c.changed > revision).collect();
        changed.sort_by_key(|cluster| std::cmp::Reverse(cluster.last));
        changed
    }

    /// Counts changes: 0 before the first article, one more with each article that was taken in.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How often stories were forgotten.
    pub fn forgot(&self) -> u64 {
        self.forgot
    }

    /// Whether an article is known, be it as a copy that its story does without.
    pub fn knows(&self, article: ArticleId) -> bool {
        self.by_article.contains_key(&article)
    }

    /// The story of an article that is known.
    pub fn story_of(&self, article: ArticleId) -> Option<StoryId> {
        self.by_article.get(&article).map(|&at| self.clusters[at as usize].id)
    }

    /// Puts an article in the place of the one with its name, which has the same words: its headline or date may be others.
    pub fn correct(&mut self, article: Article) {
        let Some(&at) = self.by_article.get(&article.id) else { return };
        let cluster = &mut self.clusters[at as usize];
        let Some(member) = cluster.members.iter_mut().find(|member| member.article.id == article.id) else {
            return;
        };
        if member.article == article {
            return;
        }
        self.revision += 1;
        cluster.changed = self.revision;
        member.weight = codec::encode(&article).len();
        member.article = article;
        let times =
            || cluster.members.iter().filter_map(|member| member.article.published).map(|when| when.unix);
        (cluster.first, cluster.last) = (times().min(), times().max());
        cluster.trim();
    }

    /// How many articles are kept.
    pub fn articles(&self) -> usize {
        self.clusters.iter().map(|cluster| cluster.members.len()).sum()
    }

    /// Where an earlier version of this article is: the same outlet, the same address.
    fn revised(&self, member: &Member) -> Option<u32> {
        let url = member.article.url.clone()?;
        self.by_address.get(&(member.article.outlet.clone(), url)).copied()
    }

    fn replace(&mut self, at: u32, member: Member) -> StoryId {
        self.revision += 1;
        let cluster = &mut self.clusters[at as usize];
        cluster.changed = self.revision;
        self.by_article.insert(member.article.id, at);
        let same = |old: &&mut Member| {
            old.article.outlet == member.article.outlet && old.article.url == member.article.url
        };
        match cluster.members.iter_mut().find(same) {
            // Its words are others, its event is the same.
            Some(old) => {
                let (unit, mut also) = (std::mem::take(&mut old.unit), std::mem::take(&mut old.also));
                also.push(old.article.id);
                *old = Member { unit, also, ..member };
            }
            None => cluster.members.push(member),
        }
        cluster.trim();
        cluster.id
    }

    /// The story most like `unit`, if one is alike enough, and how much it is. `leading`: its heaviest terms. `but`: not that one.
    fn nearest(
        &self,
        unit: &[(u32, f32)],
        leading: &[(u32, f32)],
        published: Option<i64>,
        but: Option<u32>,
    ) -> Option<(f32, u32)> {
        let mut best: Option<(f32, u32)> = None;
        for (at, _) in self.promising(leading).into_iter().filter(|(at, _)| Some(*at) != but) {
            let cluster = &self.clusters[at as usize];
            let alike = cluster.alike(unit) * cluster.nearness(published);
            if alike >= ALIKE && best.is_none_or(|(most, _)| alike > most) {
                best = Some((alike, at));
            }
        }
        best
    }

    fn begin(&mut self, id: StoryId) -> u32 {
        let at = self.clusters.len() as u32;
        self.by_story.insert(id, at);
        self.clusters.push(Cluster {
            id,
            sum: Vector::new(),
            length: 0.0,
            members: Vec::new(),
            first: None,
            last: None,
            changed: 0,
        });
        at
    }

    fn join(&mut self, at: u32, member: Member, leading: &[(u32, f32)]) {
        self.revision += 1;
        let cluster = &mut self.clusters[at as usize];
        cluster.changed = self.revision;
        space::add(&mut cluster.sum, &member.unit);
        cluster.measure();
        if let Some(when) = member.article.published {
            cluster.first = Some(cluster.first.map_or(when.unix, |first| first.min(when.unix)));
            cluster.last = Some(cluster.last.map_or(when.unix, |last| last.max(when.unix)));
        }
        if let Some(url) = &member.article.url {
            self.by_address.insert((member.article.outlet.clone(), url.clone()), at);
        }
        cluster.members.push(member);
        if cluster.trim() {
            cluster.add_up();
        }
        self.lead(leading, at);
    }

    /// Lets terms lead to a story.
    fn lead(&mut self, leading: &[(u32, f32)], at: u32) {
        for (term, _) in leading {
            let clusters = self.leads.entry(*term).or_default();
            if let Err(place) = clusters.binary_search(&at) {
                clusters.insert(place, at);
            }
        }
    }
}

impl Cluster {
    /// Keeps the heaviest terms of its sum, and measures it.
    fn measure(&mut self) {
        if self.sum.len() > STORY_TERMS {
            self.sum = heaviest(&self.sum, STORY_TERMS);
            self.sum.sort_unstable_by_key(|&(term, _)| term);
        }
        self.length = self.sum.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
    }

    /// Leaves out what is more than a story may hold. Returns whether anything was.
    fn trim(&mut self) -> bool {
        for left in 0.. {
            let heavy = self.members.iter().map(|member| member.weight).sum::<usize>() > HEAVIEST_STORY;
            if !heavy && self.members.len() <= MAX_ARTICLES {
                return left > 0;
            }
            // Of each outlet how much it has, and where it stands first: of equal ones the last to come gives way.
            let mut shares: HashMap<&str, (usize, usize)> = HashMap::new();
            for (at, member) in self.members.iter().enumerate() {
                let share = shares.entry(&member.article.outlet).or_insert((0, at));
                share.0 += if heavy { member.weight } else { 1 };
            }
            let order = |&at: &usize| {
                let member = &self.members[at];
                let of_its_outlet = if heavy { (member.weight, at) } else { (0, self.members.len() - at) };
                (shares[member.article.outlet.as_str()], of_its_outlet)
            };
            let Some(gives_way) = (1..self.members.len()).max_by_key(order) else { return left > 0 };
            self.members.remove(gives_way);
        }
        false
    }

    /// How like the story's articles `unit` is, 0 to 1.
    fn alike(&self, unit: &[(u32, f32)]) -> f32 {
        if self.length <= f32::EPSILON {
            return 0.0;
        }
        space::product(unit, &self.sum) / self.length
    }

    /// 1 within the story's days, halved with every [`HALF_LIFE_DAYS`] outside of them; 1 where a date is missing.
    fn nearness(&self, published: Option<i64>) -> f32 {
        let (Some(when), Some(first), Some(last)) = (published, self.first, self.last) else { return 1.0 };
        let outside = first.saturating_sub(when).max(when.saturating_sub(last)).max(0);
        0.5f32.powf(outside as f32 / 86_400.0 / HALF_LIFE_DAYS)
    }

    /// Articles: the lead first (the earliest with a headline of its own), then by time, undated ones last.
    fn story(&self) -> Story {
        let mut members: Vec<&Member> = self.members.iter().collect();
        let time = |member: &Member| member.article.published.map_or(i64::MAX, |when| when.unix);
        members.sort_by_key(|member| (time(member), !member.titled));
        if let Some(lead) = members.iter().position(|member| member.titled) {
            members[..=lead].rotate_right(1);
        }
        Story {
            id: self.id,
            title: members.first().map(|lead| lead.article.title.clone()).unwrap_or_default(),
            articles: members.into_iter().map(|member| member.article.clone()).collect(),
            analysis: Analysis::default(),
        }
    }
}

/// The `most` heaviest entries, heaviest first; equal ones by term.
fn heaviest(vector: &[(u32, f32)], most: usize) -> Vector {
    let mut sorted = vector.to_vec();
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if sorted.len() > most {
        sorted.select_nth_unstable_by(most, order);
        sorted.truncate(most);
    }
    sorted.sort_unstable_by(order);
    sorted
}

impl Default for Grouper {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Input, read};

    const FERRY: &str = "Ferry crew refuses to sail\n\nThe ferry to Skerry did not leave on Monday, the harbour office of Tallow said, since Captain \
        Ron Gale and his crew had refused to sail in a wind that two instruments measured differently.\n\nGale told the council of Skerry that \
        one of the instruments on the pier had been wrong since March.";
    const FERRY_AGAIN: &str = "Captain Gale keeps Skerry ferry in port\n\nCaptain Ron Gale kept the Skerry ferry in port on Monday. The harbour office in \
        Tallow said that his crew would not sail while two instruments on the pier disagreed about the wind.\n\nThe council of Skerry heard Gale \
        in the evening.";
    const TRIAL: &str = "Baker fined for selling air\n\nA court in Upland fined the baker Olga Birk nine hundred crowns on Tuesday for bread that was \
        lighter than its label said.\n\nBirk said that flour had been dear and that nobody had complained about the taste.";

    fn document(outlet: &str, text: &str) -> Document {
        let mut read =
            read(text.as_bytes(), Input { name: "a.txt", ..Input::default() }).expect("an article");
        let mut document = read.documents.remove(0);
        document.outlet = Some(outlet.to_owned());
        document
    }

    fn on(day: &str, mut document: Document) -> Document {
        document.published = crate::stamp::parse(day);
        document
    }

    #[test]
    fn a_story_keeps_its_id_while_coverage_is_added() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&document("Post", FERRY));
        assert_eq!(grouper.stories()[0].id, first);
        let other = grouper.add(&document("Post", TRIAL));
        let before = grouper.revision();
        assert_eq!(grouper.add(&document("Courier", FERRY_AGAIN)), first);
        assert_ne!(other, first);
        let changed = grouper.changed_since(before);
        assert_eq!((changed.len(), changed[0].id, changed[0].outlets()), (1, first, 2));
        assert!(grouper.changed_since(grouper.revision()).is_empty());
    }

    #[test]
    fn the_same_file_twice_changes_nothing() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&document("Post", FERRY));
        let revision = grouper.revision();
        assert_eq!(grouper.add(&document("Post", FERRY)), first);
        // Scraped once more, with a word corrected.
        assert_eq!(
            grouper.add(&document("Post", &FERRY.replace("wrong since March", "broken since March"))),
            first
        );
        assert_eq!((grouper.articles(), grouper.revision()), (1, revision));
        // The same words in another paper are another article: a wire's text.
        assert_eq!(grouper.add(&document("Courier", FERRY)), first);
        assert_eq!(grouper.articles(), 2);
    }

    #[test]
    fn a_new_version_at_the_same_address_replaces_the_old() {
        let mut grouper = Grouper::new();
        let at = |mut document: Document| {
            document.url = Some("https://post.example/1".into());
            document
        };
        let first = grouper.add(&at(document("Post", FERRY)));
        let revision = grouper.revision();
        assert_eq!(grouper.add(&at(document("Post", TRIAL))), first);
        let stories = grouper.changed_since(revision);
        assert_eq!(
            (stories[0].articles.len(), stories[0].title.as_str()),
            (1, "Baker fined for selling air")
        );
    }

    /// Coverage of one event in ever other words: so many of them, drawn anew for each.
    fn retold(seed: u32, words: usize) -> String {
        const TOLD: [&str; 32] = [
            "ferry",
            "harbour",
            "captain",
            "Gale",
            "Skerry",
            "crew",
            "wind",
            "pier",
            "instrument",
            "council",
            "Tallow",
            "sail",
            "office",
            "storm",
            "island",
            "passenger",
            "rope",
            "deck",
            "engine",
            "tide",
            "lamp",
            "quay",
            "signal",
            "mast",
            "anchor",
            "cargo",
            "sailor",
            "channel",
            "buoy",
            "radio",
            "coast",
            "lighthouse",
        ];
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut word = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            TOLD[(state >> 27) as usize]
        };
        let text: Vec<_> = (0..words).map(|_| word()).collect();
        format!("Ferry crew refuses to sail\n\nThe {}.", text.join(" "))
    }

    /// One outlet that never stops telling the same event: its own articles give way, the others' and the first one stay.
    #[test]
    fn a_story_takes_so_many_articles_and_the_outlet_that_has_the_most_of_them_gives_way() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&document("Flood", &retold(0, 80)));
        for n in 1..=3 {
            assert_eq!(grouper.add(&document(&format!("Post {n}"), &retold(n, 80))), first);
        }
        let of_flood = |n: u32| retold(100 + n, 80);
        for n in 0..150 {
            assert_eq!(grouper.add(&document("Flood", &of_flood(n))), first, "{n}");
        }
        assert_eq!(grouper.add(&document("Courier", &retold(9, 80))), first);
        let story = grouper.stories().remove(0);
        assert_eq!(story.articles.len(), MAX_ARTICLES);
        let has = |outlet: &str, text: &str| {
            let id = article(&document(outlet, text)).id;
            story.articles.iter().any(|article| article.id == id)
        };
        assert!(has("Flood", &retold(0, 80)), "the story began with it");
        assert!((1..=3).all(|n| has(&format!("Post {n}"), &retold(n, 80))) && has("Courier", &retold(9, 80)));
        assert!(has("Flood", &of_flood(149)) && !has("Flood", &of_flood(0)), "the newest stays");
        // What was left out does not come back with the next reading.
        let revision = grouper.revision();
        assert_eq!(grouper.add(&document("Flood", &of_flood(0))), first);
        assert_eq!(grouper.revision(), revision);
    }

    #[test]
    fn a_story_takes_so_many_bytes_and_the_longest_of_the_heaviest_outlet_gives_way() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&document("Post", &retold(0, 80)));
        for n in 1..=6 {
            let words = if n == 2 { 300 } else { 45_000 };
            assert_eq!(grouper.add(&document("Flood", &retold(n, words))), first, "{n}");
        }
        let weight = |grouper: &Grouper| codec::encode(&grouper.stories().remove(0)).len();
        let outlets = |grouper: &Grouper| {
            let story = grouper.stories().remove(0);
            let of = |outlet| story.articles.iter().filter(|article| article.outlet == outlet).count();
            (of("Post"), of("Flood"))
        };
        assert!(
            (HEAVIEST_STORY / 2..=HEAVIEST_STORY + 100).contains(&weight(&grouper)),
            "{}",
            weight(&grouper)
        );
        assert_eq!(outlets(&grouper), (1, 4), "three long ones and the short one");

        // A short article that grows at its address.
        let at = |words| {
            let mut document = document("Flood", &retold(20, words));
            document.url = Some("https://flood.example/1".into());
            document
        };
        assert_eq!((grouper.add(&at(90)), grouper.add(&at(45_000))), (first, first));
        assert!(weight(&grouper) <= HEAVIEST_STORY + 100);
        assert_eq!(outlets(&grouper), (1, 4));
    }

    #[test]
    fn the_lead_is_the_earliest_with_a_headline_and_time_orders_the_rest() {
        let mut grouper = Grouper::new();
        grouper.add(&document("Undated", FERRY));
        grouper.add(&on("2026-11-04", document("Late", FERRY_AGAIN)));
        let mut untitled = on("2026-11-01", document("Early", FERRY));
        untitled.title = None;
        grouper.add(&untitled);
        grouper.add(&on("2026-11-03", document("Middle", FERRY)));
        let stories = grouper.stories();
        let order: Vec<&str> = stories[0].articles.iter().map(|article| article.outlet.as_str()).collect();
        assert_eq!(order, ["Middle", "Early", "Late", "Undated"]);
        assert_eq!(stories[0].title, "Ferry crew refuses to sail");
    }

    #[test]
    fn what_happens_again_years_later_is_another_story() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&on("2024-11-03", document("Post", FERRY)));
        assert_ne!(grouper.add(&on("2026-11-03", document("Courier", FERRY_AGAIN))), first);
        assert_eq!(grouper.stories()[0].articles[0].outlet, "Courier", "the newest story first");
    }

    #[test]
    fn the_same_input_gives_the_same_stories() {
        let stories = || {
            let mut grouper = Grouper::new();
            for (outlet, text) in [("A", FERRY), ("B", TRIAL), ("C", FERRY_AGAIN), ("D", TRIAL), ("E", FERRY)]
            {
                grouper.add(&document(outlet, text));
            }
            grouper.stories()
        };
        assert_eq!(stories(), stories());
        assert_eq!(stories().len(), 2);
    }

    /// A text of its own for each number: nothing in it is in another.
    fn apart(number: usize, day: usize) -> Document {
        let words: Vec<String> = (0..40).map(|word| format!("Word{number}x{word}")).collect();
        let text = format!("Title {number}\n\nWe saw {} there.\n", words.join(" and "));
        let name = format!("{number}.txt");
        let input = Input { name: &name, address: None, content_type: None };
        let mut document = read(text.as_bytes(), input).unwrap().documents.remove(0);
        document.published =
            Some(proto::story::When { unix: day as i64 * 86_400, grain: proto::story::Grain::Day });
        document
    }

    #[test]
    fn older_stories_are_forgotten_and_the_newest_go_on() {
        let mut grouper = Grouper::keeping(20);
        let newest = grouper.add(&apart(0, 9_999));
        let mut last = newest;
        for number in 1..=500 {
            last = grouper.add(&apart(number, number));
            assert!(grouper.clusters.len() <= 40, "{}", grouper.clusters.len());
        }
        assert!(grouper.space.terms() < 40 * 60, "{}", grouper.space.terms());
        assert!(grouper.by_article.len() <= 40 && grouper.leads.len() < 40 * 60);
        // The newest by date stays, however long ago it came; another article on the last one finds it.
        assert_eq!(grouper.stories()[0].id, newest);
        let mut again = apart(500, 501);
        again.outlet = Some("Another".into());
        assert_eq!(grouper.add(&again), last);
        assert_eq!(grouper.stories().iter().find(|story| story.id == last).unwrap().articles.len(), 2);
    }
}
