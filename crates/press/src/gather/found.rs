//! Stories as an edition carries them: with what is first-hand in them, and of each article as much as may be carried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use news::analysis::analysis;
use news::excerpt::excerpt;
use proto::story::{Article, ArticleId, Story, StoryId};

use super::Gather;

/// Of an article that is somebody else's, so many bytes of text are carried at most: some two hundred words of quotes and evidence.
pub const QUOTED: usize = 1_500;

/// Stories that were looked through. Of those that stay as they are it is not done again every round.
#[derive(Default)]
pub(super) struct Found(Mutex<HashMap<StoryId, Known>>);

struct Known {
    /// Its articles, and whether each is carried whole.
    articles: Vec<(ArticleId, bool)>,
    story: Story,
}

impl Gather {
    /// The newest stories, with what is first-hand in them, as far as may be carried.
    pub fn newest(&self, most: usize) -> Vec<Story> {
        let mut known = self.found.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *known);
        let mut stories = self.stories();
        stories.truncate(most);
        for story in &mut stories {
            let carried = |article: &Article| (article.id, self.rights(article.id).allow_all());
            let articles: Vec<_> = story.articles.iter().map(carried).collect();
            let found = match before.remove(&story.id) {
                Some(found) if found.articles == articles => found,
                _ => Known { articles, story: self.carried(story.clone()) },
            };
            *story = found.story.clone();
            known.insert(story.id, found);
        }
        stories
    }

    fn carried(&self, mut story: Story) -> Story {
        story.analysis = analysis(&story.articles);
        excerpt(&mut story, |article| (!self.rights(article.id).allow_all()).then_some(QUOTED));
        story
    }
}
