//! The command that a page is made by, to be shown on it.

use std::ffi::OsString;

use brownout_draw::Seed;
use brownout_report::Repeat;

/// Flags whose values may be secrets: a page is shown to others.
const SECRET: [&str; 2] = ["--header", "--body"];

/// The command that this program was run with, and the seed if it was chosen.
pub(crate) fn command(seed: Seed) -> Repeat {
    let arguments = arguments();
    let given = arguments.iter().any(|argument| argument == "--seed" || argument.starts_with("--seed="));
    let seed = if given { String::new() } else { format!(" --seed {seed}") };
    Repeat::Command(format!("{}{seed}", line(&arguments)))
}

/// The same of a verb without luck of its own.
pub(crate) fn drawing() -> Repeat {
    Repeat::Drawing(line(&arguments()))
}

fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument: OsString| argument.to_string_lossy().into_owned()).collect()
}

/// As one would type it in a shell.
fn line(arguments: &[String]) -> String {
    let mut line = "brownout".to_owned();
    let mut secret = false;
    for argument in arguments {
        line.push(' ');
        let named = SECRET.iter().find(|flag| argument.strip_prefix(**flag).is_some_and(|rest| rest.starts_with('=')));
        match named {
            _ if secret => line.push('…'),
            Some(flag) => line += &format!("{flag}=…"),
            None => line += &quoted(&without_user(argument)),
        }
        secret = !secret && SECRET.contains(&argument.as_str());
    }
    line
}

/// A URL without who asks and their password.
fn without_user(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => argument.to_owned(),
    }
}

fn quoted(argument: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,%+@…".contains(letter);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        assert_eq!(line(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        check(&["load", "a b.toml", "--expect", "p99 <= 1s"], "brownout load 'a b.toml' --expect 'p99 <= 1s'");
        check(&["load", "it's", ""], r"brownout load 'it'\''s' ''");
    }

    #[test]
    fn secrets_are_left_out() {
        check(&["load", "--header", "authorization: Bearer 1", "--count", "3"], "brownout load --header … --count 3");
        check(&["load", "--body={\"key\":1}"], "brownout load --body=…");
        check(&["load", "--url", "https://me:pass@host/a@b"], "brownout load --url https://…@host/a@b");
    }
}
