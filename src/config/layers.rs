//! The layers of settings, one upon the other: defaults, file, environment, flags.
//!
//! Idea: every layer says what it sets and from where; merging keeps the last of each key. A list replaces the list
//! below it, as do all counts together; librdkafka's properties are merged one by one.
//! Invariant: after merging every documented key has a value of its documented type, so that reading cannot miss.

use std::collections::{BTreeMap, BTreeSet};

use super::file::unknown_key;
use super::origin::{Given, Origin};
use super::problem::{Problems, name};
use super::schema::{Schema, Setting, schema};
use super::values::typed;

/// A value from the command line, which wins over all others.
pub struct Override {
    /// The dotted key, such as `kafka.brokers`.
    pub key: &'static str,
    /// Its value, of the type that the file has for this key.
    pub value: toml::Value,
    /// The flag as it is written, such as `--brokers`, for messages.
    pub flag: &'static str,
}

/// What one layer sets.
#[derive(Default)]
pub(super) struct Layer {
    /// Dotted keys.
    pub(super) settings: Vec<(String, Given)>,
    /// librdkafka's properties by their own names.
    pub(super) properties: Vec<(String, Given)>,
    /// All counts, where the layer names any.
    pub(super) counts: Option<Vec<CountTable>>,
}

/// One `[[count]]` of a layer.
pub(super) struct CountTable {
    /// Where the table begins.
    pub(super) origin: Origin,
    /// Its keys, `count.key`.
    pub(super) entries: Vec<(String, Given)>,
}

/// A value for each documented key of a table, or of all tables but `count`.
#[derive(Clone, Default)]
pub(super) struct Values {
    given: BTreeMap<&'static str, Given>,
    wrong: BTreeSet<&'static str>,
}

/// All settings after merging.
pub(super) struct Settings {
    /// All keys but those of the counts.
    pub(super) values: Values,
    /// One for each count.
    pub(super) counts: Vec<Values>,
    /// librdkafka's properties.
    pub(super) properties: BTreeMap<String, Given>,
}

impl Layer {
    /// The layer of the command line.
    pub(super) fn of_flags(flags: Vec<Override>) -> Self {
        let given = |flag: Override| {
            (flag.key.to_owned(), Given { value: flag.value, origin: Origin::Flag(flag.flag) })
        };
        Self { settings: flags.into_iter().map(given).collect(), ..Self::default() }
    }
}

impl Values {
    fn of_defaults(settings: impl IntoIterator<Item = &'static Setting>) -> Self {
        let default = |setting: &'static Setting| {
            let given = Given { value: setting.default.clone(), origin: Origin::Default };
            (setting.key.as_str(), given)
        };
        Self { given: settings.into_iter().map(default).collect(), wrong: BTreeSet::new() }
    }

    fn take(&mut self, entries: Vec<(String, Given)>, problems: &mut Problems) {
        for (key, Given { value, origin }) in entries {
            // The key of the map is the documented one, and only keys of this table are in the map.
            let known =
                schema().setting(&key).filter(|setting| self.given.contains_key(setting.key.as_str()));
            let Some(setting) = known else {
                problems.add(&origin, unknown_key(&key));
                continue;
            };
            match typed(setting, value) {
                Ok(value) => {
                    self.given.insert(&setting.key, Given { value, origin });
                }
                Err(why) => {
                    problems.add(&origin, format!("`{key}` {why}"));
                    self.wrong.insert(&setting.key);
                }
            }
        }
    }

    /// The value of a documented key.
    pub(super) fn get(&self, key: &str) -> &Given {
        self.given.get(key).expect("every documented key has a value")
    }

    /// Notes that the value of a key cannot be used, so that nothing else is said of it.
    pub(super) fn mark_wrong(&mut self, key: &'static str) {
        self.wrong.insert(key);
    }

    /// Whether nothing was wrong with any of these keys so far.
    pub(super) fn all_right(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| !self.wrong.contains(key))
    }
}

/// Lays the layers upon each other, the later upon the earlier.
pub(super) fn merge(layers: Vec<Layer>, problems: &mut Problems) -> Settings {
    let Schema { counts, .. } = schema();
    let not_of_counts = schema().settings().filter(|setting| !setting.key.starts_with("count."));
    let defaults = counts.iter().map(|count| {
        let mut values = Values::of_defaults(count_keys());
        let given = |(key, value): &(String, toml::Value)| {
            (format!("count.{key}"), Given { value: value.clone(), origin: Origin::Default })
        };
        values.take(count.iter().map(given).collect(), problems);
        values
    });
    let mut settings = Settings {
        values: Values::of_defaults(not_of_counts),
        counts: defaults.collect(),
        properties: BTreeMap::new(),
    };
    for layer in layers {
        settings.values.take(layer.settings, problems);
        let mut seen = BTreeSet::new();
        for (property, given) in layer.properties {
            if !seen.insert(property.clone()) {
                problems.add(&given.origin, format!("the property {} is set twice", name(&property)));
            }
            settings.properties.insert(property, given);
        }
        if let Some(counts) = layer.counts {
            settings.counts = counts.into_iter().map(|count| count_values(count, problems)).collect();
        }
    }
    settings
}

fn count_keys() -> &'static [Setting] {
    schema().section("count").expect("counts are documented")
}

fn count_values(count: CountTable, problems: &mut Problems) -> Values {
    let mut values = Values::of_defaults(count_keys());
    for (key, example) in [("count.name", "name = \"tags\""), ("count.of", "of = \"hashtags\"")] {
        if !count.entries.iter().any(|(given, _)| given == key) {
            problems
                .add(&count.origin, format!("this `[[count]]` has no `{key}`, add one such as {example}"));
            values.mark_wrong(key);
        }
    }
    values.take(count.entries, problems);
    values
}
