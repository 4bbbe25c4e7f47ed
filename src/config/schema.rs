//! What can be set: every key with its default, its type and an example.
//!
//! Idea: the documented file is the schema. A key exists because `defaults.toml` has it, its type is that of its
//! default, and what is written there is what `Config::default()` holds, so that the three cannot come apart.
//! Invariant: `defaults.toml` is valid, which a test checks; every key is `section.key`, those of a count `count.key`.
//! Cost: parsed once in a process, on first use.

use std::sync::LazyLock;

use toml::de::{DeArray, DeTable, DeValue};

use super::values::plain;

/// The documented file.
const DOCUMENTED: &str = include_str!("defaults.toml");

/// Examples for settings whose default is empty and so shows nothing.
const EXAMPLES: [(&str, &str); 18] = [
    ("posts.id", "\"/id\""),
    ("posts.author", "\"/user/name\""),
    ("posts.lang", "\"/lang\""),
    ("posts.tags", "\"/entities/hashtags\""),
    ("posts.dead_letter_topic", "\"posts-bad\""),
    ("count.stop_words", "[\"en\", \"ko\"]"),
    ("count.languages", "[\"en\", \"ko\"]"),
    ("count.track", "[\"rust\", \"kafka\"]"),
    ("http.health_bind", "\"127.0.0.1:8081\""),
    ("http.token_file", "\"/run/secrets/token\""),
    ("http.tls_cert", "\"/etc/tidings/cert.pem\""),
    ("http.tls_key", "\"/etc/tidings/key.pem\""),
    ("http.cors", "[\"https://example.org\"]"),
    ("cluster.hosts", "[\"10.0.0.1:2101\", \"10.0.0.2:2101\"]"),
    ("cluster.secret_file", "\"/run/secrets/cluster\""),
    ("checkpoint.dir", "\"file:///var/lib/tidings\""),
    ("engine.workers", "4"),
    ("cluster.process", "1"),
];

/// A key that can be set.
pub(super) struct Setting {
    /// `section.key`.
    pub(super) key: String,
    /// The documented default, which has the type that every value of this key must have.
    pub(super) default: toml::Value,
}

/// All keys that can be set.
pub(super) struct Schema {
    /// The tables in documented order, each with its keys; `count` is among them, with the keys of one count.
    pub(super) sections: Vec<(String, Vec<Setting>)>,
    /// The counts that there are when none is configured: key and value.
    pub(super) counts: Vec<Vec<(String, toml::Value)>>,
}

/// The one schema of this version.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::of(DOCUMENTED));
    &SCHEMA
}

impl Schema {
    fn of(text: &str) -> Self {
        let document = DeTable::parse(text).expect("the documented file is valid");
        let mut sections = Vec::new();
        let mut counts = Vec::new();
        for (section, value) in in_order(document.get_ref()) {
            let keys = match value {
                DeValue::Table(table) => pairs(table),
                DeValue::Array(tables) => {
                    counts = count_tables(tables);
                    counts.last().cloned().unwrap_or_default()
                }
                _ => Vec::new(),
            };
            let setting = |(key, default)| Setting { key: format!("{section}.{key}"), default };
            sections.push((section.to_owned(), keys.into_iter().map(setting).collect()));
        }
        Self { sections, counts }
    }

    /// The setting of this dotted key.
    pub(super) fn setting(&self, key: &str) -> Option<&Setting> {
        let (section, _) = key.split_once('.')?;
        self.section(section)?.iter().find(|setting| setting.key == key)
    }

    /// The keys of a table.
    pub(super) fn section(&self, section: &str) -> Option<&[Setting]> {
        self.sections.iter().find(|(name, _)| name == section).map(|(_, keys)| keys.as_slice())
    }

    /// All settings in documented order, the keys of a count among them.
    pub(super) fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.sections.iter().flat_map(|(_, keys)| keys)
    }
}

impl Setting {
    /// The key without its table.
    pub(super) fn leaf(&self) -> &str {
        self.key.split_once('.').map_or(&self.key, |(_, leaf)| leaf)
    }

    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("TIDINGS__{}", self.key.replace('.', "__").to_ascii_uppercase())
    }

    /// The type of its values and an example of one, for messages.
    pub(super) fn expected(&self) -> String {
        let kind = match self.default {
            toml::Value::Integer(_) => "a whole number",
            toml::Value::Array(_) => "a list of strings",
            _ => "a string",
        };
        let example = EXAMPLES.iter().find(|(key, _)| *key == self.key);
        let example = example.map_or_else(|| self.default.to_string(), |(_, example)| (*example).to_owned());
        format!("{kind} such as {example}")
    }
}

/// The entries of a table in the order of the text. Every value is returned by reference, nothing is copied.
pub(super) fn in_order<'a>(table: &'a DeTable<'_>) -> Vec<(&'a str, &'a DeValue<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries.into_iter().map(|(key, value)| (key.get_ref().as_ref(), value.get_ref())).collect()
}

fn pairs(table: &DeTable<'_>) -> Vec<(String, toml::Value)> {
    let entries = in_order(table).into_iter().filter(|(_, value)| !value.is_table());
    entries.map(|(key, value)| (key.to_owned(), plain(value).expect("documented values are plain"))).collect()
}

fn count_tables(tables: &DeArray<'_>) -> Vec<Vec<(String, toml::Value)>> {
    tables.iter().filter_map(|table| table.get_ref().as_table()).map(pairs).collect()
}

/// The one among `known` that is most like `wanted`.
pub(super) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Beyond this a comparison costs much and says nothing: no known name is half as long.
    let wanted: String = wanted.chars().take(80).collect();
    let wanted = wanted.to_lowercase();
    let alike = |known: &str| {
        let known = known.to_lowercase();
        let whole = strsim::normalized_damerau_levenshtein(&wanted, &known);
        // A key that was put into the wrong table is nearer to itself than to its new neighbours, and a beginning of
        // a key is nearer to it than to one of its own length.
        whole.max(0.95 * strsim::jaro_winkler(last_part(&wanted), last_part(&known)))
    };
    let scored = known.into_iter().map(|known| (alike(known), known));
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// What stands behind the last dot of a key or the last double underscore of a variable.
fn last_part(name: &str) -> &str {
    name.rsplit_once('.').or_else(|| name.rsplit_once("__")).map_or(name, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_keys_keep_their_documented_order() {
        let names: Vec<&str> = schema().sections.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["kafka", "posts", "engine", "count", "http", "cluster", "checkpoint", "log"]);
        let keys: Vec<&str> = schema().settings().map(|setting| setting.key.as_str()).take(3).collect();
        assert_eq!(keys, ["kafka.brokers", "kafka.topics", "kafka.start"]);
        assert_eq!(schema().counts.len(), 2);
        assert_eq!(schema().section("count").map(<[_]>::len), Some(7));
    }

    #[test]
    fn every_setting_has_an_example_that_shows_something() {
        for setting in schema().settings() {
            let expected = setting.expected();
            assert!(!expected.ends_with("\"\"") && !expected.ends_with("[]"), "{}: {expected}", setting.key);
        }
        for (key, _) in EXAMPLES {
            assert!(schema().setting(key).is_some(), "{key}");
        }
    }

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        let meant = [
            ("kafka.brokres", "kafka.brokers"),
            ("kafka.topic", "kafka.topics"),
            ("brokers", "kafka.brokers"),
            ("engine.bind", "http.bind"),
            ("http.port", "http.cors"),
            ("checkpoint.intervall", "checkpoint.interval"),
            ("count.window", "count.windows"),
        ];
        for (wanted, known) in meant {
            let keys = schema().settings().map(|setting| setting.key.as_str());
            assert_eq!(nearest(wanted, keys), Some(known));
        }
        assert_eq!(nearest("x", []), None);
        assert!(nearest(&"x.".repeat(1_000_000), ["kafka.brokers"]).is_some());
    }

    #[test]
    fn variables_are_named_after_keys() {
        let setting = schema().setting("posts.dead_letter_topic").expect("it is documented");
        assert_eq!(setting.variable(), "TIDINGS__POSTS__DEAD_LETTER_TOPIC");
        assert_eq!(setting.leaf(), "dead_letter_topic");
    }
}
