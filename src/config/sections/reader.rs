//! Reading one setting: its text into its meaning, and what to say where that fails.
//!
//! Idea: parsers know nothing of keys and places, they say what is wrong with a value; the reader adds the rest.
//! Invariant: a reader always returns a value that is valid by itself, the documented default where the given one is
//! not; then a problem has been noted.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::super::layers::Values;
use super::super::problem::{Problems, quote};
use super::super::schema::{Setting, nearest, schema};

/// The values of a table, and where to note what is wrong with them.
pub(in super::super) struct Reader<'a> {
    /// A value for each key.
    pub(super) values: &'a mut Values,
    /// What is wrong.
    pub(super) problems: &'a mut Problems,
    /// What is valid but questionable.
    pub(super) warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The value of a string, by `parse`.
    pub(super) fn parse<T>(&mut self, key: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        match parse(self.text(key)) {
            Ok(value) => value,
            Err(why) => {
                self.refuse(key, &why);
                parse(documented(key).default.as_str().unwrap_or_default())
                    .expect("documented defaults are valid")
            }
        }
    }

    /// The value of a string, by `parse`, where the empty one means none.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parse(key, |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
    }

    /// The path of a file, where the empty one means none.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.optional(key, |text| match text.contains('\0') {
            true => Err(format!("{} is no path", quote(text))),
            false => Ok(PathBuf::from(text)),
        })
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> T {
        self.parse(key, |text| choice(text, choices))
    }

    /// The items of a list, each by `parse`; wrong ones are left out.
    pub(super) fn list<T>(&mut self, key: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let items = self.values.get(key).value.as_array().into_iter().flatten();
        let texts: Vec<&str> = items.filter_map(toml::Value::as_str).collect();
        let (right, wrong): (Vec<_>, Vec<_>) = texts.into_iter().map(parse).partition(Result::is_ok);
        for why in wrong.into_iter().filter_map(Result::err) {
            self.refuse(key, &why);
        }
        right.into_iter().filter_map(Result::ok).collect()
    }

    /// A whole number between two others, both included.
    pub(super) fn number(&mut self, key: &'static str, range: RangeInclusive<u32>) -> usize {
        let inside = |value: &toml::Value| {
            let number = u32::try_from(value.as_integer()?).ok()?;
            range.contains(&number).then_some(number as usize)
        };
        inside(&self.values.get(key).value).unwrap_or_else(|| {
            self.refuse(key, &format!("must be at least {} and at most {}", range.start(), range.end()));
            inside(&documented(key).default).expect("documented defaults are valid")
        })
    }

    /// Notes that a key is wrong, at the place where it was set.
    pub(super) fn refuse(&mut self, key: &'static str, why: &str) {
        self.problems.add(&self.values.get(key).origin, format!("`{key}`: {why}"));
        self.values.mark_wrong(key);
    }

    /// Notes that a key does not go together with others, unless one of them is wrong by itself.
    pub(super) fn refuse_together(&mut self, key: &'static str, others: &[&str], why: &str) {
        if self.values.all_right(&[key]) && self.values.all_right(others) {
            self.refuse(key, why);
        }
    }

    /// Notes what is valid but questionable, with the place.
    pub(super) fn warn(&mut self, key: &'static str, why: &str) {
        self.warnings.push(format!("{}: `{key}` {why}", self.values.get(key).origin));
    }

    /// Whether a key has another value than the documented default, and none that is wrong.
    pub(super) fn is_changed(&self, key: &'static str) -> bool {
        self.values.get(key).value != documented(key).default && self.values.all_right(&[key])
    }

    fn text(&self, key: &'static str) -> &str {
        self.values.get(key).value.as_str().unwrap_or_default()
    }
}

/// One of several names.
fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let names = || choices.iter().map(|(name, _)| *name);
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let near = nearest(text, names()).unwrap_or_default();
        format!(
            "{} is none of {}; the nearest is `{near}`",
            quote(text),
            names().collect::<Vec<_>>().join(", ")
        )
    })
}

fn documented(key: &str) -> &'static Setting {
    schema().setting(key).expect("only documented keys are read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_names_all_and_the_nearest() {
        let choices = [("stop", 1), ("continue", 2)];
        assert_eq!(choice("stop", &choices), Ok(1));
        let wrong = "\"stopp\" is none of stop, continue; the nearest is `stop`".to_owned();
        assert_eq!(choice("stopp", &choices), Err(wrong));
    }
}
