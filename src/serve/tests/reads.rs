//! What the resources answer.

use serde_json::{Value, json};

use super::client::{get, offsets_of, post};
use super::fed::{Fed, GENERATION};
use super::server::{Server, served};

fn pairs(terms: &Value) -> Vec<(&str, &str, i64)> {
    let terms = terms.as_array().expect("a list");
    terms.iter().map(pair).collect()
}

fn pair(term: &Value) -> (&str, &str, i64) {
    let text = |key: &str| term[key].as_str().expect("text");
    (text("term"), text("display"), term["count"].as_i64().expect("a number"))
}

#[test]
fn counts_are_listed_with_their_windows() {
    let (_fed, server) = served();
    let answer = get(server.address, "/v1/counts");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let counts = answer.json();
    let expected = json!({"name": "hashtags", "of": "hashtags", "windows": [
        {"name": "1m", "size_ms": 60_000, "slide_ms": 1000},
        {"name": "5m/5s", "size_ms": 300_000, "slide_ms": 5000},
        {"name": "all", "size_ms": null, "slide_ms": null},
    ]});
    assert_eq!(counts[0], expected);
    assert_eq!(counts.as_array().map(Vec::len), Some(3));
    assert!(
        answer
            .text()
            .starts_with(r#"[{"name":"hashtags","of":"hashtags","windows":[{"name":"1m","size_ms":"#)
    );
}

#[test]
fn the_first_places_have_a_whole_stamp() {
    let (_fed, server) = served();
    let answer = get(server.address, "/v1/counts/hashtags/top?window=all&k=2");
    let expected = json!({
        "stamp": {
            "count": "hashtags", "window": "all", "generation": GENERATION, "epoch": 2000,
            "as_of": "1970-01-01T00:00:02.000Z", "clock": "2023-11-14T22:15:05.500Z", "from": null, "to": null,
            "start_offsets": {"posts": {"0": 10, "1": 10}}, "offsets": {"posts": {"0": 13, "1": 12}},
            "catching_up": false,
        },
        "total": 7, "distinct": 4,
        "top": [
            {"rank": 1, "term": "rust", "display": "Rust", "count": 4},
            {"rank": 2, "term": "go", "display": "Go", "count": 1},
        ],
    });
    assert_eq!(answer.json(), expected);
    let keys =
        ["stamp", "count", "window", "generation", "epoch", "as_of", "clock", "from", "to", "start_offsets"];
    let keys =
        keys.into_iter().chain(["\"offsets", "catching_up", "total", "distinct", "top", "rank", "display"]);
    let places: Vec<_> = keys.map(|key| answer.text().find(&format!("{key}\":")).expect(key)).collect();
    assert!(places.is_sorted(), "{}", answer.text());
}

#[test]
fn windows_cover_their_event_time() {
    let (_fed, server) = served();
    let minute = get(server.address, "/v1/counts/hashtags/top").json();
    assert_eq!(minute["stamp"]["window"], "1m");
    assert_eq!(minute["stamp"]["from"], "2023-11-14T22:14:06.000Z");
    assert_eq!(minute["stamp"]["to"], "2023-11-14T22:15:06.000Z");
    assert_eq!((&minute["total"], &minute["distinct"]), (&json!(3), &json!(3)));
    for spelling in ["5m", "300s", "5m/5s", "5m%2F5s"] {
        let five = get(server.address, &format!("/v1/counts/hashtags/top?window={spelling}")).json();
        assert_eq!((&five["stamp"]["window"], &five["total"]), (&json!("5m/5s"), &json!(7)), "{spelling}");
    }
}

#[test]
fn a_term_is_folded_and_decoded_once() {
    let (_fed, server) = served();
    for (asked, term, display, count) in [
        ("rust", "rust", "Rust", 4),
        ("%23RUST", "rust", "Rust", 4),
        ("%23%23RUST", "rust", "Rust", 4),
        ("%EF%BC%83%23rust", "rust", "Rust", 4),
        ("U%CC%88ni%CC%88code", "ünïcode", "Ünïcode", 1),
        ("never", "never", "never", 0),
        ("a%2Fb", "a/b", "a/b", 0),
        ("%2523", "%23", "%23", 0),
        ("a%00b", "a\0b", "a\0b", 0),
        ("a+b", "a+b", "a+b", 0),
    ] {
        let answer = get(server.address, &format!("/v1/counts/hashtags/terms/{asked}?window=all")).json();
        let found = (answer["term"].as_str(), answer["display"].as_str(), answer["count"].as_i64());
        assert_eq!(found, (Some(term), Some(display), Some(count)), "{asked}");
    }
    let long = "x".repeat(5000);
    assert_eq!(get(server.address, &format!("/v1/counts/words/terms/{long}")).json()["count"], 0);
}

#[test]
fn a_prefix_is_read_page_by_page() {
    let (_fed, server) = served();
    let all = get(server.address, "/v1/counts/hashtags/terms?window=all").json();
    let expected = [("go", "Go", 1), ("rust", "Rust", 4), ("été", "été", 1), ("ünïcode", "Ünïcode", 1)];
    assert_eq!((pairs(&all["terms"]), &all["next"]), (expected.to_vec(), &Value::Null));
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page =
            get(server.address, &format!("/v1/counts/hashtags/terms?window=all&limit=1{after}")).json();
        pages.extend(pairs(&page["terms"]).into_iter().map(|(term, _, count)| (term.to_owned(), count)));
        let Some(next) = page["next"].as_str() else { break };
        after = format!(
            "&after={}",
            percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC)
        );
    }
    assert_eq!(pages, expected.map(|(term, _, count)| (term.to_owned(), count)));
    let some =
        get(server.address, "/v1/counts/hashtags/terms?window=all&prefix=%23RU&after=#fragment").json();
    assert_eq!(pairs(&some["terms"]), [("rust", "Rust", 4)]);
    let signs = get(server.address, "/v1/counts/hashtags/terms?window=all&prefix=%23%23RU").json();
    assert_eq!(pairs(&signs["terms"]), [("rust", "Rust", 4)]);
    let phrases = get(server.address, "/v1/counts/phrases/terms?window=all&prefix=GOOD+").json();
    assert_eq!(
        pairs(&phrases["terms"]),
        [("good evening", "good evening", 1), ("good morning", "good morning", 2)]
    );
}

#[test]
fn a_series_adds_up() {
    let (_fed, server) = served();
    let series = get(server.address, "/v1/counts/hashtags/terms/%23Rust/series?window=5m").json();
    assert_eq!(series["term"], "rust");
    let panes = series["panes"].as_array().expect("panes");
    assert_eq!((panes.len(), &panes[0]["from"]), (60, &series["stamp"]["from"]));
    let counted: Vec<_> = panes.iter().filter(|pane| pane["count"] != 0).collect();
    assert_eq!(
        counted,
        [
            &json!({"from": "2023-11-14T22:14:00.000Z", "count": 3}),
            &json!({"from": "2023-11-14T22:15:05.000Z", "count": 1}),
        ]
    );
}

#[test]
fn a_series_has_no_panes_before_a_clock_is_known() {
    let fed = Fed::new();
    fed.feed(1000, &[]);
    let server = Server::new(&fed.reader);
    for window in ["1m", "5m"] {
        let path = format!("/v1/counts/hashtags/terms/rust/series?window={window}");
        let series = get(server.address, &path).json();
        for (key, value) in [("clock", Value::Null), ("from", Value::Null), ("to", Value::Null)] {
            assert_eq!(series["stamp"][key], value, "{key}");
        }
        assert_eq!(series["panes"], json!([]), "{window}");
    }
}

#[test]
fn many_terms_are_answered_in_the_order_asked() {
    let (_fed, server) = served();
    let body = br###"{"terms":["#go","RUST","nothing","##Go"],"window":"all"}"###;
    let answer = post(server.address, "/v1/counts/hashtags/terms", body).json();
    let expected = [("go", "Go", 1), ("rust", "Rust", 4), ("nothing", "nothing", 0), ("go", "Go", 1)];
    assert_eq!(pairs(&answer["terms"]), expected);
    assert_eq!(answer["stamp"]["window"], "all");
    let none = post(server.address, "/v1/counts/words/terms", br#"{"terms":[]}"#).json();
    assert_eq!((&none["terms"], &none["stamp"]["window"]), (&json!([]), &json!("1m")));
    let most = json!({"terms": vec!["rust"; 1000]}).to_string();
    assert_eq!(post(server.address, "/v1/counts/hashtags/terms", most.as_bytes()).status, 200);
}

#[test]
fn the_status_tells_what_became_of_records() {
    let (_fed, server) = served();
    let answer = get(server.address, "/v1/status");
    let status = answer.json();
    let expected = [
        ("ready", json!(true)),
        ("reasons", json!([])),
        ("processes", json!(1)),
        ("workers", json!(2)),
        ("posts", json!(5)),
        ("bad", json!({})),
        ("other", json!({})),
        ("late", json!(1)),
        ("ahead", json!(0)),
        ("undated", json!(0)),
        ("checkpoint", json!(null)),
    ];
    for (key, value) in expected {
        assert_eq!(status[key], value, "{key}");
    }
    let partition = json!({"topic": "posts", "partition": 0, "offset": 13, "end_offset": 10, "lag": 0,
        "newest": "2023-11-14T22:15:05.000Z"});
    assert_eq!(status["partitions"][0], partition);
    assert_eq!(offsets_of(&status).values().sum::<i64>(), 25);
    assert!(status["stamp"].get("count").is_none() && status["stamp"].get("from").is_none());
}

#[test]
fn a_table_takes_no_more_terms_than_it_may_of_one_epoch_either() {
    let fed = Fed::with_room(4);
    let texts: Vec<String> = (0..100).map(|n| format!("#t{n} #t{n}")).collect();
    // Each tag in two panes.
    let posts = |time: u64| texts.iter().map(move |text| (time, text.as_str()));
    let all: Vec<(u64, &str)> = posts(0).chain(posts(60_000)).collect();
    let server = Server::new(&fed.reader);
    for (epoch, times) in [(1000, 1), (2000, 2), (3000, 3)] {
        fed.feed(epoch, &all);
        let top = get(server.address, "/v1/counts/hashtags/top?window=all").json();
        assert_eq!((&top["distinct"], &top["stamp"]["overflow"]), (&json!(4), &json!(true)), "{top}");
        let counts: Vec<_> = top["top"].as_array().unwrap().iter().map(|place| &place["count"]).collect();
        assert_eq!(counts, [&json!(4 * times); 4], "what is taken is counted whole: {top}");
    }
}

#[test]
fn a_full_table_says_so() {
    let fed = Fed::with_room(2);
    fed.feed(1000, &[(0, "#a #b #c #d #e #f #g #h")]);
    fed.feed(2000, &[(0, "#a #i #j #k #l #m #n #o")]);
    let server = Server::new(&fed.reader);
    assert_eq!(get(server.address, "/v1/counts/hashtags/top?window=all").json()["stamp"]["overflow"], true);
    assert!(get(server.address, "/v1/counts/words/top?window=all").json()["stamp"].get("overflow").is_none());
}
