//! Any text as a scenario.

use brownout_lab::lint::{About, Subject, lint};
use brownout_scenario::{Invalid, Places, Remark, Scenario};

use super::service;

/// A text is a scenario, which can be linted, scheduled and asked, or it is refused with reasons that have their places in it.
pub fn scenario(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in ["it.toml", "it.json"] {
        match Scenario::parse_with_places(name, &text) {
            Ok((scenario, places)) => {
                remarks(&scenario, &places);
                scheduled(scenario);
            }
            Err(invalid) => refused(&invalid, &text),
        }
    }
}

/// What is wrong with a text is shown at lines that it has.
pub(crate) fn refused(invalid: &Invalid, text: &str) {
    assert!(!invalid.problems().is_empty(), "refused without a reason");
    let lines = text.matches('\n').count() + 1;
    for problem in invalid.problems() {
        let (line, column) = invalid.place(problem);
        assert!((1..=lines).contains(&line) && column >= 1, "{line}:{column} of {lines} lines");
        assert!(!problem.message.is_empty());
    }
    for coloured in [false, true] {
        assert!(!invalid.render(coloured).is_empty());
    }
}

fn remarks(scenario: &Scenario, places: &Places) {
    let Scenario { service, load, graph, policy, policies, .. } = scenario;
    let own = policy.iter().map(|policy| (vec!["policy"], policy));
    let named = policies.iter().map(|(name, policy)| (vec!["policies", name.as_str()], policy));
    for (table, settings) in own.chain(named) {
        let subject = Subject { service: Some(service), load: Some(load), graph: Some(graph), settings };
        for finding in lint(&subject) {
            let (table, key) = match &finding.about {
                About::Scenario(key) => (&[][..], key),
                About::Policy(key) => (&table[..], key),
            };
            let path: Vec<&str> = table.iter().copied().chain(key.split('.')).collect();
            let (line, column) = places.place(&path);
            assert!(line >= 1 && column >= 1);
            let remark = Remark {
                rule: finding.rule.name(),
                title: &finding.what,
                note: &finding.consequence,
                help: &finding.remedy,
            };
            assert!(!places.show(&path, &remark, false).is_empty());
        }
    }
}

fn scheduled(scenario: Scenario) {
    let horizon = scenario.horizon();
    let scenario = scenario.scheduled(service::SEED);
    assert!(scenario.recurring.is_empty());
    let behind = scenario.graph.behind.iter().map(|node| &node.service);
    for each in std::iter::once(&scenario.service).chain(behind) {
        service::ask(each, horizon);
    }
}
