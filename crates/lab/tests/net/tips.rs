//! P9: what every operator has of a day with tips, and of one without.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use server::status::Status;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

use crate::town::files_in;
use crate::turn::{arrived, one_article};
use crate::whole::Whole;

/// Two or three less and too little has arrived to speak of.
const ROUNDS: u32 = 14;
/// The exit's pool, and its log and index beside it.
const EXIT_STORE: &str = "mix3/mix.sqlite";
/// Of these lines it is chance how often they come.
const BY_CHANCE: &str = "hyper_util::client";

/// Two runs of the whole network under one seed, to the same instants. In the one, sources write and the desk answers; in the
/// other nobody does. In every round the same is found in both:
///
/// - the status page, of which only the log's root is left out: it holds every manifest's hop, part, counts and alarm, how
///   many envelopes were taken, and how many were not by reason. Of one seed the mixes draw the same numbers of decoys, so
///   the counts are compared as they are;
/// - how many files lie in each state folder, and how long each is, digests in names masked;
/// - over the whole run, all that any role logs at any level, spans too, as lines of which each stands as often in both, with
///   numbers and hexadecimal masked.
///
/// Not compared: what is inside the files, which is sealed or published; the exit's store (P9 excepts its pool); time, since
/// the clock is moved by hand; what the HTTP client's pool logs, since whether a connection is idle again when the next request
/// comes is chance; what the loops around the steps log: failures, and how many outputs were written, which stands in manifests.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_operator_with_every_log_and_metric_cannot_tell_a_day_with_tips() {
    let lines = Lines::default();
    tracing::subscriber::set_global_default(lines.clone()).unwrap();
    let articles = one_article();
    let quiet = Day::run(articles.path(), &lines, ROUNDS, false, |_| ()).await;
    let busy = Day::run(articles.path(), &lines, ROUNDS, true, |_| ()).await;
    assert_eq!(quiet.arrived, 0);
    assert!(busy.arrived >= 4, "{} messages arrived", busy.arrived);
    assert_eq!(quiet.unlike(&busy), Vec::<String>::new());
    let (lines_there, files) = (quiet.lines.len(), quiet.rounds.last().unwrap().1.len());
    println!("{lines_there} kinds of lines and {files} of files are alike: {:#?}", quiet.lines);

    // A line and a file too many are found by the same comparison, whatever thread the line comes from.
    let plain = Day::run(articles.path(), &lines, 1, false, |_| ()).await;
    let marked = Day::run(articles.path(), &lines, 1, false, |whole| {
        elsewhere(|| tracing::trace!(slot = 7, "a message for a desk"));
        std::fs::write(whole.at("mix2").join("state/tips"), b"1").unwrap();
    })
    .await;
    let found = plain.unlike(&marked);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("a message for a desk") && found[1].contains("mix2/tips"), "{found:#?}");
}

/// Somewhere else than in the thread of a test.
fn elsewhere(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| drop(scope.spawn(work)));
}

/// What operators have of a run.
struct Day {
    rounds: Vec<(Status, Files)>,
    lines: BTreeMap<String, usize>,
    /// How many messages the desk got.
    arrived: usize,
}

/// Lengths of files, by folder and name with digests masked.
type Files = BTreeMap<String, Vec<u64>>;

impl Day {
    async fn run(
        articles: &Path,
        lines: &Lines,
        rounds: u32,
        writes: bool,
        mark: impl FnOnce(&Whole),
    ) -> Self {
        lines.0.lock().unwrap().clear();
        let mut whole = Whole::found(9, articles, []).await;
        mark(&whole);
        let mut seen = vec![];
        for r in 1..=rounds {
            if writes {
                whole.write(0.25);
            }
            whole.round(r).await;
            if writes {
                whole.answer();
            }
            let mut status = whole.status();
            status.log.checkpoint.as_mut().unwrap().root.clear();
            seen.push((status, files(&whole)));
        }
        let arrived = arrived(whole.inbox.as_ref().unwrap()).len();
        drop(whole);
        let mut counted = BTreeMap::new();
        for line in std::mem::take(&mut *lines.0.lock().unwrap()) {
            *counted.entry(line).or_default() += 1;
        }
        Self { rounds: seen, lines: counted, arrived }
    }

    /// Where two runs differ, a line for each difference.
    fn unlike(&self, other: &Self) -> Vec<String> {
        let mut found = differences("logged", &self.lines, &other.lines);
        for (r, ((status, files), (theirs, their_files))) in (1..).zip(self.rounds.iter().zip(&other.rounds))
        {
            if status != theirs {
                found.push(format!("the status page in round {r}: {status:?} and {theirs:?}"));
            }
            found.extend(differences(&format!("in round {r}"), files, their_files));
        }
        found
    }
}

fn differences<V: PartialEq + Debug>(
    what: &str,
    ours: &BTreeMap<String, V>,
    theirs: &BTreeMap<String, V>,
) -> Vec<String> {
    let all: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differ = all.into_iter().filter(|key| ours.get(*key) != theirs.get(*key));
    differ.map(|key| format!("{what}: {key}: {:?} and {:?}", ours.get(key), theirs.get(key))).collect()
}

fn files(whole: &Whole) -> Files {
    let mut all = Files::new();
    for role in ["edge", "mix1", "mix2", "mix3", "press", "witness"] {
        let state = whole.at(role).join("state");
        for path in files_in(&state) {
            let name = path.strip_prefix(&state).unwrap().to_str().unwrap();
            if !format!("{role}/{name}").starts_with(EXIT_STORE) {
                let lengths = all.entry(format!("{role}/{}", masked(name))).or_default();
                lengths.push(path.metadata().unwrap().len());
            }
        }
    }
    all.values_mut().for_each(|lengths| lengths.sort_unstable());
    all
}

/// Every word that holds a digit, or is long and hexadecimal, becomes one sign.
fn masked(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let is_hex = |word: &str| word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mask = |word: &str| match word.chars().any(|c| c.is_ascii_digit()) || is_hex(word) {
        true => "#".to_owned(),
        false => word.to_owned(),
    };
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        masked.push_str(&mask(&rest[..word]));
        let next = rest[word..].find(is_word).map_or(rest.len(), |next| word + next);
        masked.push_str(&rest[word..next]);
        rest = &rest[next..];
    }
    masked
}

/// All that is logged in this process, whatever level and thread it comes from.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn add(&self, of: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        if of.target().starts_with(BY_CHANCE) {
            return;
        }
        let mut line = Line(format!("{} {} {}", of.level(), of.target(), of.name()));
        record(&mut line);
        self.0.lock().unwrap().push(masked(&line.0));
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(span.metadata(), |line| span.record(line));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line("span".into());
        values.record(&mut line);
        self.0.lock().unwrap().push(masked(&line.0));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata(), |line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}
