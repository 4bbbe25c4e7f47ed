//! What is said of each mistake that a file can have, and on which line.

use super::problems;

/// A text with one mistake, the line that it is on, and a part of what is said.
const MISTAKES: &[(&str, usize, &str)] = &[
    // Keys and tables that do not exist.
    ("[kafka]\nbrokres = \"a:1\"", 2, "there is no key `kafka.brokres`, the nearest is `kafka.brokers`"),
    ("brokers = \"a:1\"", 1, "there is no key `brokers`, the nearest is `kafka.brokers`"),
    ("[kafak]\nbrokers = \"a:1\"", 1, "there is no table `kafak`, the nearest is `kafka`"),
    ("[[counts]]\nname = \"a\"", 1, "there is no table `counts`, the nearest is `count`"),
    ("[http.tls]\ncert = \"a\"", 1, "there is no key `http.tls`, the nearest is `http.tls_"),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindow = \"5m\"",
        4,
        "no key `count.window`, the nearest is `count.windows`",
    ),
    ("[kafka]\nsasl.password = \"x\"", 2, "there is no key `kafka.sasl`: what librdkafka knows goes below"),
    ("[kafka.property]\na = 1", 1, "there is no key `kafka.property`: what librdkafka knows goes below"),
    // Tables that are none.
    ("kafka = 5", 1, "`kafka` is a table: write `[kafka]` and its keys below it"),
    ("[[kafka]]\nbrokers = \"a:1\"", 1, "`kafka` is a table: write `[kafka]`"),
    ("[count]\nname = \"a\"", 1, "`count` is a list of tables: write `[[count]]`"),
    ("count = []", 1, "`count` is empty: name what to count, or leave it out for the documented two"),
    (
        "[kafka]\nproperties = \"a=b\"",
        2,
        "`kafka.properties` must be a table: write `[kafka.properties]`, not a string",
    ),
    // Wrong types.
    ("[engine]\nepoch = 250", 2, "`engine.epoch` must be a string such as \"250ms\", not a whole number"),
    ("[engine]\nworkers = \"4\"", 2, "`engine.workers` must be a whole number such as 4, not a string"),
    (
        "[kafka]\ntopics = \"posts\"",
        2,
        "`kafka.topics` must be a list of strings such as [\"posts\"], not a string",
    ),
    ("[engine]\nmax_terms = 99999999999999999999", 2, "`engine.max_terms`: the number is too large"),
    // Values.
    ("[kafka]\nbrokers = \"\"", 2, "`kafka.brokers`: \"\" is no broker, write host:port"),
    ("[kafka]\ntopics = []", 2, "`kafka.topics`: is empty, name one topic at least"),
    ("[kafka]\ntopics = [\"a\", \"a\"]", 2, "`kafka.topics`: \"a\" is named twice"),
    ("[kafka]\ntopics = [\"a b\"]", 2, "`kafka.topics`: \"a b\" is no topic"),
    ("[kafka]\nstart = \"yesterday\"", 2, "`kafka.start`: \"yesterday\" is no start, write earliest, latest"),
    ("[kafka]\nstart = 2026-01-01", 2, "`kafka.start`: \"2026-01-01\" is no start"),
    ("[kafka]\ngroup_id = \"\"", 2, "`kafka.group_id`: \"\" is no group"),
    (
        "[kafka]\non_gap = \"stpo\"",
        2,
        "`kafka.on_gap`: \"stpo\" is none of stop, continue; the nearest is `stop`",
    ),
    (
        "[kafka.properties]\ngroup.id = \"x\"",
        2,
        "`kafka.properties.group.id`: tidings owns this property: use `kafka.group_id`",
    ),
    (
        "[kafka.properties]\nx = [1]",
        2,
        "`kafka.properties.x`: must be a string, a number, true, false or { file",
    ),
    ("[kafka.properties]\nx = {}", 2, "`kafka.properties.x`: a table must be { file = \"path\" }"),
    ("[kafka.properties]\nx.file = \"/nowhere\"", 2, "the file \"/nowhere\": there is no such file"),
    ("[kafka.properties]\nx = { file = \"/\" }", 2, "the file \"/\": this is a directory"),
    ("[kafka.properties]\nx = { file = \"/dev/null\" }", 2, "the file \"/dev/null\" is empty"),
    ("[kafka.properties]\nx = { file = \"/dev/zero\" }", 2, "the file \"/dev/zero\": is larger than 256 KiB"),
    ("[kafka.properties]\na.b = 1\n\"a.b\" = 2", 3, "the property `a.b` is set twice"),
    ("[posts]\nformat = \"jsonl\"", 2, "`posts.format`: \"jsonl\" is none of auto, text, tweet, x, eneco"),
    (
        "[posts]\ntext = \"body\"",
        2,
        "`posts.text`: \"body\" is no JSON pointer, it must begin with a slash, such as \"/body\"",
    ),
    ("[posts]\ntime = \"now\"", 2, "`posts.time`: \"now\" is none of record, post"),
    ("[posts]\nreposts = \"no\"", 2, "`posts.reposts`: \"no\" is none of count, skip"),
    ("[posts]\non_bad = \"stop\"", 2, "`posts.on_bad`: \"stop\" is none of count, fail"),
    ("[posts]\ndead_letter_topic = \"a b\"", 2, "`posts.dead_letter_topic`: \"a b\" is no topic"),
    (
        "[posts]\ndead_letter_topic = \"posts\"",
        2,
        "\"posts\" is one of `kafka.topics`, so that bad records would come round",
    ),
    ("[engine]\nworkers = -1", 2, "`engine.workers`: must be at least 0 and at most 1024"),
    ("[engine]\nepoch = \"0s\"", 2, "`engine.epoch`: \"0s\" must be at least 1ms and at most 1h"),
    ("[engine]\nepoch = \"2h\"", 2, "`engine.epoch`: \"2h\" must be at least 1ms and at most 1h"),
    ("[engine]\nclock = \"utc\"", 2, "`engine.clock`: \"utc\" is none of wall, event"),
    ("[engine]\nmax_terms = 0", 2, "`engine.max_terms`: must be at least 1"),
    ("[[count]]\nof = \"words\"", 1, "this `[[count]]` has no `count.name`, add one such as name = \"tags\""),
    (
        "\n[[count]]\nname = \"words\"",
        2,
        "this `[[count]]` has no `count.of`, add one such as of = \"hashtags\"",
    ),
    ("[[count]]\nname = \"A\"\nof = \"words\"", 2, "`count.name`: \"A\" is no name of a count"),
    (
        "[[count]]\nname = \"a\"\nof = \"hashtag\"",
        3,
        "`count.of`: \"hashtag\" is none of words, hashtags, mentions",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = []",
        4,
        "`count.windows`: is empty, name one window at least",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"5x\"]",
        4,
        "`count.windows`: \"5x\" is no window",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"5m\", \"300s/5s\"]",
        4,
        "\"5m\" and \"300s/5s\" are the same window",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"all\", \"all\"]",
        4,
        "are the same window, name it once",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"301s\"]",
        4,
        "does not divide its size, \"301s/1s\" would do",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"1m/5s\", \"5m/7s\"]",
        4,
        "does not divide its size, \"5m/5s\" would do",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nwindows = [\"1m/2s\", \"5m\"]",
        4,
        "does not divide the next larger one, 5s of",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nstop_words = [\"english\"]",
        4,
        "`count.stop_words`: there are no stop words for",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nmin_length = 0",
        4,
        "`count.min_length`: must be at least 1 and at most 256",
    ),
    (
        "[[count]]\nname = \"a\"\nof = \"words\"\nlanguages = [\"en_US\"]",
        4,
        "`count.languages`: \"en_US\" is no language",
    ),
    ("[[count]]\nname = \"a\"\nof = \"words\"\ntrack = [\"\"]", 4, "`count.track`: \"\" is no term"),
    (
        "[http]\nbind = \"8080\"",
        2,
        "`http.bind`: \"8080\" is no address to listen on, write \"127.0.0.1:8080\"",
    ),
    ("[http]\nhealth_bind = \"127.0.0.1:8080\"", 2, "`http.health_bind`: is the same address as `http.bind`"),
    ("[http]\ntls_cert = \"a.pem\"", 2, "`http.tls_cert`: needs its key: set `http.tls_key` as well"),
    ("[http]\ntls_key = \"a.pem\"", 2, "`http.tls_key`: needs its certificate: set `http.tls_cert` as well"),
    ("[http]\ntoken_file = \"a\\u0000\"", 2, "`http.token_file`: \"a\\0\" is no path"),
    (
        "[http]\ncors = [\"example.org\"]",
        2,
        "`http.cors`: \"example.org\" is no origin, write it as a browser",
    ),
    ("[http]\ncors = [\"*\"]", 2, "`http.cors`: \"*\" lets every page that a browser shows read everything"),
    ("[http]\nmax_connections = 0", 2, "`http.max_connections`: must be at least 1"),
    ("[http]\nmax_streams = -1", 2, "`http.max_streams`: must be at least 0"),
    ("[cluster]\nhosts = [\"a\"]", 2, "`cluster.hosts`: \"a\" is no address of a process, write host:port"),
    ("[cluster]\nhosts = [\"localhost:1\", \"localhost:1\"]", 2, "\"localhost:1\" is named twice"),
    (
        "[cluster]\nhosts = [\"localhost:1\"]\nprocess = 1",
        3,
        "`cluster.process`: is 1, but `cluster.hosts` has 1",
    ),
    (
        "[cluster]\nhosts = [\"10.0.0.1:1\"]",
        2,
        "\"10.0.0.1:1\" can be reached from other hosts, so `cluster.secret_file`",
    ),
    ("[cluster]\nid = \"\"", 2, "`cluster.id`: \"\" is no name"),
    (
        "[checkpoint]\ndir = \"/data\"",
        2,
        "`checkpoint.dir`: \"/data\" is no address of a directory, write \"file:///data\"",
    ),
    (
        "[checkpoint]\ninterval = \"1ms\"",
        2,
        "`checkpoint.interval`: \"1ms\" must be at least 100ms and at most 7d",
    ),
    ("[log]\nformat = \"xml\"", 2, "`log.format`: \"xml\" is none of text, json"),
    ("[log]\nlevel = \"inof\"", 2, "`log.level`: \"inof\" is none of error, warn, info"),
];

#[test]
fn each_mistake_is_named_on_its_line_and_only_once() {
    for (text, line, why) in MISTAKES {
        let said = problems(text, &[]);
        assert_eq!(said.len(), 1, "{text}\n{said:#?}");
        assert!(
            said[0].starts_with(&format!("t.toml:{line}: ")) && said[0].contains(why),
            "{text}\n{said:#?}"
        );
        assert!(!said[0].ends_with('.'), "{}", said[0]);
    }
}
