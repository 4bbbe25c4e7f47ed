//! The worst records that anyone could send, and by which reason each is refused.

use super::super::{MAX_RECORD, OwnTime};
use super::*;

/// The formats that take JSON objects; `eneco` and `auto` take other values as a text.
const JSON: [Format; 7] = [
    Format::Auto,
    Format::Tweet,
    Format::X,
    Format::Eneco,
    Format::Jcustenborder,
    Format::Jetstream,
    Format::Json,
];

#[test]
fn what_is_no_value_is_refused_in_every_format() {
    for format in Format::ALL {
        assert_eq!(decoder(format).decode(None).unwrap_err().reason, Reason::Tombstone);
        assert_eq!(reason(format, b""), Some(Reason::Empty));
        assert_eq!(reason(format, &vec![b'a'; MAX_RECORD + 1]), Some(Reason::TooLarge));
        assert_eq!(reason(format, &vec![b'a'; 10 << 20]), Some(Reason::TooLarge));
        assert_ne!(reason(format, &vec![b'a'; MAX_RECORD]), Some(Reason::TooLarge));
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_wherever_they_stand() {
    for format in Format::ALL {
        for value in [
            &b"\xff"[..],
            b"{\"text\":\"a\xc3\"}",
            b"{\"text\":\"a\",\"skipped\":\"\xed\xa0\x80\"}",
            b"{}\xc3",
        ] {
            assert_eq!(reason(format, value), Some(Reason::Utf8), "{format:?}");
        }
    }
}

#[test]
fn nesting_neither_panics_nor_overflows() {
    let depth = 10_000;
    for format in JSON {
        for (open, close) in
            [("[", "]"), ("{\"text\":", "}"), ("{\"retweeted_status\":", "}"), ("{\"payload\":", "}")]
        {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            // In a field that is not read it is skipped; in one that is read it is of the wrong type.
            let skipped = format!(r#"{{"text":"a","skipped":{deep}}}"#);
            if matches!(format, Format::Auto | Format::Tweet | Format::Eneco | Format::Json) {
                assert_eq!(reason(format, skipped.as_bytes()), None, "{format:?}");
            }
            for field in
                ["text", "user", "entities", "extended_tweet", "payload", "data", "commit", "Text", "id"]
            {
                let read = format!(r#"{{"{field}":{deep},"text":"a"}}"#);
                let outcome = reason(format, read.as_bytes());
                if field == "user"
                    && matches!(format, Format::Auto | Format::Tweet | Format::Eneco)
                    && open == "["
                {
                    assert_eq!(outcome, Some(Reason::Type), "{format:?}");
                }
            }
            let unclosed = reason(format, open.repeat(depth).as_bytes());
            let is_text = matches!(format, Format::Auto | Format::Eneco) && open == "[";
            assert_eq!(unclosed.is_none(), is_text, "{format:?}");
        }
    }
}

#[test]
fn a_field_that_is_given_twice_is_refused() {
    for (format, value) in [
        (Format::Auto, r#"{"text":"a","text":"b"}"#),
        (Format::Tweet, r#"{"text":"a","text":null}"#),
        (Format::Tweet, r#"{"text":"a","\u0074ext":"b"}"#),
        (Format::Tweet, r#"{"text":"a","user":{"id":1,"id":2}}"#),
        (Format::Json, r#"{"text":"a","text":"b"}"#),
        (Format::X, r#"{"data":{"text":"a","text":"b"}}"#),
        (Format::Eneco, r#"{"payload":"a","schema":{},"payload":"b"}"#),
        (Format::Jcustenborder, r#"{"Text":"a","Text":"b"}"#),
        (Format::Jetstream, r#"{"kind":"commit","kind":"account"}"#),
        (Format::Mastodon, r#"{"content":"a","content":"b"}"#),
    ] {
        assert_eq!(reason(format, value.as_bytes()), Some(Reason::Json), "{value}");
    }
    assert_eq!(reason(Format::Tweet, br#"{"text":"a","skipped":1,"skipped":2}"#), None);
}

#[test]
fn what_json_cannot_mean_is_refused_where_it_is_read() {
    for value in [
        r#"{"text":"\ud800"}"#,
        r#"{"text":"\udc00"}"#,
        r#"{"text":"\ud800\u0041"}"#,
        r#"{"text":"a","id":"\ud800"}"#,
    ] {
        for format in [Format::Auto, Format::Tweet, Format::Json] {
            assert_eq!(reason(format, value.as_bytes()), Some(Reason::Json), "{value}");
        }
    }
    for value in [
        "{\"text\":\"a\0b\"}",
        "{\"text\":\"a\nb\"}",
        "{\"text\":\"a\"}\0",
        "{\"text\":NaN}",
        "{'text':'a'}",
        "{\"text\":\"a\",}",
    ] {
        for format in [Format::Auto, Format::Tweet, Format::Json] {
            assert_eq!(reason(format, value.as_bytes()), Some(Reason::Json), "{value}");
        }
    }
}

#[test]
fn numbers_beyond_all_bounds() {
    for format in [Format::Auto, Format::Tweet, Format::Json] {
        assert_eq!(reason(format, br#"{"text":1e999}"#), Some(Reason::Type));
        assert_eq!(reason(format, br#"{"text":"a","id":1e999}"#), Some(Reason::Type));
        assert_eq!(reason(format, br#"{"text":"a","skipped":1e999}"#), None);
        for time in ["1e999", "-1e999", "99999999999999999999999", "true", "{}", "[1]", "\"\""] {
            match decode(format, format!(r#"{{"text":"a","created_at":{time}}}"#).as_bytes()) {
                Ok(Record::Post(post)) => assert_eq!(post.time, OwnTime::Unusable, "{time}"),
                other => panic!("{time}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_other_producers_put_before_the_json() {
    let marked = b"\xef\xbb\xbf{\"text\":\"a\"}";
    let avro = b"\0\0\0\0\x07\x02a";
    for format in
        [Format::Tweet, Format::X, Format::Jcustenborder, Format::Jetstream, Format::Mastodon, Format::Json]
    {
        assert_eq!(reason(format, marked), Some(Reason::Json), "{format:?}");
        assert_eq!(reason(format, b"a text"), Some(Reason::Json), "{format:?}");
    }
    assert_eq!(reason(Format::Auto, marked), Some(Reason::Json));
    for format in [Format::Auto, Format::Eneco, Format::Jcustenborder] {
        assert_eq!(reason(format, avro), Some(Reason::Avro), "{format:?}");
        assert_eq!(reason(format, b"\0\0\0\0\x07\xff"), Some(Reason::Avro), "{format:?}");
    }
    assert_eq!(reason(Format::Tweet, avro), Some(Reason::Json));
    assert_eq!(reason(Format::Json, avro), Some(Reason::Json));
    assert_eq!(reason(Format::Text, avro), None);
}

#[test]
fn a_text_is_taken_as_it_is() {
    for text in ["{\"text\":\"a\"}", "\r\n", " a ", "\0", "\u{feff}a", "a &amp; b"] {
        match decode(Format::Text, text.as_bytes()) {
            Ok(Record::Post(post)) => assert_eq!((&*post.text, post.html), (text, false)),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn blank_lines_keep_a_stream_alive_where_there_is_a_stream() {
    for format in Format::ALL {
        let expected = match format {
            Format::Text => None,
            Format::Json => Some(Err(Reason::Json)),
            _ => Some(Ok(Record::Other("keep_alive"))),
        };
        let found = decode(format, b"\r\n").map_err(|bad| bad.reason);
        assert!(expected.is_none_or(|expected| expected == found), "{format:?}");
    }
}

#[test]
fn a_fault_says_where_without_quoting_the_record() {
    let secret = "a very private text ".repeat(50);
    for value in [
        format!(r#"{{"text":"a","user":"{secret}"}}"#),
        format!(r#"{{"text":"a","entities":{{"hashtags":"{secret}"}}}}"#),
        format!(r#"{{"text":["{secret}"]}}"#),
        format!(r#"{{"text":"{secret}"#),
    ] {
        for format in JSON {
            if let Err(bad) = decode(format, value.as_bytes()) {
                assert!(!bad.detail.contains("private") && bad.detail.len() <= 200, "{format:?}: {bad}");
            }
        }
        assert!(decode(Format::Tweet, value.as_bytes()).unwrap_err().detail.contains("column"));
    }
}
