//! The first five minutes: the first screen, the demo, a scenario to start from, completions and pages for man.

use std::process::{Command, Stdio};

use crate::program::{brownout_in, repository};

#[test]
fn who_names_no_verb_is_shown_three_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let shown = brownout_in(folder.path(), &[]);
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(2), ""), "{shown:?}");
    for command in ["brownout demo", "brownout rehearse --preset always-503", "brownout init"] {
        assert!(shown.stderr.contains(&format!("\n  {command}")), "{shown:?}");
    }
    assert!(!shown.stderr.contains("--seed"), "a wall of flags");
}

#[test]
fn the_demo_shows_a_storm_and_what_survives_it() {
    let folder = tempfile::tempdir().unwrap();
    let demo = brownout_in(folder.path(), &["demo"]);
    assert_eq!(demo.code, Some(0), "{demo:?}");
    for part in ["\nthree-retries: never recovers;", "\nbudget: recovers after ", "█", "░"] {
        assert!(demo.stdout.contains(part), "no {part}: {}", demo.stdout);
    }
    let plots: Vec<_> = demo.stdout.lines().filter(|line| line.contains('│')).collect();
    assert_eq!(plots.len(), 15, "three policies, five lines each");
    assert!(plots.iter().all(|line| line.chars().count() <= 80), "{plots:#?}");
    let page = std::fs::read_to_string(folder.path().join("brownout-demo.html")).unwrap();
    // The page says what makes it again, and that is no demo.
    let command = "brownout compare preset:checkout --seeds 5 --plot --html brownout-demo.html --seed 1";
    assert!(page.contains(command));
    assert!(demo.stdout.contains("\n  brownout compare preset:checkout --seeds 5 --plot --html brownout-demo.html\n"));
    // That command prints what stands in the middle of the demo.
    let words: Vec<_> = command.split_whitespace().skip(1).collect();
    let compare = brownout_in(folder.path(), &words);
    assert!(demo.stdout.contains(&compare.stdout), "{compare:?}");
}

#[test]
fn a_demo_whose_page_has_no_place_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let demo = brownout_in(folder.path(), &["demo", "--html", "file/page.html"]);
    assert_eq!(demo.code, Some(1), "{demo:?}");
    assert!(demo.stdout.is_empty() && demo.stderr.contains("file/page.html"), "{demo:?}");
}

#[test]
fn a_scenario_to_start_from_is_checked_and_run() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let init = brownout_in(here, &["init"]);
    assert_eq!(init.code, Some(0), "{init:?}");
    // Each command that it names works as it stands.
    let commands: Vec<_> = init.stdout.lines().filter_map(|line| line.strip_prefix("  brownout ")).collect();
    assert_eq!(commands.len(), 3, "{init:?}");
    for command in commands {
        let command = command.split("   ").next().unwrap();
        let ran = brownout_in(here, &command.split_whitespace().collect::<Vec<_>>());
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let check = brownout_in(here, &["check", "brownout.toml", "--strict"]);
    assert!(check.stdout.starts_with("brownout.toml: fine"), "{check:?}");
    let first = std::fs::read_to_string(here.join("brownout.toml")).unwrap().lines().next().unwrap().to_owned();
    let schema = first.strip_prefix("#:schema ./").unwrap();
    let schema = std::fs::read_to_string(here.join(schema)).unwrap();
    assert_eq!(schema, brownout_in(here, &["schema"]).stdout);
}

#[test]
fn a_scenario_that_is_there_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (here, file) = (folder.path(), folder.path().join("mine.toml"));
    std::fs::write(&file, "seed = 7\n").unwrap();
    brownout_in(here, &["init", "mine.toml"]).refused(&["mine.toml is there already", "--force"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "seed = 7\n");
    assert!(!here.join("brownout.schema.json").exists());
    let forced = brownout_in(here, &["init", "mine.toml", "--from", "checkout", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert!(std::fs::read_to_string(&file).unwrap().contains("three-retries"));
    brownout_in(here, &["init", "a.json"]).refused(&["a.json", ".toml"]);
    brownout_in(here, &["init", "b.toml", "--from", "chekout"]).refused(&["no preset scenario `chekout`", "checkout"]);
    assert!(!here.join("b.toml").exists());
}

#[test]
fn every_key_has_its_place_in_the_guide() {
    let page = brownout_in(&repository(), &["schema", "--markdown"]).stdout;
    let kept = repository().join("guide/reference.md");
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        std::fs::write(&kept, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&kept).unwrap_or_default() == page,
        "guide/reference.md is not what `brownout schema --markdown` prints; SNAPSHOTS=overwrite puts it there"
    );
}

#[test]
fn a_shell_reads_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = brownout_in(folder.path(), &["completions", shell]);
        assert_eq!(script.code, Some(0), "{shell}");
        for word in ["rehearse", "--preset", "--max-retries"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.stdout.contains(word), "{shell}: no {word}");
        }
        std::fs::write(folder.path().join(shell), &script.stdout).unwrap();
        // Read, not run; a shell that is not there cannot.
        let read = Command::new(shell).arg("-n").arg(folder.path().join(shell)).stderr(Stdio::piped()).output();
        if let Ok(read) = read {
            assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

#[test]
fn bash_completes_the_verbs_and_their_flags() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script"), brownout_in(folder.path(), &["completions", "bash"]).stdout).unwrap();
    let complete = |line: &str, expected: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let script = format!(
            "source ./script; COMP_WORDS=({line}); COMP_CWORD={}; _brownout brownout '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let Ok(output) = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output() else { return };
        let replies = String::from_utf8(output.stdout).unwrap();
        assert!(replies.split_whitespace().any(|reply| reply == expected), "{line}: {replies}");
    };
    complete("brownout reh", "rehearse");
    complete("brownout compare --po", "--policies");
    complete("brownout run --jitter f", "full");
}

#[test]
fn man_has_a_page_of_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let all = brownout_in(here, &["man", "--dir", "man1"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    let load = std::fs::read_to_string(here.join("man1/brownout-load.1")).unwrap();
    assert_eq!(load, brownout_in(here, &["man", "load"]).stdout);
    for part in [".TH brownout-load 1", ".SH SYNOPSIS", ".SH EXAMPLES\nbrownout load "] {
        assert!(load.contains(part), "no {part}: {load}");
    }
    let program = std::fs::read_to_string(here.join("man1/brownout.1")).unwrap();
    assert!(program.contains("rehearse"), "{program}");
    brownout_in(here, &["man", "lod"]).refused(&["no verb `lod`", "brownout help"]);
}
