use crate::html::page::Mood;
use crate::html::tests::{COMMAND, parsed, repeat};
use crate::rehearse::tests::{report as rehearsal, run, visit};
use brownout_lab::rehearse::{Answer, CommandEnd, Lens, Visit, rehearse};

/// Two attempts, both of which paid, the second as it was asked to; and two seeds of the same.
#[test]
fn a_page_of_a_rehearsal_says_what_came_out() {
    let page = rehearsal(vec![run(1)]).page(repeat());
    let (names, text) = parsed(&page.html());
    for part in [
        "What was expected was missed",
        "duplicates <= 0 came to 1",
        "1 call made 2 requests: amplification 2",
        "Backoff cannot be told",
        "Retry-After was honoured",
        "Done again: 1 duplicate",
        "1 · POST /pay",
        "done again",
        COMMAND,
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let count = |wanted: &str| names.iter().filter(|name| *name == wanted).count();
    assert_eq!((count("title"), count("desc")), (count("svg") + 1, count("svg")));
    parsed(&page.picture().unwrap());
    // One wait is no picture of waits, and requests one after another are none of what was at once.
    let drawn: Vec<_> = page.figures.iter().map(|figure| (figure.id, figure.drawn.is_ok())).collect();
    assert_eq!(drawn, [("calls", true), ("waits", false), ("answers", true)]);
    let (_, text) = parsed(&rehearsal(vec![run(4), run(9)]).page(repeat()).html());
    for part in ["4, 9", "seed 4 · POST /pay", "seed 9 · POST /pay", "Run by run", "in 2 of 2 runs"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let quiet = rehearse(vec![], 3, CommandEnd::default(), &Lens::default());
    let page = rehearsal(vec![quiet]).page(repeat());
    assert!(page.figures.is_empty() && page.said[0].mood == Mood::Untold, "{page:?}");
}

/// Of many calls those with the most attempts are drawn, in the order in which they began.
#[test]
fn the_most_telling_calls_are_drawn() {
    let visits = (0..40_u64).flat_map(|call| {
        let attempt = move |place: u64| Visit {
            path: format!("/{call}"),
            ..visit(1000 * call + 50 * place, Answer::Status(503))
        };
        (0..=call % 10).map(attempt)
    });
    let page = rehearsal(vec![rehearse(visits.collect(), 1, CommandEnd::default(), &Lens::default())]).page(repeat());
    let figure = &page.figures[0];
    let mut rows: Vec<&String> = figure.table.rows.iter().map(|row| &row[0]).collect();
    rows.dedup();
    let names = [8, 9, 10, 18, 19, 20, 28, 29, 30, 38, 39, 40].map(|call| format!("{call} · POST /{}", call - 1));
    assert_eq!(rows, names.iter().collect::<Vec<_>>());
    assert!(figure.caption.contains("12 of 40 calls are drawn") && figure.caption.contains("28 are left out"));
}
