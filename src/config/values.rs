//! The values of settings as TOML has them, from a file, from the text of a variable or from a flag.
//!
//! Idea: there are three types, a string, a whole number and a list of strings; whatever a layer offers is brought
//! into the type of its key here, so that nothing behind it meets a value of another type.
//! Invariant: a value that [`typed`] accepts has the type of the setting's default. No message holds the value itself.

use toml::de::DeValue;

use super::schema::Setting;

/// A value of the file without its place in the text.
///
/// # Errors
/// Says what is wrong with a number that is out of range.
pub(super) fn plain(value: &DeValue<'_>) -> Result<toml::Value, String> {
    Ok(match value {
        DeValue::String(text) => toml::Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            toml::Value::Integer(parsed.map_err(|_| "the number is too large".to_owned())?)
        }
        DeValue::Float(number) => {
            toml::Value::Float(number.as_str().parse().map_err(|_| "the number is too large".to_owned())?)
        }
        DeValue::Boolean(truth) => toml::Value::Boolean(*truth),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(items) => {
            toml::Value::Array(items.iter().map(|item| plain(item.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => toml::Value::Table(
            table
                .iter()
                .map(|(key, value)| Ok((key.get_ref().clone().into_owned(), plain(value.get_ref())?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}

/// The value, if it has the type of the setting.
///
/// # Errors
/// Names the type that it should have, with an example, and the one that it has.
pub(super) fn typed(setting: &Setting, value: toml::Value) -> Result<toml::Value, String> {
    let wrong = |has: &str| Err(format!("must be {}, not {has}", setting.expected()));
    match (&setting.default, value) {
        // A time may be written as TOML's own, without quotes.
        (toml::Value::String(_), toml::Value::Datetime(time)) if setting.key == "kafka.start" => {
            Ok(toml::Value::String(time.to_string()))
        }
        (toml::Value::Array(_), toml::Value::Array(items)) => {
            match items.iter().find(|item| !item.is_str()) {
                None => Ok(toml::Value::Array(items)),
                Some(item) => wrong(&format!("a list with {}", article(item))),
            }
        }
        (default, value) if default.same_type(&value) => Ok(value),
        (_, value) => wrong(article(&value)),
    }
}

/// The value that the text of an environment variable stands for; lists are separated by commas.
///
/// # Errors
/// Names the type that it should have, with an example.
pub(super) fn from_text(setting: &Setting, text: &str) -> Result<toml::Value, String> {
    match setting.default {
        toml::Value::Integer(_) => match text.trim().replace('_', "").parse() {
            Ok(number) => Ok(toml::Value::Integer(number)),
            Err(_) => Err(format!("must be {}", setting.expected())),
        },
        toml::Value::Array(_) if text.trim().is_empty() => Ok(toml::Value::Array(Vec::new())),
        toml::Value::Array(_) => Ok(toml::Value::Array(
            text.split(',').map(|item| toml::Value::String(item.trim().to_owned())).collect(),
        )),
        _ => Ok(toml::Value::String(text.to_owned())),
    }
}

/// The type of a value as a message has it.
pub(super) fn article(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "a string",
        toml::Value::Integer(_) => "a whole number",
        toml::Value::Float(_) => "a fraction",
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Datetime(_) => "a time",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::super::schema::schema;
    use super::*;

    fn setting(key: &str) -> &'static Setting {
        schema().setting(key).expect(key)
    }

    fn value(text: &str) -> Result<Value, String> {
        plain(DeValue::parse(text).expect(text).get_ref())
    }

    #[test]
    fn a_wrong_type_names_the_right_one_and_an_example() {
        let wrong = [
            ("engine.epoch", "250", "must be a string such as \"250ms\", not a whole number"),
            ("engine.workers", "\"4\"", "must be a whole number such as 4, not a string"),
            ("engine.max_terms", "1.5", "must be a whole number such as 50000000, not a fraction"),
            ("kafka.topics", "\"posts\"", "must be a list of strings such as [\"posts\"], not a string"),
            (
                "kafka.topics",
                "[1]",
                "must be a list of strings such as [\"posts\"], not a list with a whole number",
            ),
            (
                "kafka.topics",
                "[[\"a\"]]",
                "must be a list of strings such as [\"posts\"], not a list with a list",
            ),
            ("log.level", "true", "must be a string such as \"info\", not true or false"),
            ("log.level", "2026-01-01", "must be a string such as \"info\", not a time"),
            ("http.bind", "{ port = 1 }", "must be a string such as \"127.0.0.1:8080\", not a table"),
        ];
        for (key, text, why) in wrong {
            let offered = value(text).expect(text);
            assert_eq!(typed(setting(key), offered), Err(why.to_owned()), "{key} = {text}");
        }
    }

    #[test]
    fn numbers_are_read_in_every_notation_of_toml() {
        for text in ["0xff", "0o377", "0b1111_1111", "2_5_5", "+255"] {
            assert_eq!(value(text), Ok(Value::Integer(255)), "{text}");
        }
        assert_eq!(value("-7"), Ok(Value::Integer(-7)));
        assert_eq!(value("99999999999999999999"), Err("the number is too large".to_owned()));
        assert_eq!(value("1e3"), Ok(Value::Float(1000.0)));
    }

    #[test]
    fn a_time_without_quotes_is_a_start() {
        let time = value("2026-01-01T00:00:00Z").expect("a time");
        assert_eq!(typed(setting("kafka.start"), time), Ok(Value::String("2026-01-01T00:00:00Z".to_owned())));
    }

    #[test]
    fn variables_are_typed_by_their_key() {
        let list = |items: &[&str]| Ok(Value::Array(items.iter().map(|item| Value::from(*item)).collect()));
        assert_eq!(from_text(setting("kafka.topics"), "a, b"), list(&["a", "b"]));
        assert_eq!(from_text(setting("kafka.topics"), " "), list(&[]));
        assert_eq!(from_text(setting("kafka.topics"), "a,"), list(&["a", ""]));
        assert_eq!(from_text(setting("engine.max_terms"), "1_000"), Ok(Value::Integer(1000)));
        assert_eq!(
            from_text(setting("engine.workers"), "many"),
            Err("must be a whole number such as 4".to_owned())
        );
        assert_eq!(from_text(setting("log.level"), "info"), Ok(Value::String("info".to_owned())));
    }
}
