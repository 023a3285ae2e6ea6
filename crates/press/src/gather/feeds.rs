//! What feeds answer, and the pages of articles that they only summarise.

use news::Document;
use proto::Millis;
use tokio::time::Instant;
use url::Url;

use super::known::FEED;
use super::reader::{FAULT, Input, Piece};
use super::stories::enter;
use super::{Gather, GatherError, caught, said, trip};
use crate::fetch::{FetchError, Kept, Moment, Want};
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
        let read = caught(address, || {
            trip(address);
            self.rules.read(&kept.bytes, input)
        });
        read.ok_or(FAULT)?.map_err(|why| why.to_string())
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
        let taken = match read {
            Ok(mut read) => {
                if outlet.rights.allow_all() {
                    self.complete(&kept.at, &mut read.documents)?;
                }
                self.reader().ready(Piece { input, outlet, about: None }, read)
            }
            Err(why) => Err(why),
        };
        // What the program fails on is not tried again in every round, and what the disk did not take is.
        let came = self.fetcher.memory().came(&address)?;
        self.recalled.extend(came.map(|came| (address.clone(), came)));
        let taken = self.keep_answer(&address, taken);
        if taken.is_err() {
            self.recalled.remove(&address);
        }
        taken
    }

    fn keep_answer(&mut self, address: &str, taken: Result<Input, String>) -> Result<(), GatherError> {
        let mut health = self.fetcher.memory().health(address)?;
        let name = taken.as_ref().ok().and_then(|input| Some(input.articles.first()?.name.clone()));
        health.name = name.or(health.name);
        match taken {
            Ok(Input { articles, left_out, dropped }) => {
                self.say(address, &left_out, dropped);
                health.articles = u32::try_from(articles.len()).unwrap_or(u32::MAX);
                let mut change = self.known.change()?;
                enter(&mut self.grouper, &mut self.names, &mut change, (address, FEED), articles)?;
                change.commit()?;
                self.forget()?;
            }
            Err(why) => {
                self.name_once(address, &why);
                (health.why, health.articles) = (Some(why), 0);
            }
        }
        Ok(self.fetcher.memory().set_health(address, &health)?)
    }

    /// Fetches the pages of articles that a feed only summarises. One that was fetched is kept, and not fetched again; none is asked for
    /// after `until`. Returns whether any came.
    pub(super) async fn fetch_pages(
        &mut self,
        feed: &str,
        documents: &[Document],
        now: Millis,
        until: Option<Instant>,
    ) -> Result<bool, GatherError> {
        let (mut asked, mut came) = (0, false);
        for page in documents.iter().filter_map(summarised).filter(|page| is_of(page, feed)) {
            if asked == MOST_PAGES {
                break;
            }
            if self.fetcher.memory().is_kept(page)? || !self.fetcher.is_due(page, now)? {
                continue;
            }
            asked += 1;
            (self.told)(&format!("page: {page}"));
            match self.fetcher.get(page, Want::Page, Moment { now, until }).await {
                Ok(_) => came = true,
                Err(FetchError::NoTime) => break,
                Err(FetchError::Memory(why)) => return Err(why.into()),
                Err(why) => self.name_once(page, &said(&why)),
            }
        }
        Ok(came)
    }

    /// Puts the whole article in the place of a summary, where its page was fetched.
    fn complete(&mut self, feed: &str, documents: &mut [Document]) -> Result<(), GatherError> {
        for document in documents {
            let Some(page) = summarised(document).map(str::to_owned) else { continue };
            let Some(kept) = self.fetcher.memory().kept(&page)? else { continue };
            if !is_of(&page, feed) || !is_of(&kept.at, feed) {
                continue;
            }
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

/// Whether a page is on the site of a feed: a host that is the same, above or below. Others are somebody else's, whatever rights the
/// feed has: it may point to anybody's page.
pub(super) fn is_of(page: &str, feed: &str) -> bool {
    let site = |address: &str| {
        let url = Url::parse(address).ok()?;
        let host = url.host_str()?.to_ascii_lowercase();
        let plain = ["www.", "feeds.", "feed.", "rss."].iter().find_map(|front| host.strip_prefix(front));
        let plain = plain.filter(|rest| rest.contains('.'));
        Some((plain.unwrap_or(&host).to_owned(), url.port_or_known_default()))
    };
    let (Some((page, port)), Some((feed, feed_port))) = (site(page), site(feed)) else { return false };
    let below = |one: &str, other: &str| one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'));
    let is_name = |host: &str| host.contains('.') && host.parse::<std::net::IpAddr>().is_err();
    page == feed && (is_name(&page) || port == feed_port)
        || is_name(&page) && is_name(&feed) && (below(&page, &feed) || below(&feed, &page))
}

fn text_len(document: &Document) -> usize {
    document.paragraphs().map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_site_are_those_of_its_host_and_of_hosts_above_and_below() {
        for (page, feed, is) in [
            ("https://quay.example/1", "https://quay.example/feed", true),
            ("https://www.quay.example/1", "https://feeds.quay.example/world", true),
            ("https://news.quay.example/1", "https://www.quay.example/feed", true),
            ("http://127.0.0.1:81/1", "http://127.0.0.1:81/feed", true),
            ("http://127.0.0.1:82/1", "http://127.0.0.1:81/feed", false),
            ("https://courier.example/1", "https://quay.example/feed", false),
            ("https://notquay.example/1", "https://quay.example/feed", false),
            ("https://quay.example.evil.test/1", "https://quay.example/feed", false),
            ("https://www.example/1", "https://quay.example/feed", false),
            ("no address", "https://quay.example/feed", false),
        ] {
            assert_eq!(is_of(page, feed), is, "{page} of {feed}");
        }
    }
}
