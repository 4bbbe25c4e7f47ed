//! `--print-config`: the settings as a file that means the same, with the origin of each value.
//!
//! Invariant: the text is valid TOML and loads to the same configuration, except for secrets, which are `"***"`.

use std::fmt::Write;

use super::layers::{Settings, Values};
use super::model::Config;
use super::origin::Given;
use super::schema::{Setting, schema};

/// The settings as text; the values of properties are taken from `config`, which knows what is secret.
pub(super) fn text(settings: &Settings, config: &Config) -> String {
    let mut out = String::new();
    for (section, keys) in &schema().sections {
        if section == "count" {
            for count in &settings.counts {
                table(&mut out, "[[count]]", keys, count);
            }
        } else {
            table(&mut out, &format!("[{section}]"), keys, &settings.values);
        }
        if section == "kafka" && !config.kafka.properties.is_empty() {
            out.push_str("\n[kafka.properties]\n");
            for (name, property) in &config.kafka.properties {
                let shown = if property.secret { "***" } else { property.value.as_str() };
                let origin = settings.properties.get(name).map(origin).unwrap_or_default();
                line(&mut out, &toml::Value::from(name.as_str()).to_string(), &shown.into(), &origin);
            }
        }
    }
    out
}

fn table(out: &mut String, header: &str, keys: &[Setting], values: &Values) {
    let blank = if out.is_empty() { "" } else { "\n" };
    out.push_str(blank);
    out.push_str(header);
    out.push('\n');
    for setting in keys {
        let given = values.get(&setting.key);
        line(out, setting.leaf(), &given.value, &origin(given));
    }
}

fn line(out: &mut String, key: &str, value: &toml::Value, origin: &str) {
    writeln!(out, "{key} = {value} # {origin}").expect("a string takes everything");
}

/// Where a value came from, and the file that it was read from where it names one.
fn origin(given: &Given) -> String {
    let file = given.value.as_table().and_then(|table| table.get("file")?.as_str());
    match file {
        Some(path) => format!("{}, from {}", given.origin, super::problem::shown_path(path.as_ref())),
        None => given.origin.to_string(),
    }
}
