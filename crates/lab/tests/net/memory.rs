//! What mixes hold in memory: a run of entries, never a batch.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use lab::disk::{self, Prepared};
use lab::town::Town;
use proto::size::ENVELOPE;

const FEW: u32 = 2_048;
const MANY: u32 = 6_144;
/// Tells a second process which mix to run: "HOP INPUT FOLDER".
const ALONE: &str = "FIRSTHAND_MIX_ALONE";

/// The most memory that this process has held, in bytes (proc(5)).
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// mix.md §7: a batch may be larger than memory.
#[test]
#[cfg(target_os = "linux")]
fn a_batch_three_times_as_large_takes_no_more_memory_at_the_first_and_at_a_middle_mix() {
    let town = Town::new(MANY);
    if let Ok(told) = env::var(ALONE) {
        let [hop, input, folder] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("three words") };
        Prepared::new(&town, hop.parse().unwrap(), Path::new(input), Path::new(folder))
            .unwrap()
            .pass()
            .unwrap();
        println!("peak {}", peak());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut peaks = [[0; 2]; 2];
    for (n, envelopes) in [FEW, MANY].into_iter().enumerate() {
        let mut input = folder.path().join("round");
        disk::write_round(&town, envelopes, 2, &input).unwrap();
        for hop in 0..2 {
            let own = folder.path().join(format!("{envelopes}-{hop}"));
            fs::create_dir(&own).unwrap();
            peaks[usize::from(hop)][n] = alone(hop, &input, &own);
            input = disk::check(&town, hop, envelopes, &own).unwrap();
        }
    }
    for (hop, [few, many]) in peaks.into_iter().enumerate() {
        println!("mix {hop}: {FEW} entries {few} bytes, {MANY} entries {many} bytes");
        let entry = many.saturating_sub(few) / u64::from(MANY - FEW);
        // What it may hold of each is its name and its replay tag; the rest is what an allocator and a database keep.
        assert!(entry < ENVELOPE as u64 / 8, "mix {hop} holds {entry} bytes of each entry");
    }
}

/// Runs a mix in a process of its own, where nobody else has used memory: this test again, with other words.
fn alone(hop: u8, input: &Path, folder: &Path) -> u64 {
    let name = "memory::a_batch_three_times_as_large_takes_no_more_memory_at_the_first_and_at_a_middle_mix";
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", name])
        .env(ALONE, format!("{hop} {} {}", input.display(), folder.display()))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    let peak = told.lines().find_map(|line| line.strip_prefix("peak ")).map(str::parse);
    peak.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&ran.stderr))).unwrap()
}
