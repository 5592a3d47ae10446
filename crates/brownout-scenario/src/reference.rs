//! The grammar as a page for people.

use std::fmt::Write as _;

use crate::grammar::{self, Kind, Rule, Table};

/// Every key of a scenario in Markdown: a section a table, in the order in which they are met.
///
/// What values look like that have a unit stands in a section of its own at the beginning.
#[must_use]
pub fn reference() -> String {
    let mut tables: Vec<&Table> = vec![&grammar::SCENARIO];
    let mut at = 0;
    while at < tables.len() {
        for key in tables[at].keys {
            gather(key.kind, &mut tables);
        }
        at += 1;
    }
    let mut page = HEAD.to_owned();
    for table in tables {
        section(&mut page, table).expect("writing to a string cannot fail");
    }
    page
}

const HEAD: &str = "\
# Every key

Made by `brownout schema --markdown` from what the reader of scenarios goes by. [The scenario page](scenario.md) explains the keys with examples, in an order to be read in.

## Values

| what | looks like |
|---|---|
| duration | a number with a unit (ns, us, ms, s, m, h), as `\"250ms\"`, or a number of seconds, as `0.25` |
| probability | a number from 0 to 1, or a percentage, as `\"5%\"` |
| rate | a number a second, or with a unit, as `\"320/s\"`, `\"1.2/m\"` |
| size | a number of bytes, or with a unit, as `\"64KiB\"` |
| speed | a size a second, as `\"16KiB/s\"` |
| expectation | a relation and a bound, as `\"<= 300ms\"`, `\">= 99%\"` |
| name | 1 to 64 letters, digits, `_`, `.`, `-` and spaces |
";

fn section(page: &mut String, table: &Table) -> std::fmt::Result {
    writeln!(page, "\n## {}\n\n{}{}\n", table.name, table.doc, rule(table.rule))?;
    writeln!(page, "| key | takes | is |\n|---|---|---|")?;
    for key in table.keys {
        writeln!(page, "| `{}` | {} | {} |", key.name, cell(&takes(key.kind)), cell(key.doc))?;
    }
    Ok(())
}

/// A bar would end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn rule(rule: Rule) -> String {
    let names = |keys: &[&str]| keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    match rule {
        Rule::Any => String::new(),
        Rule::One => " Exactly one key.".to_owned(),
        Rule::Required(keys) => format!(" Must have: {}.", names(keys)),
    }
}

/// The tables within, those that are not there yet.
fn gather(kind: Kind, tables: &mut Vec<&'static Table>) {
    match kind {
        Kind::RequestOr(table)
        | Kind::Table(table)
        | Kind::DurationOr(table)
        | Kind::RateOrList(table)
        | Kind::ProbabilityOr(table)
        | Kind::WordOr(_, table)
        | Kind::NameOr(table)
        | Kind::Policy(table)
        | Kind::PolicyByName(table) => add(table, tables),
        Kind::Distribution | Kind::Cost => add(&grammar::DISTRIBUTION, tables),
        Kind::Values => add(&grammar::RANGE, tables),
        Kind::List(inner) | Kind::Named(inner) => gather(*inner, tables),
        _ => {}
    }
}

fn add(table: &'static Table, tables: &mut Vec<&'static Table>) {
    if !tables.iter().any(|known| known.name == table.name) {
        tables.push(table);
    }
}

/// What stands behind a key, in words.
fn takes(kind: Kind) -> String {
    let or = |first: &str, table: &Table| format!("{first}, or {}", link(table));
    let plain = match kind {
        Kind::Seed => "a whole number from 0",
        Kind::Count(least) | Kind::Count32(least) => return format!("a whole number from {least}"),
        Kind::Clients => return format!("a whole number from 1 to {}", grammar::CLIENTS_MAX),
        Kind::Duration => "duration",
        Kind::Probability => "probability",
        Kind::Weight => "a number from 0 to 1,000,000",
        Kind::Factor => "a number from 1",
        Kind::Sigma => "a number above 0, to 10",
        Kind::BoolOr(words) => return format!("`true`, `false`, {}", quoted(&words())),
        Kind::Name => "name",
        Kind::Pattern => "a method, if only one is meant, and a path, as `\"GET /orders/*\"`",
        Kind::Identity => "`\"header:NAME\"`",
        Kind::Request => "a method and a path, as `\"GET /orders\"`",
        Kind::RequestOr(table) => return or("a method and a path, as `\"GET /orders\"`", table),
        Kind::Method => "a method",
        Kind::Path => "a path",
        Kind::Retryable => "a status, statuses as `\"5xx\"` or `\"500-504\"`, or a kind of failure, as `\"transport\"`",
        Kind::Succeeding => "a status, or statuses as `\"2xx\"` or `\"200-299\"`",
        Kind::Words(words) => return quoted(&words()),
        Kind::List(inner) => return format!("a list, each {}", takes(*inner)),
        Kind::Table(table) => return link(table),
        Kind::Percentiles => "keys such as `p50`, each with a duration",
        Kind::Distribution => return or("duration", &grammar::DISTRIBUTION),
        Kind::DurationOr(table) => return or("duration", table),
        Kind::CountOrUnbounded => "a whole number from 0, or `\"unbounded\"`",
        Kind::Status => "a status from 400 to 599",
        Kind::Rate => "rate",
        Kind::RateOrZero => "rate, or 0",
        Kind::RateOrList(table) => return format!("rate, or a list, each {}", link(table)),
        Kind::Values => return format!("a list of texts or numbers, or {}", link(&grammar::RANGE)),
        Kind::Quickness | Kind::Number => "a number above 0",
        Kind::ProbabilityOr(table) => return or("probability", table),
        Kind::Code => "a status from 200 to 599",
        Kind::Headers => "a table of names and texts",
        Kind::Size => "size",
        Kind::WordOrSize(words) => return format!("{}, or size", quoted(&words())),
        Kind::Speed => "speed",
        Kind::Units => "a number above 0",
        Kind::Cost => return or("a number", &grammar::DISTRIBUTION),
        Kind::LimitKey => "`\"global\"`, `\"route\"`, `\"client\"`, `\"address\"`, `\"header:NAME\"`",
        Kind::Sticky => "`\"none\"`, `\"connection\"`, `\"client\"`, `\"address\"`, `\"header:NAME\"`",
        Kind::WordOrDuration(words) => return format!("{}, or duration", quoted(&words())),
        Kind::Text => "a text",
        Kind::Multiple => "a number from 0 to 1000",
        Kind::Bool => "`true`, `false`",
        Kind::WordOr(word, table) => return or(&quoted(&[word]), table),
        Kind::NameOr(table) => return or("name", table),
        Kind::Policy(table) => return format!("the name of a preset, {}, or a list of these", link(table)),
        Kind::PolicyByName(table) => {
            return format!("a name of `policies`, the name of a preset, {}, or a list of these", link(table));
        }
        Kind::Expectation => "expectation",
        Kind::Preset => "the name of a preset",
        Kind::Named(inner) => return format!("names of your choice, each {}", takes(*inner)),
    };
    plain.to_owned()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
}

fn link(table: &Table) -> String {
    format!("a table [{}](#{})", table.name, anchor(table.name))
}

/// What a heading is linked by: its letters and digits, dashes for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::{anchor, reference};
    use crate::schema;
    use serde_json::Value;

    /// Every name of a property anywhere in a schema.
    fn properties(schema: &Value, found: &mut Vec<String>) {
        if let Some(own) = schema.get("properties").and_then(Value::as_object) {
            found.extend(own.keys().cloned());
        }
        match schema {
            Value::Object(entries) => entries.values().for_each(|value| properties(value, found)),
            Value::Array(values) => values.iter().for_each(|value| properties(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_page_has_every_key_of_the_schema() {
        let (page, mut keys) = (reference(), Vec::new());
        properties(&schema(), &mut keys);
        keys.sort();
        keys.dedup();
        assert!(keys.len() > 150, "{}", keys.len());
        let missing: Vec<_> = keys.iter().filter(|key| !page.contains(&format!("\n| `{key}` | "))).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn every_link_leads_to_one_section() {
        let page = reference();
        let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
        for link in page.split("(#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert_eq!(sections.iter().filter(|section| *section == link).count(), 1, "{link}");
        }
    }

    #[test]
    fn every_row_has_three_cells() {
        for line in reference().lines().filter(|line| line.starts_with("| `")) {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 4, "{line}");
        }
    }
}
