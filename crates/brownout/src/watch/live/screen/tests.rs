use std::process::Command;

use super::Screen;

#[expect(dead_code, reason = "no key is pressed here")]
#[path = "../../../../tests/it/terminal.rs"]
mod terminal;

/// Runs on a terminal of its own, by the test below.
#[test]
#[ignore = "takes the terminal that it is run on, and panics"]
fn a_panic_on_the_screen() {
    let mut screen = Screen::take().unwrap();
    screen.draw(|frame| frame.render_widget("before-it", frame.area()));
    let _ = std::thread::spawn(|| panic!("something broke")).join();
    screen.draw(|frame| frame.render_widget("after-it", frame.area()));
    screen.draw(|_| panic!("the view broke"));
}

#[test]
fn a_panic_leaves_the_terminal_clean_and_is_read_there() {
    let terminal = terminal::Terminal::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "watch::live::screen::tests::a_panic_on_the_screen", "--ignored", "--nocapture"]);
    let mut child = terminal.begin(command.env("RUST_BACKTRACE", "0"));
    let (status, words) = terminal.left(&mut child, "test result");
    assert!(!status.success());
    assert!(terminal.drawn().contains("before-it"));
    assert!(words.contains("something broke") && words.contains("the view broke"), "{words}");
    assert!(!words.contains("after-it"), "{words}");
}
