//! Services behind the first, over real sockets: what becomes of one call, as in virtual time.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::http::curl_is_there;
use crate::limits::scenario;
use crate::program::{Run, Server, brownout};

/// What `serve` says of the services behind at its end, and that it ends well.
fn account(server: Server) -> Vec<String> {
    server.signal("TERM");
    let (code, said) = server.wait();
    assert_eq!(code, Some(0), "{said}");
    lines(&said)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with("Behind, ")).map(str::to_owned).collect()
}

/// The lines of `load` in virtual time.
fn foretold(arguments: &str) -> (Run, Vec<String>) {
    let run = brownout(arguments);
    let behind = lines(&run.stdout);
    (run, behind)
}

#[cfg(unix)]
#[test]
fn three_hops_of_four_attempts_make_64_of_one_call() {
    if !curl_is_there() {
        return;
    }
    let file = "examples/retries-multiply.toml";
    let server = Server::start(file);
    let names: Vec<_> = server.behind.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["orders", "stock", "db"]);
    let output = Command::new("curl").args(["--silent", "--max-time", "30", &server.url]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), r#"{"error": "Bad Gateway"}"#);
    let (_, foretold) = foretold(&format!("load {file} --count 1"));
    let met = account(server);
    assert_eq!(met, foretold);
    assert!(met[2].starts_with("Behind, db: 64 attempts for 16 calls, 0.0% succeeded, 64.00 attempts"), "{met:?}");
}

#[cfg(unix)]
#[test]
fn two_hops_called_by_our_own_load_count_as_virtual_time_does() {
    let file = scenario(
        "[service]\ncalls = [{ to = \"stock\", policy = \"retry-2\" }, \"mail\"]\n\
         [services.stock]\ncalls = [{ to = \"db\", policy = \"retry-1\" }]\n[services.mail]\n\
         [services.db]\noutcomes = { error = 1.0 }\n[policy]\nmax_retries = 1\nbase_delay = 0\n",
    );
    let load = format!("load {} --seed 1 --count 5 --concurrency 2", file.path().display());
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let met = brownout(&format!("{load} --url {} --json", server.url)).json();
    assert_eq!(met["by_status"], serde_json::json!({ "502": 10 }));
    let (_, foretold) = foretold(&load);
    assert_eq!(account(server), foretold);
    assert!(foretold.contains(&"Behind, mail: not called".to_owned()), "{foretold:?}");
}

/// Chance in every service and in every wait; what each attempt meets depends on who makes it alone.
#[cfg(unix)]
#[test]
fn virtual_time_and_http_meet_the_same_luck_behind() {
    let file = scenario(
        "[service]\noutcomes = { error = 0.05 }\n\
         calls = [{ to = \"a\", policy = { max_retries = 2, base_delay = \"1ms\", jitter = \"full\" } }, \"b\"]\n\
         [services.a]\noutcomes = { error = 0.2, gateway_timeout = 0.05 }\nlatency = { uniform = { min = 0, max = \"2ms\" } }\n\
         calls = [{ to = \"b\", policy = [\"retry-1\", { max_retries = 1, base_delay = \"1ms\" }] }]\n\
         [services.b]\noutcomes = { error = 0.3 }\n\
         [policy]\nmax_retries = 1\nbase_delay = 0\n",
    );
    let file = file.path().display();
    let server = |seed: u64| Server::start(&format!("{file} --seed {seed}"));
    let load =
        |seed: u64, more: &str| brownout(&format!("load {file} --count 300 --concurrency 16 --seed {seed} {more}"));
    let first = server(42);
    let met = load(42, &format!("--url {} --json", first.url)).json();
    let virtually = load(42, "--json").json();
    for name in ["by_status", "calls", "attempts", "gave_up"] {
        assert_eq!(met[name], virtually[name], "{name}");
    }
    assert_eq!(met["by_status"].as_object().unwrap().len(), 3, "the outcomes are not mixed: {}", met["by_status"]);
    assert_eq!(account(first), lines(&load(42, "").stdout));

    let second = server(43);
    let other = load(43, &format!("--url {} --json", second.url)).json();
    assert_ne!(other["by_status"], met["by_status"]);
}

/// One that waits for 400 ms, and then one that waits for all that is done for the first: the only worker is held by it.
#[cfg(unix)]
fn attempts_after_leaving(pass_deadline: bool) -> u64 {
    let file = scenario(&format!(
        "[service]\ncapacity = {{ workers = 1, service_time = 0 }}\n\
         calls = [{{ to = \"mid\", pass_deadline = {pass_deadline} }}]\n\
         [services.mid]\ncalls = [{{ to = \"db\", policy = {{ max_retries = 20, backoff = \"constant\", base_delay = \"50ms\" }}, \
         pass_deadline = {pass_deadline} }}]\n\
         [services.db]\noutcomes = {{ error = 1.0 }}\n"
    ));
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let hasty = brownout(&format!("request --url {} --attempt-timeout 400ms", server.url)).json();
    let given_up = hasty["error"].as_str().is_some_and(|error| error.starts_with("no answer within"));
    // Where the deadline is passed on, those behind stop at the moment when the caller does, and may be the first to say so.
    assert!(given_up || (pass_deadline && hasty["status_code"] == 502), "{hasty}");
    let patient = brownout(&format!("request --url {}", server.url)).json();
    assert_eq!(patient["status_code"], 502);
    let lines = account(server);
    lines[1].strip_prefix("Behind, db: ").unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[cfg(unix)]
#[test]
fn calls_go_on_for_nobody_unless_the_deadline_is_passed_on() {
    // The second caller stays to the end of its 21 attempts.
    assert_eq!(attempts_after_leaving(false), 42);
    let passed_on = attempts_after_leaving(true);
    assert!((21..42).contains(&passed_on), "{passed_on}");
}

#[cfg(unix)]
#[test]
fn a_phase_of_a_service_behind_and_its_cache_hold() {
    let cached = "cache = { keys = 1, hits = 1.0 }\n";
    let text = |cache: &str| {
        format!(
            "[service]\ncalls = [\"db\"]\n{cache}[services.db]\n\
             [[phases]]\nname = \"down\"\nservice = \"db\"\noutcomes = {{ error = 1.0 }}\n"
        )
    };
    for (cache, status, said) in [
        ("", "502", "Behind, db: 9 attempts for 9 calls, 0.0% succeeded, 1.00 attempts for each call of a client"),
        (cached, "200", "Behind, db: not called"),
    ] {
        let file = scenario(&text(cache));
        let server = Server::start(&format!("{} --seed 1", file.path().display()));
        let met = brownout(&format!("load --url {} --count 9 --seed 1 --json", server.url)).json();
        assert_eq!(met["by_status"], serde_json::json!({ status: 9 }));
        assert_eq!(account(server), [said]);
    }
}

#[cfg(unix)]
#[test]
fn a_service_behind_can_be_called_by_anybody() {
    let server = Server::start("examples/retries-multiply.toml --listen db=127.0.0.1:0");
    let (_, url) = &server.behind[2];
    let answer: Value = brownout(&format!("request --url {url}")).json();
    assert_eq!(answer["status_code"], 500);
    // Nobody's call came to that.
    assert_eq!(account(server)[2], "Behind, db: not called");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_calls_that_would_go_on_for_ever() {
    let file = scenario(
        "[service]\ncalls = [{ to = \"db\", policy = { max_retries = \"unbounded\", base_delay = \"10ms\" } }]\n\
         [services.db]\noutcomes = { error = 1.0 }\n",
    );
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    brownout(&format!("request --url {} --attempt-timeout 200ms", server.url));
    let said = account(server);
    assert!(said[0].contains(" attempts for 1 call, 0.0% succeeded, "), "{said:?}");
}

#[cfg(unix)]
#[test]
fn an_answer_under_way_still_has_those_behind() {
    let file = scenario(
        "[service]\ncalls = [\"a\"]\n[services.a]\ncalls = [\"slow\", \"last\"]\n[services.slow]\nlatency = \"1s\"\n[services.last]\n",
    );
    // The signal comes while `slow` takes its time; `last` is called after it.
    let server = Server::start(&format!("{} --seed 1", file.path().display()));
    let mut stream = std::net::TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    // Long enough for the server to be at it.
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (code, said) = server.wait();
    assert_eq!((code, lines(&said).len()), (Some(0), 3), "{said}");
}

#[test]
fn places_to_listen_that_make_no_sense_are_refused() {
    let serve = |arguments: &str| brownout(&format!("serve examples/retries-multiply.toml --port 0 {arguments}"));
    serve("--listen db=0 --listen db=7430").refused(&[
        "names `db` twice",
        "127.0.0.1:0 and 127.0.0.1:7430",
        "drop one",
    ]);
    serve("--listen cache=0").refused(&["no `cache` among them", "orders, stock, db", "--port"]);
    serve("--listen db").refused(&["NAME=PORT", "`db`"]);
    serve("--listen db=x").refused(&["0 to 65535", "`x`"]);
    serve("--listen db=0.0.0.0:80").refused(&["loopback only", "`0.0.0.0:80`", "db=127.0.0.1:80"]);
    serve("--listen db=7431 --listen stock=7431").refused(&["127.0.0.1:7431", "--listen db and --listen stock"]);
    brownout("serve examples/retries-multiply.toml --listen db=7429")
        .refused(&["127.0.0.1:7429", "--port and --listen db"]);
    brownout("serve --port 0 --listen db=0").refused(&["no `db` among them", "there are: none"]);
}

#[test]
fn a_port_of_a_service_behind_that_is_in_use_is_a_clear_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let run = brownout(&format!("serve examples/retries-multiply.toml --port 0 --listen stock={address}"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    for part in ["the port is in use", &address.to_string(), "`stock`", "--listen"] {
        assert!(run.stderr.contains(part), "no `{part}` in {}", run.stderr);
    }
}
