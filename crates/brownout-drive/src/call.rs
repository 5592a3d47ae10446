//! One call: its attempts, the waits between them, and the copies beside them.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use brownout_draw::{Stream, draw, nanos};
use brownout_load::{Attempt, CallEnd, Exchange, Reply};
use brownout_policy::{Call, StopReason, Transport, Verdict};
use brownout_service::Identity;
use tokio::sync::watch;

use crate::Client;
use crate::run::Crowd;
use crate::wait::{end_of, unless_ended, until};

/// A call under way.
pub(crate) struct UnderWay<'c, O> {
    crowd: &'c Crowd,
    client: &'c Client,
    ended: watch::Receiver<bool>,
    number: u64,
    /// Times are those of the run's clock.
    due: Duration,
    /// When it is over, come what may.
    until: Option<Duration>,
    call: Call,
    /// In the order they were sent.
    flights: Vec<Flight<'c>>,
    /// When a copy is to be sent, if one is.
    hedge: Option<Duration>,
    last: Option<Exchange>,
    observe: O,
}

/// An attempt in flight.
struct Flight<'c> {
    number: NonZeroU32,
    hedge: bool,
    begun: Duration,
    exchange: Pin<Box<dyn Future<Output = Exchange> + Send + 'c>>,
}

/// What a call waits for.
enum Event {
    Back(usize, Exchange),
    HedgeDue,
    Ended,
}

impl<'c, O: FnMut(&Attempt)> UnderWay<'c, O> {
    /// Call `number` of client number `caller` of its crowd, which was due `due` after the run began and begins now.
    ///
    /// `observe` sees every attempt once it is over.
    pub(crate) fn new(
        crowd: &'c Crowd,
        client: &'c Client,
        caller: u32,
        number: u64,
        due: Duration,
        observe: O,
    ) -> Self {
        let call = crowd.ask(|callers, now| callers.call(caller, now));
        let (ended, flights) = (crowd.ended(), Vec::new());
        Self { crowd, client, ended, number, due, until: None, call, flights, hedge: None, last: None, observe }
    }

    /// The same call, which is over at `until` if not before.
    pub(crate) const fn ending(mut self, until: Option<Duration>) -> Self {
        self.until = until;
        self
    }

    /// Makes it to its end, and what brought it there: `None` where the policy let no attempt through, or the run was
    /// ended in the middle of one.
    pub(crate) async fn make(mut self) -> (CallEnd, Option<Exchange>) {
        self.crowd.begun(self.now().saturating_sub(self.due));
        let failed = self.attempts().await.err();
        let elapsed = self.now().saturating_sub(self.due);
        (
            CallEnd { started_ns: nanos(self.due), elapsed_ns: nanos(elapsed), attempts: self.call.attempts(), failed },
            self.last,
        )
    }

    /// Attempt after attempt, until one succeeds or none may follow.
    async fn attempts(&mut self) -> Result<(), StopReason> {
        loop {
            if self.until.is_some_and(|until| until <= self.now()) {
                self.crowd.ask(|callers, now| callers.abandoned(&self.call, now));
                return Err(StopReason::DeadlineExceeded);
            }
            let draw = self.throttle_draw();
            let go = self.crowd.ask(|callers, now| callers.begin(&mut self.call, now, draw))?;
            self.wait(go.after).await?;
            self.send(false);
            match self.settle().await? {
                None => return Ok(()),
                Some(after) => self.wait(after).await?,
            }
        }
    }

    fn now(&self) -> Duration {
        self.crowd.run.clock.now()
    }

    async fn wait(&mut self, time: Duration) -> Result<(), StopReason> {
        unless_ended(&mut self.ended, self.crowd.run.clock.sleep(time)).await.ok_or(StopReason::Interrupted)
    }

    /// Waits for what is in flight to come to something: how long to wait before the next attempt, `None` on success.
    async fn settle(&mut self) -> Result<Option<Duration>, StopReason> {
        loop {
            match self.event().await {
                Event::HedgeDue => self.send_copy(),
                Event::Ended => {
                    self.last = None;
                    self.give_up(Transport::Interrupted);
                    return Err(StopReason::Interrupted);
                }
                Event::Back(index, exchange) => match self.back(index, exchange) {
                    None => {
                        self.give_up(Transport::Cancelled);
                        return Ok(None);
                    }
                    Some(Verdict::Await) => {}
                    Some(Verdict::Stop(reason)) => return Err(reason),
                    Some(Verdict::Retry { after, .. }) => {
                        self.hedge = None;
                        return Ok(Some(after));
                    }
                },
            }
        }
    }

    async fn event(&mut self) -> Event {
        tokio::select! {
            biased;
            () = end_of(&mut self.ended) => Event::Ended,
            (index, exchange) = first_back(&mut self.flights) => Event::Back(index, exchange),
            () = until(&self.crowd.run.clock, self.hedge) => Event::HedgeDue,
        }
    }

    /// Sends the attempt that was begun last, and sees to its copy.
    fn send(&mut self, hedge: bool) {
        let Crowd { drive, load, .. } = self.crowd;
        let (number, begun) = (self.call.attempt(), self.now());
        let identity = Identity { request: self.number, attempt: number };
        let delay = load.connect(drive.seed, self.number, number.get());
        let own = self.crowd.look(|callers| callers.allowance(&self.call, begun));
        let left = self.until.map(|until| until.saturating_sub(begun));
        let allowance = own.into_iter().chain(left).min();
        let exchange = Box::pin(self.client.exchange(identity, delay, allowance));
        self.flights.push(Flight { number, hedge, begun, exchange });
        let after = self.crowd.look(|callers| callers.hedge_after(&self.call));
        self.hedge = after.map(|after| begun.saturating_add(after));
    }

    /// Sends a copy beside what is in flight, if the policy lets it.
    fn send_copy(&mut self) {
        self.hedge = None;
        let draw = self.throttle_draw();
        match self.crowd.ask(|callers, now| callers.hedge(&mut self.call, now, draw)) {
            Ok(_) => self.send(true),
            Err(StopReason::BudgetDenied) => self.crowd.budget_denied(),
            Err(_) => {}
        }
    }

    /// An attempt is back: what follows if it failed.
    fn back(&mut self, index: usize, exchange: Exchange) -> Option<Verdict> {
        let flight = self.flights.remove(index);
        if let (Reply::Broken(transport), Some(error)) = (exchange.reply, &exchange.error) {
            self.crowd.broke(transport, error);
        }
        if exchange.own_failure {
            self.crowd.own_failure();
        }
        let retry = flight.number.get() > 1;
        let failure = exchange.failure(&self.client.target().success);
        let verdict = match failure {
            None => {
                let latency = exchange.latency;
                self.crowd.ask(|callers, now| callers.succeeded(&mut self.call, now, latency, retry));
                None
            }
            Some(ref failure) => {
                let draw = draw(self.crowd.drive.seed, Stream::JITTER, self.number, flight.number.get());
                Some(self.crowd.ask(|callers, now| callers.failed(&mut self.call, now, failure, draw, retry)))
            }
        };
        if verdict == Some(Verdict::Stop(StopReason::BudgetDenied)) {
            self.crowd.budget_denied();
        }
        if let (Some(verdict), Some(asked)) = (verdict, exchange.retry_after) {
            self.crowd.retry_after(asked, verdict);
        }
        self.over(&flight, exchange.latency, exchange.reply, verdict);
        self.last = Some(exchange);
        verdict
    }

    /// Gives up whatever is in flight; its connections are closed.
    fn give_up(&mut self, why: Transport) {
        while let Some(flight) = self.flights.pop() {
            let (latency, retry) = (self.now().saturating_sub(flight.begun), flight.number.get() > 1);
            self.crowd.look(|callers| callers.cancelled(&mut self.call, latency, retry));
            self.over(&flight, latency, Reply::Broken(why), None);
        }
    }

    fn over(&mut self, flight: &Flight<'_>, latency: Duration, reply: Reply, verdict: Option<Verdict>) {
        let Flight { number, hedge, begun, .. } = *flight;
        let (started_ns, latency_ns) = (nanos(begun), nanos(latency));
        (self.observe)(&Attempt { number, hedge, started_ns, latency_ns, reply, verdict });
    }

    fn throttle_draw(&self) -> u64 {
        draw(self.crowd.drive.seed, Stream::THROTTLE, self.number, self.call.next_attempt())
    }
}

/// The first attempt to be back, by its place; where several are, the one sent first.
async fn first_back(flights: &mut [Flight<'_>]) -> (usize, Exchange) {
    let poll = |context: &mut std::task::Context<'_>| {
        for (index, flight) in flights.iter_mut().enumerate() {
            if let Poll::Ready(exchange) = flight.exchange.as_mut().poll(context) {
                return Poll::Ready((index, exchange));
            }
        }
        Poll::Pending
    };
    std::future::poll_fn(poll).await
}
