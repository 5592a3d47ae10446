//! One load in virtual time and over sockets.

use std::fmt::Write as _;

use brownout_lab::agree::{Agreement, Differing, Row};
use serde::Serialize;

use crate::number::counted;
use crate::table::table;
use crate::{Origin, written};

/// What `agree` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgreeReport {
    /// How far both worlds tell the same.
    #[serde(flatten)]
    pub agreement: Agreement,
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl AgreeReport {
    /// For people: the verdict, and what it rests on.
    #[must_use]
    pub fn text(&self) -> String {
        written(|text| self.write(text))
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Agreement { timing, attempts, differing, first, rows, agree } = &self.agreement;
        let met = counted(*attempts, "attempt", "attempts");
        match differing {
            0 => writeln!(text, "{met}: each met the same in virtual time and over sockets")?,
            _ => writeln!(text, "{met}: {differing} met something else over sockets than in virtual time")?,
        }
        for Differing { call, attempt, virtual_time, sockets } in first {
            let told = |met: &Option<String>| met.clone().unwrap_or_else(|| "not made".to_owned());
            writeln!(text, "  call {call}, attempt {attempt}: {}, over sockets {}", told(virtual_time), told(sockets))?;
        }
        if *differing > first.len() as u64 {
            writeln!(text, "  and {} more", differing - first.len() as u64)?;
        }
        let mut cells = vec![["", "virtual time", "sockets", "may differ by", ""].map(str::to_owned).to_vec()];
        for Row { name, virtual_time, sockets, bound, holds } in rows {
            let number = |number: &f64| format!("{number:.3}");
            let holds = if *holds { "" } else { "too far apart" };
            cells.push(vec![
                (*name).to_owned(),
                number(virtual_time),
                number(sockets),
                number(bound),
                holds.to_owned(),
            ]);
        }
        text.write_str(&table(&cells))?;
        let verdict = if *agree { "Both worlds agree" } else { "The worlds do not agree" };
        match timing.as_slice() {
            [] => writeln!(
                text,
                "{verdict}: nothing here depends on when it happens, so every attempt must meet the same."
            ),
            timing => writeln!(
                text,
                "{verdict}: within bounds, since {} depend on when something happens.",
                timing.join(", ")
            ),
        }
    }
}
