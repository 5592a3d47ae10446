//! Every process that an attempt started.
//!
//! A command has a process group of its own, unless there is a terminal: there it stays in the group of this program, so
//! that the keyboard's signals reach both, and a shell stops and continues both as one job.
//!
//! A group is not enough: who calls `setsid` leaves it, and whose parent ends gets another one. On Linux this program
//! therefore takes in what its attempts leave behind, and finds all of it by who is whose parent.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// An attempt's processes.
#[derive(Debug)]
pub(crate) struct Tree {
    leader: Pid,
    /// Whether it leads a group of its own.
    grouped: bool,
    /// Children of this program that are not the attempt's, where orphans are taken in.
    others: Option<BTreeSet<i32>>,
}

/// What can be known before there is a process.
#[derive(Debug)]
pub(crate) struct Soil {
    grouped: bool,
    others: Option<BTreeSet<i32>>,
}

/// How often it is looked whether a process is gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// So long it is tried to kill. What waits for a broken disk cannot be killed at all.
const KILL_FOR: Duration = Duration::from_secs(5);

impl Soil {
    /// To be called right before a process is started.
    ///
    /// - `alone`: this program starts nothing but attempts, so what is left to it as a child is of an attempt.
    pub(crate) fn prepare(grouped: bool, alone: bool) -> Self {
        Self { grouped, others: if alone { linux::take_in_orphans() } else { None } }
    }

    /// The tree of the process that was started.
    ///
    /// # Panics
    /// When `leader` is no number of a process.
    pub(crate) fn grow(self, leader: u32) -> Tree {
        let leader = i32::try_from(leader).ok().and_then(Pid::from_raw).expect("a process has a number above 0");
        Tree { leader, grouped: self.grouped, others: self.others }
    }
}

impl Tree {
    /// Sends the signal of this number to every process. That one has just ended is no error.
    pub(crate) fn send(&self, signal: u8) {
        if let Some(signal) = Signal::from_named_raw(signal.into()) {
            self.send_named(signal);
        }
    }

    /// Continues what was stopped, so that it can act on a signal.
    pub(crate) fn resume(&self) {
        self.send_named(Signal::CONT);
    }

    /// Stops every process and this one, until this one is continued.
    pub(crate) fn pause(&self) {
        self.send_named(Signal::TSTP);
        pause_self();
        self.resume();
    }

    fn send_named(&self, signal: Signal) {
        if self.grouped {
            let _ = kill_process_group(self.leader, signal);
        }
        for process in self.members().into_iter().filter(|process| !self.grouped || process.group != self.leader) {
            let _ = kill_process(process.id, signal);
        }
    }

    /// Resolves once none is left.
    pub(crate) async fn gone(&self) {
        while self.is_alive() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Kills every process, and those that they start meanwhile.
    pub(crate) async fn kill(&self) {
        let tries = KILL_FOR.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..tries {
            self.send_named(Signal::KILL);
            tokio::time::sleep(LOOK_EVERY).await;
            if !self.is_alive() {
                return;
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn is_alive(&self) -> bool {
        !self.members().is_empty()
    }

    /// The leader is waited for elsewhere; of the others only their group tells.
    #[cfg(not(target_os = "linux"))]
    fn is_alive(&self) -> bool {
        self.grouped && rustix::process::test_kill_process_group(self.leader).is_ok()
    }

    #[cfg(target_os = "linux")]
    fn members(&self) -> Vec<Process> {
        let all = linux::processes();
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        let mut members = BTreeSet::from([self.leader.as_raw_pid()]);
        if let Some(others) = &self.others {
            let left = all.iter().filter(|process| process.parent == own && !others.contains(&process.id.as_raw_pid()));
            members.extend(left.map(|process| process.id.as_raw_pid()));
        }
        if self.grouped {
            let group = all.iter().filter(|process| process.group == self.leader);
            members.extend(group.map(|process| process.id.as_raw_pid()));
        }
        loop {
            let before = members.len();
            let children = all.iter().filter(|process| members.contains(&process.parent));
            let children: Vec<_> = children.map(|process| process.id.as_raw_pid()).collect();
            members.extend(children);
            if members.len() == before {
                break;
            }
        }
        all.into_iter().filter(|process| !process.ended && members.contains(&process.id.as_raw_pid())).collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn members(&self) -> Vec<Process> {
        vec![Process { id: self.leader, group: self.leader }].into_iter().filter(|_| !self.grouped).collect()
    }
}

/// A process as the system tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: Pid,
    group: Pid,
    #[cfg(target_os = "linux")]
    parent: i32,
    /// Only its exit code is left.
    #[cfg(target_os = "linux")]
    ended: bool,
}

/// Lets go of what ended after its attempt did, where orphans are taken in: without, each would stay in the system's table.
pub(crate) fn bury_orphans() {
    use rustix::process::{WaitOptions, wait};
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Stops this process until somebody continues it.
pub(crate) fn pause_self() {
    let _ = kill_process(rustix::process::getpid(), Signal::STOP);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::fs;

    use rustix::process::{Pid, getpid, set_child_subreaper};

    use super::Process;

    /// From now on a process whose parent ends becomes a child of this one. The children that there are; `None` where the
    /// system is too old.
    pub(super) fn take_in_orphans() -> Option<BTreeSet<i32>> {
        set_child_subreaper(Some(getpid())).ok()?;
        Some(children())
    }

    fn children() -> BTreeSet<i32> {
        let own = getpid().as_raw_pid();
        // One file where the kernel keeps it, or else all processes are gone through.
        let listed = fs::read_dir("/proc/self/task").ok().map(|threads| {
            let files = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("children")));
            files.collect::<Result<Vec<_>, _>>()
        });
        match listed {
            Some(Ok(lists)) => {
                lists.iter().flat_map(|list| list.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
            }
            _ => {
                let all = processes().into_iter().filter(|process| process.parent == own);
                all.map(|process| process.id.as_raw_pid()).collect()
            }
        }
    }

    /// Every process that can be seen.
    pub(super) fn processes() -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let names = entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit());
        names.filter_map(|entry| process(&fs::read(entry.path().join("stat")).ok()?)).collect()
    }

    /// From the line of `/proc/PID/stat`: the name in brackets may hold anything, brackets included.
    fn process(stat: &[u8]) -> Option<Process> {
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let name = stat.iter().position(|byte| *byte == b' ')?;
        let number = |text: &str| text.parse::<i32>().ok();
        let id = Pid::from_raw(number(std::str::from_utf8(&stat[..name]).ok()?)?)?;
        let mut fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?.split_whitespace();
        let state = fields.next()?;
        let parent = number(fields.next()?)?;
        let group = Pid::from_raw(number(fields.next()?)?)?;
        Some(Process { id, group, parent, ended: matches!(state, "Z" | "X") })
    }

    #[cfg(test)]
    mod tests {
        use super::process;

        #[test]
        fn a_name_may_hold_anything() {
            let read = |stat: &str| process(stat.as_bytes()).map(|it| (it.id.as_raw_pid(), it.parent, it.ended));
            assert_eq!(read("12 (sh) S 7 12 12 0 -1"), Some((12, 7, false)));
            assert_eq!(read("12 (a) Z 9 (b) Z 7 12 12 0"), Some((12, 7, true)));
            assert!(process(b"12 (\xff\xfe) R 7 12 12").is_some_and(|it| it.group.as_raw_pid() == 12));
            assert_eq!((read("12 (sh"), read(""), read("x (sh) S 7 12")), (None, None, None));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    pub(super) const fn take_in_orphans() -> Option<std::collections::BTreeSet<i32>> {
        None
    }
}
