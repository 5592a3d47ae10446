//! A retry budget that runners of one machine share: its memory in a file.
//!
//! Whether a retry is granted the policy core decides; here its memory is fetched before it is asked, and put back after,
//! under a lock of the file. The system lets go of the lock of a runner that is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use brownout_draw::fingerprint;
use brownout_policy::{Budget, Callers};
use thiserror::Error;

/// A budget in a file. Its time is the wall clock.
#[derive(Debug)]
pub struct SharedBudget {
    file: File,
    name: String,
    rule: u64,
}

/// Why a file cannot hold a budget. Nothing was changed in it.
#[derive(Debug, Error)]
pub enum SharedBudgetError {
    /// It cannot be opened, read or written.
    #[error("failed to keep the retry budget in {name}: {error}")]
    Failed {
        /// The file.
        name: String,
        /// What the system says.
        error: io::Error,
    },
    /// It holds something else.
    #[error("{0} is not empty and holds no retry budget; name another file, or delete this one")]
    Foreign(String),
    /// It holds a budget of another rule.
    #[error(
        "{0} holds a retry budget of another rule; runners that share one need the same, so name another file or delete this one"
    )]
    OtherRule(String),
    /// The rule counts what is in flight.
    #[error(
        "a budget that is a share of what is in flight ends with its program and cannot be shared by {0}; take one of another kind"
    )]
    InFlight(String),
}

/// The beginning of a file.
const MAGIC: &str = "brownout-budget-1";
/// A file is a line shorter than this.
const BYTES_MAX: u64 = 4096;
/// So long others are waited for, who hold it for far less than a millisecond.
const LOCKED_WITHIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// A clock that goes back further than this was set: what was counted in what is now the future would be remembered for ever.
const CLOCK_BACK_MAX: Duration = Duration::from_secs(60);

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
enum Kept {
    Nothing,
    /// When it was written, since 1970, and the memory.
    Memory(Duration, Vec<i64>),
    /// It begins as ours do, and does not go on so.
    Torn,
}

impl SharedBudget {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be used; nothing was changed then.
    pub fn open(path: &Path, rule: &Budget) -> Result<Self, SharedBudgetError> {
        let name = path.display().to_string();
        if rule.memory(1).numbers(0).is_none() {
            return Err(SharedBudgetError::InFlight(name));
        }
        let failed = |error| SharedBudgetError::Failed { name: name.clone(), error };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = opened.map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let mut shared = Self { file, name: name.clone(), rule: fingerprint(format!("{rule:?}").as_bytes()) };
        shared.lock().map_err(failed)?;
        let kept = shared.read();
        let _ = shared.file.unlock();
        kept.map_err(failed)?.map_err(|refusal| refusal(name.clone()))?;
        Ok(shared)
    }

    /// Asks `callers` something at this time since 1970, with the budget's memory from the file, and puts it back. Where that
    /// cannot be done, asks them with what they remember, and says what went wrong.
    pub(crate) fn with<T>(
        &mut self,
        callers: &mut Callers,
        now: Duration,
        ask: impl FnOnce(&mut Callers) -> T,
    ) -> (T, Option<String>) {
        let fetched = self.fetch(callers, now);
        let answer = ask(callers);
        let remark = match fetched {
            Ok(remark) => {
                let written = callers.budget_numbers().map_or(Ok(()), |numbers| self.write(now, &numbers));
                let _ = self.file.unlock();
                written.map_or_else(|error| Some(self.failed(&error)), |()| remark)
            }
            Err(remark) => Some(remark),
        };
        (answer, remark)
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("failed to keep the retry budget in {}: {error}; this runner goes on with what it knows", self.name)
    }

    /// Under the lock, which is kept where this goes well.
    fn fetch(&mut self, callers: &mut Callers, now: Duration) -> Result<Option<String>, String> {
        self.lock().map_err(|error| self.failed(&error))?;
        let kept = match self.read() {
            Ok(Ok(kept)) => kept,
            Ok(Err(refusal)) => {
                let _ = self.file.unlock();
                return Err(refusal(self.name.clone()).to_string());
            }
            Err(error) => {
                let _ = self.file.unlock();
                return Err(self.failed(&error));
            }
        };
        let anew = |why: &str| Some(format!("the retry budget in {} {why}; it begins anew", self.name));
        let (numbers, remark) = match &kept {
            Kept::Nothing => (None, None),
            Kept::Memory(written, _) if now + CLOCK_BACK_MAX < *written => (None, anew("is from the future")),
            Kept::Memory(_, numbers) => (Some(numbers.as_slice()), None),
            Kept::Torn => (None, anew("is damaged")),
        };
        if !callers.restore_budget(numbers) {
            callers.restore_budget(None);
            return Ok(anew("is damaged"));
        }
        Ok(remark)
    }

    fn lock(&self) -> io::Result<()> {
        let tries = LOCKED_WITHIN.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..tries {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_EVERY),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "somebody else has locked it for over a second"))
    }

    #[expect(clippy::type_complexity, reason = "a refusal that lacks the name of the file")]
    fn read(&mut self) -> io::Result<Result<Kept, fn(String) -> SharedBudgetError>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(parse(&bytes, self.rule))
    }

    /// In one piece, over what was there.
    fn write(&mut self, now: Duration, numbers: &[i64]) -> io::Result<()> {
        let line = line(self.rule, now, numbers);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line.as_bytes())?;
        self.file.set_len(line.len() as u64)
    }
}

fn line(rule: u64, now: Duration, numbers: &[i64]) -> String {
    let numbers: String = numbers.iter().map(|number| format!(" {number}")).collect();
    let told = format!("{MAGIC} {rule:016x} {}{numbers}", now.as_millis());
    format!("{told} {:016x}\n", fingerprint(told.as_bytes()))
}

fn parse(bytes: &[u8], own_rule: u64) -> Result<Kept, fn(String) -> SharedBudgetError> {
    if bytes.is_empty() {
        return Ok(Kept::Nothing);
    }
    if !bytes.starts_with(MAGIC.as_bytes()) {
        return Err(SharedBudgetError::Foreign);
    }
    // A line that is shorter than the one before may have some of it behind.
    let line = bytes.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let read = || {
        let (told, sum) = line?.rsplit_once(' ')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        (hex(sum)? == fingerprint(told.as_bytes())).then_some(())?;
        let mut words = told.split(' ').skip(1);
        let (rule, written) = (hex(words.next()?)?, words.next()?.parse().ok()?);
        let numbers = words.map(|word| word.parse().ok()).collect::<Option<Vec<i64>>>()?;
        Some((rule, Duration::from_millis(written), numbers))
    };
    match read() {
        None => Ok(Kept::Torn),
        Some((rule, ..)) if rule != own_rule => Err(SharedBudgetError::OtherRule),
        Some((_, written, numbers)) => Ok(Kept::Memory(written, numbers)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, SharedBudget, SharedBudgetError, line, parse};
    use brownout_policy::{Budget, Callers, DepositOn, Failure, Guarded, Policy, Settings, TokenBudget, Verdict};
    use proptest::prelude::*;
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    /// So many retries, and none is ever earned.
    fn tokens(retries: f64) -> Budget {
        Budget::Tokens(TokenBudget::new(retries, 0.0, DepositOn::Call).unwrap())
    }

    fn policy(rule: Budget) -> Policy {
        let settings = Settings { max_retries: Some(100), budget: Some(Guarded::each(rule)), ..Settings::default() };
        Policy::new(settings).unwrap()
    }

    /// How many retries a runner gets that asks until it is refused.
    fn granted(shared: &mut SharedBudget, policy: &Policy, now: Duration) -> (u32, Vec<String>) {
        let mut callers = Callers::one(policy);
        let mut remarks = Vec::new();
        let (mut call, remark) = shared.with(&mut callers, now, |callers| callers.call(0, now));
        remarks.extend(remark);
        for granted in 0.. {
            callers.begin(&mut call, now, 0).unwrap();
            let failed = |callers: &mut Callers| callers.failed(&mut call, now, &Failure::OTHER, 0, granted > 0);
            let (verdict, remark) = shared.with(&mut callers, now, failed);
            remarks.extend(remark);
            if !matches!(verdict, Verdict::Retry { .. }) {
                return (granted, remarks);
            }
        }
        unreachable!("a budget ends")
    }

    #[test]
    fn two_runners_spend_one_budget() {
        let folder = tempfile::tempdir().unwrap();
        let (path, rule) = (folder.path().join("budget"), tokens(7.0));
        let policy = policy(rule);
        let mut first = SharedBudget::open(&path, &rule).unwrap();
        assert_eq!(granted(&mut first, &policy, NOW), (7, vec![]));
        let mut second = SharedBudget::open(&path, &rule).unwrap();
        assert_eq!(granted(&mut second, &policy, NOW), (0, vec![]));
        assert_eq!(granted(&mut first, &policy, NOW), (0, vec![]));
    }

    #[test]
    fn what_is_damaged_or_from_the_future_begins_anew_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (path, rule) = (folder.path().join("budget"), tokens(7.0));
        let policy = policy(rule);
        let mut shared = SharedBudget::open(&path, &rule).unwrap();
        granted(&mut shared, &policy, NOW);
        let whole = std::fs::read(&path).unwrap();
        let (again, remarks) = granted(&mut shared, &policy, NOW - Duration::from_secs(3600));
        assert!(again == 7 && remarks.len() == 1 && remarks[0].contains("from the future"), "{remarks:?}");
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (again, remarks) = granted(&mut shared, &policy, NOW);
        assert!(again == 7 && remarks.len() == 1 && remarks[0].contains("is damaged"), "{remarks:?}");
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("budget");
        let open = |rule| SharedBudget::open(&path, &rule);
        std::fs::write(&path, "my notes\n").unwrap();
        assert!(matches!(open(tokens(7.0)), Err(SharedBudgetError::Foreign(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes\n");
        std::fs::remove_file(&path).unwrap();
        granted(&mut open(tokens(7.0)).unwrap(), &policy(tokens(7.0)), NOW);
        assert!(matches!(open(tokens(8.0)), Err(SharedBudgetError::OtherRule(_))));
        assert!(open(tokens(7.0)).is_ok());
        assert!(matches!(SharedBudget::open(folder.path(), &tokens(7.0)), Err(SharedBudgetError::Failed { .. })));
    }

    #[test]
    fn a_lock_that_somebody_keeps_does_not_hold_the_run_up() {
        let folder = tempfile::tempdir().unwrap();
        let (path, rule) = (folder.path().join("budget"), tokens(1.0));
        let policy = policy(rule);
        let mut shared = SharedBudget::open(&path, &rule).unwrap();
        let other = std::fs::File::open(&path).unwrap();
        other.lock().unwrap();
        let (alone, remarks) = granted(&mut shared, &policy, NOW);
        assert!(alone == 1 && remarks.iter().all(|remark| remark.contains("locked")), "{remarks:?}");
    }

    proptest! {
        #[test]
        fn a_line_reads_back_and_a_part_of_it_does_not(numbers in prop::collection::vec(any::<i64>(), 0..33), cut in any::<prop::sample::Index>()) {
            let whole = line(7, NOW, &numbers);
            prop_assert_eq!(parse(whole.as_bytes(), 7).unwrap(), Kept::Memory(NOW, numbers));
            let cut = cut.index(whole.len() - 2);
            prop_assert!(!matches!(parse(&whole.as_bytes()[..cut], 7), Ok(Kept::Memory(..))));
        }
    }
}
