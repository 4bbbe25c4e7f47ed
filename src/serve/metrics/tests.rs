//! What the list says, what a server shows, what is documented and what `deploy/` asks for are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::sync::Mutex;

use prometheus_client::metrics::MetricType;
use saphyr::{LoadableYamlNode, Yaml};

use super::about::{ALL, About, OF_THE_CLUSTER};
use crate::engine::keep::{History, Kept, SharedHistory};
use crate::serve::tests::client::{Client, get};
use crate::serve::tests::fed::{Fed, Shape};
use crate::serve::tests::server::Server;
use crate::source::dead_letters::Fates;

/// Set to anything, it makes the test write the file that it checks.
const RENEW: &str = "TIDINGS_RENEW_DOCS";

fn path(file: &str) -> String {
    format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn kind(about: &About) -> &'static str {
    match about.kind {
        MetricType::Counter => "counter",
        MetricType::Gauge => "gauge",
        MetricType::Histogram => "histogram",
        MetricType::Info => "info",
        _ => "unknown",
    }
}

/// Whose it is.
fn of(about: &About) -> &'static str {
    if OF_THE_CLUSTER.iter().any(|shared| shared.name == about.name) { "cluster" } else { "process" }
}

/// The names of its samples.
fn samples(about: &About) -> Vec<String> {
    let endings: &[&str] = match about.kind {
        MetricType::Counter => &["_total"],
        MetricType::Histogram => &["_bucket", "_sum", "_count"],
        MetricType::Info => &["_info"],
        _ => &[""],
    };
    endings.iter().map(|ending| format!("{}{ending}", about.name)).collect()
}

fn documented() -> String {
    let mut text = format!(
        "# Metrics\n\n\
         `GET /metrics`, in the OpenMetrics text format, on the main listener (with the token, where there is one) and on \
         that of `http.health_bind`. Counters start at 0 with the process; `/v1/status` has all records that the counts \
         contain, those of a checkpoint too. `deploy/` has a Grafana dashboard and alert rules that use them.\n\n\
         What is of the cluster is a number of all its processes together, and each of them shows it: take the largest of \
         theirs (`max`), never the sum. What is of the process is its own, and may be summed where a sum means anything.\n\n\
         This page is written from `src/serve/metrics/about.rs` by a test, which fails where the two differ; \
         `{RENEW}=1 cargo test --lib metrics::tests` writes it anew.\n\n\
         | metric | type | of the | what it says | labels |\n| --- | --- | --- | --- | --- |\n"
    );
    for about in ALL {
        let names: Vec<String> = samples(about).iter().map(|name| format!("`{name}`")).collect();
        let labels: Vec<String> = about.labels.iter().map(|(name, of)| format!("`{name}`: {of}")).collect();
        let (names, labels) = (names.join(" "), labels.join("; "));
        let (kind, of, help) = (kind(about), of(about), about.help);
        writeln!(text, "| {names} | {kind} | {of} | {help} | {labels} |").expect("a string");
    }
    text
}

#[test]
fn every_metric_is_documented() {
    let (file, text) = (path("docs/metrics.md"), documented());
    if std::env::var_os(RENEW).is_some() {
        fs::write(&file, &text).expect("the file can be written");
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(known, text, "docs/metrics.md is not up to date: {RENEW}=1 cargo test --lib metrics::tests");
}

#[test]
fn names_follow_the_rules() {
    for about in ALL {
        let name = about.name;
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert!(name.starts_with("tidings_") || name.starts_with("process_"), "{name}");
        let endings =
            ["_total", "_count", "_sum", "_bucket", "_info", "_ms", "_milliseconds", "_minutes", "_kb"];
        assert!(!endings.iter().any(|ending| name.ends_with(ending)), "{name}");
        assert!(!about.help.is_empty() && !about.help.ends_with('.'), "{name}");
        assert!(name.contains("_timestamp_") == about.help.contains("since the Unix epoch"), "{name}");
    }
    let names: BTreeSet<&str> = ALL.iter().map(|about| about.name).collect();
    assert_eq!(names.len(), ALL.len(), "a name stands there twice");
}

/// The text of a server with TLS that has met everything that is measured.
fn scraped() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&cert, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let fed = Fed::new();
    fed.feed(1, &[(0, "#a good")]);
    let server = Server::with(&fed.reader, |http| (http.tls_cert, http.tls_key) = (Some(cert), Some(key)));
    assert_eq!(get(server.address, "/livez").problem(), "tls_required");
    get(server.health, "/metrics").text().to_owned()
}

/// Of each metric its kind, its help, and the labels of its samples by their names.
type Shown = BTreeMap<String, (String, String, Labels)>;

/// The labels of samples by the names of these.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// What the text says of each metric: its kind, its help, and the labels of its samples by their names.
fn shown(text: &str) -> Shown {
    let mut shown = Shown::new();
    let mut current = String::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let comment = line.strip_prefix("# ").map(|line| line.splitn(3, ' ').collect::<Vec<_>>());
        match comment.as_deref() {
            Some(["HELP", name, help]) => {
                current = (*name).to_owned();
                shown.entry(current.clone()).or_default().1 = help.trim_end_matches('.').to_owned();
            }
            Some(["TYPE", name, kind]) => {
                current = (*name).to_owned();
                shown.entry(current.clone()).or_default().0 = (*kind).to_owned();
            }
            Some(other) => panic!("{other:?}"),
            None => {
                let (name, labels) =
                    line.split_once('{').unwrap_or((line.split(' ').next().unwrap_or(""), ""));
                let labels = labels.split_once('}').map_or("", |(labels, _)| labels);
                let labels =
                    labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name);
                let of = &mut shown.get_mut(&current).expect("a sample stands behind its description").2;
                of.entry(name.to_owned()).or_default().extend(labels.map(str::to_owned));
            }
        }
    }
    shown
}

#[test]
fn a_server_shows_what_is_documented_and_nothing_else() {
    let fed = Fed::of(Shape { processes: 2, ..Shape::USUAL });
    fed.feed(1, &[(0, "#a good")]);
    let last = Some(Kept { number: 1, epoch: 1, written: 1, rows: 1, bytes: 1, took: 1 });
    let history = SharedHistory::new(Mutex::new(History { last, ..History::default() }));
    let reader = fed.reader.clone().with_dead_letters(Some(Fates::default())).with_history(history);
    let server = Server::new(&reader);
    let mut stream = Client::connect(server.address);
    stream.send(b"GET /v1/events HTTP/1.1\r\nhost: here\r\n\r\n");
    get(server.address, "/v1/counts");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let plain = loop {
        let text = get(server.address, "/metrics").text().to_owned();
        if text.lines().any(|line| line.contains("event=\"snapshot\"") && !line.ends_with(" 0")) {
            break text;
        }
        assert!(std::time::Instant::now() < deadline, "no event within 30 s: {text}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let (plain, encrypted) = (shown(&plain), shown(&scraped()));
    for about in ALL {
        let (kind_shown, help, labelled) = plain
            .get(about.name)
            .or_else(|| encrypted.get(about.name))
            .unwrap_or_else(|| panic!("{} is documented and not shown", about.name));
        assert_eq!((kind_shown.as_str(), help.as_str()), (kind(about), about.help), "{}", about.name);
        for (sample, labels) in labelled {
            assert!(samples(about).contains(sample), "{sample}");
            let mut expected: BTreeSet<String> =
                about.labels.iter().map(|(label, _)| (*label).to_owned()).collect();
            expected.extend(sample.ends_with("_bucket").then(|| "le".to_owned()));
            assert_eq!(labels, &expected, "{sample}");
        }
    }
    for name in plain.keys().chain(encrypted.keys()) {
        assert!(ALL.iter().any(|about| about.name == name), "{name} is shown and not documented");
    }
}

/// The names of metrics in an expression of PromQL.
fn metrics_in(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("tidings_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

fn must_exist(expressions: &[String]) -> BTreeSet<String> {
    let known: BTreeSet<String> = ALL.iter().flat_map(|about| samples(about)).collect();
    let used: BTreeSet<String> = expressions.iter().flat_map(|expression| metrics_in(expression)).collect();
    for name in &used {
        assert!(known.contains(name), "there is no metric {name}");
    }
    assert!(expressions.iter().all(|expression| !metrics_in(expression).is_empty()), "{expressions:?}");
    used
}

#[test]
fn the_dashboard_shows_what_there_is() {
    let text = fs::read_to_string(path("deploy/grafana.json")).expect("the file is there");
    let dashboard: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let charts = panels.iter().filter(|panel| panel["type"] != "row");
    let mut expressions = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in charts {
        assert!(ids.insert(panel["id"].as_i64().expect("an id")), "an id stands there twice");
        assert!(panel["gridPos"]["w"].is_u64() && !panel["title"].as_str().unwrap_or("").is_empty());
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{} asks for nothing", panel["title"]);
        expressions.extend(targets.iter().map(|target| target["expr"].as_str().expect("PromQL").to_owned()));
    }
    let used = must_exist(&expressions);
    for wanted in
        ["tidings_posts_total", "tidings_partition_lag", "tidings_epoch_age_seconds", "tidings_streams"]
    {
        assert!(used.contains(wanted), "{wanted} is not shown");
    }
}

#[test]
fn the_alerts_watch_what_there_is() {
    let text = fs::read_to_string(path("deploy/alerts.yml")).expect("the file is there");
    let rules = Yaml::load_from_str(&text).expect("it is YAML");
    let groups = rules[0]["groups"].as_sequence().expect("groups");
    let rules: Vec<&Yaml<'_>> =
        groups.iter().flat_map(|group| group["rules"].as_sequence().expect("rules")).collect();
    let expressions: Vec<String> =
        rules.iter().map(|rule| rule["expr"].as_str().expect("PromQL").to_owned()).collect();
    must_exist(&expressions);
    for rule in rules {
        assert!(
            rule["alert"].as_str().is_some() && rule["annotations"]["summary"].as_str().is_some(),
            "{rule:?}"
        );
    }
}
