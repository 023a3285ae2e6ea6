//! The exit's hold alone: in a cascade of two, no mix before it holds anything.

use super::*;
use proto::hold::Hold;

/// Of what the exit has stored for desks and for readers: from which round on it may leave.
fn releases(net: &Net) -> [Vec<u32>; 2] {
    let db = rusqlite::Connection::open(net.folder.path().join("mix1").join("mix.sqlite")).unwrap();
    // Waiting for company, and in the pool.
    [[1, 3], [2, 4]].map(|places| {
        let mut query =
            db.prepare("SELECT release FROM items WHERE place IN (?1, ?2) ORDER BY release").unwrap();
        let rows = query.query_map(places, |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    })
}

#[test]
fn ext_05_the_exit_holds_what_is_for_desks_also_over_a_restart_and_nothing_that_is_for_readers() {
    let mut net = Net::start(Town::bent(50, 2, |p| (p.desk_slots, p.hold) = (16, Hold(100))), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..8 {
        let tip = net.tip(&format!("tip {n}"));
        net.upload(Round(5), tip);
    }
    let reply = net.reply(slot());
    net.upload(Round(5), reply);
    // The drops before: what is not held stands in the next.
    net.at(schedule.drops_due(Round(4)));
    net.at(schedule.start(Round(6)).plus(200));
    assert_eq!(
        net.manifests(5).iter().map(|m| (m.hop, m.count_out)).next(),
        Some((0, 9)),
        "the first holds nothing"
    );
    let [desks, readers] = releases(&net);
    assert_eq!((desks.len(), readers), (8, vec![6]));
    // Of eight one leaves at once, on average; the chance that five or more do is 1 in 2,300.
    assert!(desks.iter().filter(|release| **release > 6).count() > 3, "{desks:?}");
    assert!(desks.iter().all(|release| (6..=6 + 23).contains(release)), "{desks:?}");

    // The drops of a round are written in the one after it. Stopped and started between all of them, the exit draws nothing again.
    let mut came = vec![];
    for r in 5..=28u32 {
        net.at(schedule.drops_due(Round(r)));
        let delivered = net.delivered(r..=r);
        assert_eq!(delivered.get("reply"), (r == 5).then_some(&1), "round {r}");
        came.extend(delivered.keys().filter(|text| text.starts_with("tip")).map(|_| r + 1));
        net.mixes[1] = None;
        net.open_mix(1);
        let still: Vec<_> = desks.iter().copied().filter(|release| *release > r + 1).collect();
        assert_eq!(releases(&net), [still, vec![]], "after round {r}");
    }
    assert_eq!(came, desks, "each in the first drop in which it may stand");
    net.stop();
}
