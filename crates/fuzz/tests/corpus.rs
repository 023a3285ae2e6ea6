//! Every input that was kept, run through its target in an ordinary build: what a fuzzer once found stays mended.

use std::fs;
use std::path::Path;

fn replay(target: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../fuzz/corpus/{target}.hex"));
    let text = fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    for (n, line) in (1..).zip(text.lines()) {
        let input = bytes(line);
        // Shown by a test that fails.
        println!("{target}.hex, line {n}");
        fuzz::run(target, &input);
    }
    fuzz::run(target, &[]);
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).expect("digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

macro_rules! replay {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed() {
            let here = [$(stringify!($target)),*];
            let targets: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(targets, here);
        }
    };
}

replay! {
    layers heads edge directories messages notes bundles records handed batches drops replies requests trees desks sources
    documents pages feeds articles sayings files sidecars lists reader desk configs passphrases
}
