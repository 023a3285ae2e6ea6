//! What feeds answer, and the pages of articles that they only summarise.

use news::Document;
use proto::Millis;

use super::{Gather, GatherError, Piece, said};
use crate::fetch::{FetchError, Kept, Want};
use crate::outlets::Outlet;

/// An item of a feed with fewer bytes of text is a summary: the page has the article.
const SUMMARY: usize = 800;

/// How many pages are fetched for one feed at a time; the next ones come at the next round.
const MOST_PAGES: usize = 20;

impl Gather {
    /// What an answer holds, or why nothing, as a sentence.
    pub(super) fn read(&self, address: &str, kept: &Kept) -> Result<news::Read, String> {
        let content_type = kept.content_type.as_deref();
        let input = news::Input { name: address, address: Some(&kept.at), content_type };
        self.rules.read(&kept.bytes, input).map_err(|why| why.to_string())
    }

    /// Takes what a feed answered.
    pub(super) fn take_answer(
        &mut self,
        outlet: &Outlet,
        kept: &Kept,
        read: Result<news::Read, String>,
    ) -> Result<(), GatherError> {
        let address = outlet.place.address();
        let input = news::Input { name: &address, address: Some(&kept.at), ..news::Input::default() };
        let name = read.as_ref().ok().and_then(|read| read.documents.first()?.outlet.clone());
        let taken = match read {
            Ok(mut read) => {
                if outlet.rights.allow_all() {
                    self.complete(&mut read.documents)?;
                }
                self.reader().ready(Piece { input, outlet, about: None }, read)
            }
            Err(why) => Err(why),
        };
        let mut health = self.fetcher.memory().health(&address)?;
        health.name = name.or(health.name);
        match taken {
            Ok(ready) => {
                let articles = self.take(ready, None)?;
                health.articles = u32::try_from(articles).unwrap_or(u32::MAX);
            }
            Err(why) => {
                self.name_once(&address, &why);
                (health.why, health.articles) = (Some(why), 0);
            }
        }
        Ok(self.fetcher.memory().set_health(&address, &health)?)
    }

    /// Fetches the pages of articles that a feed only summarises. One that was fetched is kept, and not fetched again. Returns
    /// whether any came.
    pub(super) async fn fetch_pages(
        &mut self,
        documents: &[Document],
        now: Millis,
    ) -> Result<bool, GatherError> {
        let (mut asked, mut came) = (0, false);
        for page in documents.iter().filter_map(summarised) {
            if asked == MOST_PAGES {
                break;
            }
            if self.fetcher.memory().is_kept(page)? || !self.fetcher.is_due(page, now)? {
                continue;
            }
            asked += 1;
            (self.told)(&format!("page: {page}"));
            match self.fetcher.get(page, Want::Page, now).await {
                Ok(_) => came = true,
                Err(FetchError::Memory(why)) => return Err(why.into()),
                Err(why) => self.name_once(page, &said(&why)),
            }
        }
        Ok(came)
    }

    /// Puts the whole article in the place of a summary, where its page was fetched.
    fn complete(&mut self, documents: &mut [Document]) -> Result<(), GatherError> {
        for document in documents {
            let Some(page) = summarised(document).map(str::to_owned) else { continue };
            let Some(kept) = self.fetcher.memory().kept(&page)? else { continue };
            match self.read(&page, &kept).map(|read| read.documents.into_iter().next()) {
                Ok(Some(whole)) if text_len(&whole) > text_len(document) => {
                    // What the feed says of an item is made for programs, and is believed before what its page says.
                    let summary = std::mem::replace(document, whole);
                    document.outlet = summary.outlet.or(document.outlet.take());
                    document.title = summary.title.or(document.title.take());
                    document.published = summary.published.or(document.published);
                    document.url = summary.url;
                }
                Ok(_) => {}
                Err(why) => self.name_once(&page, &why),
            }
        }
        Ok(())
    }
}

/// The page of an article of which there is only a summary.
pub(super) fn summarised(document: &Document) -> Option<&str> {
    document.url.as_deref().filter(|_| text_len(document) < SUMMARY)
}

fn text_len(document: &Document) -> usize {
    document.paragraphs().map(str::len).sum()
}
