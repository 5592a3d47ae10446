//! A terminal that is none: the program draws on one end of it, and a test reads what it drew and presses keys at the other.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The terminal.
pub(crate) struct Terminal {
    keys: File,
    place: OwnedFd,
    modes: LocalModes,
    drawn: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// One of 100 columns and 30 rows.
    pub(crate) fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let place = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        tcsetwinsize(&place, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let modes = tcgetattr(&place).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        let keys = File::from(master);
        let mut reading = keys.try_clone().unwrap();
        let drawn: Arc<Mutex<Vec<u8>>> = Arc::default();
        let into = Arc::clone(&drawn);
        // Ends when nobody has the other end any more.
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = reading.read(&mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        Self { keys, place, modes, drawn }
    }

    /// The other end, for a program to draw on or to read from.
    pub(crate) fn end(&self) -> Stdio {
        Stdio::from(self.place.try_clone().unwrap())
    }

    /// Begins `command` on it.
    pub(crate) fn begin(&self, command: &mut Command) -> Child {
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command.stdin(self.end()).stdout(self.end()).stderr(self.end()).spawn().unwrap()
    }

    /// Presses keys.
    pub(crate) fn press(&self, keys: &str) {
        (&self.keys).write_all(keys.as_bytes()).unwrap();
    }

    /// Everything that was drawn so far.
    pub(crate) fn drawn(&self) -> String {
        String::from_utf8_lossy(&self.drawn.lock().unwrap()).into_owned()
    }

    /// Waits until `text` was drawn.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let began = Instant::now();
        while !self.drawn().contains(text) {
            assert!(began.elapsed() < PATIENCE, "no `{text}` in {:?}", self.drawn());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end of what was begun, and holds that the screen was taken once and left again with all as it was before.
    /// What was said after that.
    #[track_caller]
    pub(crate) fn left(&self, child: &mut Child, last_words: &str) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {:?}", self.drawn());
            std::thread::sleep(Duration::from_millis(20));
        };
        self.wait_for(last_words);
        let drawn = self.drawn();
        assert_eq!(tcgetattr(&self.place).unwrap().local_modes, self.modes, "{drawn:?}");
        let (before, after) = drawn.split_once("\x1b[?1049l").unwrap_or_else(|| panic!("not left: {drawn:?}"));
        assert_eq!((before.matches("\x1b[?1049h").count(), after.matches("\x1b[?1049").count()), (1, 0), "{drawn:?}");
        // The cursor is hidden while it is drawn, and is there again; nothing else is drawn where words stay.
        let words = after.strip_prefix("\x1b[?25h").unwrap_or_else(|| panic!("no cursor: {drawn:?}"));
        assert!(!words.contains('\x1b'), "{words:?}");
        (status, words.replace("\r\n", "\n"))
    }
}
