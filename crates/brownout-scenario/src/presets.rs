//! Scenarios that ship with the program.

/// A scenario to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresetScenario {
    /// As in `preset:NAME`.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// The file, with its sources and what was assumed.
    pub text: &'static str,
}

/// Every one of them, by name.
pub const SCENARIOS: &[PresetScenario] = &[
    PresetScenario {
        name: "always-503",
        about: "every request is answered with 503, for rehearse",
        text: include_str!("../presets/always-503.toml"),
    },
    PresetScenario {
        name: "checkout",
        about: "five seconds of outage that three retries make last, and a budget does not",
        text: include_str!("../presets/checkout.toml"),
    },
    PresetScenario {
        name: "ci-registry-429",
        about: "downloads against a limit a minute: five fixed retries, eight doubling ones",
        text: include_str!("../presets/ci-registry-429.toml"),
    },
    PresetScenario {
        name: "client-count",
        about: "the budgets and breakers of ten clients, a hundred, a thousand",
        text: include_str!("../presets/client-count.toml"),
    },
    PresetScenario {
        name: "cold-cache-boot",
        about: "a cache that is too cold to be filled",
        text: include_str!("../presets/cold-cache-boot.toml"),
    },
    PresetScenario {
        name: "dynamodb-throttle",
        about: "a spike of writes, and what eleven attempts buy",
        text: include_str!("../presets/dynamodb-throttle.toml"),
    },
    PresetScenario {
        name: "flaky",
        about: "two requests in five fail, for rehearse",
        text: include_str!("../presets/flaky.toml"),
    },
    PresetScenario {
        name: "github-api-limits",
        about: "limits that refuse by 403 and do not always say for how long",
        text: include_str!("../presets/github-api-limits.toml"),
    },
    PresetScenario {
        name: "llm-api-overload",
        about: "sixteen callers of a language model, two layers of retries",
        text: include_str!("../presets/llm-api-overload.toml"),
    },
    PresetScenario {
        name: "llm-overload",
        about: "a language model that is overloaded for eight seconds, for rehearse",
        text: include_str!("../presets/llm-overload.toml"),
    },
    PresetScenario {
        name: "lost-reply",
        about: "payments whose answer is lost, for rehearse",
        text: include_str!("../presets/lost-reply.toml"),
    },
    PresetScenario {
        name: "metastable-retry",
        about: "ten seconds of outage that one retry makes last for ever",
        text: include_str!("../presets/metastable-retry.toml"),
    },
    PresetScenario {
        name: "rate-limited",
        about: "five seconds of 429 and Retry-After, for rehearse",
        text: include_str!("../presets/rate-limited.toml"),
    },
    PresetScenario {
        name: "restart-herd",
        about: "five thousand clients that start at once",
        text: include_str!("../presets/restart-herd.toml"),
    },
    PresetScenario {
        name: "stacked-retries",
        about: "retries around retries: 3 × 4 = 12 attempts of one call",
        text: include_str!("../presets/stacked-retries.toml"),
    },
];

/// The one called `name`.
#[must_use]
pub fn preset_scenario(name: &str) -> Option<&'static PresetScenario> {
    SCENARIOS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::SCENARIOS;
    use crate::Scenario;

    #[test]
    fn each_is_a_scenario_and_names_its_source_and_when_it_was_read() {
        for preset in SCENARIOS {
            let scenario = Scenario::parse(preset.name, preset.text).unwrap_or_else(|error| panic!("{error}"));
            assert!(scenario.seed.is_some(), "{}: a preset repeats", preset.name);
            for word in ["# Source:", "As of", "ssumed here:"] {
                assert!(preset.text.contains(word), "{}: no {word}", preset.name);
            }
        }
        assert!(SCENARIOS.is_sorted_by_key(|preset| preset.name));
    }
}
