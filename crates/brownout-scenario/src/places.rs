//! Where things stand in a file that is well, and remarks on them.

use annotate_snippets::{Element, Level, Origin, Renderer};

use crate::node::{Node, Span, Value};
use crate::source::Source;

/// The places of a scenario's keys in its file.
#[derive(Clone, Debug)]
pub struct Places {
    source: Source,
    root: Node,
}

/// A remark on something that is no mistake: what is found, what follows from it, and what would mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark<'r> {
    /// The rule behind it, as a short stable name.
    pub rule: &'r str,
    /// What is found.
    pub title: &'r str,
    /// What follows from it.
    pub note: &'r str,
    /// What would mend it.
    pub help: &'r str,
}

impl Places {
    pub(crate) const fn new(source: Source, root: Node) -> Self {
        Self { source, root }
    }

    /// Whether the file has this key: `["policy", "max_retries"]`.
    #[must_use]
    pub fn has(&self, path: &[&str]) -> bool {
        self.find(path).1 == path.len()
    }

    /// The line and the column of a key's value, both from 1, or those of the nearest table around it that the file has.
    #[must_use]
    pub fn place(&self, path: &[&str]) -> (usize, usize) {
        self.source.place(self.find(path).0)
    }

    /// A remark on a key, or on the nearest table around it that the file has; in colour if `coloured`.
    #[must_use]
    pub fn show(&self, path: &[&str], remark: &Remark<'_>, coloured: bool) -> String {
        remark.rendered(self.source.snippet(self.find(path).0), coloured)
    }

    /// The place of the last step of `path` that there is, and how many steps there are.
    fn find(&self, path: &[&str]) -> (&Span, usize) {
        let (mut node, mut span) = (&self.root, &self.root.span);
        for (steps, key) in path.iter().enumerate() {
            let Value::Table(entries) = &node.value else { return (span, steps) };
            let Some(entry) = entries.iter().find(|entry| entry.key == *key) else { return (span, steps) };
            (node, span) = (&entry.node, &entry.node.span);
            // A table says little of itself where it begins; the line of its name says more.
            if let Value::Table(_) = node.value {
                span = &entry.key_span;
            }
        }
        (span, path.len())
    }
}

impl Remark<'_> {
    /// The remark on something that stands in no file, such as a preset; in colour if `coloured`.
    #[must_use]
    pub fn show_on(&self, origin: &str, coloured: bool) -> String {
        self.rendered(Origin::path(origin), coloured)
    }

    fn rendered<'s>(&self, place: impl Into<Element<'s>>, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let title = Level::WARNING.primary_title(self.title.to_owned()).id(self.rule.to_owned());
        let notes =
            [Level::NOTE.message(self.note.to_owned()), Level::HELP.with_name("mend").message(self.help.to_owned())];
        renderer.render(&[title.element(place).elements(notes)])
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, Remark};
    use crate::Scenario;

    const TEXT: &str = "seed = 1\npolicies.\"a b\" = { max_retries = 2 }\n\n[policy]\nbase_delay = \"1s\"\n";

    fn places() -> Places {
        Scenario::parse_with_places("it.toml", TEXT).unwrap().1
    }

    #[test]
    fn a_key_has_its_place_or_that_of_what_is_around_it() {
        let places = places();
        assert_eq!(places.place(&["policy", "base_delay"]), (5, 14));
        assert_eq!(places.place(&["policy", "jitter"]), (4, 2));
        assert_eq!(places.place(&["policies", "a b", "max_retries"]), (2, 34));
        assert_eq!(places.place(&["policies", "a b", "jitter", "more"]), (2, 10));
        assert_eq!(places.place(&["load", "count"]), (1, 1));
        assert!(places.has(&["policy"]) && places.has(&["seed"]) && !places.has(&["policy", "jitter"]));
    }

    #[test]
    fn json_has_places_too() {
        let places = Scenario::parse_with_places("it.json", "{\n  \"policy\": {\"base_delay\": 1}\n}").unwrap().1;
        assert_eq!(places.place(&["policy", "base_delay"]), (2, 28));
    }

    #[test]
    fn a_remark_shows_its_line() {
        let remark = Remark { rule: "a-rule", title: "1s is long", note: "so it is late", help: "wait less" };
        let expected = "\
warning[a-rule]: 1s is long
 --> it.toml:5:14
  |
5 | base_delay = \"1s\"
  |              ^^^^
  |
  = note: so it is late
  = mend: wait less";
        assert_eq!(places().show(&["policy", "base_delay"], &remark, false), expected);
        let expected = "\
warning[a-rule]: 1s is long
--> preset none
 = note: so it is late
 = mend: wait less";
        assert_eq!(remark.show_on("preset none", false), expected);
    }
}
