//! Every target of `fuzz/` over its corpus, and over mutations of it.

#[path = "../../../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own where a fuzzer runs it")]
mod fuzz;

use std::cell::Cell;
use std::path::Path;

use brownout_draw::Seed;
use fuzz::{Mutator, TARGETS, Target};

/// Which mutations are made; with another number, others.
const SEED: Seed = Seed(1);

thread_local! {
    /// Whether anything has panicked: a task that does is no end of the test by itself. All tasks of a target are on its thread.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// The inputs of a target, by the names of their files.
fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

/// Runs a target over its corpus and so many mutations.
fn check(name: &str, mutations: u64) {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.set(true);
        default(info);
    }));
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = corpus(target);
    assert!(corpus.len() >= 5, "{} files", corpus.len());
    for (file, input) in &corpus {
        run(target, input, file);
    }
    let inputs: Vec<_> = corpus.into_iter().map(|(_, input)| input).collect();
    let mutator = Mutator { corpus: &inputs, seed: SEED };
    for number in 0..mutations {
        run(target, &mutator.input(number), &format!("mutation {number} of seed {SEED}"));
    }
}

fn run(target: &Target, input: &[u8], what: &str) {
    let held = std::panic::catch_unwind(|| (target.run)(input)).is_ok();
    let shown = || String::from_utf8_lossy(input).into_owned();
    assert!(held && !PANICKED.get(), "{}: {what} broke it:\n{}", target.name, shown());
}

#[test]
fn scenarios() {
    check("scenario", 2_000);
}

#[test]
fn live_changes() {
    check("live_change", 4_000);
}

#[test]
fn requests() {
    check("request", 1_000);
}

#[test]
fn every_target_has_its_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"{path}\"")), "{name}");
        let program = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(program.contains(&format!("fuzz::{name}(bytes)")), "{program}");
    }
}
