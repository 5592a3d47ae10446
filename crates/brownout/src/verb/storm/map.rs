//! `storm --map`: many loads and many triggers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use brownout_lab::storm::StormMap;
use brownout_report::{PolicyMap, StormKept, StormMapReport, json};

use super::{Args, Arm, SEEDS_OF_MAP, arm_of, decides, experiment};
use crate::cores::Crew;
use crate::exit::{Exit, Stop};
use crate::output::{Output, print, talk};
use crate::repeat;
use crate::setting::Setting;
use crate::signal::{Ending, on_signal};

/// Loads of a map, as multiples of the scenario's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loads(Vec<f64>);

/// Multiples of the scenario's trigger, where nothing else is asked for.
const TRIGGERS: [f64; 5] = [0.2, 0.5, 1.0, 2.0, 4.0];
/// Loads in a range.
const IN_RANGE: usize = 9;
/// Rows and columns, at the most.
const MOST: usize = 100;

/// Reads multiples (`50%,0.8`), a range of nine (`40%..120%`), or one of so many (`40%..120%:5`).
pub(super) fn loads(text: &str) -> Result<Loads, String> {
    let refusal = || {
        format!(
            "loads are multiples of the scenario's from 1% to 10000%, as 50%,80%,1.1 or 40%..120% or 40%..120%:5 (2 to {MOST} of \
             them), found `{text}`"
        )
    };
    let multiple = |text: &str| {
        let text = text.trim();
        let (digits, unit) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
        let number: f64 = digits.trim().parse().map_err(|_| refusal())?;
        let multiple = number / unit;
        if (0.01..=100.0).contains(&multiple) { Ok(multiple) } else { Err(refusal()) }
    };
    let mut loads = match text.split_once("..") {
        None => text.split(',').map(multiple).collect::<Result<Vec<_>, _>>()?,
        Some((from, to)) => {
            let (to, steps) = to.split_once(':').unwrap_or((to, ""));
            let steps = if steps.is_empty() { IN_RANGE } else { steps.trim().parse().map_err(|_| refusal())? };
            let (from, to) = (multiple(from)?, multiple(to)?);
            if !(2..=MOST).contains(&steps) || to <= from {
                return Err(refusal());
            }
            // Whole per cents of a per cent, so that 40%..120% is 50% and not 50.000000001%.
            let step = |index: usize| from + (to - from) * index as f64 / (steps - 1) as f64;
            (0..steps).map(step).map(|load| (load * 1e4).round() / 1e4).collect()
        }
    };
    if loads.len() > MOST {
        return Err(refusal());
    }
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    Ok(Loads(loads))
}

pub(super) fn run(args: &Args, setting: &Setting, arms: &[Arm]) -> Result<Exit, Stop> {
    let maps = arms.iter().map(|arm| map(args, setting, arm)).collect::<Result<Vec<_>, _>>()?;
    let origin = setting.origin("virtual", &decides(args, arms));
    let kept = StormKept::new(&origin.version, setting.seed.0, &origin.scenario_digest);
    let kept = Mutex::new(match &args.resume {
        Some(file) => read(file, kept)?,
        None => kept,
    });
    let place = args.page.place(&[("--resume", args.resume.as_ref())])?;
    setting.announce();
    let cells: usize = maps.iter().map(StormMap::cells).sum();
    let runs: usize = maps.iter().map(StormMap::runs).sum();
    talk(&format!("{cells} cells, {runs} runs and their control arms{}", already(args, &kept)));
    let interrupted = |ending: Ending| {
        // Held until the end, so that no file is left half written.
        let kept = lock(&kept);
        talk(&match &args.resume {
            Some(file) => format!(
                "\nended; {} of {cells} cells are kept in {}, and the same command goes on from there",
                kept.finished(),
                file.display()
            ),
            None => "\nended; with --resume FILE finished cells are kept".to_owned(),
        });
        ending.exit.now()
    };
    let policies = on_signal(interrupted, || policies(args, arms, &maps, &kept))??;
    let seeds = args.seeds.map_or(SEEDS_OF_MAP, std::num::NonZeroU32::get).into();
    let report = StormMapReport { seeds, policies, origin };
    print(&if args.json { json(&report) } else { report.text() })?;
    place.put(|| report.page(repeat::command(setting.seed)))?;
    Ok(Exit::FINE)
}

/// Makes the cells that are not kept.
fn policies(args: &Args, arms: &[Arm], maps: &[StormMap<'_>], kept: &Mutex<StormKept>) -> Result<Vec<PolicyMap>, Stop> {
    let crew = Crew::new();
    let mut policies = Vec::new();
    for (map, arm) in maps.iter().zip(arms) {
        let mut cells = lock(kept).cells(&arm.name);
        let under = |finished: usize| format!("{}: {finished} of {} cells", arm.name, map.cells());
        crew.begin(under(cells.len()));
        map.run(&crew, &mut cells, |cells| {
            crew.begin(under(cells.len()));
            let mut kept = lock(kept);
            kept.set(&arm.name, cells);
            args.resume.as_ref().map_or(Ok(()), |file| Output::at(file)?.write(&kept.text()))
        })?;
        let rows = map.gather(&cells).map_err(Stop::usage)?;
        policies.push(PolicyMap { policy: arm.name.clone(), rows });
    }
    crew.end();
    Ok(policies)
}

fn map<'e>(args: &Args, setting: &'e Setting, arm: &'e Arm) -> Result<StormMap<'e>, Stop> {
    let experiment = experiment(args, setting, arm_of(arm), SEEDS_OF_MAP);
    let loads = args.loads.clone().map_or_else(|| loads("40%..120%").expect("it is a range").0, |loads| loads.0);
    let mut triggers = args.triggers.clone();
    if triggers.is_empty() {
        let (from, until) = experiment.trigger().map_err(Stop::usage)?;
        triggers = TRIGGERS.map(|times| (until - from).mul_f64(times)).to_vec();
    }
    triggers.sort();
    triggers.dedup();
    if triggers.len() > MOST {
        return Err(Stop::usage(format!("a map has at most {MOST} triggers, found {}", triggers.len())));
    }
    triggers.retain(|length| *length > Duration::ZERO);
    StormMap::new(experiment, loads, triggers).map_err(Stop::usage)
}

/// What an earlier run kept; `empty` where there was none.
fn read(file: &Path, empty: StormKept) -> Result<StormKept, Stop> {
    // Finds out now whether it can be written.
    Output::at(file)?;
    let text = match std::fs::read_to_string(file) {
        Ok(text) if text.is_empty() => return Ok(empty),
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(empty),
        Err(error) => return Err(Stop::usage(format!("failed to read {}: {error}", file.display()))),
    };
    let shown = file.display();
    let kept = StormKept::parse(&text)
        .map_err(|error| Stop::usage(format!("{shown} is no file of finished cells: {error}; name another")))?;
    let other = |what: &str, found: &str, wanted: &str| {
        Stop::usage(format!("{shown} is of another {what}: {found}, here {wanted}; name another file, or remove it"))
    };
    if kept.version != empty.version {
        return Err(other("version", &kept.version, &empty.version));
    }
    if kept.seed != empty.seed {
        return Err(other("seed", &kept.seed.to_string(), &empty.seed.to_string()));
    }
    if kept.digest != empty.digest {
        let what = "map (scenario, policies, seeds, loads, triggers or limits)";
        return Err(other(what, &kept.digest, &empty.digest));
    }
    Ok(kept)
}

fn already(args: &Args, kept: &Mutex<StormKept>) -> String {
    match (&args.resume, lock(kept).finished()) {
        (Some(file), finished) if finished > 0 => format!("; {finished} are in {} already", file.display()),
        _ => String::new(),
    }
}

fn lock(kept: &Mutex<StormKept>) -> std::sync::MutexGuard<'_, StormKept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::loads;

    #[test]
    fn multiples_and_ranges() {
        let read = |text: &str| loads(text).map(|loads| loads.0);
        assert_eq!(read("80%, 0.5,1.1").unwrap(), [0.5, 0.8, 1.1]);
        assert_eq!(read("40%..120%").unwrap(), [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]);
        assert_eq!(read("50%..1:3").unwrap(), [0.5, 0.75, 1.0]);
        for wrong in
            ["", "0", "-50%", "x", "50%..", "90%..50%", "50%..90%:1", "50%..90%:1000", "1e9", "nan", "50%,,60%"]
        {
            assert!(read(wrong).unwrap_err().contains("loads are multiples"), "{wrong}");
        }
    }
}
