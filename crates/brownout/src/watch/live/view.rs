//! What there is to see, as a function of what was looked at.

use std::time::Duration;

use brownout_load::{LatencyHistogram, Snapshot};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, LineGauge, Paragraph, Sparkline};

use super::timeline::{column, horizon, rows};
use crate::watch::Watched;
use crate::watch::history::{History, Point};
use crate::watch::line::span;

/// Draws a load; `None` before it has begun.
pub(super) fn draw(frame: &mut Frame<'_>, history: Option<&History>, watched: &Watched) {
    let phases = rows(&watched.phases, Duration::from_secs(1), 0).len();
    let timeline = u16::try_from(if phases == 0 { 0 } else { phases + 2 }).unwrap_or(0);
    let heights = [
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(9),
        Constraint::Fill(1),
        Constraint::Length(timeline),
        Constraint::Length(1),
    ];
    let [title, gauge, counts, graphs, phases, keys] = Layout::vertical(heights).areas(frame.area());
    frame.render_widget(Line::from(vec!["brownout  ".bold(), Span::raw(&watched.about)]), title);
    frame.render_widget(Line::from("q, Esc or Ctrl-C ends the run, and it still reports").dim(), keys);
    let Some(history) = history else {
        frame.render_widget(Line::from("waiting for the first call"), gauge);
        return;
    };
    draw_time(frame, gauge, history, watched);
    let [calls, attempts] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).areas(counts);
    frame.render_widget(Paragraph::new(calls_text(history)).block(Block::bordered().title("Calls")), calls);
    frame.render_widget(
        Paragraph::new(attempts_text(&history.now)).block(Block::bordered().title("Attempts")),
        attempts,
    );
    draw_graphs(frame, graphs, history);
    if timeline > 0 {
        draw_phases(frame, phases, history.now.elapsed, watched);
    }
}

fn draw_time(frame: &mut Frame<'_>, area: Rect, History { now, .. }: &History, watched: &Watched) {
    let extent = &watched.extent;
    let mut told = format!("{:.1} s", now.elapsed.as_secs_f64());
    if let Some(ends) = extent.ends {
        told += &format!(" of {} s", ends.as_secs_f64());
    } else if let Some(calls) = extent.calls {
        told += &format!(", {} of {calls} calls", now.ended);
    }
    if let Some(left) = extent.left(now) {
        told += &format!(", {} left", span(watched.scale.real(left)));
    }
    match extent.done(now) {
        Some(done) => {
            let gauge = LineGauge::default().ratio(done).label(told).filled_symbol("━").unfilled_symbol("─");
            frame.render_widget(gauge.filled_style(Color::Cyan), area);
        }
        None => frame.render_widget(Line::from(told), area),
    }
}

fn calls_text(history: &History) -> Vec<Line<'static>> {
    let (now, last) = (&history.now, history.last());
    let failed = last.failed.map_or_else(|| "–".to_owned(), |failed| format!("{:.1}%", 100.0 * failed));
    let is_bad = last.failed.is_some_and(|failed| failed > 0.0);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    let (lag, attempts) = (now.pace.lag(), now.attempts);
    vec![
        Line::from(format!("begun {}, in flight {}", now.begun, now.in_flight())),
        Line::from(format!("succeeded {}, failed {}", now.succeeded, now.failed())),
        Line::from(vec![
            Span::raw(format!("now {:.0}/s, failed ", last.calls)),
            Span::styled(failed, if is_bad { Style::from(Color::Red) } else { Style::default() }),
        ]),
        Line::from(format!(
            "attempts for each: now {}, in all {}",
            ratio(last.amplification),
            ratio(share(attempts.total, now.ended))
        )),
        Line::from(format!(
            "retries {}, hedges {}, denied {}",
            attempts.retries, attempts.hedges, attempts.budget_denied
        )),
        Line::from(format!("latency {}", ends_of(&now.response()))),
        Line::from(format!("lag {}; own failures {}", ends_of(lag), now.pace.own_failures())),
    ]
}

/// By status and fault, the most frequent first.
fn attempts_text(now: &Snapshot) -> Vec<Line<'static>> {
    let statuses = now.by_status.iter().map(|(status, count)| (status.to_string(), *status < 400, *count));
    let faults = now.by_fault.iter().map(|(fault, count)| ((*fault).to_owned(), false, *count));
    let mut met: Vec<_> = statuses.chain(faults).collect();
    met.sort_by(|one, other| other.2.cmp(&one.2).then_with(|| one.0.cmp(&other.0)));
    let line = |(what, is_well, count): (String, bool, u64)| {
        let share = 100.0 * share(count, now.attempts.total).unwrap_or_default();
        let text = format!("{what:<10} {count:>8} {share:>5.1}%");
        if is_well { Line::from(text) } else { Line::from(text).fg(Color::Red) }
    };
    met.into_iter().map(line).collect()
}

fn draw_graphs(frame: &mut Frame<'_>, area: Rect, history: &History) {
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area);
    let half = || Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]);
    let ([calls, attempts], [median, tail]) = (half().areas(above), half().areas(below));
    let micros = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e6);
    let ms = |micros: f64| format!("{:.1} ms", micros / 1e3);
    graph(frame, calls, "Calls a second", history, |point| Some(point.calls), |rate| format!("{rate:.0}"));
    let amplification = |point: &Point| point.amplification.map(|ratio| 1e3 * ratio);
    graph(frame, attempts, "Attempts for each", history, amplification, |ratio| format!("{:.2}", ratio / 1e3));
    graph(frame, median, "p50", history, |point| micros(point.p50), ms);
    // Of fewer than a hundred calls a 99th percentile is the longest.
    graph(frame, tail, "p99 or longest", history, |point| micros(point.p99), ms);
}

/// One number along the time, the latest at the right.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the height of a bar")]
fn graph(
    frame: &mut Frame<'_>,
    area: Rect,
    name: &str,
    history: &History,
    value: impl Fn(&Point) -> Option<f64>,
    show: impl Fn(f64) -> String,
) {
    let width = usize::from(area.width.saturating_sub(2));
    let skipped = history.points.len().saturating_sub(width);
    let values: Vec<Option<f64>> = history.points.iter().skip(skipped).map(value).collect();
    let most = values.iter().flatten().copied().reduce(f64::max);
    let title = match (values.last().copied().flatten(), most) {
        (Some(now), Some(most)) => format!("{name}: {}, max {}", show(now), show(most)),
        _ => name.to_owned(),
    };
    let bars = values.into_iter().map(|value| value.map(|value| value.round() as u64));
    frame.render_widget(Sparkline::default().data(bars).block(Block::bordered().title(title)), area);
}

fn draw_phases(frame: &mut Frame<'_>, area: Rect, now: Duration, watched: &Watched) {
    let horizon = horizon(&watched.phases, watched.extent.ends, now);
    let block = Block::bordered().title(format!("Phases, up to {:.0} s", horizon.as_secs_f64()));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let names = rows(&watched.phases, horizon, 0).iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let name_width = names.min(usize::from(inner.width) / 3);
    let columns = usize::from(inner.width).saturating_sub(name_width + 1);
    let here = column(now, horizon, columns);
    let line = |row: super::timeline::Row| {
        let name: String = row.name.chars().take(name_width).collect();
        let mut spans = vec![Span::raw(format!("{name:<name_width$} "))];
        for (place, on) in row.on.iter().enumerate() {
            let style = if *on { Style::from(Color::Yellow) } else { Style::default() };
            let mark = match (place == here, *on) {
                (true, _) => "┃",
                (false, true) => "█",
                (false, false) => "─",
            };
            spans.push(Span::styled(mark, style));
        }
        Line::from(spans)
    };
    let lines: Vec<Line<'_>> = rows(&watched.phases, horizon, columns).into_iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// A median and a tail, where there are values enough.
fn ends_of(times: &LatencyHistogram) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let ms = |quantile| {
        let nanos = times.quantile(quantile);
        nanos.map_or_else(|| "–".to_owned(), |nanos| format!("{:.1} ms", nanos as f64 / 1e6))
    };
    format!("p50 {}, p99 {}", ms(0.5), ms(0.99))
}

#[expect(clippy::cast_precision_loss, reason = "counts for people")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::watch::Watched;
    use crate::watch::extent::Extent;
    use crate::watch::history::History;
    use crate::watch::history::tests::ten_seconds;
    use crate::watch::live::timeline::tests::phase;
    use brownout_clock::Scale;
    use brownout_drive::Probe;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::Duration;

    /// What stands on a terminal of this size, line by line.
    fn seen(history: Option<&History>, (width, height): (u16, u16)) -> Vec<String> {
        let watched = Watched {
            probe: Probe::default(),
            about: "http://127.0.0.1:7429, seed 7".to_owned(),
            extent: Extent { calls: None, ends: Some(Duration::from_secs(40)) },
            scale: Scale::ONE,
            phases: vec![phase("outage", 10, Some(20)), phase("night", 30, None)],
        };
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, history, &watched)).unwrap();
        let buffer = terminal.backend().buffer();
        let symbols: Vec<&str> = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
        symbols.chunks(width.into()).map(<[&str]>::concat).collect()
    }

    #[test]
    fn all_there_is_to_know_is_on_a_terminal_of_the_usual_size() {
        let lines = seen(Some(&ten_seconds()), (80, 30));
        let screen = lines.join("\n");
        for told in [
            "brownout  http://127.0.0.1:7429, seed 7",
            "10.0 s of 40 s, 30 s left",
            "begun 2007, in flight 7",
            "succeeded 1000, failed 1000",
            "now 200/s, failed 100.0%",
            "attempts for each: now 2.00, in all 1.50",
            "retries 1000, hedges 0, denied 0",
            // Twice as many attempts failed as calls.
            "503            2000  66.7%",
            "200            1000  33.3%",
            "Calls a second: 200, max 200",
            "Attempts for each: 2.00, max 2.00",
            "p50: 80.0 ms, max 80.0 ms",
            "p99 or longest: 80.0 ms, max 80.0 ms",
            "Phases, up to 40 s",
            "q, Esc or Ctrl-C ends the run",
        ] {
            assert!(screen.contains(told), "no `{told}` in\n{screen}");
        }
        // The first phase begins at a quarter of the line, where the run is now.
        let outage = lines.iter().find(|line| line.contains("outage")).unwrap();
        let bar: Vec<char> = outage.chars().filter(|mark| "─█┃".contains(*mark)).collect();
        let (now, width) = (bar.iter().position(|mark| *mark == '┃').unwrap(), bar.len());
        assert_eq!(now, width / 4);
        assert!(bar[..now].iter().all(|mark| *mark == '─') && bar[now + 1..width / 2].iter().all(|mark| *mark == '█'));
        // In the second half of what was seen calls took four times as long: in eighths of a row, four times the height.
        let median = lines.iter().position(|line| line.contains("p50: ")).unwrap();
        let rows = lines[median + 1..].iter().take_while(|line| line.starts_with('│'));
        let height = |column: usize| -> usize {
            let bars = rows
                .clone()
                .filter_map(|line| " ▁▂▃▄▅▆▇█".chars().position(|bar| line.chars().nth(column) == Some(bar)));
            bars.sum()
        };
        assert!(height(1) > 0 && height(6).abs_diff(4 * height(1)) <= 4, "{screen}");
        assert_eq!((height(5), height(10), height(11)), (height(1), height(6), 0), "{screen}");
    }

    #[test]
    fn before_the_first_call_it_says_so() {
        assert!(seen(None, (80, 24))[1].contains("waiting for the first call"));
    }

    #[test]
    fn no_terminal_is_too_small() {
        let history = ten_seconds();
        for size in [(1, 1), (2, 3), (20, 5), (79, 12), (300, 100)] {
            seen(Some(&history), size);
            seen(None, size);
        }
    }
}
