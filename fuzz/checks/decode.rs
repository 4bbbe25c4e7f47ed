//! Decoding: any bytes, in any format, are a post, another message or a fault, and the same each time; what is no JSON
//! for another reader is none here.

use tidings_text::posts::{Decoder, Format, MAX_RECORD, OwnTime, Pointers, Reason, Record};

/// Decodes a record in every format.
pub fn check(record: &[u8]) {
    let decoders: &[Decoder] = {
        thread_local!(static DECODERS: &'static [Decoder] = Vec::leak(Format::ALL.map(decoder).into()));
        DECODERS.with(|decoders| *decoders)
    };
    let is_no_json = is_no_json(record);
    for (format, decoder) in Format::ALL.into_iter().zip(decoders) {
        let outcome = decoder.decode(Some(record));
        if is_no_json && matches!(format, Format::Tweet | Format::X | Format::Json) {
            let reason = outcome.as_ref().map_err(|bad| bad.reason);
            let is_blank = record.trim_ascii().is_empty() && format != Format::Json;
            assert!(is_blank || reason == Err(Reason::Json), "{outcome:?} of what is no JSON");
        }
        assert_eq!(outcome, decoder.decode(Some(record)), "decoded twice");
        match outcome {
            Ok(Record::Post(post)) => {
                assert!(!matches!(post.time, OwnTime::At(ms) if ms <= 0), "{:?}", post.time);
                let tags = post.hashtags.iter().flatten();
                assert!(
                    tags.clone().all(|tag| !tag.is_empty() && !tag.starts_with('#')),
                    "{:?}",
                    post.hashtags
                );
                assert!(post.lang.as_deref().is_none_or(|lang| !lang.is_empty() && lang != "und"));
            }
            Ok(Record::Other(kind)) => assert!(!kind.is_empty()),
            Err(bad) => assert!((1..=200).contains(&bad.detail.len()), "{bad}"),
        }
    }
}

/// Whether it is a text that another reader takes for no JSON.
fn is_no_json(record: &[u8]) -> bool {
    let text = std::str::from_utf8(record).ok().filter(|text| (1..=MAX_RECORD).contains(&text.len()));
    text.is_some_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_err())
}

fn decoder(format: Format) -> Decoder {
    let pointers = Pointers {
        text: "/text".into(),
        id: Some("/id".into()),
        author: Some("/user/screen_name".into()),
        time: Some("/created_at".into()),
        lang: Some("/lang".into()),
        tags: Some("/entities/hashtags".into()),
    };
    Decoder::new(format, &pointers).expect("the pointers are valid")
}
