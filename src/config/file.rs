//! The configuration file: from a path to its text, from the text to what it sets and on which line.
//!
//! Idea: all syntax errors are found in one pass and shown by line and column; the values are taken only from a text
//! without any, since what stands behind an error may not mean what it says.
//! Invariant: no byte sequence panics here; nothing of the text is quoted in a message, since it may be a secret.
//! Cost: at most [`LARGEST`] bytes are read, once; nesting is bounded by the TOML parser, and so is the depth here.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::layers::{CountTable, Layer};
use super::origin::{Given, Origin};
use super::problem::{Problems, SHOWN, name};
use super::schema::{nearest, schema};
use super::values::{article, plain};

/// A larger file is none that anybody wrote.
const LARGEST: u64 = 1 << 20;

/// Reads a text file of at most `largest` bytes.
///
/// # Errors
/// Says why it cannot be read; the path is left to the caller.
pub(super) fn read_text(path: &Path, largest: u64) -> Result<String, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::IsADirectory => "this is a directory, name a file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(largest + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > largest {
        return Err(format!("is larger than {} KiB", largest >> 10));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("is not UTF-8, first in line {line}, write it in UTF-8")
    })
}

/// What the file at `path` sets; `shown` is how messages name it.
pub(super) fn layer(path: &Path, shown: &str, problems: &mut Problems) -> Option<Layer> {
    match read_text(path, LARGEST) {
        Ok(text) => parse(&text, shown, problems),
        Err(why) => {
            problems.file(shown, why);
            None
        }
    }
}

/// What a text sets, if it is TOML.
pub(super) fn parse(text: &str, shown: &str, problems: &mut Problems) -> Option<Layer> {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    // The place of an error costs the length of its line, and a long line can have an error in each character.
    for error in errors.iter().take(SHOWN) {
        let at = lines.position(text, error.span().map_or(0, |span| span.start));
        problems.syntax(shown, at, format!("is not TOML: {}", error.message()));
    }
    if !errors.is_empty() {
        return None;
    }
    let mut walk = Walk { lines, shown: shown.into(), layer: Layer::default(), problems };
    walk.document(document.get_ref());
    Some(walk.layer)
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of an offset, counted from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }

    /// Line and column of an offset, counted from 1, the column in characters.
    fn position(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = self.0.get(line - 1).copied().unwrap_or(0);
        (line, text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }
}

struct Walk<'p> {
    lines: Lines,
    shown: Arc<str>,
    layer: Layer,
    problems: &'p mut Problems,
}

impl Walk<'_> {
    fn origin(&self, offset: usize) -> Origin {
        Origin::file(self.shown.clone(), self.lines.line(offset))
    }

    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            let origin = self.origin(key.span().start);
            let section = key.get_ref().as_ref();
            let known = schema().section(section).is_some();
            match value.get_ref() {
                DeValue::Array(tables)
                    if section == "count" && tables.iter().all(|table| table.get_ref().is_table()) =>
                {
                    self.counts(tables.iter().map(|table| (table.span().start, table.get_ref())), &origin);
                }
                _ if section == "count" => {
                    self.problems
                        .add(&origin, "`count` is a list of tables: write `[[count]]` and its keys below it");
                }
                DeValue::Table(table) if known => self.section(section, table),
                _ if known => {
                    let text = format!("`{section}` is a table: write `[{section}]` and its keys below it");
                    self.problems.add(&origin, text);
                }
                DeValue::Table(_) | DeValue::Array(_) => {
                    let tables = schema().sections.iter().map(|(name, _)| name.as_str());
                    let near = nearest(section, tables.chain(["kafka.properties"])).unwrap_or_default();
                    let text = format!("there is no table {}, the nearest is `{near}`", name(section));
                    self.problems.add(&origin, text);
                }
                _ => self.problems.add(&origin, unknown_key(section)),
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let origin = self.origin(key.span().start);
            match (section, key.get_ref().as_ref(), value.get_ref()) {
                ("kafka", "properties", DeValue::Table(properties)) => self.properties("", properties),
                ("kafka", "properties", other) => {
                    let has = plain(other).map_or("a number", |value| article(&value));
                    let text =
                        format!("`kafka.properties` must be a table: write `[kafka.properties]`, not {has}");
                    self.problems.add(&origin, text);
                }
                // `sasl.password = ".."` below `[kafka]` is a table `sasl` to TOML.
                ("kafka", key, DeValue::Table(_)) if schema().setting(&format!("kafka.{key}")).is_none() => {
                    let text = format!(
                        "there is no key {}: what librdkafka knows goes below `[kafka.properties]`",
                        name(&format!("kafka.{key}"))
                    );
                    self.problems.add(&origin, text);
                }
                (_, key, value) => {
                    let key = format!("{section}.{key}");
                    if let Some(given) = self.given(&key, value, origin) {
                        self.layer.settings.push((key, given));
                    }
                }
            }
        }
    }

    fn counts<'a>(&mut self, tables: impl Iterator<Item = (usize, &'a DeValue<'a>)>, origin: &Origin) {
        let mut counts = Vec::new();
        for (offset, table) in tables {
            let mut entries = Vec::new();
            for (key, value) in table.as_table().into_iter().flatten() {
                let origin = self.origin(key.span().start);
                let key = format!("count.{}", key.get_ref());
                if let Some(given) = self.given(&key, value.get_ref(), origin) {
                    entries.push((key, given));
                }
            }
            counts.push(CountTable { origin: self.origin(offset), entries });
        }
        if counts.is_empty() {
            self.problems
                .add(origin, "`count` is empty: name what to count, or leave it out for the documented two");
        }
        self.layer.counts = Some(counts);
    }

    /// Properties may be written as one quoted key or as dotted keys, which are tables in tables to TOML.
    fn properties(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let origin = self.origin(key.span().start);
            let key = format!("{prefix}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() && !inner.contains_key("file") => {
                    self.properties(&format!("{key}."), inner);
                }
                value => {
                    if let Some(given) = self.given(&format!("kafka.properties.{key}"), value, origin) {
                        self.layer.properties.push((key, given));
                    }
                }
            }
        }
    }

    fn given(&mut self, key: &str, value: &DeValue<'_>, origin: Origin) -> Option<Given> {
        match plain(value) {
            Ok(value) => Some(Given { value, origin }),
            Err(why) => {
                self.problems.add(&origin, format!("{}: {why}", name(key)));
                None
            }
        }
    }
}

/// The refusal of a key that does not exist.
pub(super) fn unknown_key(key: &str) -> String {
    let known = schema().settings().map(|setting| setting.key.as_str());
    let near = nearest(key, known.chain(["kafka.properties"])).unwrap_or_default();
    format!("there is no key {}, the nearest is `{near}`", name(key))
}
