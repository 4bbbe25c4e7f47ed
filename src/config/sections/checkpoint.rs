//! `[checkpoint]`: where state is kept across restarts, and how often.
//!
//! Invariant: an address is absolute, so that a restart from another directory finds its state again, and holds no
//! credentials, since it is shown.

use std::time::Duration;

use super::super::durations::duration_within;
use super::super::model::Checkpoint;
use super::super::problem::quote;
use super::Reader;

pub(super) fn read(reader: &mut Reader<'_>) -> Checkpoint {
    let interval = reader.parse("checkpoint.interval", |text| {
        duration_within(text, Duration::from_millis(100), Duration::from_secs(7 * 86_400))
    });
    Checkpoint { dir: reader.optional("checkpoint.dir", dir), interval, fresh: false }
}

fn dir(text: &str) -> Result<String, String> {
    if text
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'))
    {
        return Err("credentials do not belong into the address, leave out what is before the @".to_owned());
    }
    let path = text.strip_prefix("file://");
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default());
    let right =
        path.is_some_and(|path| path.starts_with('/')) || bucket.is_some_and(|bucket| !bucket.is_empty());
    if right && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let absolute = if text.starts_with('/') && !text.contains("://") { text } else { "/var/lib/tidings" };
    let file = quote(&format!("file://{absolute}"));
    Err(format!("{} is no address of a directory, write {file} or \"s3://bucket/prefix\"", quote(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_absolute() {
        for right in ["file:///var/lib/tidings", "s3://bucket", "s3://bucket/a/b"] {
            assert_eq!(dir(right), Ok(right.to_owned()));
        }
        let wrong = [
            (
                "/data",
                "\"/data\" is no address of a directory, write \"file:///data\" or \"s3://bucket/prefix\"",
            ),
            ("data", "write \"file:///var/lib/tidings\""),
            ("file://data", "write \"file:///var/lib/tidings\""),
            ("s3://", "is no address of a directory"),
            ("http://a/b", "is no address of a directory"),
            ("file:///a\0", "is no address of a directory"),
        ];
        for (text, why) in wrong {
            let error = dir(text).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
        let error = dir("s3://key:canary@bucket/a").expect_err("credentials");
        assert!(error.contains("credentials do not belong") && !error.contains("canary"), "{error}");
    }
}
