//! The next edition, before anybody sees it.

use std::collections::{HashMap, HashSet};

use proto::{Digest, Millis, Round, codec};

use super::{FRONT_PAGE, Press, PressError, changes, front_page};

/// What an edition would hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its number.
    pub round: Round,
    /// When its round begins. If that is past, it can be made now.
    pub begins: Millis,
    /// Stories on its front page.
    pub stories: usize,
    /// Their articles.
    pub articles: usize,
    /// Their outlets.
    pub outlets: usize,
    /// Stories that are new or changed since the last edition.
    pub changed: usize,
    /// Weight of the front page, packed, in bytes: what who begins downloads.
    pub front_bytes: usize,
    /// Weight of what is new, packed, in bytes: what who follows downloads.
    pub changes_bytes: usize,
    /// What was left out of the inputs, each as a sentence.
    pub left_out: Vec<String>,
}

impl Press {
    /// What the next edition would hold if it were made at `now`. Nothing is signed, kept or sent; outlets are asked only if
    /// `ask` says so.
    pub async fn draft(&mut self, now: Millis, ask: bool) -> Result<Draft, PressError> {
        match ask {
            true => self.gather.refresh(now).await?,
            false => self.gather.recall(now)?,
        }
        let failed = |cause| self.failed(cause);
        let schedule = self.directory.parameters().schedule;
        let here = schedule.round_at(now);
        let last = self.state.last_round().map_err(failed)?;
        // The round of `now` if it has none yet, or the next.
        let round = match (here, last) {
            (None, _) => Round(0),
            (Some(here), Some(made)) if made >= here => made.next(),
            (Some(here), _) => here,
        };
        let shown: HashMap<_, _> = self.state.shown().map_err(failed)?.into_iter().collect();
        let page = front_page(self.gather.newest(FRONT_PAGE));
        let digests: Vec<_> = page.stories.iter().map(|s| (s.id.0, Digest::of(&codec::encode(s)))).collect();
        let changes = changes(&page, &digests, &shown);
        let articles = || page.stories.iter().flat_map(|story| &story.articles);
        Ok(Draft {
            round,
            begins: schedule.start(round),
            stories: page.stories.len(),
            articles: articles().count(),
            outlets: articles().map(|article| article.outlet.as_str()).collect::<HashSet<_>>().len(),
            changed: changes.stories.len(),
            front_bytes: page.pack().0.len(),
            changes_bytes: changes.pack().0.len(),
            left_out: self.gather.left_out().to_vec(),
        })
    }

    /// The public key that its editions are signed with, in hexadecimal digits.
    pub fn signer(&self) -> String {
        hex::encode(self.config.identity.public().0)
    }

    /// Has `told` called with a line for each outlet that is asked.
    pub fn on_progress(&mut self, told: impl Fn(&str) + Send + Sync + 'static) {
        self.gather.on_progress(told);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::press;
    use crate::gather::Terms;
    use crate::testing::{self, Town};

    use super::*;

    #[tokio::test]
    async fn a_draft_says_what_the_edition_would_hold_and_changes_nothing() {
        let town = Town::new(1);
        let folder = tempfile::tempdir().unwrap();
        let mut press = press(&town, &town.bytes, folder.path());
        let schedule = press.directory.parameters().schedule;
        let now = schedule.start(Round(5)).plus(1);
        let empty = press.draft(now, false).await.unwrap();
        assert_eq!((empty.round, empty.begins, empty.stories), (Round(5), schedule.start(Round(5)), 0));
        assert_eq!(press.draft(Millis(testing::GENESIS.0 - 1), false).await.unwrap().round, Round(0));
        let file = folder.path().join("quay.txt");
        let text = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide rose above \
                    its wall, the harbour master said. It will open again once the water has gone.\n";
        std::fs::write(&file, text).unwrap();
        press.gather.add(&file.display().to_string(), &Terms::default(), now).await.unwrap();
        let draft = press.draft(now, false).await.unwrap();
        assert_eq!((draft.stories, draft.articles, draft.outlets, draft.changed), (1, 1, 1, 1));
        assert!(draft.front_bytes > 100 && draft.changes_bytes > 100);
        assert_eq!(press.draft(now, true).await.unwrap(), draft);
        assert_eq!(press.state.last_round().unwrap(), None);
        assert_eq!(press.signer(), hex::encode(town.press.public().0));
    }
}
