//! A picture with its title, how to read it, and the table behind it.

use maud::{Markup, html};

use super::plot::Size;
use super::show::px;

/// What is drawn of one matter: one picture, or several on one scale.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// Of the page, and the beginning of the names of its parts.
    pub(super) id: &'static str,
    /// What it shows.
    pub(super) title: String,
    /// How to read it.
    pub(super) caption: String,
    /// The pictures, or why there are none.
    pub(super) drawn: Result<Vec<Panel>, String>,
    /// What is behind them.
    pub(super) table: Table,
}

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    /// What is written above it, where there are several.
    pub(super) name: String,
    /// What there is to see, for those who do not.
    pub(super) says: String,
    /// As wide as the page, where it deserves that.
    pub(super) wide: Option<Drawing>,
    /// As wide as a telephone.
    pub(super) narrow: Drawing,
    /// Columns of the table to show of the row that is pointed at; none where rows are no places.
    pub(super) pointed: Vec<usize>,
}

/// What is drawn, and on what.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    pub(super) size: Size,
    pub(super) marks: Markup,
}

/// Numbers behind a picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Where each row lies on the axis below, from 0 to 1; empty where rows are no places.
    pub(super) places: Vec<f64>,
}

impl Table {
    /// - `head`: of each column.
    pub(super) fn new<const N: usize>(head: [&str; N], rows: Vec<Vec<String>>) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows, places: Vec::new() }
    }

    /// The first cell of a row is what the row is about.
    pub(super) fn markup(&self) -> Markup {
        html! {
            div.scroll tabindex="0" {
                table {
                    thead { tr { @for cell in &self.head { th scope="col" { (cell) } } } }
                    tbody {
                        @for (place, row) in self.rows.iter().enumerate() {
                            tr data-x=[self.places.get(place).map(|place| format!("{place:.4}"))] {
                                @for (column, cell) in row.iter().enumerate() {
                                    @if column == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Drawing {
    /// - `id`: of the page, for title and description. `pointed`: the columns to show.
    fn markup(&self, id: &str, class: &str, panel: &Panel, title: &str) -> Markup {
        let Size { width, height, left, right, top, bottom } = self.size;
        let area = [left, width - right, top, height - bottom].map(px).join(" ");
        let pointed = panel.pointed.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        html! {
            svg.(class) viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img" aria-labelledby={ (id) "-t " (id) "-d" }
                data-area=[(!pointed.is_empty()).then_some(area)] data-columns=[(!pointed.is_empty()).then_some(pointed)] {
                title id={ (id) "-t" } { (title) }
                desc id={ (id) "-d" } { (panel.says) }
                (self.marks)
            }
        }
    }
}

impl Panel {
    fn markup(&self, id: &str, title: &str) -> Markup {
        let title = if self.name.is_empty() { title.to_owned() } else { format!("{title}: {}", self.name) };
        html! {
            div.panel.wide[self.wide.is_some()] {
                @if !self.name.is_empty() { h3 { (self.name) } }
                @if let Some(wide) = &self.wide {
                    (wide.markup(&format!("{id}-w"), "on-wide", self, &title))
                }
                (self.narrow.markup(id, if self.wide.is_some() { "on-narrow" } else { "on-all" }, self, &title))
            }
        }
    }
}

impl Figure {
    /// Whether it wants the width of the page.
    fn is_wide(&self) -> bool {
        matches!(&self.drawn, Ok(panels) if panels.len() > 1 || panels.iter().any(|panel| panel.wide.is_some()))
    }

    pub(super) fn markup(&self) -> Markup {
        html! {
            section.figure.wide[self.is_wide()] id=(self.id) {
                h2 { (self.title) }
                @match &self.drawn {
                    Err(why) => { p.nothing { (why) } }
                    Ok(panels) => {
                        p.caption { (self.caption) }
                        div.panels.several[panels.len() > 1] {
                            @for (number, panel) in panels.iter().enumerate() {
                                (panel.markup(&format!("{}-{number}", self.id), &self.title))
                            }
                        }
                    }
                }
                @if !self.table.rows.is_empty() {
                    details {
                        summary { "The numbers of this picture" }
                        (self.table.markup())
                    }
                }
            }
        }
    }

    /// The pictures alone, two beside each other, with their own size.
    pub(super) fn alone(&self) -> Option<(Markup, f64, f64)> {
        const HEAD: f64 = 26.0;
        let panels = self.drawn.as_ref().ok()?;
        let drawing =
            |panel: &Panel| if panels.len() == 1 { panel.wide.clone() } else { None }.unwrap_or(panel.narrow.clone());
        let first = drawing(panels.first()?).size;
        let tallest = panels.iter().map(|panel| drawing(panel).size.height).fold(0.0, f64::max);
        let across = panels.len().min(2);
        let (width, height) = (first.width, tallest + HEAD);
        let place = |number: usize| ((number % across) as f64 * width, (number / across) as f64 * height);
        let marks = html! {
            title { (self.title) }
            desc { @for panel in panels { (panel.name) ": " (panel.says) " " } }
            rect.paper width="100%" height="100%" {}
            @for (number, panel) in panels.iter().enumerate() {
                @let (x, y) = place(number);
                g transform={ "translate(" (px(x)) " " (px(y)) ")" } {
                    text.heading x="12" y="18" { (if panel.name.is_empty() { &self.title } else { &panel.name }) }
                    g transform={ "translate(0 " (px(HEAD)) ")" } { (drawing(panel).marks) }
                }
            }
        };
        Some((marks, across as f64 * width, panels.len().div_ceil(across) as f64 * height))
    }
}
