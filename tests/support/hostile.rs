//! Posts as an enemy, or a bug elsewhere, would send them, between posts as people write them.
//!
//! Idea: half of the records are invented posts of the program's own generator, with many late and broken ones; the others
//! are made by hand to meet the limits: times, sizes, depths, scripts, ties between spellings.
//! Invariant: the same seed and times give the same records. No time is so near to the border of what is ahead that a
//! slow test would cross it.

use serde_json::{Value, json};
use tidings::produce::synthetic::{Mix, Synthetic};

use super::random::Random;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A record to be sent; without a partition.
#[derive(Clone, Debug)]
pub struct Sent {
    pub value: Option<Vec<u8>>,
    /// Unix milliseconds; librdkafka takes 0 for the present.
    pub timestamp: i64,
}

/// Sends what nobody wants to get.
pub struct Hostile {
    random: Random,
    synthetic: Synthetic,
    made: u64,
}

const TAGS: [&str; 12] = [
    "Rust",
    "RUST",
    "rust",
    "ru",
    "Straße",
    "STRASSE",
    "étoile",
    "E\u{301}toile",
    "東京",
    "москва",
    "Москва",
    "rusty",
];
const WORDS: [&str; 14] = [
    "good",
    "Good",
    "morning",
    "naïve",
    "nai\u{308}ve",
    "שלום",
    "مرحبا",
    "สวัสดีชาวโลก",
    "東京特許許可局",
    "한국어",
    "don't",
    "\u{202e}reversed",
    "e\u{301}\u{301}\u{301}",
    "ﬁne",
];
const EMOJI: [&str; 6] = ["👍🏽", "👨‍👩‍👧‍👦", "🇮🇪🇮🇪", "❤️", "1️⃣", "🥊"];

impl Hostile {
    pub fn new(seed: u64) -> Hostile {
        let mix = Mix { bad: 0.15, late: 0.25, reposts: 0.1 };
        Hostile { random: Random::new(seed), synthetic: Synthetic::new(seed, mix), made: 0 }
    }

    /// The next record; `now_ms` is the event time of a post that is neither late nor ahead.
    pub fn next(&mut self, now_ms: i64) -> Sent {
        self.made += 1;
        if self.random.one_in(2) {
            let made = self.synthetic.next(now_ms);
            return Sent { value: made.value, timestamp: made.time_ms };
        }
        let timestamp = self.time(now_ms);
        let value = match self.random.below(10) {
            0 => self.broken(),
            1 => Some(self.plain_text().into_bytes()),
            _ => Some(self.tweet(timestamp, now_ms).to_string().into_bytes()),
        };
        // A record's timestamp cannot be 0: librdkafka would put the present in its place.
        Sent { value, timestamp: if timestamp == 0 { 1 } else { timestamp } }
    }

    /// Records that are worse than is good for a stream of many: huge ones, and such as take long to look at.
    pub fn giants() -> Vec<Vec<u8>> {
        let tags: String = (0..20_000).map(|i| format!("#t{i} ")).collect();
        let own: Vec<Value> = (0..20_000).map(|i| json!({ "text": format!("own{i}") })).collect();
        let deep = format!(
            "{{\"text\":\"deep\",\"id_str\":\"1\",\"x\":{}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        let objects = format!("{}1{}", "{\"text\":".repeat(10_000), "}".repeat(10_000));
        let fits =
            json!({ "id_str": "1", "text": format!("fits {}", "a".repeat((1 << 20) - 100)) }).to_string();
        vec![
            json!({ "id_str": "1", "text": tags }).to_string().into_bytes(),
            json!({ "id_str": "1", "text": "", "entities": { "hashtags": own } }).to_string().into_bytes(),
            deep.into_bytes(),
            objects.into_bytes(),
            json!({ "id_str": "1", "text": "word ".repeat((2 << 20) / 5) }).to_string().into_bytes(),
            fits.into_bytes(),
            json!({ "id_str": "1", "text": "e\u{301}".repeat(100_000) }).to_string().into_bytes(),
            json!({ "id_str": "1", "text": format!("a{}", "\u{301}".repeat(200_000)) })
                .to_string()
                .into_bytes(),
            vec![b'#'; 500_000],
            vec![0xff; 100_000],
        ]
    }

    fn time(&mut self, now_ms: i64) -> i64 {
        match self.random.below(40) {
            0..10 => now_ms - self.random.between(0, 10 * SECOND),
            10..14 => now_ms - self.random.between(SECOND, 2 * HOUR),
            14 => now_ms - self.random.between(DAY, 30 * DAY),
            15 => now_ms + self.random.between(1, 3 * SECOND),
            16 if self.random.one_in(8) => now_ms + self.random.between(SECOND, 10 * SECOND),
            17 => self.random.pick(&[0, 1, 999, -1, -5000, i64::from(i32::MIN)]),
            18 => 32_503_680_000_000,
            19 => super::broker::wall_ms() + self.random.between(2 * DAY, 400 * DAY),
            _ => now_ms,
        }
    }

    fn tweet(&mut self, time: i64, now_ms: i64) -> Value {
        let mut post =
            json!({ "id_str": self.made.to_string(), "text": self.text(), "user": { "screen_name": "x" } });
        match self.random.below(12) {
            // Without a time of its own it has that of its record.
            0 => {}
            1 => post["timestamp_ms"] = json!("soon"),
            2 => post["timestamp_ms"] = json!(self.time(now_ms).to_string()),
            _ => post["timestamp_ms"] = json!(time.to_string()),
        }
        if self.random.one_in(4) {
            post["lang"] = json!(self.random.pick(&["en", "ko", "pt-BR", "und", ""]));
        }
        if self.random.one_in(6) {
            let own = ["Rust", "RUST", "a\0b", "a", "A", "", "two words", "ﬁ", "İ"];
            let tags: Vec<Value> =
                (0..self.random.below(5)).map(|_| json!({ "text": self.random.pick(&own) })).collect();
            post["entities"] = json!({ "hashtags": tags });
        }
        if self.random.one_in(10) {
            post = json!({ "id_str": "7", "text": "RT cut", "timestamp_ms": time.to_string(), "retweeted_status": post });
        }
        post
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.random.below(12) {
            let separator = self.random.pick(&[" ", "  ", "\n", "\u{3000}", "\0", ", "]);
            match self.random.below(10) {
                0..3 => text.push_str(&format!("#{}", self.random.pick(&TAGS))),
                3 => text.push_str(self.random.pick(&EMOJI)),
                4 => text.push_str(self.random.pick(&[
                    "@Ada",
                    "@ada",
                    "$RUST",
                    "https://Example.com/a?b#c",
                    "http://例え.jp",
                ])),
                5 if self.random.one_in(4) => {
                    text.push_str(&format!("#{}", "x".repeat(self.random.between(250, 260) as usize)))
                }
                5 => text.push_str(&format!("w{}", self.random.below(400))),
                _ => text.push_str(self.random.pick(&WORDS)),
            }
            text.push_str(separator);
        }
        text
    }

    fn plain_text(&mut self) -> String {
        format!("plain {}", self.text())
    }

    fn broken(&mut self) -> Option<Vec<u8>> {
        let whole =
            json!({ "id_str": "1", "text": self.text(), "timestamp_ms": "1700000000000" }).to_string();
        let records: [Option<&[u8]>; 16] = [
            None,
            Some(b""),
            Some(b"{}"),
            Some(b"{"),
            Some(b"{\"text\":7}"),
            Some(b"{\"text\":null,\"id_str\":\"1\"}"),
            Some(b"{\"id_str\":\"1\"}"),
            Some(b"{\"text\":\"\xff\xfe\"}"),
            Some(b"{\"text\":\"\\ud800\"}"),
            Some(b"{\"text\":\"twice\",\"text\":\"thrice\"} x"),
            Some(b"\0\0\0\0\x01avro"),
            Some(b"\r\n"),
            Some(b"{\"delete\":{\"status\":{\"id\":1}}}"),
            Some(b"{\"limit\":{\"track\":5}}"),
            Some(b"\xef\xbb\xbf{\"text\":\"behind a mark\"}"),
            Some(&whole.as_bytes()[..whole.len() - 3]),
        ];
        self.random.pick(&records).map(<[u8]>::to_vec)
    }
}
