//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{Level, Renderer};

use crate::node::Span;
use crate::source::Source;

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
    source: Source,
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
        Invalid { source: Source::new(name, text), problems: self.0 }
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
        self.source.place(&problem.span)
    }

    /// For people, in colour if `coloured`.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let report = |problem: &Problem| {
            let title = Level::ERROR.primary_title(problem.message.clone());
            let help = problem.hint.as_deref().map(|hint| Level::HELP.message(hint));
            renderer.render(&[title.element(self.source.snippet(&problem.span)).elements(help)])
        };
        let mut reports: Vec<_> = self.problems.iter().take(SHOWN_MAX).map(report).collect();
        if self.problems.len() > SHOWN_MAX {
            reports.push(format!(
                "error: and {} more mistakes in {}",
                self.problems.len() - SHOWN_MAX,
                self.source.name
            ));
        }
        reports.join("\n\n")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}
