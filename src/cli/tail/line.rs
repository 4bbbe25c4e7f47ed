//! A record as a line.
//!
//! Invariant: a line is one line, whatever the record holds: control characters, line separators and the marks that
//! turn the direction of writing are shown as escapes, and bytes that are not UTF-8 as the replacement character.

use std::collections::BTreeMap;

use rdkafka::message::{Headers, Message};

use crate::cli::visible::push_visible;

/// Columns of a terminal that does not say how wide it is.
const COLUMNS: usize = 80;

/// How lines look.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// For people, whole.
    Text,
    /// For people, cut at so many columns.
    Cut(usize),
    /// For tools.
    Json,
}

impl Format {
    /// JSON if asked for; else text, cut where it goes to a terminal.
    pub fn new(json: bool, terminal: bool) -> Self {
        match (json, terminal) {
            (true, _) => Self::Json,
            (false, true) => {
                let columns = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
                Self::Cut(columns.filter(|columns| *columns > 0).unwrap_or(COLUMNS))
            }
            (false, false) => Self::Text,
        }
    }

    /// The line of a record, with its line break.
    pub fn line(self, record: &impl Message) -> String {
        let time = record.timestamp().to_millis().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let time = time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        let (key, value) = (record.key(), record.payload());
        if matches!(self, Self::Json) {
            let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let object = serde_json::json!({
                "time": time,
                "topic": record.topic(),
                "partition": record.partition(),
                "offset": record.offset(),
                "key": text(key),
                "value": text(value),
                "headers": headers(record),
            });
            return format!("{object}\n");
        }
        let mut line =
            format!("{} {}:{} ", time.as_deref().unwrap_or("-"), record.partition(), record.offset());
        let most = if let Self::Cut(columns) = self { columns } else { usize::MAX };
        visible(key, "-", most, &mut line);
        line.push(' ');
        visible(value, "(null)", most, &mut line);
        if let Self::Cut(columns) = self {
            line = console::truncate_str(&line, columns, "…").into_owned();
        }
        line.push('\n');
        line
    }
}

/// The headers of a record, such as those of dead letters; of one that stands twice the last.
fn headers(record: &impl Message) -> BTreeMap<String, Option<String>> {
    let headers = record.headers().into_iter().flat_map(|headers| headers.iter());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.map(|header| (header.key.to_owned(), header.value.map(text))).collect()
}

/// Appends bytes as visible text, at most so many characters and one.
fn visible(bytes: Option<&[u8]>, absent: &str, most: usize, line: &mut String) {
    let Some(bytes) = bytes else { return line.push_str(absent) };
    // A character has four bytes at most, so no more of them is worth looking at.
    let bytes = &bytes[..bytes.len().min(most.saturating_add(1).saturating_mul(4))];
    push_visible(String::from_utf8_lossy(bytes).chars().take(most.saturating_add(1)), line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rdkafka::Timestamp;
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

    fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> OwnedMessage {
        let time = Timestamp::CreateTime(1_469_037_010_000);
        OwnedMessage::new(
            value.map(<[u8]>::to_vec),
            key.map(<[u8]>::to_vec),
            "posts".into(),
            time,
            3,
            17,
            None,
        )
    }

    proptest! {
        #[test]
        fn any_record_is_one_line_that_fits(
            key: Option<Vec<u8>>,
            value: Option<Vec<u8>>,
            text in "\\PC{0,100}",
            columns in 1usize..200,
        ) {
            for value in [value.as_deref(), Some(text.as_bytes())] {
                let record = record(key.as_deref(), value);
                let whole = Format::Text.line(&record);
                prop_assert!(!whole.trim_end_matches('\n').chars().any(char::is_control), "{whole:?}");
                let cut = Format::Cut(columns).line(&record);
                prop_assert_eq!(cut.lines().count(), 1);
                prop_assert!(console::measure_text_width(cut.trim_end_matches('\n')) <= columns, "{cut:?}");
                let json: serde_json::Value = serde_json::from_str(&Format::Json.line(&record)).expect("valid JSON");
                prop_assert_eq!(json["value"].is_null(), value.is_none());
            }
        }
    }

    #[test]
    fn headers_are_part_of_the_whole() {
        let headers = OwnedHeaders::new()
            .insert(Header { key: "reason", value: Some("json") })
            .insert(Header { key: "none", value: None::<&str> });
        let time = Timestamp::NotAvailable;
        let letter = OwnedMessage::new(None, None, "letters".into(), time, 0, 0, Some(headers));
        let line = Format::Json.line(&letter);
        let object: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
        assert_eq!(object["headers"], serde_json::json!({ "none": null, "reason": "json" }));
    }

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        let line = Format::Text.line(&record(None, Some(b"\x1b[2J\x07 a\tb \xff \xc2\x9b \xe2\x80\xae")));
        assert_eq!(
            line,
            "2016-07-20T17:50:10.000Z 3:17 - \\u{1b}[2J\\u{7} a\\tb \u{fffd} \\u{9b} \\u{202e}\n"
        );
        assert_eq!(Format::Text.line(&record(Some(b"1"), None)), "2016-07-20T17:50:10.000Z 3:17 1 (null)\n");
    }
}
