use super::schema;
use crate::Scenario;
use crate::node::{Node, Value as Tree};
use crate::problem::Problems;
use serde_json::{Value, json};

/// The tree of a file as JSON, for the validator.
fn json_of(node: &Node) -> Value {
    match &node.value {
        Tree::Text(text) => json!(text),
        Tree::Number(number) => serde_json::from_str(number).unwrap_or(json!(number)),
        Tree::Bool(value) => json!(value),
        Tree::List(nodes) => nodes.iter().map(json_of).collect(),
        Tree::Table(entries) => entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node))).collect(),
        Tree::Other(_) => Value::Null,
    }
}

/// Whether the schema takes the text.
fn schema_takes(text: &str) -> bool {
    let tree = crate::read::tree(text, false, &mut Problems::default()).expect("readable");
    jsonschema::validator_for(&schema()).expect("a valid schema").is_valid(&json_of(&tree))
}

#[test]
fn the_schema_is_one() {
    jsonschema::meta::validate(&schema()).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads the examples from the disk")]
fn every_example_is_taken_by_the_schema_and_by_the_reader() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut seen = 0;
    for file in std::fs::read_dir(examples).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml" || extension == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(schema_takes(&text), "the schema refuses {}", path.display());
            Scenario::parse(&path.display().to_string(), &text).unwrap();
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} examples");
}

/// Mistakes of form, which the schema and the reader must both see.
#[test]
fn schema_and_reader_refuse_the_same_mistakes_of_form() {
    for text in [
        "sead = 1",
        "seed = -1",
        "seed = \"x\"",
        "[service]\nlatency = \"fast\"",
        "[service]\nlatency = -1",
        "[service]\nlatency = { fixed = 1, exponential = 2 }",
        "[service]\nlatency = { uniform = { min = 1 } }",
        "[service]\nlatency = { percentiles = { x = 1 } }",
        "[service]\nlatency = { mix = [{ weight = -1, of = 1 }] }",
        "[service]\noutcomes = { error = 5 }",
        "[service]\noutcomes = { error = \"often\" }",
        "[service]\noutcomes = { hang = { for = 1 } }",
        "[service]\noutcomes = { hang = { rate = 1, four = 1 } }",
        "[service]\noutcomes = { connection_reset = { rate = 1, at = \"tail\" } }",
        "[service]\noutcomes = { truncate = { rate = 1, bytes = -1 } }",
        "[service]\noutcomes = { bandwidth = { rate = 1, speed = \"1/s\" } }",
        "[service]\noutcomes = { lost_reply = { rate = 1, then = \"close\" } }",
        "[service]\noutcomes = { status = 1 }",
        "[service]\noutcomes = { status = [{ rate = 1, code = 199 }] }",
        "[service]\noutcomes = { status = [{ rate = 1, code = 500, headers = { a = 1 } }] }",
        "[service]\nidentity = \"key\"",
        "[service.rate_limit]\nconcurrency = 0",
        "[service.rate_limit]\nconcurrency = 1\nkey = \"user\"",
        "[service.rate_limit]\nfixed_window = { count = 0, window = 1 }",
        "[service.rate_limit]\nconcurrency = 1\nretry_after = \"soon\"",
        "[service.rate_limit]\nconcurrency = 1\nheaders = true",
        "[[service.routes]]\nlatency = 1",
        "[[service.routes]]\nmatch = \"orders\"",
        "[[phases]]\nname = \"größe\"\nlatency = 1",
        "phases = 3",
        "[load]\ncount = 1.5",
        "[service]\nreplicas = { count = 0 }",
        "[service]\nreplicas = { count = 2, sticky = \"route\" }",
        "[service.replicas]\ncount = 2\n[[phases]]\nname = \"a\"\nlatency = 1\nreplica = 0",
        "[load]\nrequest = { method = \"get\" }",
        "[load]\nrequest = { path = \"a\" }",
        "[load]\nrequest = { idempotency_key = 1 }",
        "[service]\neffect = { once = true }",
        "[service]\neffect = { name = \"a\", key = \"a\" }",
        "[load]\narrivals = { closed = { clients = 0 } }",
        "[load]\nbody = 1",
        "[load]\nvalues = { a = [] }",
        "[load]\nvalues = { a = { from = 1 } }",
        "[load]\nvalues = { a = [true] }",
        "[[load.requests]]\nweight = 1",
        "[[load.requests]]\nrequest = \"/\"\nweight = -1",
        "[load]\narrivals = { poisson = [] }",
        "[load]\narrivals = { poisson = [{ rate = -1 }] }",
        "[load]\narrivals = { poisson = [{ rate = 1, until = 1 }] }",
        "[load]\ncount = 1\narrivals = { burst = { calls = 0, every = 1 } }",
        "[load]\ncount = 1\narrivals = { burst = { calls = 1 } }",
        "[load]\narrivals = { replay = { speed = 1 } }",
        "[load]\narrivals = { replay = { file = \"a\", speed = 0 } }",
        "[policy]\njitter = \"some\"",
        "[expect]\np99 = \"300ms\"",
        "[expect]\np98 = \"<= 300ms\"",
        "[expect]\nunsent = 0",
        "[expect]\np99 = \"<= 1s\"\nverdict = \"red\"",
        "[policy]\nfactor = 0.5",
        "[policy]\nretry_on = [\"often\"]",
        "[load]\nsuccess = [\"transport\"]",
        "[load]\nsuccess = \"2xx\"",
        "[policy]\nretry_after = 1",
    ] {
        assert!(!schema_takes(text), "the schema takes {text}");
        assert!(Scenario::parse("x", text).is_err(), "the reader takes {text}");
    }
}

/// Every form that the reader takes, the schema takes too.
#[test]
fn what_the_reader_takes_the_schema_takes() {
    for text in [
        "",
        "seed = 0x2A",
        "seed = 1_000",
        "[service]\nlatency = 1e-3",
        "[service]\nlatency = \"1m 30s\"",
        "[service]\nlatency = \"0.5\"",
        "[service]\nlatency = { fixed = 0 }",
        "[service]\nlatency = { exponential = { mean = \"1s\", max = \"9s\" } }",
        "[service]\nlatency = { lognormal = { median = \"1s\", sigma = 0.5 } }",
        "[service]\nlatency = { percentiles = { p0 = 0, \"p99.9\" = 1, p100 = 2 } }",
        "[service]\nlatency = { mix = [{ weight = 0.1, of = 1 }, { weight = 2, of = { fixed = 1 } }] }",
        "[service]\noutcomes = { error = 1, rate_limit = \"0%\", gateway_timeout = \".0\" }",
        "[service]\noutcomes = { error = 1e-3, rate_limit = \"5e-1 %\" }",
        "[service]\noutcomes = { connection_reset = { rate = 1, at = 7 }, EMPTY_RESPONSE = 0 }",
        "[service]\noutcomes = { connection_reset = { rate = 1, at = \"1.5 KiB\" } }",
        "[service]\noutcomes = { truncate = 0.1, dribble = { rate = 0.1, bytes = \"1KB\", size = 32 } }",
        "[service]\noutcomes = { bandwidth = { rate = 1, speed = \"64 KiB / s\" } }",
        "[service]\noutcomes = { stream_break = { rate = 1, events = 0, every = 0, then = \"reset\" } }",
        "[service]\noutcomes = { rst_stream = { rate = 0.1, code = \"CANCEL\", at = 9 }, goaway = 0.1, refused_stream = \"1%\" }",
        "[service]\noutcomes = { status = [{ rate = 1, code = 529, body = \"x\", headers = { retry-after = \"5\" } }] }",
        "[[service.routes]]\nmatch = \"PROPFIND /a/{b}/\"",
        "[[phases]]\nname = \"a b-c_d.e\"\nlatency = 0",
        "[service.rate_limit]\ntoken_bucket = { rate = 2.5, burst = 1 }\ncost = 0\nretry_after = 1",
        "[[service.rate_limits]]\nfixed_window = { count = 0.001, window = 1 }\ncost = { fixed = 0.001 }\nkey = \"header:a\"",
        "[[service.rate_limits]]\nslope = { factor = 3, window = \"10s\", min = 1 }\nretry_after_form = \"milliseconds\"",
        "[load]\ncount = 0\nrequest = \"PUT /a?b=c\"",
        "[service.replicas]\ncount = 2\nsticky = \"header:a\"\n[[phases]]\nname = \"a\"\nlatency = 1\nreplicas = [1, 2]",
        "[service.replicas]\ncount = 2\nsticky = \"none\"\n[[phases]]\nname = \"a\"\nlatency = 1\nreplica = 2",
        "[load.request]\nmethod = \"PUT\"\npath = \"/a?b=c\"\nheaders = { a = \"b\" }\nidempotency_key = true",
        "[service]\neffect = \"a\"\n[[service.routes]]\nmatch = \"/\"\neffect = \"none\"",
        "[service]\neffect = { name = \"a\", key = \"header:b\", once = true }",
        "[load]\narrivals = { poisson = [{ rate = 0, for = 1 }, { from = \"0/s\", to = 5, for = 1 }, { rate = \"5/m\" }] }",
        "[load]\ncount = 1\narrivals = { burst = { calls = 1, every = 1, spread = \"1ms\" } }",
        "[expect]\np99 = \"<= 300ms\"\np99_9 = \"<=1\"\nsuccess_rate = \" >= 0.99\"\nunsent = \"<= 0\"\nverdict = \"missed\"",
        "[load]\nrequest = \"/{a}\"\nbody = \"{a}\"\nvalues = { a = [\"x\", 1] }",
        "[[load.requests]]\nrequest = \"PUT /{a}\"\nheaders = { b = \"{a}\" }\n[load.values]\na = { from = 0, to = 9 }",
        "[policy]\nfactor = 1\nmax_retries = 0\nbase_delay = 0",
        "[load]\nsuccess = [200, \"3xx\", \"404-410\"]",
        "[policy]\ndelays = [1, \"2s\"]\nretry_on = [429, \"5xx\", \"500-504\", \"tls\", \"transport\"]",
        "[policy]\njitter = \"proportional\"\njitter_ratio = \"20%\"\nretry_after = false",
    ] {
        Scenario::parse("x", text).unwrap_or_else(|invalid| panic!("{invalid}"));
        assert!(schema_takes(text), "the schema refuses {text}");
    }
}
