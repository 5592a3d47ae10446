//! What holds of every page: it is well formed, escapes what it is told, needs nothing from anywhere, and has the numbers of its result.

use super::page::{Mood, Page, Repeat, Said};
use super::pages::Several;
use crate::load::tests::report;
use crate::rehearse::tests::{report as rehearsal, run};
use crate::run::tests::{failed_code, report as ran};
use crate::{LoadReport, RunStop};
use base64::Engine;
use brownout_load::{GuardSeries, PhaseResult, Recovery, SeriesResult};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub(super) const COMMAND: &str = "brownout load made.toml";

pub(super) fn repeat() -> Repeat {
    Repeat::Command(COMMAND.to_owned())
}

/// Elements that have no end in HTML.
const VOID: [&str; 3] = ["meta", "link", "br"];

/// The elements of a page, each ended where it may be. Returns the names, and the text between them as it is read.
#[track_caller]
pub(super) fn parsed(page: &str) -> (Vec<String>, String) {
    let (mut open, mut names, mut text): (Vec<String>, Vec<String>, String) = Default::default();
    let mut rest = page.trim_start_matches("<!DOCTYPE html>");
    while let Some(start) = rest.find('<') {
        text += &unescaped(&rest[..start]);
        let end = start + tag_length(&rest[start..]);
        let tag = &rest[start + 1..end - 1];
        rest = &rest[end..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "</{name}> where another element is open");
            continue;
        }
        let name = tag.split_whitespace().next().unwrap().to_owned();
        assert!(name.chars().all(char::is_alphanumeric), "<{tag}> is no element");
        names.push(name.clone());
        // What stands in these is no markup.
        if ["style", "script"].contains(&name.as_str()) {
            rest = &rest[rest.find(&format!("</{name}>")).expect("it ends")..];
        }
        if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} have no end");
    (names, text + &unescaped(rest))
}

/// To the `>` that ends a tag, quoted ones left out.
fn tag_length(tag: &str) -> usize {
    let mut quoted = false;
    let end = tag.find(|letter| {
        quoted ^= letter == '"';
        letter == '>' && !quoted
    });
    end.expect("a tag ends") + 1
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A run of `length` intervals with a trigger in it, as large as runs get.
fn long(length: u64) -> LoadReport {
    let mut report = report();
    let column = |add: u64| (0..length).map(|second| 1_000_000 + 7919 * second % 9973 + add).collect::<Vec<_>>();
    let latencies = (0..length).map(|second| {
        let pair = |bucket: u64| format!("{}:{}", 1_000_000 * (bucket + second % 3), 10 + bucket);
        (1..40).map(pair).collect::<Vec<_>>().join(" ")
    });
    report.result.per_interval = SeriesResult {
        interval_s: 8,
        calls: column(0),
        attempts: column(1_000_000),
        succeeded: column(500),
        failed: column(3),
        failures: [("503".to_owned(), column(0)), ("timeout".to_owned(), column(7))].into(),
        latency_hdr_ns: latencies.collect(),
    };
    report.result.phases = vec![PhaseResult {
        name: "outage".to_owned(),
        from_s: 80.0,
        until_s: Some(160.0),
        calls: 10,
        succeeded: 2,
        attempts: 30,
    }];
    report.result.recovery = Some(Recovery {
        trigger_from_s: 80.0,
        trigger_until_s: 160.0,
        succeeded: [1, 2, 3],
        seen_until_s: 8.0 * length as f64,
        goodput_before: Some(319.0),
        goodput_during: Some(3.4),
        goodput_after: Some(0.0),
        recovered_after_s: None,
        intervals_after: length - 20,
    });
    report
}

#[test]
fn a_page_is_well_formed_and_has_its_parts() {
    let (names, text) = parsed(&long(100).page(repeat()).html());
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    // Behind each picture a table, and each picture with a title and what it says.
    assert!(count("svg") >= 4, "{names:?}");
    assert_eq!((count("title"), count("desc")), (count("svg") + 1, count("svg")));
    assert!(count("details") >= 4 && count("h1") == 1);
    for part in ["Never recovered", "seed", "made.toml", "0.1.0", COMMAND, "the trigger ends", "outage", "p99"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn the_numbers_are_those_of_the_result() {
    let report = report();
    let (_, text) = parsed(&report.page(repeat()).html());
    let result = &report.result;
    let succeeded = format!("{} of {} calls succeeded", result.calls.succeeded, result.calls.started);
    // Nine calls of twelve at once, three in three attempts each: 18 attempts, 6 of them a 503, 3 timeouts.
    for part in [succeeded.as_str(), "9 of 12 calls", "75.0 %", "1.50", "timeout", "503"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    // Every row of the series is in the table behind the picture.
    let page = report.page(repeat());
    let rows = &page.figures[0].table.rows;
    assert_eq!(rows.len(), result.per_interval.calls.len());
    let column = |place: usize| rows.iter().map(|row| row[place].replace(',', "").parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(
        [column(1), column(2), column(3)],
        [result.calls.started, result.attempts.total, result.calls.succeeded]
    );
}

#[test]
fn hostile_names_are_text() {
    let hostile = "<script>alert(1)</script>\"'&<b>";
    let mut report = long(50);
    report.origin.scenario = hostile.to_owned();
    report.result.phases[0].name = hostile.to_owned();
    report.result.cut_short = Some(hostile.to_owned());
    let plain = parsed(&long(50).page(repeat()).html()).0;
    let pages = [
        report.page(Repeat::Command(hostile.to_owned())).html(),
        Several(&[(hostile.to_owned(), report.clone()), ("b".to_owned(), report)]).page(repeat()).html(),
    ];
    let mut rehearsed = rehearsal(vec![run(1)]);
    rehearsed.command = vec![hostile.to_owned()];
    rehearsed.runs[0].list[0].path = hostile.to_owned();
    rehearsed.runs[0].grouping.why = hostile.to_owned();
    let mut failed = ran(vec![failed_code(1, 7)], RunStop::Rule);
    failed.last_error = Some(hostile.to_owned());
    failed.attempts[0].rule = Some(hostile.to_owned());
    failed.attempts[0].stderr_tail = Some(hostile.to_owned());
    let pages = pages.into_iter().chain([rehearsed.page(repeat()).html(), failed.page(repeat()).html()]);
    for page in pages {
        let (names, text) = parsed(&page);
        assert!(text.contains(hostile), "{text}");
        assert_eq!(names.iter().filter(|name| *name == "script").count(), 1);
        assert!(names.iter().all(|name| plain.contains(name) || name == "h3" || name == "circle"), "{names:?}");
        assert!(!page.contains("<script>alert"));
    }
}

#[test]
fn a_page_needs_nothing_from_anywhere() {
    let page = long(50).page(repeat());
    let html = page.html();
    for word in ["http:", "https:", "url(", "src=", "@import", "<iframe", "<object", "fetch(", "//cdn"] {
        let found = html.find(word).map(|at| &html[at.saturating_sub(20)..at + 20]);
        // The script names the kind of what it draws, as SVG wants it.
        assert!(found.is_none() || found.unwrap().contains("createElementNS") || word == "http:", "{found:?}");
    }
    assert_eq!(html.matches("http:").count(), html.matches("http://www.w3.org/2000/svg").count());
    assert!(page.picture().unwrap().starts_with("<svg xmlns="));
    parsed(&page.picture().unwrap());
}

/// Without its hash in the policy, a browser would not run it.
#[test]
fn the_policy_allows_the_style_and_the_script_of_the_page() {
    let html = report().page(repeat()).html();
    for element in ["style", "script"] {
        let start = html.find(&format!("<{element}>")).unwrap() + element.len() + 2;
        let text = &html[start..start + html[start..].find(&format!("</{element}>")).unwrap()];
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        assert!(
            html.contains(&format!("{element}-src 'sha256-{hash}'")),
            "POLICY in page.rs: {element}-src 'sha256-{hash}'"
        );
    }
}

#[test]
fn too_little_data_is_said_and_not_drawn() {
    let mut nothing = report();
    nothing.result.total_requests = 0;
    let (names, text) = parsed(&nothing.page(repeat()).html());
    assert!(text.contains("No call was made") && !names.contains(&"svg".to_owned()), "{text}");
    let mut short = report();
    short.result.per_interval = SeriesResult {
        calls: vec![12],
        attempts: vec![18],
        succeeded: vec![9],
        failed: vec![3],
        failures: BTreeMap::new(),
        ..short.result.per_interval
    };
    let page = short.page(repeat());
    let why = page.figures[0].drawn.clone().unwrap_err();
    assert!(why.starts_with("Not enough data: the run has 1 interval"), "{why}");
    assert!(parsed(&page.html()).1.contains(&why));
}

/// A series never has more intervals than 512, however long the run was.
#[test]
fn a_page_of_a_long_run_is_small() {
    let bytes = long(512).page(repeat()).html().len();
    assert!(bytes < 1 << 20, "{bytes} bytes");
}

#[test]
fn results_side_by_side_have_a_column_each() {
    let pair = [("a.json".to_owned(), report()), ("b.json".to_owned(), long(60))];
    let several = Several(&pair);
    let lines: Vec<String> =
        several.text().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(
        lines.contains(&"a.json b.json".to_owned()) && lines.contains(&"recovered after – never".to_owned()),
        "{lines:?}"
    );
    let (_, text) = parsed(&several.page(repeat()).html());
    assert!(text.contains("b.json: never recovered"), "{text}");
}

/// What is doubted of a result stands before what it came to.
#[test]
fn doubts_come_first() {
    let mut cut = long(50);
    cut.result.cut_short = Some("Ctrl-C".to_owned());
    let words: Vec<_> = cut.said().into_iter().map(|said: Said| (said.word, said.mood)).collect();
    assert_eq!(words[0], ("Cut short".to_owned(), Mood::Untold));
    assert_eq!(words[1], ("Never recovered".to_owned(), Mood::Bad));
    assert_eq!(words.len(), 3);
}

/// Equal results make equal pages.
#[test]
fn a_page_is_a_function_of_its_result() {
    let page: fn() -> Page = || long(64).page(repeat());
    assert_eq!(page().html(), page().html());
    assert_ne!(page().html(), long(65).page(repeat()).html());
}

/// The row that begins at `from`, of the table behind the figure called `title`.
fn row<'t>(text: &'t str, title: &str, from: &str) -> &'t str {
    let (_, figure) = text.split_once(title).unwrap_or_else(|| panic!("no figure `{title}`"));
    let table = figure.split("The numbers of this picture").nth(1).unwrap();
    let (_, row) = table.split_once(from).unwrap_or_else(|| panic!("no row {from}"));
    &row[..20]
}

#[test]
fn what_is_known_of_each_interval_is_drawn_and_stands_in_its_table() {
    let mut report = long(100);
    let failed = |place: usize| if place == 1 { 80 } else { 0 };
    report.result.per_interval.failures = [("503".to_owned(), (0..100).map(failed).collect())].into();
    report.result.guards = Some(GuardSeries {
        interval_s: 8,
        budget_left: vec![10.0, 0.0, 2.5, 10.0, 10.0, 10.0, 10.0, 10.0],
        breakers_open: vec![0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    });
    let text = parsed(&report.page(repeat()).html()).1;
    // Eighty in eight seconds, beside what was wanted.
    assert!(row(&text, "What attempts met, over time", "8 s").contains("10"), "{text}");
    assert!(row(&text, "What callers have left", "8 s").contains("025 %"), "{text}");
    assert!(row(&text, "What callers have left", "16 s").contains("2.50 %"), "{text}");
    // What was not kept is not drawn.
    report.result.guards = None;
    report.result.per_interval.failures = BTreeMap::new();
    let text = parsed(&report.page(repeat()).html()).1;
    assert!(!text.contains("What callers have left") && !text.contains("What attempts met, over time"));
}

#[test]
fn rare_failures_share_a_line() {
    let mut report = long(100);
    let kinds = (500_u64..510).map(|status| (status.to_string(), vec![status; 100]));
    report.result.per_interval.failures = kinds.collect();
    let page = report.page(repeat()).html();
    let (_, figure) = page.split_once("What attempts met, over time").unwrap();
    let names: Vec<_> = ["509", "508", "507", "506", "others"].iter().filter(|name| figure.contains(**name)).collect();
    assert_eq!(names.len(), 5);
    assert!(!figure.split("</figure>").next().unwrap().contains(">505<"), "{figure}");
}
