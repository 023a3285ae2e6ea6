//! Writes `vectors/` anew: `cargo run -p proto --example vectors`. The same bytes every time; the test `vectors` checks
//! that.

#[path = "../tests/vectors/case.rs"]
mod case;
#[path = "../tests/vectors/make/mod.rs"]
mod make;

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    for (path, text) in make::files() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a vector lies in a folder"))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}
