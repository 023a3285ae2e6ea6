//! What later coverage shows: stories that turn out to tell of one event become one, under the id of the one that began first; and
//! an article that turns out to be more like another story goes there, or begins one of its own if it is like none. The article
//! that a story began with stays.

use std::collections::BTreeSet;

use proto::story::{ArticleId, StoryId};
use sha2::{Digest as _, Sha256};

use super::{COMPARED, Cluster, Grouper, LEADING_TERMS, Member, Vector, heaviest, space};

/// So alike on the average are the articles of two stories that are one.
const MERGED: f32 = 0.26;
/// How much of that must be left without any one outlet.
const STILL: f32 = 0.5;
/// An article that is less like the others of its story than this leaves it, wherever it goes. Less than what it takes to join: who is in
/// stays in unless there is a better place.
const STRANGE: f32 = 0.2;
/// An article that is so much like the others of its story is at home, and no better place is looked for.
const AT_HOME: f32 = 0.5;

impl Grouper {
    /// Looks again at the stories that have changed since this was asked last. Returns the articles that are in another story than
    /// before, each with that one.
    pub fn settle(&mut self) -> Vec<(ArticleId, StoryId)> {
        let changed: Vec<u32> =
            (0..).zip(&self.clusters).filter(|(_, c)| c.changed > self.settled).map(|(at, _)| at).collect();
        let mut moved = self.merge(&changed);
        // What has merged stands elsewhere now.
        let changed: Vec<u32> =
            (0..).zip(&self.clusters).filter(|(_, c)| c.changed > self.settled).map(|(at, _)| at).collect();
        for at in changed {
            self.part(at, &mut moved);
        }
        self.settled = self.revision;
        // One may have moved more than once.
        moved.sort_unstable();
        moved.dedup();
        moved.into_iter().filter_map(|article| Some((article, self.story_of(article)?))).collect()
    }

    /// Takes the stories as they are for settled.
    pub fn leave_settled(&mut self) {
        self.settled = self.revision;
    }

    /// Makes one of stories that are.
    fn merge(&mut self, changed: &[u32]) -> Vec<ArticleId> {
        let mut into: Vec<u32> = (0..self.clusters.len() as u32).collect();
        for &at in changed {
            let mut at = at;
            while !self.clusters[at as usize].members.is_empty()
                && let Some(other) = self.twin(at)
            {
                let (older, younger) = (at.min(other), at.max(other));
                self.absorb(older, younger);
                into[younger as usize] = older;
                at = older;
            }
        }
        if into.iter().zip(0..).all(|(into, at)| *into == at) {
            return Vec::new();
        }
        // The younger one may have gone into one that went on.
        (0..into.len()).for_each(|at| into[at] = into[into[at] as usize]);
        let moved = self.by_article.iter().filter(|(_, at)| into[**at as usize] != **at);
        let moved = moved.map(|(article, _)| *article).collect();
        let stays: Vec<bool> = self.clusters.iter().map(|cluster| !cluster.members.is_empty()).collect();
        let mut next = 0;
        let numbers: Vec<u32> = stays
            .iter()
            .map(|stays| {
                next += u32::from(*stays);
                next.wrapping_sub(1)
            })
            .collect();
        self.renumber(&into.iter().map(|into| Some(numbers[*into as usize])).collect::<Vec<_>>(), &stays);
        moved
    }

    /// The story that is one with this: the most alike of those that are enough.
    fn twin(&self, at: u32) -> Option<u32> {
        let own = &self.clusters[at as usize];
        if own.length <= f32::EPSILON {
            return None;
        }
        let unit: Vec<(u32, f32)> =
            own.sum.iter().map(|(term, weight)| (*term, weight / own.length)).collect();
        let promising = self.promising(&heaviest(&unit, LEADING_TERMS));
        let others = promising.into_iter().map(|(other, _)| other).filter(|other| *other != at);
        let alike = others.filter_map(|other| {
            let cluster = &self.clusters[other as usize];
            let alike = own.mean_likeness(cluster);
            (alike >= MERGED && own.is_one_with(cluster)).then_some((alike, other))
        });
        alike.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, other)| other)
    }

    /// The articles of the younger story go into the older one.
    fn absorb(&mut self, older: u32, younger: u32) {
        let Cluster { members, first, last, .. } = &mut self.clusters[younger as usize];
        let (members, first, last) = (std::mem::take(members), *first, *last);
        for member in &members {
            self.lead(&heaviest(&member.unit, LEADING_TERMS), older);
        }
        self.revision += 1;
        let cluster = &mut self.clusters[older as usize];
        cluster.changed = self.revision;
        for member in members {
            if let Some(member) = cluster.unless_double(member) {
                cluster.members.push(member);
            }
        }
        let earlier = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
        (cluster.first, cluster.last) = (earlier(cluster.first, first), cluster.last.max(last));
        cluster.trim();
        cluster.add_up();
    }

    /// Lets articles go that are more like another story, or not like their own any more.
    fn part(&mut self, at: u32, moved: &mut Vec<ArticleId>) {
        let mut place = 1;
        while let Some(member) = self.clusters[at as usize].members.get(place) {
            let own = self.clusters[at as usize].alike_without(member);
            if own >= AT_HOME {
                place += 1;
                continue;
            }
            let leading = heaviest(&member.unit, LEADING_TERMS);
            let published = member.article.published.map(|when| when.unix);
            let to = match self.nearest(&member.unit, &leading, published, Some(at)) {
                Some((alike, other)) if alike > own => Some(other),
                _ if own < STRANGE && !member.unit.is_empty() => None,
                _ => {
                    place += 1;
                    continue;
                }
            };
            let cluster = &mut self.clusters[at as usize];
            let member = cluster.members.remove(place);
            cluster.add_up();
            let times =
                || cluster.members.iter().filter_map(|member| member.article.published).map(|when| when.unix);
            (cluster.first, cluster.last) = (times().min(), times().max());
            self.revision += 1;
            cluster.changed = self.revision;
            let to = to.unwrap_or_else(|| self.begin(self.free_id(member.article.id)));
            // Its earlier versions and copies go with it: they are put where they are known to be.
            for article in std::iter::once(member.article.id).chain(member.also.iter().copied()) {
                self.by_article.insert(article, to);
                moved.push(article);
            }
            if let Some(url) = &member.article.url {
                self.by_address.insert((member.article.outlet.clone(), url.clone()), to);
            }
            if let Some(member) = self.clusters[to as usize].unless_double(member) {
                self.join(to, member, &leading);
            }
        }
    }

    /// An id for a story that begins with an article which another story may be called after.
    fn free_id(&self, article: ArticleId) -> StoryId {
        let mut id = StoryId(article.0);
        while self.by_story.contains_key(&id) {
            let hash = Sha256::digest([b"story ".as_slice(), &id.0].concat());
            id.0.copy_from_slice(&hash[..16]);
        }
        id
    }

    /// Follows clusters to their new numbers, and drops those that do not stay. `numbers`: of each the new one, its own or that of the one it
    /// went into; `None`: it is forgotten.
    pub(super) fn renumber(&mut self, numbers: &[Option<u32>], stays: &[bool]) {
        let mut at = 0;
        self.clusters.retain(|_| {
            at += 1;
            stays[at - 1]
        });
        self.leads.retain(|_, clusters| {
            *clusters = clusters.iter().filter_map(|&at| numbers[at as usize]).collect();
            clusters.sort_unstable();
            clusters.dedup();
            !clusters.is_empty()
        });
        let follow = |at: &mut u32| numbers[*at as usize].map(|new| *at = new).is_some();
        self.by_article.retain(|_, at| follow(at));
        self.by_address.retain(|_, at| follow(at));
        self.by_story.retain(|_, at| follow(at));
    }

    /// The clusters that share most with the terms that lead to them, the most promising first.
    pub(super) fn promising(&self, leading: &[(u32, f32)]) -> Vec<(u32, f32)> {
        let mut promise: foldhash::HashMap<u32, f32> = foldhash::HashMap::default();
        for (term, weight) in leading {
            let Some(clusters) =
                self.leads.get(term).filter(|clusters| clusters.len() <= super::LEADS_TOO_FAR)
            else {
                continue;
            };
            for &cluster in clusters {
                *promise.entry(cluster).or_default() += weight * weight;
            }
        }
        let promising: Vec<(u32, f32)> = promise.into_iter().collect();
        heaviest(&promising, COMPARED)
    }
}

impl Cluster {
    /// The article back, unless the same text of the same outlet is here, which then stands for it too.
    pub(super) fn unless_double(&mut self, member: Member) -> Option<Member> {
        let same = |other: &&mut Member| {
            other.article.outlet == member.article.outlet && other.sketch.is_same(&member.sketch)
        };
        match self.members.iter_mut().find(same) {
            Some(double) => {
                double.also.push(member.article.id);
                double.also.extend(member.also);
                None
            }
            None => Some(member),
        }
    }

    /// Sums up its articles anew.
    pub(super) fn add_up(&mut self) {
        self.sum.clear();
        for member in &self.members {
            space::add(&mut self.sum, &member.unit);
        }
        self.measure();
    }

    /// How alike its articles and those of another story are on the average, less with every day between them.
    fn mean_likeness(&self, other: &Cluster) -> f32 {
        let pairs = (self.members.len() * other.members.len()) as f32;
        if pairs == 0.0 {
            return 0.0;
        }
        space::product(&self.sum, &other.sum) / pairs * self.nearness_of(other)
    }

    fn nearness_of(&self, other: &Cluster) -> f32 {
        self.nearness(other.first).max(self.nearness(other.last)).max(other.nearness(self.first))
    }

    /// Whether the two stories are still alike without any one outlet: else it alone could make one of what others tell apart.
    fn is_one_with(&self, other: &Cluster) -> bool {
        let outlets: BTreeSet<&str> =
            self.members.iter().chain(&other.members).map(|member| member.article.outlet.as_str()).collect();
        outlets.into_iter().all(|outlet| {
            let (one, own) = self.without(outlet);
            let (two, theirs) = other.without(outlet);
            let pairs = (own * theirs) as f32;
            // Who tells one of them alone cannot be left out.
            pairs == 0.0 || space::product(&one, &two) / pairs * self.nearness_of(other) >= STILL * MERGED
        })
    }

    /// The sum of the articles of all outlets but one, and how many they are.
    fn without(&self, outlet: &str) -> (Vector, usize) {
        let others = || self.members.iter().filter(|member| member.article.outlet != outlet);
        let mut sum = Vector::new();
        if others().count() == self.members.len() {
            sum.clone_from(&self.sum);
        } else {
            others().for_each(|member| space::add(&mut sum, &member.unit));
        }
        (sum, others().count())
    }

    /// How like the story's other articles one of its own is, 0 to 1.
    fn alike_without(&self, member: &Member) -> f32 {
        let all = space::product(&member.unit, &self.sum);
        // What of the article is in the sum, which holds the heaviest terms alone.
        let own = space::shared(&member.unit, &self.sum);
        let rest = (self.length * self.length - 2.0 * all + own).max(0.0).sqrt();
        if rest <= f32::EPSILON { 1.0 } else { ((all - own) / rest).max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Format, Place, Source};
    use proto::story::Block;

    /// An article of so many words of each kind, counted from the first of that kind: "a0 a1 b0".
    fn article(outlet: &str, words: &[(char, std::ops::Range<usize>)]) -> Document {
        let mut document =
            Document::empty(Source { name: "a.txt".into(), format: Format::Text, charset: "UTF-8" });
        document.outlet = Some(outlet.into());
        let words =
            words.iter().flat_map(|(kind, numbers)| numbers.clone().map(move |n| format!("{kind}{kind}{n}")));
        document.push(
            Block::Paragraph(format!("The {}.", words.collect::<Vec<_>>().join(" "))),
            Place::default(),
        );
        document
    }

    fn id(document: &Document) -> ArticleId {
        crate::article(document).id
    }

    /// What the tables say is what the clusters hold.
    fn check(grouper: &Grouper) {
        for (at, cluster) in (0..).zip(&grouper.clusters) {
            assert!(!cluster.members.is_empty());
            assert_eq!(grouper.by_story.get(&cluster.id), Some(&at));
            for member in &cluster.members {
                assert_eq!(grouper.by_article.get(&member.article.id), Some(&at));
            }
        }
        let all = grouper.clusters.len() as u32;
        for clusters in grouper.leads.values() {
            assert!(clusters.is_sorted_by(|a, b| a < b) && clusters.iter().all(|at| *at < all));
        }
        assert!(grouper.by_article.values().chain(grouper.by_address.values()).all(|at| *at < all));
    }

    #[test]
    fn two_stories_that_later_coverage_joins_become_one_under_the_older_id() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&article("A", &[('a', 0..20)]));
        let (other, copy) = (article("B", &[('b', 0..20)]), article("B", &[('b', 0..20), ('b', 20..21)]));
        let second = grouper.add(&other);
        assert_eq!(grouper.add(&copy), second, "what a story does without is known as its");
        assert_ne!(first, second);
        assert!(grouper.settle().is_empty());
        for outlet in ["C", "D", "E"] {
            grouper.add(&article(outlet, &[('a', 0..12), ('b', 0..12)]));
        }
        assert_eq!(grouper.stories().len(), 2);
        let revision = grouper.revision();
        let moved = grouper.settle();
        let mut wanted = vec![(id(&other), first), (id(&copy), first)];
        wanted.sort_unstable();
        assert_eq!(moved, wanted);
        let changed = grouper.changed_since(revision);
        assert_eq!((changed.len(), changed[0].id, changed[0].articles.len()), (1, first, 5));
        check(&grouper);
        assert!(grouper.settle().is_empty(), "it has settled");
        assert_eq!(grouper.add(&article("F", &[('b', 0..20)])), first);
    }

    /// However much one outlet prints of both: whom others tell apart stay apart.
    #[test]
    fn one_outlet_alone_makes_no_story_of_two() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&article("A", &[('a', 0..20)]));
        let second = grouper.add(&article("B", &[('b', 0..20)]));
        grouper.add(&article("H", &[('a', 0..16), ('b', 0..16)]));
        assert!(
            grouper.clusters[0].mean_likeness(&grouper.clusters[1]) >= MERGED,
            "its text would be enough"
        );
        grouper.settle();
        let ids: Vec<_> = grouper.stories().iter().map(|story| story.id).collect();
        assert!(ids.len() >= 2 && ids.contains(&first) && ids.contains(&second), "{ids:?}");
        check(&grouper);
    }

    /// Their sum holds the heaviest terms alone, and less of each article than all of it.
    #[test]
    fn long_articles_stay_in_the_story_that_they_joined() {
        let mut grouper = Grouper::new();
        let story = StoryId([1; 16]);
        for n in 0..6 {
            let long = article(&format!("Outlet {n}"), &[('a', 0..100), ('b', 200 * n..200 * n + 200)]);
            // Its own words lead elsewhere: it is put there.
            grouper.add_prepared(super::super::Prepared::again(crate::article(&long), None, false, story));
        }
        let cluster = &grouper.clusters[0];
        for member in &cluster.members {
            let mut others = Vector::new();
            let rest = cluster.members.iter().filter(|other| other.article.id != member.article.id);
            rest.for_each(|other| space::add(&mut others, &other.unit));
            let length = others.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
            let (exact, told) =
                (space::product(&member.unit, &others) / length, cluster.alike_without(member));
            assert!((exact - told).abs() < 0.1, "{exact}, {told}");
        }
        assert!(grouper.settle().is_empty());
        check(&grouper);
    }

    #[test]
    fn earlier_versions_and_copies_go_with_an_article() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&article("A", &[('a', 0..20)]));
        let version = |words: &[(char, std::ops::Range<usize>)]| {
            let mut document = article("B", words);
            document.url = Some("https://b.example/1".into());
            document
        };
        let old = version(&[('a', 0..9), ('b', 0..14), ('b', 20..21)]);
        let new = version(&[('a', 0..9), ('b', 0..14)]);
        let copy = article("B", &[('a', 0..9), ('b', 0..14), ('z', 0..1)]);
        for document in [&old, &new, &copy] {
            assert_eq!(grouper.add(document), first);
        }
        for outlet in ["C", "D", "E"] {
            grouper.add(&article(outlet, &[('a', 2..20)]));
        }
        let second = grouper.add(&article("F", &[('b', 0..14), ('c', 0..12)]));
        grouper.add(&article("G", &[('b', 0..14), ('c', 2..12)]));
        let mut wanted = [id(&old), id(&new), id(&copy)].map(|article| (article, second));
        wanted.sort_unstable();
        assert_eq!(grouper.settle(), wanted);
        check(&grouper);
        let newer = version(&[('a', 0..9), ('b', 0..14), ('b', 30..31)]);
        assert_eq!(grouper.add(&newer), second, "its address is where it is");
    }

    #[test]
    fn an_article_goes_to_the_story_that_it_is_more_like_once_there_is_one() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&article("A", &[('a', 0..20)]));
        let astray = article("B", &[('a', 0..9), ('b', 0..14)]);
        assert_eq!(grouper.add(&astray), first);
        for outlet in ["C", "D", "E"] {
            assert_eq!(grouper.add(&article(outlet, &[('a', 2..20)])), first);
        }
        let second = grouper.add(&article("F", &[('b', 0..14), ('c', 0..12)]));
        assert_ne!(second, first);
        grouper.add(&article("G", &[('b', 0..14), ('c', 2..12)]));
        assert_eq!(grouper.settle(), [(id(&astray), second)]);
        assert_eq!(grouper.story_of(id(&astray)), Some(second));
        check(&grouper);
        assert!(
            grouper
                .stories()
                .iter()
                .all(|story| story.articles.len() == if story.id == first { 4 } else { 3 })
        );
    }

    #[test]
    fn an_article_that_is_like_none_any_more_begins_a_story_of_its_own() {
        let mut grouper = Grouper::new();
        let first = grouper.add(&article("A", &[('a', 0..10), ('b', 0..10)]));
        let strange = article("B", &[('a', 0..10), ('x', 0..22)]);
        assert_eq!(grouper.add(&strange), first);
        for outlet in ["C", "D", "E", "F", "G", "H"] {
            assert_eq!(grouper.add(&article(outlet, &[('b', 0..10), ('c', 0..12)])), first);
        }
        let moved = grouper.settle();
        assert_eq!(moved, [(id(&strange), StoryId(id(&strange).0))]);
        check(&grouper);
        assert_eq!(grouper.stories().len(), 2);
        // Its id is taken when it is put there again, as from what was kept.
        let taken = grouper.free_id(id(&strange));
        assert!(taken != StoryId(id(&strange).0) && taken == grouper.free_id(id(&strange)));
    }

    #[test]
    fn kept_articles_go_into_the_stories_that_they_were_in() {
        let mut grouper = Grouper::new();
        let all =
            [article("A", &[('a', 0..20)]), article("B", &[('b', 0..20)]), article("C", &[('c', 0..20)])];
        let (one, other) = (StoryId([1; 16]), StoryId([2; 16]));
        for (document, story) in all.iter().zip([one, other, one]) {
            let kept = super::super::Prepared::again(crate::article(document), None, false, story);
            assert_eq!(grouper.add_prepared(kept), story);
        }
        grouper.leave_settled();
        assert!(grouper.settle().is_empty(), "what was settled once stays");
        assert_eq!(grouper.stories().iter().map(|story| story.articles.len()).max(), Some(2));
        // What comes now is grouped as ever.
        assert_eq!(grouper.add(&article("D", &[('b', 0..18)])), other);
        check(&grouper);
    }

    #[test]
    fn tables_stay_true_whatever_comes_and_is_forgotten() {
        let mut chance = 7u64;
        let mut next = |most: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((chance >> 33) % most) as usize
        };
        let mut grouper = Grouper::keeping(6);
        let mut moves = 0;
        for n in 0..1_500 {
            let kind = |of: usize| char::from(b'a' + of as u8);
            let (one, other) = (next(26), next(26));
            let words = [(kind(one), 0..next(16) + 2), (kind(other), 0..next(16)), ('z', n..n + next(4))];
            let mut document = article(["A", "B", "C"][next(3)], &words);
            document.url = (next(3) == 0).then(|| format!("https://a.example/{}", next(40)));
            grouper.add(&document);
            if next(9) == 0 {
                for (article, story) in grouper.settle() {
                    moves += 1;
                    assert!(grouper.story_of(article) == Some(story));
                }
                check(&grouper);
            }
        }
        assert!(moves > 5 && grouper.forgot() > 0, "{moves}");
    }
}
