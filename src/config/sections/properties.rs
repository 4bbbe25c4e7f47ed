//! `[kafka.properties]`: what is handed to librdkafka as it is, with its secrets kept.
//!
//! Idea: tidings knows only the properties that it must own, and refuses them with the setting that replaces them;
//! whether the others exist is for librdkafka to say, which knows its own version.
//! Invariant: a value is marked secret unless [`is_secret`] says no and it came neither from a file nor from the
//! environment; no value of any property is in any message. Reading a file takes at most [`LARGEST`] bytes.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::file::read_text;
use super::super::model::Property;
use super::super::origin::{Given, Origin};
use super::super::problem::{Problems, name, quote};
use super::super::values::article;
use super::secrets::is_secret;

/// The largest file whose content may be a property; a chain of certificates has some 10 KiB.
const LARGEST: u64 = 256 << 10;

const COMMITS: &str = "tidings commits what it has counted by itself";
const ASSIGNS: &str = "tidings hands partitions to its own workers; for several processes use `[cluster]`";
const KEEPS: &str = "tidings keeps offsets with its counts; use `checkpoint.dir`";

/// Properties that tidings must own, and what to do instead.
const OWNED: [(&str, &str); 20] = [
    ("group.id", "use `kafka.group_id`"),
    ("bootstrap.servers", "use `kafka.brokers`"),
    ("metadata.broker.list", "use `kafka.brokers`"),
    (
        "auto.offset.reset",
        "tidings chooses offsets by itself; use `kafka.start`, and `kafka.on_gap` for lost records",
    ),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("enable.partition.eof", "tidings needs it to know when it has caught up; leave it out"),
    ("check.crcs", "tidings always checks records, so that a damaged one is noticed; leave it out"),
    ("allow.auto.create.topics", "reading never makes a topic; make it by `tidings topic create`"),
    ("partition.assignment.strategy", ASSIGNS),
    ("group.instance.id", ASSIGNS),
    ("group.protocol", ASSIGNS),
    ("group.protocol.type", ASSIGNS),
    ("group.remote.assignor", ASSIGNS),
    ("offset.store.method", KEEPS),
    ("offset.store.path", KEEPS),
    ("log_level", "use `log.level`"),
    ("log.queue", "tidings takes librdkafka's log into its own; use `log.level`"),
];

/// The properties as librdkafka takes them.
pub(super) fn read(
    given: &BTreeMap<String, Given>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Property> {
    let mut properties = BTreeMap::new();
    for (property, Given { value, origin }) in given {
        match checked_name(property).and_then(|()| text_of(value)) {
            Ok(Text { value, from_file }) => {
                let secret = from_file || is_secret(property) || matches!(origin, Origin::Variable(_));
                properties.insert(property.clone(), Property { value, secret });
            }
            Err(why) => {
                problems.add(origin, format!("{}: {why}", name(&format!("kafka.properties.{property}"))))
            }
        }
    }
    warnings.extend(idle(&properties).map(|family| {
        format!(
            "the properties {family}* do nothing, since `security.protocol` does not name {}",
            family.trim_end_matches('.').to_ascii_uppercase()
        )
    }));
    properties
}

fn checked_name(property: &str) -> Result<(), String> {
    if let Some((_, instead)) = OWNED.iter().find(|(owned, _)| *owned == property) {
        return Err(format!("tidings owns this property: {instead}"));
    }
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    match !property.is_empty() && property.len() <= 128 && property.chars().all(valid) {
        true => Ok(()),
        false => Err("names of properties are lower-case with dots, such as `security.protocol`".to_owned()),
    }
}

struct Text {
    value: String,
    from_file: bool,
}

fn text_of(value: &toml::Value) -> Result<Text, String> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        toml::Value::Table(table) => {
            let file = table.get("file").and_then(toml::Value::as_str).filter(|_| table.len() == 1);
            let path = file.ok_or("a table must be { file = \"path\" }, with nothing else in it")?;
            return content(path).map(|value| Text { value, from_file: true });
        }
        other => {
            let has = article(other);
            return Err(format!(
                "must be a string, a number, true, false or {{ file = \"path\" }}, not {has}"
            ));
        }
    };
    without_nul(text).map(|value| Text { value, from_file: false })
}

fn content(path: &str) -> Result<String, String> {
    let text =
        read_text(Path::new(path), LARGEST).map_err(|why| format!("the file {}: {why}", quote(path)))?;
    match text.trim() {
        "" => Err(format!("the file {} is empty, write the value into it", quote(path))),
        trimmed => without_nul(trimmed.to_owned()),
    }
}

/// librdkafka takes C strings, which cannot hold this character.
fn without_nul(text: String) -> Result<String, String> {
    if text.contains('\0') { Err("the value has a NUL character, remove it".to_owned()) } else { Ok(text) }
}

/// The families of properties that are set but not in use.
fn idle(properties: &BTreeMap<String, Property>) -> impl Iterator<Item = &'static str> {
    let protocol =
        properties.get("security.protocol").map_or("plaintext", |property| property.value.as_str());
    let protocol = protocol.to_ascii_lowercase();
    let set = |family: &str| properties.keys().any(|property| property.starts_with(family));
    ["sasl.", "ssl."]
        .into_iter()
        .filter(move |family| set(family) && !protocol.contains(family.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(property: &str, value: impl Into<toml::Value>, origin: Origin) -> Result<Property, String> {
        let mut problems = Problems::default();
        let given = BTreeMap::from([(property.to_owned(), Given { value: value.into(), origin })]);
        let mut read = read(&given, &mut problems, &mut Vec::new());
        problems.or(read.remove(property)).map_err(|error| error.to_string())
    }

    fn at() -> Origin {
        Origin::file("t.toml", 3)
    }

    #[test]
    fn owned_properties_are_refused_with_what_to_use_instead() {
        for (owned, instead) in OWNED {
            let error = read_one(owned, "canary", at()).expect_err(owned);
            assert!(
                error.starts_with(&format!("t.toml:3: `kafka.properties.{owned}`: tidings owns")),
                "{error}"
            );
            assert!(error.contains(instead) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn values_are_strings_numbers_or_booleans() {
        let value = |value: toml::Value| read_one("linger.ms", value, at()).map(|property| property.value);
        assert_eq!(value("5".into()), Ok("5".to_owned()));
        assert_eq!(value(5.into()), Ok("5".to_owned()));
        assert_eq!(value(0.5.into()), Ok("0.5".to_owned()));
        assert_eq!(value(true.into()), Ok("true".to_owned()));
        let error = value(vec!["canary"].into()).expect_err("a list");
        assert!(
            error.contains("must be a string, a number, true, false or { file = \"path\" }, not a list"),
            "{error}"
        );
        let error = value("canary\0".into()).expect_err("NUL");
        assert!(error.contains("NUL character") && !error.contains("canary"), "{error}");
        let table = toml::Table::from_iter([("fiel".to_owned(), "canary".into())]);
        let error = value(table.into()).expect_err("no file");
        assert!(
            error.contains("a table must be { file = \"path\" }") && !error.contains("canary"),
            "{error}"
        );
    }

    #[test]
    fn names_are_checked() {
        for wrong in ["", "SASL.password", "a b", "a\nb", "ä", &"x".repeat(129)] {
            let error = read_one(wrong, "canary", at()).expect_err(wrong);
            assert!(error.contains("lower-case with dots") && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn values_from_the_environment_are_secret() {
        let property = read_one("sasl.mechanism", "PLAIN", Origin::Variable("TIDINGS__X".to_owned()));
        assert_eq!(property.map(|property| property.secret), Ok(true));
        let property = read_one("sasl.mechanism", "PLAIN", at());
        assert_eq!(property.map(|property| property.secret), Ok(false));
    }

    #[test]
    fn a_missing_file_is_named() {
        let table = toml::Table::from_iter([("file".to_owned(), "/nowhere/at-all".into())]);
        let error = read_one("sasl.password", table, at()).expect_err("no file");
        assert!(error.contains("the file \"/nowhere/at-all\": there is no such file"), "{error}");
    }

    #[test]
    fn idle_families_are_found() {
        let set = |pairs: &[(&str, &str)]| -> Vec<&str> {
            let property = |value: &str| Property { value: value.to_owned(), secret: false };
            idle(&pairs.iter().map(|(name, value)| ((*name).to_owned(), property(value))).collect()).collect()
        };
        assert_eq!(set(&[("sasl.username", "x"), ("ssl.ca.location", "x")]), ["sasl.", "ssl."]);
        assert_eq!(set(&[("sasl.username", "x"), ("security.protocol", "SASL_SSL")]), Vec::<&str>::new());
        assert_eq!(set(&[("ssl.ca.location", "x"), ("security.protocol", "sasl_plaintext")]), ["ssl."]);
    }
}
