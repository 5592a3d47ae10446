//! The commands in README and guide are run, and what they print is compared with what the pages say.
//!
//! A `console` block is a conversation with one shell: lines after `$ ` are commands (`> ` continues one), the lines
//! below are what they print, both streams together, with `[..]` for what changes from run to run. Ports 7429 and 7430 stand for
//! free ones. A `toml` block is a scenario and must be one.
//!
//! `SNAPSHOTS=overwrite cargo test docs` puts what was printed in place of what the pages say wrongly.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU16, AtomicUsize};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use snapbox::Data;

use crate::http::curl_is_there;
use crate::program::{PROGRAM, brownout, brownout_in, repository};

const PORT: &str = "7429";
/// Of the admin API.
const ADMIN: &str = "7430";
const END: &str = "--- end of command ---";
/// How many pages are held to their word at once.
const AT_ONCE: usize = 4;
/// A build with many neighbours on the machine takes its time.
const PATIENCE: Duration = Duration::from_secs(300);

/// A fenced block of a page: its language, its first line in the file, its text.
#[derive(Debug)]
struct Block {
    language: String,
    line: usize,
    text: String,
}

/// A command of a block with what it is to print.
#[derive(Debug, Default)]
struct Step {
    command: String,
    expected: String,
}

/// README and guide.
pub(crate) fn pages() -> Vec<PathBuf> {
    let mut pages = vec![repository().join("README.md")];
    let mut folders = vec![repository().join("guide")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

fn blocks(page: &Path) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in std::fs::read_to_string(page).unwrap().lines().enumerate() {
        match line.strip_prefix("```") {
            Some(language) if !open => {
                open = true;
                blocks.push(Block { language: language.to_owned(), line: index + 2, text: String::new() });
            }
            Some(_) => open = false,
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block of {} has no end", page.display());
    blocks
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), ..Step::default() });
        } else if let (Some(more), Some(step)) = (line.strip_prefix('>'), steps.last_mut()) {
            step.command = format!("{}\n{}", step.command, more.strip_prefix(' ').unwrap_or(more));
        } else {
            let step = steps.last_mut().expect("a block begins with a command");
            step.expected = format!("{}{line}\n", step.expected);
        }
    }
    steps
}

/// A shell that is fed one command at a time.
struct Shell {
    process: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    fn start(folder: &Path) -> Self {
        let programs = Path::new(PROGRAM).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.current_dir(folder).env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        writeln!(stdin, "exec 2>&1").unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, stdin, lines }
    }

    /// Runs `command`; one in the background is given the time to print as many lines as it is to.
    fn run(&mut self, command: &str, expected_lines: usize) -> String {
        // A command that reads its input is not to find the shell's there.
        writeln!(self.stdin, "{{\n{command}\n}} </dev/null\n_code=$?; echo '{END}'; (exit $_code)").unwrap();
        let background = command.trim_end().ends_with('&');
        let mut printed = Vec::new();
        let mut ended = false;
        while !ended || (background && printed.len() < expected_lines) {
            let line =
                self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("`{command}` does not end: {printed:?}"));
            // What is printed may lack its last newline, as an answer's body does.
            let (text, is_end) = line.strip_suffix(END).map_or((line.as_str(), false), |text| (text, true));
            ended |= is_end;
            if !is_end || !text.is_empty() {
                printed.push(format!("{text}\n"));
            }
        }
        printed.concat()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What a page left in the background was started here and ends here.
        let _ = writeln!(self.stdin, "kill $! 2>/dev/null; exit");
        let _ = self.process.wait();
    }
}

/// A folder with what the pages say is there: the examples.
fn checkout_of_examples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository().join("examples"), &folder.path().join("examples"));
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &place);
        } else {
            std::fs::copy(file.path(), place).unwrap();
        }
    }
}

/// A port that is free, and stays so until a page's service takes it: not of those that connections of other tests are given.
fn free_port() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id() % 5_000;
    let mut ports = std::iter::repeat_with(|| 20_000 + start as u16 + NEXT.fetch_add(1, Relaxed)).take(1_000);
    ports.find(|&port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("a free port").to_string()
}

#[cfg(unix)]
#[test]
fn every_command_prints_what_its_page_says() {
    if !curl_is_there() {
        return;
    }
    // Most of the time commands wait.
    let (pages, next, commands) = (pages(), AtomicUsize::new(0), AtomicUsize::new(0));
    let hold_some = || {
        while let Some(page) = pages.get(next.fetch_add(1, Relaxed)) {
            commands.fetch_add(hold(page), Relaxed);
        }
    };
    std::thread::scope(|threads| (0..AT_ONCE).for_each(|_| _ = threads.spawn(hold_some)));
    let commands = commands.into_inner();
    assert!(commands >= 100, "only {commands} commands were found");
}

/// Holds one page to what its commands print; says how many there were.
///
/// The blocks of a page build on each other: a file that one writes, the next one reads.
fn hold(page: &Path) -> usize {
    let overwrite = std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite");
    let (folder, ports) = (checkout_of_examples(), [(PORT, free_port()), (ADMIN, free_port())]);
    let mut text = std::fs::read_to_string(page).unwrap();
    let mut commands = 0;
    for block in blocks(page).iter().filter(|block| block.language == "console") {
        let mut shell = Shell::start(folder.path());
        let mut rewritten = String::new();
        for step in steps(&block.text) {
            let command = ports.iter().fold(step.command.clone(), |text, (told, free)| text.replace(told, free));
            let printed = shell.run(&command, step.expected.lines().count());
            // With its colon: five digits alone may be of anything that is counted.
            let printed =
                ports.iter().fold(printed, |text, (told, free)| text.replace(&format!(":{free}"), &format!(":{told}")));
            let place = format!("{}:{} $ {}", page.display(), block.line, step.command);
            let compared =
                snapbox::Assert::new().try_eq(Some(&place), Data::text(&printed), Data::text(&step.expected));
            let says = if compared.is_ok() { &step.expected } else { &printed };
            let command = step.command.replace("\n\n", "\n>\n").replace('\n', "\n> ").replace("> >", ">");
            rewritten += &format!("$ {command}\n{says}");
            assert!(compared.is_ok() || overwrite, "{}", compared.unwrap_err());
            commands += 1;
        }
        text = text.replacen(&block.text, &rewritten, 1);
    }
    if overwrite {
        std::fs::write(page, text).unwrap();
    }
    commands
}

#[test]
fn every_scenario_in_a_page_is_one() {
    let folder = tempfile::tempdir().unwrap();
    for page in pages() {
        for block in blocks(&page).iter().filter(|block| block.language == "toml") {
            std::fs::write(folder.path().join("block.toml"), &block.text).unwrap();
            let check = brownout_in(folder.path(), &["check", "block.toml"]);
            assert_eq!(check.code, Some(0), "{}:{}\n{}", page.display(), block.line, check.stderr);
        }
    }
}

/// The page of keys must have every key that the schema has.
#[test]
fn the_scenario_page_names_every_key() {
    let page = std::fs::read_to_string(repository().join("guide/scenario.md")).unwrap();
    let mut missing = Vec::new();
    let mut schemas = vec![crate::program::brownout("schema").json()];
    while let Some(schema) = schemas.pop() {
        if let Some(keys) = schema.get("properties").and_then(|properties| properties.as_object()) {
            missing.extend(keys.keys().filter(|key| !page.contains(key.as_str())).cloned());
        }
        match schema {
            serde_json::Value::Object(fields) => schemas.extend(fields.into_iter().map(|(_, value)| value)),
            serde_json::Value::Array(items) => schemas.extend(items),
            _ => {}
        }
    }
    assert!(missing.is_empty(), "guide/scenario.md does not name {missing:?}");
}

/// Blocks of other languages would not be run, so there are none but these.
#[test]
fn no_block_escapes() {
    for page in pages() {
        for (index, block) in blocks(&page).iter().enumerate() {
            let set_up = page.ends_with("README.md") && index == 0 && block.language == "sh";
            let known = ["console", "toml", "text", "yaml"].contains(&block.language.as_str());
            assert!(set_up || known, "{}:{} is a block of `{}`", page.display(), block.line, block.language);
            assert!(block.language != "text" || !block.text.contains("brownout "), "{}:{}", page.display(), block.line);
        }
    }
}

/// The steps of a build server cannot be run here; their flags can be looked up.
#[test]
fn what_a_build_server_is_to_run_has_the_flags_that_it_names() {
    let mut seen = 0;
    for block in pages().iter().flat_map(|page| blocks(page)).filter(|block| block.language == "yaml") {
        for line in block.text.lines().filter_map(|line| line.trim().strip_prefix("run: brownout ")) {
            let own = line.split(" -- ").next().unwrap();
            let verb = own.split_whitespace().next().unwrap();
            let help = brownout(&format!("{verb} --help")).stdout;
            for flag in own.split_whitespace().filter(|word| word.starts_with("--")) {
                assert!(help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")), "{line}: no {flag}");
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "{seen} flags");
}

/// The set-up block, which the checks of the repository run on a fresh checkout.
#[test]
fn the_readme_begins_with_two_commands() {
    let readme = blocks(&repository().join("README.md"));
    let commands: Vec<&str> = readme[0].text.lines().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands, ["cargo run --release -- demo", "cargo test"]);
}
