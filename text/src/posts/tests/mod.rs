//! What holds for all shapes: hostile bytes, properties, and the real messages of the shared data.

use super::{Bad, Decoder, Format, Pointers, Post, Reason, Record};

mod hostile;
mod jetstream;
mod properties;
mod real;

/// A decoder for a format, with pointers to the usual fields for `json`.
fn decoder(format: Format) -> Decoder {
    let pointers = Pointers {
        text: "/text".into(),
        id: Some("/id".into()),
        author: Some("/user/screen_name".into()),
        time: Some("/created_at".into()),
        lang: Some("/lang".into()),
        tags: Some("/entities/hashtags".into()),
    };
    Decoder::new(format, &pointers).unwrap()
}

fn decode(format: Format, value: &[u8]) -> Result<Record<'_>, Bad> {
    decoder(format).decode(Some(value))
}

fn reason(format: Format, value: &[u8]) -> Option<Reason> {
    decode(format, value).err().map(|bad| bad.reason)
}

/// The post that the reader of a shape makes of a value, which must be one.
pub(super) fn post<'a>(read: fn(&'a str) -> Result<Record<'a>, Bad>, value: &'a str) -> Post<'a> {
    match read(value) {
        Ok(Record::Post(post)) => post,
        other => panic!("{value}: {other:?}"),
    }
}
