//! The command that a page is made by, to be shown on it.

use std::ffi::OsString;

use brownout_draw::Seed;
use brownout_report::Repeat;

/// Flags whose values may be secrets: a page is shown to others.
const SECRET: [&str; 3] = ["--header", "--body", "-H"];
/// So do flags and variables whose names have one of these in them.
const SECRET_PARTS: [&str; 7] = ["token", "secret", "password", "passwd", "key", "auth", "cookie"];

/// The command that this program was run with, and the seed if it was chosen.
pub(crate) fn command(seed: Seed) -> Repeat {
    command_of(&arguments(), seed)
}

/// The same of a command that this program might have been run with.
pub(crate) fn command_of(arguments: &[String], seed: Seed) -> Repeat {
    Repeat::Command(seeded(arguments, seed))
}

/// The command that this program was run with, which says its seeds.
pub(crate) fn as_given() -> Repeat {
    Repeat::Command(line(&arguments()))
}

/// The same of a verb without luck of its own.
pub(crate) fn drawing() -> Repeat {
    Repeat::Drawing(line(&arguments()))
}

/// What this program was run with.
pub(crate) fn arguments() -> Vec<String> {
    words(std::env::args_os().skip(1))
}

/// Arguments as text.
pub(crate) fn words(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    arguments.map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// With the seed among the flags of this program, and not those of a command behind `--`.
fn seeded(arguments: &[String], seed: Seed) -> String {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    let (own, command) = arguments.split_at(end);
    let given = own.iter().any(|argument| argument == "--seed" || argument.starts_with("--seed="));
    let seed = (!given).then(|| ["--seed".to_owned(), seed.to_string()]);
    line(&[own, seed.as_ref().map_or(&[][..], |seed| seed), command].concat())
}

/// As one would type it in a shell.
pub(crate) fn line(arguments: &[String]) -> String {
    let mut line = "brownout".to_owned();
    let mut before: Option<&str> = None;
    for argument in arguments {
        line.push(' ');
        let named = argument.split_once('=').filter(|(name, _)| is_secret(name));
        match named {
            _ if before.is_some_and(|flag| takes_secret(flag, argument)) => line.push('…'),
            Some((name, _)) => line += &format!("{}=…", quoted(name)),
            None if argument.starts_with("-H") && argument.len() > 2 => line += "-H…",
            None if is_script_with_secret(argument) => line.push('…'),
            None => line += &quoted(&without_secret_query(&without_user(argument))),
        }
        before = Some(argument);
    }
    line
}

/// Whether `value`, which comes behind `flag`, may be a secret. By `-u` many programs take who asks and their password.
fn takes_secret(flag: &str, value: &str) -> bool {
    flag.starts_with('-') && is_secret(flag) || ["-u", "--user"].contains(&flag) && value.contains(':')
}

/// Whether a flag or a variable of this name may hold a secret.
fn is_secret(name: &str) -> bool {
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let lower = name.to_ascii_lowercase();
    SECRET.contains(&name) || is_name && SECRET_PARTS.iter().any(|part| lower.contains(part))
}

/// Whether several words in one, as a shell takes them by `-c`, speak of a secret. Which of them it is cannot be told without a shell.
fn is_script_with_secret(argument: &str) -> bool {
    let lower = argument.to_ascii_lowercase();
    let speaks =
        SECRET_PARTS.iter().any(|part| lower.contains(part)) || argument.contains(" -H") || argument.contains(" -u ");
    speaks && argument.contains(char::is_whitespace)
}

/// A URL without the secrets of its query.
fn without_secret_query(argument: &str) -> String {
    let Some((before, query)) = argument.split_once('?') else { return argument.to_owned() };
    let part = |part: &str| match part.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=…"),
        _ => part.to_owned(),
    };
    format!("{before}?{}", query.split('&').map(part).collect::<Vec<_>>().join("&"))
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
    use super::{line, seeded};
    use brownout_draw::Seed;

    fn owned(arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|argument| (*argument).to_owned()).collect()
    }

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        assert_eq!(line(&owned(arguments)), expected);
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

    /// A command of any program, as `rehearse` and `run` are given one.
    #[test]
    fn secrets_of_commands_are_left_out() {
        check(&["run", "--", "curl", "-H", "x-api-key: 1", "-Hx: 2"], "brownout run -- curl -H … -H…");
        check(&["run", "--", "curl", "-u", "me:pass", "-s"], "brownout run -- curl -u … -s");
        check(
            &["run", "--", "env", "API_TOKEN=1", "app", "--password=2"],
            "brownout run -- env API_TOKEN=… app --password=…",
        );
        check(&["run", "--", "app", "--auth-token", "1", "2"], "brownout run -- app --auth-token … 2");
        check(&["run", "--", "python3", "-u", "app.py", "a=b"], "brownout run -- python3 -u app.py a=b");
        check(&["run", "--", "sh", "-c", "curl -H 'x: 1' $URL"], "brownout run -- sh -c …");
        check(&["run", "--", "sh", "-c", "./ask.sh --token 1"], "brownout run -- sh -c …");
        check(&["run", "--", "sh", "-c", "API_KEY=1 ./ask.sh"], "brownout run -- sh -c API_KEY=…");
        check(&["run", "--", "sh", "-c", "echo no luck; exit 7"], "brownout run -- sh -c 'echo no luck; exit 7'");
        check(
            &["run", "--", "curl", "http://host/a?page=2&api_key=1&x#y"],
            "brownout run -- curl 'http://host/a?page=2&api_key=…&x#y'",
        );
    }

    #[test]
    fn a_seed_goes_to_this_program_and_not_to_the_command() {
        let with = |arguments: &[&str]| seeded(&owned(arguments), Seed(7));
        assert_eq!(with(&["load", "--count", "3"]), "brownout load --count 3 --seed 7");
        assert_eq!(with(&["load", "--seed=3"]), "brownout load --seed=3");
        assert_eq!(with(&["rehearse", "--", "app", "--seed", "1"]), "brownout rehearse --seed 7 -- app --seed 1");
    }
}
