use super::*;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::HashSet;

const NOW_MS: i64 = 1_760_000_000_000;

fn sound() -> Mix {
    Mix { bad: 0.0, late: 0.0, reposts: 0.1 }
}

fn value(made: &Made) -> Value {
    serde_json::from_slice(made.value.as_deref().expect("no tombstone")).expect("valid JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn the_same_seed_gives_the_same_bytes(seed: u64, steps in prop::collection::vec(-5_000i64..5_000, 300)) {
        let mix = Mix { bad: 0.2, late: 0.2, reposts: 0.2 };
        let (mut one, mut other) = (Synthetic::new(seed, mix), Synthetic::new(seed, mix));
        let mut now_ms = NOW_MS;
        for step in steps {
            now_ms += step;
            prop_assert_eq!(one.next(now_ms), other.next(now_ms));
        }
    }

    #[test]
    fn any_time_makes_a_post(seed: u64, times in prop::collection::vec(any::<i64>(), 50)) {
        let mut synthetic = Synthetic::new(seed, sound());
        for now_ms in times {
            let made = synthetic.next(now_ms);
            prop_assert!((0..=LAST_MS).contains(&made.time_ms));
            let status = value(&made);
            prop_assert_eq!(&status["timestamp_ms"], &Value::from(made.time_ms.to_string()));
        }
    }
}

/// A change of the word lists changes this, and has to be made on purpose; nothing else may change it.
#[test]
fn the_bytes_of_a_seed_are_written_down() {
    let mut synthetic = Synthetic::new(42, Mix::default());
    let digest = (0..5_000).fold(0xcbf2_9ce4_8422_2325, |digest: u64, post| {
        let made = synthetic.next(NOW_MS + post);
        made.key
            .iter()
            .chain(made.value.iter().flatten())
            .fold(digest, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
    });
    assert_eq!(digest, 0x92a4_9244_6589_4f96, "{digest:#x}");
}

#[test]
fn sound_posts_are_statuses_with_rising_ids_and_their_own_tags() {
    let mut synthetic = Synthetic::new(1, sound());
    let (mut last, mut bytes, mut reposts, mut tagged) = (0, 0, 0, 0);
    for post in 0..20_000 {
        let made = synthetic.next(NOW_MS + post / 10);
        bytes += made.value.as_ref().map_or(0, Vec::len);
        let status = value(&made);
        let id: u64 = status["id_str"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        assert!(id > last, "{id} after {last}");
        last = id;
        assert_eq!(made.key, id.to_string().into_bytes());
        assert_eq!((id >> 22) as i64 + SNOWFLAKE_EPOCH_MS, made.time_ms);
        assert_eq!(made.time_ms, NOW_MS + post / 10);
        let original = status.get("retweeted_status").unwrap_or(&status);
        let text = original["text"].as_str().expect("a text");
        for tag in original["entities"]["hashtags"].as_array().expect("tags") {
            assert!(text.contains(&format!("#{}", tag["text"].as_str().expect("a tag"))), "{original}");
            tagged += 1;
        }
        reposts += usize::from(status.get("retweeted_status").is_some());
        assert!(original["lang"].is_string() && original["user"]["screen_name"].is_string());
    }
    assert!((1_700..2_300).contains(&reposts), "{reposts}");
    assert!(tagged > 6_000, "{tagged}");
    assert!((250..400).contains(&(bytes / 20_000)), "{} bytes a post", bytes / 20_000);
}

#[test]
fn shares_of_late_and_bad_records_are_as_asked() {
    let mut synthetic = Synthetic::new(9, Mix { bad: 0.1, late: 0.2, reposts: 0.0 });
    let (mut late, mut bad, mut keys) = (0, 0, HashSet::new());
    for _ in 0..20_000 {
        let made = synthetic.next(NOW_MS);
        let age = NOW_MS - made.time_ms;
        assert!(age == 0 || (1_000..=5 * 3_600_000).contains(&age), "{age}");
        late += usize::from(age > 0);
        let readable = made.value.as_deref().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        bad += usize::from(!readable.is_some_and(|status| status["text"].is_string()));
        assert!(keys.insert(made.key));
    }
    assert!((3_700..4_300).contains(&late), "{late}");
    assert!((1_800..2_200).contains(&bad), "{bad}");
}

#[test]
fn spellings_and_scripts_vary() {
    let mut synthetic = Synthetic::new(3, sound());
    let mut tags = HashSet::new();
    let mut languages = HashSet::new();
    for post in 0..20_000 {
        let status = value(&synthetic.next(NOW_MS + post));
        languages.insert(status["lang"].as_str().expect("a language").to_owned());
        for tag in status["entities"]["hashtags"].as_array().expect("tags") {
            tags.insert(tag["text"].as_str().expect("a tag").to_owned());
        }
    }
    assert_eq!(languages.len(), 8);
    assert!(
        ["Rust", "rust", "RUST", "写真", "음악", "Москва"].iter().all(|tag| tags.contains(*tag)),
        "{tags:?}"
    );
}
