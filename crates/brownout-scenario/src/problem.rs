//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::node::Span;

/// One mistake. The message names the rule and the value found; the hint, where there is one, the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do, unless the message says so already.
    pub hint: Option<String>,
}

/// A file that is no scenario: every mistake in it, in the order of the text.
///
/// Its text form shows each, up to the twentieth, with file, line, column and the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    name: String,
    text: String,
    problems: Vec<Problem>,
}

/// How many mistakes are shown; who has more wants to mend these first.
const SHOWN_MAX: usize = 20;

/// Mistakes as they are found.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, span: &Span, message: impl fmt::Display) {
        self.0.push(Problem { span: span.clone(), message: message.to_string(), hint: None });
    }

    pub(crate) fn add_with_hint(&mut self, span: &Span, message: impl fmt::Display, hint: impl fmt::Display) {
        self.0.push(Problem { span: span.clone(), message: message.to_string(), hint: Some(hint.to_string()) });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many so far: a reader that finds it unchanged knows that what it read is sound.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value with what was found wrong beside it.
    pub(crate) fn accept<T, E: fmt::Display>(&mut self, span: &Span, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(span, error)).ok()
    }

    pub(crate) fn into_invalid(mut self, name: &str, text: &str) -> Invalid {
        self.0.sort_by_key(|problem| problem.span.start);
        Invalid { name: name.to_owned(), text: text.to_owned(), problems: self.0 }
    }
}

impl Invalid {
    /// Every mistake, in the order of the text.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The line and the column of a problem, both from 1; a column counts characters.
    #[must_use]
    pub fn place(&self, problem: &Problem) -> (usize, usize) {
        let before = &self.text[..self.clip(&problem.span).start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// For people, in colour if `coloured`.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let report = |problem: &Problem| {
            let annotation = AnnotationKind::Primary.span(self.clip(&problem.span));
            let snippet = Snippet::source(&*self.text).path(&*self.name).annotation(annotation);
            let mut group = Level::ERROR.primary_title(problem.message.clone()).element(snippet);
            if let Some(hint) = &problem.hint {
                group = group.element(Level::HELP.message(hint.clone()));
            }
            renderer.render(&[group])
        };
        let mut reports: Vec<_> = self.problems.iter().take(SHOWN_MAX).map(report).collect();
        if self.problems.len() > SHOWN_MAX {
            reports.push(format!("error: and {} more mistakes in {}", self.problems.len() - SHOWN_MAX, self.name));
        }
        reports.join("\n\n")
    }

    /// Within the text, on the borders of characters, and on one line: the rest of a long table helps nobody.
    fn clip(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        start..self.text.floor_char_boundary(span.end.clamp(start, line_end))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}
