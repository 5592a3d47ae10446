//! Results written as pages and pictures.

use std::path::Path;

use crate::docs::pages;
use crate::program::{Run, brownout_in, repository};

fn run(folder: &Path, arguments: &str) -> Run {
    brownout_in(folder, &arguments.split_whitespace().collect::<Vec<_>>())
}

/// A folder with a scenario in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(repository().join("examples/outage.toml"), folder.path().join("s.toml")).unwrap();
    folder
}

#[test]
fn a_page_is_written_beside_what_is_printed() {
    let folder = folder();
    let here = folder.path();
    let with = run(here, "load s.toml --seed 3 --html page.html --svg page.svg --output a.json");
    let without = run(here, "load s.toml --seed 3");
    assert_eq!((with.code, &with.stdout), (without.code, &without.stdout));
    let page = std::fs::read_to_string(here.join("page.html")).unwrap();
    for part in ["<!DOCTYPE html>", "brownout load s.toml --seed 3 --html page.html", "Latency over time"] {
        assert!(page.contains(part), "no `{part}`");
    }
    assert!(std::fs::read_to_string(here.join("page.svg")).unwrap().starts_with("<svg "));
    // A chosen seed is part of what makes it again.
    let chosen = run(here, "load --count 50 --html chosen.html");
    let seed = chosen.stderr.split("--seed ").nth(1).unwrap().trim_end().trim_end_matches(')');
    let page = std::fs::read_to_string(here.join("chosen.html")).unwrap();
    assert!(page.contains(&format!("brownout load --count 50 --html chosen.html --seed {seed}")), "{chosen:?}");
}

#[test]
fn kept_results_are_printed_and_drawn() {
    let folder = folder();
    let here = folder.path();
    let load = run(here, "load s.toml --seed 3 --output a.json");
    run(here, "load s.toml --seed 4 --output b.json");
    assert_eq!(run(here, "report a.json").stdout, load.stdout);
    let both = run(here, "report a.json b.json --html both.html");
    assert!(both.code == Some(0) && both.stdout.lines().next().unwrap().contains("b.json"), "{both:?}");
    let page = std::fs::read_to_string(here.join("both.html")).unwrap();
    assert!(page.contains("2 results of loads") && page.matches("<h3>").count() == 2);
    std::fs::write(here.join("other.json"), "{}").unwrap();
    run(here, "report other.json --html never.html").refused(&[
        "failed to read the result other.json",
        "brownout load --output",
        "rehearse --output",
    ]);
    run(here, "run --fail-count 0 --output run.json");
    run(here, "report a.json run.json --html never.html").refused(&["found one of `run`, run.json", "name it alone"]);
    assert!(!here.join("never.html").exists());
}

/// `run` draws what it did when it is over, however that is.
#[test]
fn a_run_of_a_command_is_drawn() {
    let folder = folder();
    let here = folder.path();
    let arguments =
        ["run", "--max-retries", "1", "--base-delay", "1ms", "--html", "p.html", "--output", "r.json", "--"];
    let ran = brownout_in(here, &[&arguments[..], &["sh", "-c", "echo why >&2; exit 7"]].concat());
    assert_eq!(ran.code, Some(7), "{ran:?}");
    let page = std::fs::read_to_string(here.join("p.html")).unwrap();
    for part in ["Failed after 1 retry", "every retry is spent", "attempt 2", "exit code 7", "<td>why</td>", "-- sh -c"]
    {
        assert!(page.contains(part), "no `{part}`");
    }
    let again = run(here, "report r.json --html again.html");
    assert_eq!(again.stdout.trim_end(), ran.stderr.lines().last().unwrap());
    let main = |name: &str| {
        let page = std::fs::read_to_string(here.join(name)).unwrap();
        page[page.find("<main>").unwrap()..].to_owned()
    };
    assert_eq!(main("again.html"), main("p.html"));
    // Before the first attempt.
    std::fs::write(here.join("file"), "").unwrap();
    for (flags, code, why) in [
        ("--html file/page.html", 125, "error: failed to write file/page.html"),
        ("--html x --output x", 2, "--html and --output are to write the same file, x"),
        ("--html x --plan", 2, "--plan runs nothing that a page could show"),
    ] {
        let refused = run(here, &format!("run {flags} -- touch begun"));
        assert!(refused.code == Some(code) && refused.stderr.contains(why), "{refused:?}");
    }
    assert!(!here.join("begun").exists() && !here.join("x").exists());
}

#[test]
fn a_page_that_cannot_be_written_is_no_run() {
    let folder = folder();
    let here = folder.path();
    std::fs::write(here.join("file"), "").unwrap();
    std::fs::copy(repository().join("examples/retry-storm.toml"), here.join("open.toml")).unwrap();
    for verb in ["load s.toml", "compare s.toml", "storm open.toml"] {
        let refused = run(here, &format!("{verb} --html file/page.html"));
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
        // Before anything was begun: not even the seed is told.
        assert!(refused.stderr.starts_with("error: failed to write file/page.html"), "{refused:?}");
    }
    run(here, "load s.toml --output x --html x").refused(&["--html and --output are to write the same file, x"]);
    let few = run(here, "load s.toml --count 1 --svg few.svg");
    assert_eq!((few.code, here.join("few.svg").exists()), (Some(0), true), "{few:?}");
    let none = run(here, "load s.toml --count 0 --html none.html --svg none.svg");
    // What came out is printed all the same.
    assert!(
        none.stderr.contains("there is too little data for a picture") && none.stdout.contains("No request"),
        "{none:?}"
    );
}

/// A name that would be an element, were it not escaped.
#[test]
fn a_hostile_name_is_text() {
    let folder = folder();
    let here = folder.path();
    std::fs::copy(repository().join("examples/retry-storm.toml"), here.join("<script>.toml")).unwrap();
    let few = "--policies none --seeds 2";
    for verb in ["load".to_owned(), format!("compare {few}"), format!("storm --verdict-only {few}")] {
        let run = run(here, &format!("{verb} <script>.toml --html page.html"));
        let page = std::fs::read_to_string(here.join("page.html")).unwrap_or_else(|_| panic!("{run:?}"));
        // The one that is ours.
        assert!(page.contains("&lt;script&gt;.toml") && page.matches("<script").count() == 1, "{verb}");
    }
}

/// The pictures of README and guide are what this program draws today; a page says how each is made.
#[test]
fn the_pictures_of_the_guide_are_those_of_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = pages().iter().map(|page| std::fs::read_to_string(page).unwrap()).collect();
    let made: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("$ brownout ").filter(|line| line.contains("--svg ")))
        .collect();
    assert!(!made.is_empty());
    for command in made {
        let name = command.split("--svg ").nth(1).unwrap().split_whitespace().next().unwrap();
        let kept = repository().join("guide/pictures").join(name);
        let path = folder.path().join(name);
        let arguments = command.replace(&format!("--svg {name}"), &format!("--svg {}", path.display()));
        let arguments = arguments.split('|').next().unwrap().to_owned();
        let ran = run(&repository(), &arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let drawn = std::fs::read_to_string(&path).unwrap();
        if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
            std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
            std::fs::write(&kept, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&kept).unwrap_or_default();
        // All of it would be too long to read.
        assert!(
            drawn == kept,
            "guide/pictures/{name} is not what `brownout {command}` draws; SNAPSHOTS=overwrite puts it there"
        );
    }
}
