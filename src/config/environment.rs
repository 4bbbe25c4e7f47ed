//! What the environment sets: `TIDINGS__SECTION__KEY`.
//!
//! Idea: each key has exactly one variable, so that a variable with this prefix that is none of them is a mistake and
//! not something to pass over. Lists are separated by commas; the name of a librdkafka property has underscores where
//! the property has dots, which loses nothing, since no property that can be set has an underscore of its own.
//! Invariant: the value of a variable is never shown here; only its name is.

use std::ffi::{OsStr, OsString};

use super::layers::Layer;
use super::origin::{Given, Origin};
use super::problem::{Problems, name};
use super::schema::{Setting, nearest, schema};
use super::values::from_text;

const PREFIX: &str = "TIDINGS__";
const PROPERTIES: &str = "TIDINGS__KAFKA__PROPERTIES__";

/// Names of properties that people set most; only to suggest them where a variable is unknown.
const LIKELY: [&str; 4] = [
    "TIDINGS__KAFKA__PROPERTIES__SASL_USERNAME",
    "TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD",
    "TIDINGS__KAFKA__PROPERTIES__SASL_MECHANISM",
    "TIDINGS__KAFKA__PROPERTIES__SECURITY_PROTOCOL",
];

/// What the variables set; others than those of tidings are passed over.
pub(super) fn layer(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Layer {
    let mut layer = Layer::default();
    for (variable, value) in variables {
        let shown = printable(&variable);
        if !shown.starts_with(PREFIX) {
            warnings.extend(meant_for_tidings(&shown));
            continue;
        }
        let origin = Origin::Variable(shown.clone());
        let Some(value) = value.to_str() else {
            problems.add(&origin, "its value is not UTF-8");
            continue;
        };
        if let Some(property) = shown.strip_prefix(PROPERTIES) {
            let property = property.to_ascii_lowercase().replace('_', ".");
            layer.properties.push((property, Given { value: value.into(), origin }));
        } else if let Some(setting) = setting(&shown) {
            match from_text(setting, value) {
                Ok(value) => layer.settings.push((setting.key.clone(), Given { value, origin })),
                Err(why) => problems.add(&origin, format!("`{}` {why}", setting.key)),
            }
        } else {
            problems.add(&origin, unknown(&shown));
        }
    }
    layer
}

/// The name of a variable as one printable line; the names of known ones are left as they are.
fn printable(variable: &OsStr) -> String {
    variable
        .to_string_lossy()
        .chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The keys of a count have no variables, since there may be many counts.
fn settable() -> impl Iterator<Item = &'static Setting> {
    schema().settings().filter(|setting| !setting.key.starts_with("count."))
}

fn setting(variable: &str) -> Option<&'static Setting> {
    settable().find(|setting| setting.variable() == variable)
}

fn unknown(variable: &str) -> String {
    if variable.starts_with("TIDINGS__COUNT") {
        return "counts are set in the file only, as `[[count]]`".to_owned();
    }
    let known: Vec<String> = settable().map(Setting::variable).collect();
    let near = nearest(variable, known.iter().map(String::as_str).chain(LIKELY)).unwrap_or_default();
    format!("there is no such setting, the nearest is `{near}`")
}

/// A variable with single underscores, which does nothing, and was surely meant to do something.
fn meant_for_tidings(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("TIDINGS_")?;
    let meant =
        settable().map(Setting::variable).find(|known| known[PREFIX.len()..].replace("__", "_") == rest)?;
    Some(format!("the variable {} is not read, the setting is `{meant}`", name(variable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Layer, Vec<String>, Vec<String>) {
        let mut problems = Problems::default();
        let mut warnings = Vec::new();
        let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let layer = layer(pairs, &mut problems, &mut warnings);
        let problems = problems.or(Some(())).err().map_or_else(String::new, |error| error.to_string());
        (layer, problems.lines().map(str::to_owned).collect(), warnings)
    }

    #[test]
    fn each_key_has_its_variable() {
        for setting in settable() {
            let value = if setting.default.is_integer() { "1" } else { "x" };
            let (layer, problems, _) = read(&[(&setting.variable(), value)]);
            assert_eq!(problems, Vec::<String>::new());
            assert_eq!(layer.settings.first().map(|(key, _)| key), Some(&setting.key));
        }
    }

    #[test]
    fn properties_have_dots_for_underscores() {
        let (layer, problems, _) = read(&[("TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD", "x")]);
        assert_eq!(layer.properties[0].0, "sasl.password");
        assert!(problems.is_empty());
    }

    #[test]
    fn unknown_variables_are_answered_with_the_nearest() {
        let cases = [
            ("TIDINGS__KAFKA__BROKER", "the nearest is `TIDINGS__KAFKA__BROKERS`"),
            ("TIDINGS__KAFKA__SASL_PASSWORD", "the nearest is `TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD`"),
            ("TIDINGS__KAFKA__PROPERTIES_SASL_PASSWORD", "`TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD`"),
            ("TIDINGS__kafka__brokers", "there is no such setting"),
            ("TIDINGS__", "there is no such setting"),
            ("TIDINGS__COUNT__NAME", "counts are set in the file only, as `[[count]]`"),
            ("TIDINGS__KAFKA__\nBROKERS", "there is no such setting"),
        ];
        for (variable, why) in cases {
            let (_, problems, _) = read(&[(variable, "canary")]);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(why) && !problems[0].contains("canary"), "{problems:?}");
        }
    }

    #[test]
    fn single_underscores_are_warned_of() {
        let (layer, problems, warnings) =
            read(&[("TIDINGS_KAFKA_BROKERS", "x"), ("TIDINGS_HOME", "x"), ("HOME", "x")]);
        assert!(layer.settings.is_empty() && problems.is_empty());
        assert_eq!(
            warnings,
            ["the variable `TIDINGS_KAFKA_BROKERS` is not read, the setting is `TIDINGS__KAFKA__BROKERS`"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_text_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let mut problems = Problems::default();
        let value = OsString::from_vec(vec![0xff]);
        layer([("TIDINGS__LOG__LEVEL".into(), value)], &mut problems, &mut Vec::new());
        let error = problems.or(Some(())).expect_err("it is not UTF-8").to_string();
        assert_eq!(error, "TIDINGS__LOG__LEVEL: its value is not UTF-8");
    }
}
