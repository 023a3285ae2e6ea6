//! Inputs that are kept: one file for each target, one input on a line, in hexadecimal. A folder of files for each, as libFuzzer
//! has it, would be thousands.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// The most that one target's file weighs, in bytes. With all targets that is below a mebibyte.
const MOST: usize = 32 * 1024;
/// The longest input that is kept, in bytes.
const LONGEST: usize = 4 * 1024;

/// The inputs of a target; none if it has no file yet.
pub(super) fn read(folder: &Path, target: &str) -> Result<Vec<Vec<u8>>> {
    let file = folder.join(format!("{target}.hex"));
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&file)?;
    let inputs = text.lines().map(bytes).collect::<Option<_>>();
    inputs.with_context(|| format!("{} is not lines of hexadecimal digits", file.display()))
}

pub(super) fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

/// Takes of what a run found the fewest inputs that reach as much, and keeps the shortest of them, as many as the file may hold.
pub(super) fn minimise(
    program: &Path,
    scratch: &Path,
    smaller: &Path,
    kept: &Path,
    target: &str,
) -> Result<()> {
    if smaller.exists() {
        fs::remove_dir_all(smaller)?;
    }
    fs::create_dir_all(smaller)?;
    let mut merge = Command::new(program);
    merge
        .env(super::TARGET, target)
        .args(["-merge=1", "-timeout=60", "-rss_limit_mb=1024"])
        .arg(smaller)
        .arg(scratch);
    ensure!(
        merge.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success(),
        "{target}: merging failed"
    );
    let mut inputs = Vec::new();
    for file in fs::read_dir(smaller)? {
        inputs.push(fs::read(file?.path())?);
    }
    inputs.sort_by(|a, b| a.len().cmp(&b.len()).then(a.cmp(b)));
    let text = lines(&inputs);
    if text.is_empty() {
        bail!("{target}: nothing is left");
    }
    fs::create_dir_all(kept)?;
    println!("{target}: {} of {} inputs are kept", text.lines().count(), inputs.len());
    Ok(fs::write(kept.join(format!("{target}.hex")), text)?)
}

fn lines(inputs: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for input in inputs.iter().filter(|input| (1..=LONGEST).contains(&input.len())) {
        if text.len() + 2 * input.len() + 1 > MOST {
            break;
        }
        input.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_back_and_no_file_grows_beyond_its_most() {
        let inputs = [vec![0x00], vec![0xab, 0x0c], vec![7; LONGEST + 1]];
        let text = lines(&inputs);
        assert_eq!(text, "00\nab0c\n");
        assert_eq!(text.lines().map(bytes).collect::<Option<Vec<_>>>().unwrap(), inputs[..2]);
        assert!(lines(&vec![vec![1; LONGEST]; 100]).len() <= MOST);
        assert!(bytes("0").is_none() && bytes("0g").is_none());
    }
}
