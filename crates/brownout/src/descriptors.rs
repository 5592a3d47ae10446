//! Open files, of which every connection is one.

use brownout_load::Load;

use crate::output::talk;

/// What a program needs beside connections: its files, its standard streams, its timers.
const OTHERS: u64 = 32;

/// Asks the system for as many open files as it lets anybody have, and tells how many those are; `None` where it does not say. Where it
/// refuses, the bound stays.
pub(crate) fn more_files() -> Option<u64> {
    rlimit::increase_nofile_limit(u64::MAX)
        .or_else(|_| rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _)| soft))
        .ok()
}

/// Asks for as many as there are, and warns of clients of `load` that will find none left.
///
/// - `ends`: how many ends of each connection are this program's.
pub(crate) fn for_clients_of(load: &Load, ends: u64) {
    let Some(limit) = more_files() else { return };
    let closed = load.parts().into_iter().filter(|part| !part.load.is_open());
    let clients: u64 = closed.map(|part| u64::from(part.load.busy_clients())).sum();
    let room = limit.saturating_sub(OTHERS) / ends;
    if clients > room {
        talk(&format!(
            "warning: {clients} clients have a connection each, and this program may have {limit} files open, enough for {room} of them; \
             raise the limit (`ulimit -Hn`, or LimitNOFILE of a service), or ask for fewer"
        ));
    }
}
