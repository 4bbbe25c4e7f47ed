//! The envelope of Kafka Connect's JSON converter: `{"schema": .., "payload": ..}`.
//!
//! Idea: with schemas enabled, which is that converter's default, every record is wrapped; what was wrapped is read as
//! if it stood alone. The schema is skipped, as the fields say enough.
//! Invariant: one envelope is opened, never one within another.
//! Source: the JSON converter of Apache Kafka Connect.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::bad::{Bad, Reason};
use super::json::{Raw, object, read};

object! {
    /// The two fields of an envelope.
    struct Envelope<'a> { schema: Raw<'a> = "schema", payload: Raw<'a> = "payload" }
}

/// What was wrapped.
pub(super) enum Payload<'a> {
    /// A string: the text of a post.
    Text(Cow<'a, str>),
    /// The JSON text of an object.
    Object(&'a str),
}

/// Opens the envelope where the record is one.
///
/// # Errors
/// As [`read`]; [`Reason::Tombstone`] for a payload of null, [`Reason::Type`] for one that is no post in any shape.
pub(super) fn open(record: &str) -> Result<Option<Payload<'_>>, Bad> {
    let envelope: Envelope = read(record)?;
    match envelope.payload {
        None if envelope.schema.is_none() && !is_of_null(record) => Ok(None),
        None => Err(Bad::new(Reason::Tombstone, "the envelope's `payload` is null")),
        Some(payload) if payload.is_object() => Ok(Some(Payload::Object(payload.text()))),
        Some(payload) if payload.is_string() => payload.string().map(|text| Some(Payload::Text(text))),
        Some(_) => Err(Bad::new(Reason::Type, "the envelope's `payload` is neither an object nor a string")),
    }
}

/// Longer is no envelope of two nulls, unless somebody has filled it with white space.
const SHORT: usize = 64;

/// Whether both fields of an envelope are there, and null.
fn is_of_null(record: &str) -> bool {
    record.len() <= SHORT
        && serde_json::from_str::<BTreeMap<&str, Option<IgnoredAny>>>(record).is_ok_and(|fields| {
            ["schema", "payload"].into_iter().all(|field| matches!(fields.get(field), Some(None)))
        })
}
