//! Stories as an edition carries them: with what is first-hand in them, and of each article as much as may be carried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use news::analysis::analysis;
use news::excerpt::excerpt;
use proto::story::{Article, ArticleId, Story, StoryId};
use proto::{Digest, codec};

use super::{Gather, abreast, caught, trip};
use crate::rules::QUOTED;

/// Stories that were looked through. Of those that stay as they are it is not done again every round.
#[derive(Default)]
pub(super) struct Found(Mutex<HashMap<StoryId, Known>>);

struct Known {
    /// Of the story as it was gathered.
    digest: Digest,
    /// How many bytes of each article are carried at most.
    most: HashMap<ArticleId, Option<usize>>,
    story: Story,
}

impl Gather {
    /// The newest stories, with what is first-hand in them, as far as may be carried.
    pub fn newest(&self, most: usize) -> Vec<Story> {
        let mut known = self.found.0.lock().unwrap_or_else(PoisonError::into_inner);
        let terms = |article: &Article| (article.id, self.known.carried(article.id).most());
        let newest: Vec<_> = self.grouper.newest(most);
        let newest = abreast::map(&newest, |story| Known {
            digest: Digest::of(&codec::encode(story)),
            most: story.articles.iter().map(terms).collect(),
            story: story.clone(),
        });
        let stories = abreast::map(&newest, |new| match known.get(&new.story.id) {
            Some(before) if (before.digest, &before.most) == (new.digest, &new.most) => {
                Some(before.story.clone())
            }
            _ => new.found(),
        });
        let found = newest.into_iter().zip(&stories).filter_map(|(new, story)| {
            let story = story.clone()?;
            Some((story.id, Known { story, ..new }))
        });
        *known = found.collect();
        stories.into_iter().flatten().collect()
    }
}

impl Known {
    /// Its story, looked through and cut to what may be carried. `None`: it could not be cut, and is carried by no means.
    fn found(&self) -> Option<Story> {
        let mut story = self.story.clone();
        // Without, it is a list of articles still.
        let found = caught(&story.title, || {
            trip(&story.title);
            analysis(&story.articles)
        });
        story.analysis = found.unwrap_or_default();
        let most = |article: &Article| self.most.get(&article.id).copied().unwrap_or(Some(QUOTED));
        caught(&self.story.title, || {
            excerpt(&mut story, most);
            story
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proto::Millis;
    use proto::story::{Block, Extent};

    use super::*;
    use crate::gather::{Inputs, SIDECAR};

    const COURIER: &str = "Old pier falls into the sea\n\nThe old pier of Tallow fell into the sea on 3 May 2026. It had stood for a \
        hundred years and nobody had looked after it since the winter. \u{201c}It was only wood,\u{201d} Ilsa Vane said.\n\n\
        The gulls of the harbour sit on the coal quay now, and the council has bought a fence for the children.\n";

    async fn gathered(sidecar: &str) -> Gather {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), COURIER).unwrap();
        fs::write(dir.path().join(SIDECAR), sidecar).unwrap();
        let inputs = Inputs { folders: vec![dir.path().to_owned()], ..Inputs::default() };
        let mut gather = Gather::new(inputs, None).unwrap();
        gather.recall(Millis(1_795_685_400_000)).unwrap();
        gather
    }

    /// What an edition carries of the one article.
    async fn carried(sidecar: &str) -> Article {
        let story = gathered(sidecar).await.newest(10).remove(0);
        assert!(story.analysis.fits(&story.articles));
        assert_eq!((story.analysis.events.len(), story.analysis.utterances.len()), (1, 1));
        story.articles[0].clone()
    }

    #[tokio::test]
    async fn of_others_quotes_and_evidence_are_carried_and_own_texts_whole() {
        let text = |article: &Article| article.body.iter().map(Block::text).collect::<Vec<_>>().join("\n");
        for rights in ["own", "licensed"] {
            let whole = carried(&format!("[\"a.txt\"]\nrights = \"{rights}\"\n")).await;
            assert_eq!(whole.extent, Extent::Whole);
            assert!(text(&whole).contains("The gulls of the harbour"));
        }
        for sidecar in ["", "[\"a.txt\"]\nrights = \"quoted\"\n"] {
            let cut = carried(sidecar).await;
            assert_eq!(cut.extent, Extent::Excerpt);
            let text = text(&cut);
            assert!(
                text.contains("on 3 May 2026.") && text.contains("\u{201c}It was only wood,\u{201d}"),
                "{text}"
            );
            assert!(
                !text.contains("gulls") && !text.contains("a hundred years") && text.len() <= QUOTED,
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_rule_says_how_much_of_an_outlet_is_carried_and_holds_for_what_was_read_before() {
        let dir = tempfile::tempdir().unwrap();
        let rules = dir.path().join("rules.toml");
        fs::write(dir.path().join("a.txt"), COURIER).unwrap();
        fs::write(dir.path().join(SIDECAR), "[\"a.txt\"]\noutlet = \"The Courier\"\n").unwrap();
        fs::write(&rules, "").unwrap();
        let folders = vec![dir.path().to_owned()];
        let inputs = Inputs { folders, rules: Some(rules.clone()), ..Inputs::default() };
        let mut gather = Gather::new(inputs, None).unwrap();
        let mut carried = |rule: &str| {
            fs::write(&rules, rule).unwrap();
            gather.recall(Millis(1_795_685_400_000)).unwrap();
            let article = gather.newest(1).remove(0).articles.remove(0);
            article.body.iter().map(|block| block.text().len()).sum::<usize>()
        };
        let usual = carried("");
        let little = carried("[\"The Courier\"]\nquoted = 60\n");
        assert!(usual > 60 && little <= 60, "{usual}, {little}");
        assert_eq!(carried("[\"Another\"]\nquoted = 60\n"), usual);
    }

    #[tokio::test]
    async fn what_stays_is_not_looked_through_again() {
        let gather = gathered("").await;
        let first = gather.newest(10);
        let marked = "not from a file";
        for known in gather.found.0.lock().unwrap().values_mut() {
            known.story.title = marked.into();
        }
        assert_eq!(gather.newest(10)[0].title, marked, "it is what was kept");
        for known in gather.found.0.lock().unwrap().values_mut() {
            known.most.values_mut().for_each(|most| *most = None);
        }
        assert_eq!(gather.newest(10), first, "it may be carried otherwise now");
    }
}
