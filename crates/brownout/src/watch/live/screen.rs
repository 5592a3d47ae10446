//! The terminal: taken for a while, and left as it was found, however the program ends.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::{Frame, Terminal};

/// Whether the terminal is taken. Who writes to it holds this, so that nothing is drawn once it was left.
static TAKEN: Mutex<bool> = Mutex::new(false);

/// A terminal that is taken, until this is dropped.
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<Sheet>>,
    sheet: Sheet,
}

/// What is drawn, before it goes to the terminal in one piece.
#[derive(Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Ctrl-C.
    Interrupt,
    /// `q` or Escape.
    Quit,
    /// Any other.
    Other,
}

/// Why there is no terminal that could be taken, if there is none.
pub(crate) fn check() -> Result<(), &'static str> {
    match () {
        () if !stdout().is_terminal() => Err("standard output is none"),
        () if !stdin().is_terminal() => Err("standard input is none"),
        () if std::env::var_os("TERM").is_some_and(|term| term == "dumb") => Err("TERM is `dumb`"),
        () => Ok(()),
    }
}

/// Leaves the terminal as it was found, if it is taken.
pub(crate) fn leave() {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *taken {
        let _ = execute!(stdout(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        *taken = false;
    }
}

impl Screen {
    /// Takes the terminal.
    pub(crate) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            // What a panic says is to be read where it stays.
            std::panic::set_hook(Box::new(move |panicked| {
                leave();
                before(panicked);
            }));
        });
        let sheet = Sheet::default();
        let terminal = Terminal::new(CrosstermBackend::new(sheet.clone()))?;
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        enable_raw_mode()?;
        *taken = true;
        let entered = execute!(stdout(), EnterAlternateScreen, Hide);
        drop(taken);
        let screen = Self { terminal, sheet };
        entered.map(|()| screen)
    }

    /// Draws what is to be seen now. A terminal that is gone is no reason to stop.
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) {
        let _ = self.terminal.draw(view);
        let drawn = std::mem::take(&mut *self.sheet.0.lock().unwrap_or_else(PoisonError::into_inner));
        if *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) {
            let mut stdout = stdout().lock();
            let _ = stdout.write_all(&drawn).and_then(|()| stdout.flush());
        }
    }

    /// The next key, if one is pressed within `patience`.
    pub(super) fn key(&self, patience: Duration) -> Option<Key> {
        match event::poll(patience) {
            Ok(true) => {}
            Ok(false) => return None,
            // A terminal that is gone has no keys, and is not to be asked again and again.
            Err(_) => {
                std::thread::sleep(patience);
                return None;
            }
        }
        let Ok(Event::Key(key)) = event::read() else { return None };
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        (key.kind == KeyEventKind::Press).then_some(match key.code {
            KeyCode::Char('c') if is_control => Key::Interrupt,
            KeyCode::Char('q') | KeyCode::Esc => Key::Quit,
            _ => Key::Other,
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests;
