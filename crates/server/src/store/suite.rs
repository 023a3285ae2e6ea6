//! What every journal and every set of blobs must do. `open` is called again on the same folder after a drop: that is a
//! restart.

use std::path::Path;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use proptest::prelude::*;

use super::{AppendError, Blobs, Journal, PutError, Stream};

fn record(n: u64) -> Bytes {
    Bytes::from(n.to_be_bytes().to_vec())
}

pub(super) async fn journal<J: Journal>(open: impl Fn(&Path) -> J) {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());

    // Records stand in the order of their indices, without holes, also when many come at once.
    let indices = join_all((0..2_500).map(|n| {
        let appended = journal.append("a/1", record(n));
        async move { (appended.await.unwrap(), n) }
    }))
    .await;
    let mut places: Vec<u64> = indices.iter().map(|(index, _)| *index).collect();
    places.sort_unstable();
    assert_eq!(places, (0..2_500).collect::<Vec<_>>());
    let all = journal.read("a/1", 0, 10_000).await.unwrap();
    assert_eq!(all.len(), 2_500);
    assert!(indices.iter().all(|(index, n)| all[*index as usize] == record(*n)));

    // Reading: from, limit, beyond the end, a stream that is not there.
    assert_eq!(journal.read("a/1", 2_498, 10).await.unwrap(), all[2_498..]);
    assert_eq!(journal.read("a/1", 5, 3).await.unwrap(), all[5..8]);
    assert!(journal.read("a/1", 2_500, 3).await.unwrap().is_empty());
    assert!(journal.read("a/1", u64::MAX, 3).await.unwrap().is_empty());
    assert!(journal.read("a/none", 0, 3).await.unwrap().is_empty());
    assert_eq!(journal.stream("a/none").await.unwrap(), None);

    // Shed: nothing is kept, and the next index is the same.
    journal.shed("a/shed", record(1)).await.unwrap();
    assert_eq!(journal.append("a/shed", record(2)).await.unwrap(), 0);
    let many = join_all((0..40).map(|n| journal.shed("a/shed", record(n))));
    let (shed, appended) = futures_util::future::join(many, journal.append("a/shed", record(3))).await;
    assert!(shed.iter().all(Result::is_ok));
    assert_eq!(appended.unwrap(), 1);
    assert_eq!(journal.read("a/shed", 0, 9).await.unwrap(), [record(2), record(3)]);
    journal.seal("a/shed").await.unwrap();
    assert!(matches!(journal.shed("a/shed", record(4)).await, Err(AppendError::Sealed)));
    journal.forget("a/shed").await.unwrap();

    // Streams know nothing of each other.
    assert_eq!(journal.append("a/2", record(7)).await.unwrap(), 0);
    assert_eq!(journal.append("b/1", record(8)).await.unwrap(), 0);
    let names = |of: Vec<Stream>| of.into_iter().map(|s| s.name).collect::<Vec<_>>();
    assert_eq!(names(journal.streams("a/").await.unwrap()), ["a/1", "a/2"]);
    assert_eq!(names(journal.streams("").await.unwrap()), ["a/1", "a/2", "b/1"]);

    // Sealed: no more, ever; the same length again; an empty stream can be sealed.
    assert_eq!(journal.seal("a/1").await.unwrap(), 2_500);
    assert_eq!(journal.seal("a/1").await.unwrap(), 2_500);
    assert_eq!(journal.seal("a/3").await.unwrap(), 0);
    assert!(matches!(journal.append("a/1", record(0)).await, Err(AppendError::Sealed)));
    assert!(matches!(journal.append("a/3", record(0)).await, Err(AppendError::Sealed)));
    assert_eq!(journal.read("a/1", 2_499, 10).await.unwrap().len(), 1);

    // All of this after a restart.
    drop(journal);
    let journal = open(folder.path());
    assert_eq!(journal.read("a/1", 0, 10_000).await.unwrap(), all);
    assert!(matches!(journal.append("a/1", record(0)).await, Err(AppendError::Sealed)));
    assert_eq!(journal.append("a/2", record(9)).await.unwrap(), 1);

    // Released: the records go, the name, the length and the seal stay.
    journal.release("a/1").await.unwrap();
    journal.release("a/1").await.unwrap();
    journal.release("a/2").await.unwrap();
    for journal in [journal, open(folder.path())] {
        assert!(journal.read("a/1", 0, 10).await.unwrap().is_empty());
        assert_eq!(
            journal.stream("a/1").await.unwrap(),
            Some(Stream { name: "a/1".into(), len: 2_500, sealed: true, released: true })
        );
        assert!(matches!(journal.append("a/1", record(0)).await, Err(AppendError::Sealed)));
        assert!(matches!(journal.append("a/2", record(0)).await, Err(AppendError::Sealed)));
        assert_eq!(journal.read("b/1", 0, 10).await.unwrap(), [record(8)]);
    }

    // Forgotten: as if it had never been.
    let journal = open(folder.path());
    journal.forget("a/1").await.unwrap();
    journal.forget("a/1").await.unwrap();
    assert_eq!(journal.stream("a/1").await.unwrap(), None);
    assert_eq!(journal.append("a/1", record(3)).await.unwrap(), 0);
    assert_eq!(journal.read("a/1", 0, 10).await.unwrap(), [record(3)]);
}

/// What a journal does to one of three streams, or that it is closed and opened again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Append(u8, u8),
    Seal(u8),
    Release(u8),
    Forget(u8),
    Restart,
}

/// Any deeds in any order.
pub(super) fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let one = prop_oneof![
        6 => (0..3u8, any::<u8>()).prop_map(|(s, b)| Deed::Append(s, b)),
        1 => (0..3u8).prop_map(Deed::Seal),
        1 => (0..3u8).prop_map(Deed::Release),
        1 => (0..3u8).prop_map(Deed::Forget),
        1 => Just(Deed::Restart),
    ];
    proptest::collection::vec(one, 1..40)
}

/// A journal does what three vectors would do.
pub(super) async fn like_a_model<J: Journal>(open: impl Fn(&Path) -> J, deeds: &[Deed]) {
    #[derive(Default)]
    struct Model {
        there: bool,
        records: Vec<u8>,
        sealed: bool,
        released: bool,
    }
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let mut model: [Model; 3] = Default::default();
    let name = |s: u8| format!("s/{s}");
    for &deed in deeds {
        match deed {
            Deed::Append(s, byte) => {
                let stream = &mut model[usize::from(s)];
                let appended = journal.append(&name(s), Bytes::from(vec![byte])).await;
                if stream.sealed {
                    assert!(matches!(appended, Err(AppendError::Sealed)));
                } else {
                    assert_eq!(appended.unwrap(), stream.records.len() as u64);
                    stream.records.push(byte);
                    stream.there = true;
                }
            }
            Deed::Seal(s) => {
                let stream = &mut model[usize::from(s)];
                assert_eq!(journal.seal(&name(s)).await.unwrap(), stream.records.len() as u64);
                (stream.there, stream.sealed) = (true, true);
            }
            Deed::Release(s) => {
                journal.release(&name(s)).await.unwrap();
                let stream = &mut model[usize::from(s)];
                (stream.there, stream.sealed, stream.released) = (true, true, true);
            }
            Deed::Forget(s) => {
                journal.forget(&name(s)).await.unwrap();
                model[usize::from(s)] = Model::default();
            }
            Deed::Restart => {
                drop(journal);
                journal = open(folder.path());
            }
        }
        for (s, stream) in (0u8..).zip(&model) {
            let known = stream.there.then(|| Stream {
                name: name(s),
                len: stream.records.len() as u64,
                sealed: stream.sealed,
                released: stream.released,
            });
            assert_eq!(journal.stream(&name(s)).await.unwrap(), known, "{deed:?}");
            let records = journal.read(&name(s), 0, 100).await.unwrap().concat();
            assert_eq!(records, if stream.released { &[][..] } else { &stream.records }, "{deed:?}");
        }
    }
}

pub(super) async fn blobs<B: Blobs>(open: impl Fn(&Path) -> B) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = open(folder.path());
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from(vec![2; 300_000]));

    assert_eq!(blobs.get("a/x").await.unwrap(), None);
    assert!(!blobs.has("a/x").await.unwrap());
    assert!(blobs.list("a").await.unwrap().is_empty());
    blobs.put("a/x", one.clone()).await.unwrap();
    blobs.put("a/b/y", two.clone()).await.unwrap();
    blobs.put("ab/z", Bytes::new()).await.unwrap();

    // The same bytes again are welcome, others are not, and leave the first as they were.
    blobs.put("a/x", one.clone()).await.unwrap();
    assert!(matches!(blobs.put("a/x", two.clone()).await, Err(PutError::Conflict)));
    assert!(matches!(blobs.put("a/x", Bytes::new()).await, Err(PutError::Conflict)));

    drop(blobs);
    let blobs = open(folder.path());
    assert_eq!(blobs.get("a/x").await.unwrap(), Some(one));
    assert_eq!(blobs.get("a/b/y").await.unwrap(), Some(two.clone()));
    assert_eq!(blobs.get("ab/z").await.unwrap(), Some(Bytes::new()));
    assert!(blobs.has("a/b/y").await.unwrap());
    assert_eq!(blobs.list("a").await.unwrap(), ["a/b/y", "a/x"]);
    assert_eq!(blobs.list("a/b").await.unwrap(), ["a/b/y"]);
    assert!(blobs.list("none").await.unwrap().is_empty());

    blobs.delete("a/x").await.unwrap();
    blobs.delete("a/x").await.unwrap();
    assert_eq!(blobs.get("a/x").await.unwrap(), None);
    blobs.put("a/x", two.clone()).await.unwrap();
    assert_eq!(blobs.get("a/x").await.unwrap(), Some(two.clone()));

    // From a file and piece by piece, for what is larger than memory.
    let file = folder.path().join("file");
    std::fs::write(&file, &two).unwrap();
    blobs.put_file("c/d/e", &file).await.unwrap();
    blobs.put_file("c/d/e", &file).await.unwrap();
    blobs.put("c/d/e", two.clone()).await.unwrap();
    blobs.put_file("a/b/y", &file).await.unwrap();
    std::fs::remove_file(&file).unwrap();
    for other in [two.slice(1..), Bytes::from(vec![3; 300_000])] {
        std::fs::write(&file, &other).unwrap();
        assert!(matches!(blobs.put_file("c/d/e", &file).await, Err(PutError::Conflict)));
        std::fs::remove_file(&file).unwrap();
    }
    let (length, pieces) = blobs.open("c/d/e").await.unwrap().unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!((length, Bytes::from(pieces.concat())), (300_000, two));
    assert!(pieces.len() > 1, "not all at once");
    assert!(blobs.open("c/d/none").await.unwrap().is_none());

    // Of two that put different bytes at once, one succeeds, and its bytes stand.
    let puts = (0..8u8).map(|n| blobs.put("race", Bytes::from(vec![n; 70_000])));
    let outcomes = join_all(puts).await;
    let winners: Vec<usize> = (0..8).filter(|&n| outcomes[n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert_eq!(blobs.get("race").await.unwrap().unwrap(), vec![winners[0] as u8; 70_000]);
}
