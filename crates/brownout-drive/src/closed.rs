//! Closed loads: each client makes its next call when the last one has ended.

use std::sync::Arc;

use brownout_load::{Attempt, LoadResult};
use tokio::task::JoinSet;

use crate::Client;
use crate::call::UnderWay;
use crate::run::{Run, value};
use crate::wait::{pause, unless_ended};

/// Makes the closed load of `run`, each client with connections of its own.
pub(crate) async fn make<O>(run: &Arc<Run>, end: impl Future<Output = ()>, observe: O) -> LoadResult
where
    O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
{
    let mut clients = JoinSet::new();
    for number in 0..run.load.busy_clients() {
        clients.spawn(client(Arc::clone(run), number, observe.clone()));
    }
    let mut end = std::pin::pin!(end);
    let mut told = false;
    loop {
        tokio::select! {
            () = &mut end, if !told => {
                told = true;
                run.end();
            }
            client = clients.join_next() => match client {
                None => break,
                Some(client) => value(client),
            },
        }
    }
    // A load with a duration offers what fits into it, however much that is.
    run.result(run.load.asked().unwrap_or(0))
}

/// One closed client: call after call, until there are none left or the run is ended.
async fn client<O: Fn(u64, &Attempt)>(run: Arc<Run>, client: u32, observe: O) {
    let Run { drive, load, began, .. } = &*run;
    let connections = Client::numbered(Arc::clone(&drive.target), client);
    let mut ended = run.ended();
    while !*ended.borrow() && load.goes_on_at(began.elapsed()) {
        let number = run.next_number();
        if number > load.count_max() {
            return;
        }
        let count = |attempt: &Attempt| {
            run.attempt_over(attempt);
            observe(number, attempt);
        };
        let call = UnderWay::new(&run, &connections, client, number, began.elapsed(), count);
        run.call_over(&call.make().await.0);
        let think = load.pause(drive.seed, number);
        if !load.goes_on_at(began.elapsed().saturating_add(think)) {
            return;
        }
        unless_ended(&mut ended, pause(think)).await;
    }
}
