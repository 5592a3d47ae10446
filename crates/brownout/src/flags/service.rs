//! Which service, with which rates, and which luck.

use std::path::PathBuf;

use brownout_draw::Probability;
use brownout_service::{Outcome, Outcomes, RatesError};
use clap::Args;

use crate::exit::Stop;

/// Flags of the simulated service.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServiceFlags {
    /// Scenario file, TOML or JSON, or `preset:NAME` [default: the practice service: 80% 200, 10% 500, 5% 429, 5% 504; 10 to 500 ms]
    #[arg(value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,

    /// Number that repeats the run [default: the scenario's, else chosen and printed]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Share of 200s; failures without a flag of their own split the rest in their proportions
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, help_heading = RATES)]
    pub(crate) success_rate: Option<Probability>,

    /// Share of 500s
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, help_heading = RATES)]
    pub(crate) failure_rate: Option<Probability>,

    /// Share of 504s
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, help_heading = RATES)]
    pub(crate) timeout_rate: Option<Probability>,

    /// Share of 429s
    #[arg(long, value_name = "RATE", allow_hyphen_values = true, help_heading = RATES)]
    pub(crate) rate_limit_rate: Option<Probability>,
}

const RATES: &str = "Rates, from 0 to 1 or as \"5%\", in place of the service's; routes and phases keep their own";

/// The rate flags with what they set.
const FLAGS: [(&str, Outcome); 4] = [
    ("--success-rate", Outcome::Success),
    ("--failure-rate", Outcome::Error),
    ("--timeout-rate", Outcome::GatewayTimeout),
    ("--rate-limit-rate", Outcome::RateLimit),
];

impl ServiceFlags {
    /// The rate flags that were given: name, outcome, rate.
    fn given(&self) -> Vec<(&'static str, Outcome, Probability)> {
        let rates = [self.success_rate, self.failure_rate, self.timeout_rate, self.rate_limit_rate];
        FLAGS.into_iter().zip(rates).filter_map(|((flag, outcome), rate)| Some((flag, outcome, rate?))).collect()
    }

    /// Whether any rate flag was given.
    pub(crate) fn has_rates(&self) -> bool {
        !self.given().is_empty()
    }

    /// The rate flags as text, for messages.
    pub(crate) fn rates_text(&self) -> String {
        let words = self.given().into_iter().map(|(flag, _, rate)| format!("{flag} {rate}"));
        words.collect::<Vec<_>>().join(" ")
    }

    /// `outcomes` with the given rates in place.
    ///
    /// Refuses rates that do not go together, naming the flags, the sum found and the rates they met.
    pub(crate) fn over(&self, outcomes: &Outcomes) -> Result<Outcomes, Stop> {
        let given = self.given();
        let rates: Vec<_> = given.iter().map(|(_, outcome, rate)| (*outcome, *rate)).collect();
        outcomes.with_rates(&rates).map_err(|error| match error {
            RatesError::OverOne { .. } => Stop::usage(format!("{error}: {}", self.way_out(outcomes))),
            RatesError::UnderOne { .. } => Stop::usage(format!("{error}: given {}", self.rates_text())),
        })
    }

    /// What was given, what it met, and what to do about too much of it.
    fn way_out(&self, outcomes: &Outcomes) -> String {
        let given = self.given();
        let is_given = |outcome: Outcome| given.iter().any(|(_, named, _)| *named == outcome);
        let met: Vec<_> = FLAGS.into_iter().filter(|(_, o)| *o != Outcome::Success && !is_given(*o)).collect();
        if met.is_empty() || is_given(Outcome::Success) {
            return format!("given {}; lower one of them", self.rates_text());
        }
        let rates = met.iter().map(|(_, outcome)| format!("{outcome} {}", outcomes.rate(*outcome)));
        let zeros = met.iter().map(|(flag, _)| format!("{flag} 0"));
        let (rates, zeros) = (rates.collect::<Vec<_>>().join(", "), zeros.collect::<Vec<_>>().join(" "));
        format!("given {} beside the scenario's {rates}; lower one of them, or add {zeros}", self.rates_text())
    }
}
