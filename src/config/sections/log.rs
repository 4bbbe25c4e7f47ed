//! `[log]`: the program's own log.
//!
//! Idea: a level, or several for parts of the program. A misspelt level would be taken by the log library as the name
//! of a part and silence everything, so that the form is checked here.

use super::super::model::{Log, LogFormat};
use super::super::problem::quote;
use super::super::schema::nearest;
use super::Reader;

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

pub(super) fn read(reader: &mut Reader<'_>) -> Log {
    Log {
        format: reader.choice("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
        level: reader.parse("log.level", level),
    }
}

fn level(text: &str) -> Result<String, String> {
    let path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '-';
    for part in text.split(',').map(str::trim) {
        let (target, level) = part.split_once('=').map_or(("all", part), |(target, level)| (target, level));
        if !LEVELS.contains(&level) {
            let near = nearest(level, LEVELS).unwrap_or_default();
            let levels = LEVELS.join(", ");
            let filter = "or a filter such as \"info,tidings::source=debug\"";
            return Err(format!("{} is none of {levels}, {filter}; the nearest is `{near}`", quote(level)));
        }
        if target.is_empty() || !target.chars().all(path) {
            return Err(format!(
                "{} is no part of the program, write one such as `tidings::source`",
                quote(target)
            ));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_accepted() {
        for right in [
            "error",
            "warn",
            "info",
            "debug",
            "trace",
            "off",
            "info,tidings::source=debug",
            "warn, rdkafka=off",
        ] {
            assert_eq!(level(right), Ok(right.to_owned()));
        }
    }

    #[test]
    fn what_would_silence_everything_is_refused() {
        for (wrong, near) in
            [("inof", "info"), ("INFO", "off"), ("", ""), ("info,", ""), ("tidings::source", "")]
        {
            let error = level(wrong).expect_err(wrong);
            assert!(
                error.contains("is none of error, warn, info, debug, trace, off, or a filter such as"),
                "{error}"
            );
            assert!(near.is_empty() || near == "off" || error.ends_with(&format!("`{near}`")), "{error}");
        }
        let error = level("a b=info").expect_err("a space");
        assert!(error.contains("is no part of the program"), "{error}");
        assert!(level("=info").is_err());
    }
}
