//! Asks addresses of others as a guest should: rarely, one request at a time for a host, only for what is new, no page that the
//! site's `robots.txt` keeps back, and less often where something went wrong. What is answered is bounded in time and bytes.

mod address;
mod body;
mod memory;
mod robots;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use proto::Millis;
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

pub use address::AddressRefused;
pub use memory::{Health, Kept, Memory};
pub use robots::{Robots, TOKEN};

use address::{LeadsInside, Public};
use body::Body;

/// The largest file or answer that is read, in bytes, unpacked. An article is a few thousand.
pub const MAX_INPUT: u64 = 8 * 1024 * 1024;

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 5;

const MINUTE: u64 = 60 * 1_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// How long nothing is asked after a first failure, in milliseconds; twice as long after each one more, up to a day.
const BACK_OFF: u64 = 5 * MINUTE;
/// The longest that a server can keep us away with `Retry-After`.
const LONGEST_REST: u64 = 7 * DAY;
/// How long a site's rules hold (RFC 9309, section 2.4), and how long it counts as silent that could not give them.
const ROBOTS: (u64, u64) = (DAY, 60 * MINUTE);

/// How addresses are asked.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Whether addresses on this computer and in private networks may be asked.
    pub private: bool,
    /// The longest that one answer may take, redirects not counted.
    pub patience: Duration,
    /// How long a host is left alone after an answer.
    pub pause: Duration,
    /// An address that answered is not asked again before this.
    pub again: Duration,
    /// An address where the operator can be found, told to every site with the program's name.
    pub contact: Option<String>,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            private: false,
            patience: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            again: Duration::from_secs(5 * 60),
            contact: None,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// An address that a person named: a feed, which is made for programs, or a page to look at once.
    Named,
    /// A page that a feed led to. The site says which ones a program may fetch.
    Page,
}

/// When something is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The present, as outlets' health counts it.
    pub now: Millis,
    /// Nobody is asked after this. Who was asked before has the time that everybody has: it is not hung up on.
    pub until: Option<Instant>,
}

impl From<Millis> for Moment {
    fn from(now: Millis) -> Self {
        Self { now, until: None }
    }
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Something new.
    New(Kept),
    /// What came the last time is all there is.
    Same,
}

/// Why nothing came. Each is a sentence that goes behind an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no address that may be asked.
    #[error(transparent)]
    Address(#[from] AddressRefused),
    /// A redirect leads where the press does not go.
    #[error("it leads elsewhere, and from there nothing is fetched: {0}")]
    Redirect(AddressRefused),
    /// A redirect says no address.
    #[error("it leads elsewhere and does not say where")]
    LostRedirect,
    /// The time for asking was over before its turn came. It is no failure of the address.
    #[error("it was not asked: there was no time left for it")]
    NoTime,
    /// The time for asking was over when it led elsewhere.
    #[error("it leads elsewhere, and there was no time left to follow it")]
    Late,
    /// One redirect after the other.
    #[error("it leads on and on: after {MOST_REDIRECTS} redirects it was given up")]
    Endless,
    /// The site keeps it back from programs.
    #[error("the site's robots.txt asks programs not to fetch this page")]
    Robots,
    /// It says no.
    #[error("it answered {status}")]
    Status {
        /// What it said.
        status: StatusCode,
        /// How long it wants to be left alone, in milliseconds.
        rest: Option<u64>,
    },
    /// More than is read.
    #[error("it is larger than {} MB unpacked, and no more is read", .most >> 20)]
    TooLarge {
        /// The limit, in bytes.
        most: usize,
    },
    /// Packed in a way that was not asked for.
    #[error("it is packed as {how:?}, which was not asked for")]
    Packed {
        /// The way.
        how: String,
    },
    /// Packed, and damaged.
    #[error("it is damaged: what it is packed into cannot be opened")]
    Damaged,
    /// It took too long.
    #[error("it took longer than {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// Nobody answered.
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// No HTTP client could be made.
    #[error("nothing can be fetched")]
    Client(#[source] reqwest::Error),
    /// Our memory of outlets failed.
    #[error("the press's memory of outlets cannot be read or written: {0}")]
    Memory(#[from] rusqlite::Error),
}

/// Asks, and remembers what came.
pub struct Fetcher {
    /// Made when the first address is asked: a press that reads folders alone needs none.
    client: OnceLock<Client>,
    manners: Manners,
    memory: Memory,
    /// One turn for each host: whether it was asked before.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<bool>>>>,
}

impl Fetcher {
    /// Asks as `manners` says and remembers in `memory`.
    pub fn new(manners: Manners, memory: Memory) -> Self {
        Self { client: OnceLock::new(), manners, memory, turns: Mutex::default() }
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let about = self.manners.contact.as_ref().map(|contact| format!("; +{contact}")).unwrap_or_default();
        let client = Client::builder()
            .user_agent(format!("Firsthand/{} (news reader{about})", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(self.manners.patience)
            // A proxy would resolve names itself and could lead inside.
            .no_proxy();
        let client = if self.manners.private { client } else { client.dns_resolver(Arc::new(Public)) };
        let client = client.build().map_err(FetchError::Client)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// What is remembered.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Whether an address may be asked again at `now`.
    pub fn is_due(&self, address: &str, now: Millis) -> rusqlite::Result<bool> {
        let next = self.memory.health(address)?.next;
        // A clock that was wrong for a while must not silence an outlet for good.
        Ok(next.is_none_or(|next| next <= now || next > now.plus(LONGEST_REST)))
    }

    /// Asks an address for what is new, and notes how it went.
    ///
    /// # Errors
    /// Nothing came, or our memory failed. The address is due again after a while, which grows.
    /// After [`FetchError::NoTime`] the address is due as it was.
    pub async fn get(
        &self,
        address: &str,
        want: Want,
        when: impl Into<Moment>,
    ) -> Result<Answer, FetchError> {
        let when = when.into();
        let (now, asked) = (when.now, self.ask(address, want, when).await);
        let mut health = self.memory.health(address)?;
        match &asked {
            Ok(answer) => {
                let next = Some(now.plus(millis(self.manners.again)));
                // What was wrong with the answer itself still is, if it is the same.
                let why = health.why.filter(|_| *answer == Answer::Same && health.failures == 0);
                health = Health { succeeded: Some(now), next, failures: 0, why, ..health };
            }
            Err(FetchError::Memory(_) | FetchError::NoTime) => return asked,
            Err(why) => {
                health.why = Some(why.to_string());
                let wait = wait(why, health.failures);
                health.failures += u32::from(wait > 0);
                health.next = Some(now.plus(wait));
            }
        }
        self.memory.set_health(address, &health)?;
        asked
    }

    async fn ask(&self, address: &str, want: Want, when: Moment) -> Result<Answer, FetchError> {
        let kept = self.memory.kept(address)?;
        let moved = self.memory.moved(address)?;
        let start = address::check(moved.as_deref().unwrap_or(address), self.manners.private)?;
        let came = self.follow(start, want, kept.as_ref(), when).await;
        let (answer, went) = match came {
            Err(why) => {
                if moved.is_some() && !matches!(why, FetchError::NoTime | FetchError::Late) {
                    self.memory.set_moved(address, None)?;
                }
                return Err(why);
            }
            Ok(came) => came,
        };
        if let Some(to) = went {
            self.memory.set_moved(address, Some(to.as_str()))?;
        }
        if let Answer::New(new) = &answer {
            // Servers that know no conditions send the same again.
            let is_same = |kept: &Kept| {
                (&kept.at, &kept.content_type, &kept.bytes) == (&new.at, &new.content_type, &new.bytes)
            };
            if kept.as_ref().is_some_and(is_same) {
                self.memory.set_conditions(address, new)?;
                return Ok(Answer::Same);
            }
            self.memory.keep(address, new, want, when.now)?;
        }
        Ok(answer)
    }

    /// Goes where an address leads. Returns what came, and where all of it has moved for good, if it has.
    async fn follow(
        &self,
        start: Url,
        want: Want,
        kept: Option<&Kept>,
        Moment { now, until }: Moment,
    ) -> Result<(Answer, Option<Url>), FetchError> {
        let (mut at, mut moved, mut for_good) = (start, None, true);
        for redirects in 0..=MOST_REDIRECTS {
            let in_time = || match redirects {
                _ if until.is_none_or(|until| Instant::now() < until) => Ok(()),
                0 => Err(FetchError::NoTime),
                _ => Err(FetchError::Late),
            };
            if want == Want::Page {
                in_time()?;
                if !self.may_fetch(&at, now).await? {
                    return Err(FetchError::Robots);
                }
            }
            let turn = self.turn(&at);
            let mut asked = turn.lock().await;
            in_time()?;
            if std::mem::replace(&mut *asked, true) {
                tokio::time::sleep(self.manners.pause).await;
            }
            let known = kept.filter(|kept| kept.at == at.as_str());
            let answer = self.send(&at, known).await?;
            let status = answer.status();
            match status {
                StatusCode::NOT_MODIFIED if known.is_some() => return Ok((Answer::Same, moved)),
                StatusCode::OK => return Ok((Answer::New(self.read(&at, answer).await?), moved)),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let to = text(answer.headers(), header::LOCATION).ok_or(FetchError::LostRedirect)?;
                    at = at.join(&to).map_err(|_| FetchError::LostRedirect)?;
                    at.set_fragment(None);
                    address::check_url(&at, self.manners.private).map_err(FetchError::Redirect)?;
                    for_good &=
                        matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
                    if for_good {
                        moved = Some(at.clone());
                    }
                }
                _ => return Err(FetchError::Status { status, rest: rest(answer.headers(), now) }),
            }
        }
        Err(FetchError::Endless)
    }

    async fn send(&self, at: &Url, known: Option<&Kept>) -> Result<Response, FetchError> {
        // Unpacked by ourselves: the client would not stop at a limit.
        let mut request = self.client()?.get(at.clone()).header(header::ACCEPT_ENCODING, "gzip");
        if let Some(known) = known {
            let conditions =
                [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.modified)];
            for (name, value) in conditions {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
        }
        request.send().await.map_err(|why| self.unreachable(why))
    }

    async fn read(&self, at: &Url, mut answer: Response) -> Result<Kept, FetchError> {
        let most = MAX_INPUT as usize;
        if answer.content_length().is_some_and(|len| len > MAX_INPUT) {
            return Err(FetchError::TooLarge { most });
        }
        let headers = answer.headers();
        let mut kept = Kept {
            at: at.to_string(),
            etag: text(headers, header::ETAG),
            modified: text(headers, header::LAST_MODIFIED),
            content_type: text(headers, header::CONTENT_TYPE),
            bytes: Vec::new(),
        };
        let mut body = Body::new(text(headers, header::CONTENT_ENCODING).as_deref(), most)?;
        while let Some(piece) = answer.chunk().await.map_err(|why| self.unreachable(why))? {
            body.push(&piece)?;
        }
        kept.bytes = body.finish()?;
        Ok(kept)
    }

    /// Whether the site lets programs fetch this page.
    async fn may_fetch(&self, page: &Url, now: Millis) -> Result<bool, FetchError> {
        let Ok(file) = page.join("/robots.txt") else { return Ok(false) };
        let site = page.origin().ascii_serialization();
        let text = match self.memory.robots(&site, now)? {
            Some(text) => text,
            None => {
                let (text, holds) = match Box::pin(self.follow(file, Want::Named, None, now.into())).await {
                    Ok((Answer::New(file), _)) => {
                        let head = &file.bytes[..file.bytes.len().min(robots::LONGEST)];
                        (Some(String::from_utf8_lossy(head).into_owned()), ROBOTS.0)
                    }
                    // It has none, or none that can be had: nothing is kept back (section 2.3.1.3).
                    Err(FetchError::Status { status, .. }) if status.is_client_error() => {
                        (Some(String::new()), ROBOTS.0)
                    }
                    Err(FetchError::Memory(why)) => return Err(why.into()),
                    Ok(_) | Err(_) => (None, ROBOTS.1),
                };
                self.memory.set_robots(&site, now.plus(holds), text.as_deref())?;
                text
            }
        };
        let robots = text.map_or_else(Robots::nothing, |text| Robots::read(&text, TOKEN));
        let query = page.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(robots.allows(&format!("{}{query}", page.path())))
    }

    fn turn(&self, at: &Url) -> Arc<tokio::sync::Mutex<bool>> {
        let host = at.host_str().unwrap_or_default().to_owned();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(host).or_default())
    }

    fn unreachable(&self, why: reqwest::Error) -> FetchError {
        let why = why.without_url();
        if why.is_timeout() {
            return FetchError::TimedOut(self.manners.patience);
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(&why);
        while let Some(inner) = cause {
            if inner.is::<LeadsInside>() {
                return AddressRefused::Private("what its name leads to".into()).into();
            }
            cause = inner.source();
        }
        FetchError::Unreachable(why)
    }
}

/// Unpacks bytes that are packed as `encoding` says, up to [`MAX_INPUT`].
pub(crate) fn unpack(encoding: Option<&str>, bytes: &[u8]) -> Result<Vec<u8>, FetchError> {
    let mut body = Body::new(encoding, MAX_INPUT as usize)?;
    body.push(bytes)?;
    body.finish()
}

/// How long an address is left alone after this failure, in milliseconds, having failed so often before.
fn wait(why: &FetchError, failures: u32) -> u64 {
    let grown = BACK_OFF.saturating_mul(1 << failures.min(16)).min(DAY);
    match why {
        // Whoever lets it be asked need not wait.
        FetchError::Address(_) => 0,
        FetchError::Robots | FetchError::Status { status: StatusCode::GONE, .. } => DAY,
        FetchError::Status { rest: Some(rest), .. } => grown.max(*rest),
        _ => grown,
    }
}

/// What `Retry-After` asks for, in milliseconds: seconds, or a moment.
fn rest(headers: &HeaderMap, now: Millis) -> Option<u64> {
    let value = text(headers, header::RETRY_AFTER)?;
    let wait = match value.trim().parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let moment = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp().as_millisecond();
            u64::try_from(moment).ok()?.saturating_sub(now.0)
        }
    };
    Some(wait.min(LONGEST_REST))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
