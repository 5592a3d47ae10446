//! A load over sockets, seen on a whole terminal while it goes on.

mod screen;
mod timeline;
mod view;

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::history::History;
use super::{TICK, Watched};
use crate::exit::{Exit, Stop};
use crate::signal::Ending;
use screen::Key;

pub(super) use screen::check;
pub(crate) use screen::{Screen, leave};

/// How long a key waits for being looked at, at the most.
const KEYS: Duration = Duration::from_millis(50);

/// Shows what there is to see until the run is over; keys that end it go to `ending`.
pub(super) fn show(mut screen: Screen, watched: &Watched, is_over: &Receiver<()>, ending: &UnboundedSender<Ending>) {
    let mut history: Option<History> = None;
    let (mut looked, mut asked) = (None::<Instant>, false);
    while is_over.try_recv() == Err(TryRecvError::Empty) {
        let is_due = looked.is_none_or(|looked| looked.elapsed() >= TICK);
        let key = screen.key(KEYS);
        if is_due {
            watched.look(&mut history);
            looked = Some(Instant::now());
        }
        if let Some(key) = key {
            let told = match key {
                Key::Interrupt => Ending::INTERRUPT,
                Key::Quit => Ending { why: "ended by a key", exit: Exit::FAILED },
                Key::Other => continue,
            };
            if asked {
                told.exit.now();
            }
            asked = true;
            // Where nobody listens any more the run is over.
            let _ = ending.send(told);
        }
        if is_due {
            screen.draw(|frame| view::draw(frame, history.as_ref(), watched));
        }
    }
}

/// Takes the terminal.
pub(super) fn begin() -> Result<Screen, Stop> {
    Screen::take().map_err(|error| Stop::failed(format!("failed to take the terminal for --live: {error}")))
}
