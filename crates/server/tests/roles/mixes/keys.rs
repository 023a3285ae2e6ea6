//! A mix's keys are gone when their time is over: from its disk and its memory, so that what is sealed to them opens no more.

use super::*;

impl Net {
    /// The mix at `hop` steps at `moment` while no edge answers it, and nobody else does.
    fn cut_off(&mut self, hop: u8, moment: Millis) {
        let RunningEdge { edge, stop, done } = self.edge.take().unwrap();
        drop(edge);
        let _ = stop.send(());
        let _ = self.runtime.block_on(done);
        self.clock.set(moment);
        while let Err(MixError::Killed(_)) = self.mixes[usize::from(hop)].as_mut().unwrap().step(moment) {
            self.mixes[usize::from(hop)] = None;
            self.open_mix(hop);
        }
        self.open_edge();
    }

    /// The first rounds and the seeds of the keys that the mix at `hop` has on its disk.
    fn seeds(&self, hop: u8) -> Vec<(u32, [u8; 32])> {
        let file = self.folder.path().join(format!("mix{hop}")).join("mix.sqlite");
        let db = rusqlite::Connection::open(file).unwrap();
        let mut query = db.prepare("SELECT first, seed FROM keys ORDER BY first").unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

/// A mix is stopped as it deletes a key, and does it after all when it starts again: stopped before, it then deletes the key as it
/// runs; stopped after, it has read its keys anew from the disk. What was sealed to the key comes to it only then.
#[test]
fn key_03_every_mix_deletes_its_keys_on_time_and_opens_nothing_with_them_any_more() {
    // The first mix comes to this step one round earlier too, when the keys of earlier rounds go.
    for (side, first) in [(Side::Before, [0, 0, 0]), (Side::After, [1, 0, 0])] {
        for (hop, from, last, living) in [(0u8, 7, 7 + 25, 8), (1, 0, 23 + 26, 47), (2, 0, 167 + 240, 408)] {
            let first = first[usize::from(hop)];
            let victim = Victim { who: Who::Mix(hop), step: Step::KeyForgotten, side, first };
            let mut net = Net::start(Town::new(30), Some(victim));
            let schedule = net.town.schedule();
            let seed = net.seeds(hop).into_iter().find(|(first, _)| *first == from).expect("it was made").1;
            assert!(SealSecret::from_seed(&seed).public() == &net.key_of(hop, Round(from)));
            let late = net.entries(hop, from, &["late", "late too", "", ""]);
            if hop == 0 {
                // Two rounds come to the mix only when the key of the first of them is gone.
                let good = net.entries(hop, living, &["good", "", "", ""]);
                for (round, entries) in [(from, &late), (living, &good)] {
                    net.clock.set(schedule.start(Round(round)).plus(200));
                    for entry in entries {
                        net.upload(Round(round), entry.clone());
                    }
                }
            }
            let there = |net: &Net| net.seeds(hop).iter().any(|(first, _)| *first == from);
            net.cut_off(hop, schedule.start(Round(last)).plus(200));
            assert!(there(&net), "hop {hop}: not before its time");
            net.at(schedule.start(Round(last + 1)).plus(200));
            assert!(!there(&net), "hop {hop}: nor after it");
            assert!(net.came.load(Ordering::SeqCst) > first, "never struck: {victim:?}");
            let folder = net.folder.path().join(format!("mix{hop}"));
            for file in std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).filter(|f| f.is_file())
            {
                let bytes = std::fs::read(&file).unwrap();
                assert!(!bytes.windows(32).any(|w| w == seed), "{} still holds the key", file.display());
            }
            if hop > 0 {
                // The mix before brings it, with what is sealed to a key that lives.
                let good = net.entries(hop, living, &["good", "", "", ""]);
                let entries = [late, good].concat();
                assert_eq!(net.forge(hop - 1, last + 1, &entries, 8), 200);
            }
            net.at(schedule.drops_due(Round(last + 1)));
            if hop < 2 {
                let round = if hop == 0 { living } else { last + 1 };
                assert_eq!(net.counts(round - 1..=round, hop), [(8, 4)], "hop {hop}, {side:?}");
            }
            let delivered = net.delivered(3..=last + 1);
            assert_eq!(delivered, BTreeMap::from([("good".to_owned(), 1)]), "hop {hop}, {side:?}");
            net.stop();
        }
    }
}
