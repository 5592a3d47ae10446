//! A page: what came out in words first, then where it comes from, then pictures.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figure::{Figure, Table};
use super::show::px;

/// A result as a page: one file that needs nothing beside it.
#[derive(Clone, Debug)]
pub struct Page {
    pub(super) title: String,
    /// What came out, the most important first.
    pub(super) said: Vec<Said>,
    /// The numbers that people ask for first: name and number.
    pub(super) numbers: Vec<(String, String)>,
    /// Where it comes from: name and value.
    pub(super) facts: Vec<(String, String)>,
    /// What makes it again.
    pub(super) repeat: Repeat,
    pub(super) figures: Vec<Figure>,
    /// The tables that have no picture.
    pub(super) tables: Vec<(String, Table)>,
    /// All of it as text.
    pub(super) text: String,
}

/// How a result is had again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// By this command.
    Command(String),
    /// Whoever kept the result did not keep the command. This draws the page again.
    Drawing(String),
}

/// Something that came out, in a word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) mood: Mood,
    pub(super) word: String,
    pub(super) sentence: String,
}

/// How it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Bad,
    Untold,
    Plain,
}

impl Said {
    pub(super) fn new(mood: Mood, word: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { mood, word: word.into(), sentence: sentence.into() }
    }
}

impl Mood {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Untold => "untold",
            Self::Plain => "plain",
        }
    }

    /// Told by more than a colour.
    const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Untold => "?",
            Self::Plain => "",
        }
    }
}

/// How pages look: text, numbers, tables, and what stands where; it takes the [`COLOURS`].
pub const STYLE: &str = include_str!("style.css");
/// The colours of pages, in light and dark, and what pictures draw with.
pub const COLOURS: &str = include_str!("colours.css");
const SCRIPT: &str = include_str!("script.js");

/// What may run and be loaded: the style and the script of the page, by what they hash to, and nothing from anywhere. A test holds the
/// hashes.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; \
                      style-src 'sha256-VmTHHoNttXloV4V4xbmQ+k+0mCyvdvx/j1N6o4HIJh4='; script-src 'sha256-U4fUj0O8t4Er+EPx0Y2SCbfrI1GjKOip/z/HkVCud68='";

impl Page {
    /// As HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content="brownout";
                    link rel="icon" href="data:,";
                    title { (self.title) " – brownout" }
                    style { (PreEscaped(COLOURS)) (PreEscaped(STYLE)) }
                }
                body {
                    header { (self.head()) }
                    main {
                        @for figure in &self.figures { (figure.markup()) }
                        @for (title, table) in &self.tables {
                            section.wide { h2 { (title) } (table.markup()) }
                        }
                        section.wide {
                            details { summary { "The whole result as text" } pre tabindex="0" { (self.text) } }
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string() + "\n"
    }

    /// The first picture, as an SVG file; `None` where there is none.
    #[must_use]
    pub fn picture(&self) -> Option<String> {
        let (marks, width, height) = self.figures.iter().find_map(Figure::alone)?;
        let picture = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (px(width)) " " (px(height)) } width=(px(width)) height=(px(height)) role="img" {
                style { (PreEscaped(COLOURS)) }
                (marks)
            }
        };
        Some(picture.into_string() + "\n")
    }

    fn head(&self) -> Markup {
        html! {
            p.title { (self.title) }
            @for (number, said) in self.said.iter().enumerate() {
                div.said.(said.mood.class()) {
                    @if number == 0 {
                        h1 { @if !said.mood.sign().is_empty() { span.sign aria-hidden="true" { (said.mood.sign()) } } (said.word) }
                    } @else {
                        h2 { @if !said.mood.sign().is_empty() { span.sign aria-hidden="true" { (said.mood.sign()) } } (said.word) }
                    }
                    p { (said.sentence) }
                }
            }
            @if !self.numbers.is_empty() {
                dl.numbers { @for (name, number) in &self.numbers { div { dt { (name) } dd { (number) } } } }
            }
            dl.facts { @for (name, value) in &self.facts { div { dt { (name) } dd { (value) } } } }
            @match &self.repeat {
                Repeat::Command(command) => { p.repeat { "Again: " code { (command) } } }
                Repeat::Drawing(command) => { p.repeat { "This page again: " code { (command) } } }
            }
        }
    }
}
