//! The bytes of a post: one compact JSON object in the shape of the v1.1 streaming interface.
//!
//! Idea: written straight into a buffer, without a tree of values in between; fields and their spelling are those of
//! <https://developer.x.com/en/docs/x-api/v1/data-dictionary/object-model/tweet>, ids as strings only.
//! Invariant: what is written is valid JSON for every text. Cost: one pass over the text; the date is formatted once
//! a second of post time, not once a post.

use std::fmt::Write;

use super::author;
use super::text::Text;

/// What is known of a post beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Its id.
    pub id: u64,
    /// Its time, Unix milliseconds from 0 on.
    pub time_ms: i64,
    /// Its author's number.
    pub author: u32,
    /// Whether letters beyond ASCII are written as escapes.
    pub ascii: bool,
}

/// Writes posts as JSON.
#[derive(Default)]
pub struct Writer {
    /// The last date written, and the second that it is of.
    date: String,
    second: Option<i64>,
}

impl Writer {
    /// Appends an original post.
    pub fn original(&mut self, head: Head, text: &Text, out: &mut String) {
        self.begin(head, out);
        quote(&text.body, head.ascii, out);
        self.middle(head, text.lang, out);
        let mut between = "";
        for tag in text.tags() {
            out.push_str(between);
            out.push_str("{\"text\":");
            quote(tag, head.ascii, out);
            out.push('}');
            between = ",";
        }
        out.push_str("]}}");
    }

    /// Appends a repost: a cut text, no tags of its own, and the whole original inside.
    pub fn repost(&mut self, head: Head, preview: &str, lang: &str, original: &str, out: &mut String) {
        self.begin(head, out);
        quote(preview, head.ascii, out);
        self.middle(head, lang, out);
        out.push_str("]},\"retweeted_status\":");
        out.push_str(original);
        out.push('}');
    }

    fn begin(&mut self, head: Head, out: &mut String) {
        let second = head.time_ms.div_euclid(1_000);
        if self.second != Some(second) {
            self.date = date(second);
            self.second = Some(second);
        }
        // Writing to a string cannot fail.
        let _ = write!(out, "{{\"created_at\":\"{}\",\"id_str\":\"{}\",\"text\":", self.date, head.id);
    }

    fn middle(&self, head: Head, lang: &str, out: &mut String) {
        let user = author::id(head.author);
        let time = head.time_ms;
        let _ = write!(
            out,
            ",\"lang\":\"{lang}\",\"timestamp_ms\":\"{time}\",\"user\":{{\"id_str\":\"{user}\",\"screen_name\":\""
        );
        author::write_name(head.author, out);
        out.push_str("\"},\"entities\":{\"hashtags\":[");
    }
}

/// A second as `created_at` has it, such as `Wed Jul 20 17:50:10 +0000 2016`.
fn date(second: i64) -> String {
    let time = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string()
}

/// Appends a JSON string.
fn quote(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\' && !(ascii && byte >= 0x80);
    if text.bytes().all(plain) {
        out.push_str(text);
    } else {
        for letter in text.chars() {
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '\n' => out.push_str("\\n"),
                _ if letter >= ' ' && (letter.is_ascii() || !ascii) => out.push(letter),
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back_from_its_quotes(text: String, ascii: bool) {
            let mut json = String::new();
            quote(&text, ascii, &mut json);
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid JSON"), text);
            prop_assert!(!ascii || json.is_ascii());
        }
    }

    #[test]
    fn dates_are_those_of_the_service() {
        assert_eq!(date(1_469_037_010), "Wed Jul 20 17:50:10 +0000 2016");
    }

    #[test]
    fn an_original_has_the_documented_fields() {
        let head = Head { id: 755_822_121_331_281_920, time_ms: 1_469_037_010_007, author: 3, ascii: false };
        let mut out = String::new();
        let mut text = Text::default();
        text.body.push_str("a \"quoted\"\nword");
        Writer::default().original(head, &text, &mut out);
        let value: serde_json::Value = serde_json::from_str(&out).expect("valid JSON");
        assert_eq!(value["id_str"], "755822121331281920");
        assert_eq!(value["text"], "a \"quoted\"\nword");
        assert_eq!(value["timestamp_ms"], "1469037010007");
        assert_eq!(value["user"]["id_str"], "100093");
        assert_eq!(value["entities"]["hashtags"], serde_json::json!([]));
    }
}
