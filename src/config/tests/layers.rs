//! Which layer wins, and what is said of where a value came from.

use std::time::Duration;

use super::super::{Clock, Config, Format, OnBad, OnGap, Override, Reposts, Span, Start, Time, load};
use super::{Scratch, env, load_text};
use crate::terms::Kind;

#[test]
fn the_defaults_are_the_documented_ones() {
    let Config { kafka, posts, engine, counts, http, cluster, checkpoint, log } = Config::default();
    assert_eq!((kafka.brokers.as_str(), kafka.group_id.as_str()), ("localhost:9092", "tidings"));
    assert_eq!(
        (kafka.topics, kafka.start, kafka.on_gap),
        (vec!["posts".to_owned()], Start::Latest, OnGap::Stop)
    );
    assert!(kafka.properties.is_empty());
    assert_eq!((posts.format, posts.time, posts.reposts), (Format::Auto, Time::Record, Reposts::Count));
    assert_eq!((posts.on_bad, posts.dead_letter_topic), (OnBad::Count, None));
    assert_eq!((posts.pointers.text.as_str(), posts.pointers.id, posts.pointers.time), ("/body", None, None));
    assert!(engine.workers >= 1);
    assert_eq!(
        (engine.epoch, engine.clock, engine.max_terms),
        (Duration::from_millis(250), Clock::Wall, 50_000_000)
    );
    let names: Vec<_> = counts.iter().map(|count| (count.name.as_str(), count.of)).collect();
    assert_eq!(names, [("hashtags", Kind::Hashtags), ("words", Kind::Words)]);
    for count in &counts {
        let windows: Vec<_> =
            count.windows.iter().map(|window| (window.name.as_str(), window.span)).collect();
        let span = |size_ms, slide_ms| Some(Span { size_ms, slide_ms });
        let minute = ("1m", span(60_000, 1000));
        assert_eq!(
            windows,
            [minute, ("5m", span(300_000, 5000)), ("1h", span(3_600_000, 60_000)), ("all", None)]
        );
        assert_eq!((count.min_length, count.stop_words.len(), count.track.len()), (1, 0, 0));
    }
    assert_eq!(
        (http.bind.to_string().as_str(), http.health_bind, http.token_file),
        ("127.0.0.1:8080", None, None)
    );
    assert_eq!((http.max_connections, http.max_streams, http.cors.len()), (10_000, 5000, 0));
    assert_eq!((cluster.hosts.len(), cluster.process, cluster.id.as_str()), (0, 0, "tidings"));
    assert_eq!((checkpoint.dir, checkpoint.interval), (None, Duration::from_secs(30)));
    assert_eq!(log.level, "info");
}

#[test]
fn an_empty_file_is_valid() {
    for text in ["", "\n\n", "# nothing\r\n", "\u{feff}", "[kafka]\n[kafka.properties]\n[http]\n"] {
        let loaded = load_text(text, &[]).expect(text);
        assert_eq!(format!("{:?}", loaded.config), format!("{:?}", Config::default()));
    }
}

#[test]
fn flags_win_over_the_environment_that_over_the_file_that_over_defaults() {
    let file = Scratch::new("[kafka]\nbrokers = \"file:1\"\ngroup_id = \"file\"\ntopics = [\"file\"]\n");
    let variables =
        env(&[("TIDINGS__KAFKA__BROKERS", "env:1"), ("TIDINGS__KAFKA__TOPICS", "a, b"), ("PATH", "x")]);
    let flags = vec![Override { key: "kafka.brokers", value: "flag:1".into(), flag: "--brokers" }];
    let loaded = load(Some(file.path()), variables, flags).expect("it is valid");
    let kafka = &loaded.config.kafka;
    assert_eq!((kafka.brokers.as_str(), kafka.group_id.as_str()), ("flag:1", "file"));
    assert_eq!(kafka.topics, ["a", "b"]);
    assert_eq!(loaded.file(), Some(file.path()));

    let print = loaded.print();
    for line in [
        "brokers = \"flag:1\" # --brokers".to_owned(),
        "topics = [\"a\", \"b\"] # TIDINGS__KAFKA__TOPICS".to_owned(),
        format!("group_id = \"file\" # {}:3", file.path().display()),
        "start = \"latest\" # default".to_owned(),
    ] {
        assert!(print.lines().any(|printed| printed == line), "{line}\n{print}");
    }
}

#[test]
fn properties_are_merged_one_by_one() {
    let text = "[kafka.properties]\nsecurity.protocol = \"SASL_SSL\"\n\"sasl.mechanism\" = \"PLAIN\"\nsasl.password = \"a\"\n\
                fetch.min.bytes = 5\nenable.idempotence = true\nssl = { ca.location = \"/ca\" }\n";
    let loaded = load_text(text, &[("TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD", "b")]).expect("it is valid");
    let properties = &loaded.config.kafka.properties;
    let value = |name: &str| properties.get(name).map(|property| (property.value.as_str(), property.secret));
    assert_eq!(value("security.protocol"), Some(("SASL_SSL", false)));
    assert_eq!(value("sasl.mechanism"), Some(("PLAIN", false)));
    assert_eq!(value("sasl.password"), Some(("b", true)));
    assert_eq!(value("fetch.min.bytes"), Some(("5", false)));
    assert_eq!(value("enable.idempotence"), Some(("true", false)));
    assert_eq!(value("ssl.ca.location"), Some(("/ca", false)));
    assert!(loaded.warnings().is_empty(), "{:?}", loaded.warnings());
}

#[test]
fn the_content_of_a_file_is_trimmed() {
    let secret = Scratch::new(" \tcanary in a file\r\n\n");
    let text = format!("[kafka.properties]\nsasl.username = {{ file = {:?} }}\n", secret.path());
    let loaded = load_text(&text, &[]).expect("it is valid");
    let username = &loaded.config.kafka.properties["sasl.username"];
    assert_eq!((username.value.as_str(), username.secret), ("canary in a file", true));
    let line = loaded.print().lines().find(|line| line.contains("sasl.username")).map(str::to_owned);
    let line = line.expect("the property is printed");
    assert!(line.starts_with("\"sasl.username\" = \"***\" # "), "{line}");
    assert!(line.ends_with(&format!(":2, from {}", secret.path().display())), "{line}");
}

#[test]
fn counts_of_the_file_replace_the_documented_ones() {
    let text = "[[count]]\nname = \"tags\"\nof = \"hashtags\"\n\n[[count]]\nname = \"ko\"\nof = \"words\"\n\
                windows = [\"10m/1m\"]\nstop_words = [\"en\", \"ko\"]\nmin_length = 2\nlanguages = [\"KO\"]\ntrack = [\"x\"]\n";
    let counts = load_text(text, &[]).expect("it is valid").config.counts;
    let names: Vec<&str> = counts.iter().map(|count| count.name.as_str()).collect();
    assert_eq!(names, ["tags", "ko"]);
    assert_eq!(counts[0].windows.len(), 4);
    assert_eq!(counts[1].windows[0].span, Some(Span { size_ms: 600_000, slide_ms: 60_000 }));
    assert_eq!((counts[1].min_length, counts[1].stop_words.len()), (2, 2));
    assert_eq!((counts[1].languages.as_slice(), counts[1].track.len()), (["ko".to_owned()].as_slice(), 1));
}

#[test]
fn questionable_settings_are_warned_of() {
    let cases = [
        ("[engine]\nepoch = \"5ms\"", "`engine.epoch` is under 10ms"),
        ("[http]\nbind = \"0.0.0.0:80\"", "`http.bind` is open to other hosts"),
        ("[http]\nmax_streams = 20_000", "`http.max_streams` is more than `http.max_connections`"),
        ("[cluster]\nprocess = 1", "`cluster.process` does nothing without `cluster.hosts`"),
        ("[posts]\nid = \"/i\"", "`posts.id` does nothing without `posts.format = \"json\"`"),
        ("[posts]\ntext = \"/t\"", "`posts.text` does nothing without `posts.format = \"json\"`"),
        ("[posts]\ntime = \"/t\"", "`posts.time` names a field, which only `posts.format = \"json\"` reads"),
        ("[posts]\nformat = \"json\"\ntime = \"post\"", "`posts.time` is \"post\" but names no field"),
        ("[kafka.properties]\nsasl.username = \"x\"", "the properties sasl.* do nothing"),
        ("[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"7d/1s\"]", "keeps 604800 panes"),
    ];
    for (text, why) in cases {
        let loaded = load_text(text, &[]).expect(text);
        assert_eq!(loaded.warnings().len(), 1, "{text}: {:?}", loaded.warnings());
        assert!(loaded.warnings()[0].contains(why), "{:?}", loaded.warnings());
    }
    assert!(load_text("", &[]).expect("the defaults").warnings().is_empty());
}
