//! From bytes to a record: the checks that all shapes share, then the one shape that was asked for.
//!
//! Invariant: only what is not empty, not too large and UTF-8 as a whole reaches the reader of a shape.

use super::bad::{Bad, Reason};
use super::pointers::{PointerError, Reader};
use super::{Format, Pointers, Record, auto, eneco, jcustenborder, jetstream, mastodon, text, tweet, x};

/// The most bytes that a record may have; a larger one is bad as a whole.
pub const MAX_RECORD: usize = 1 << 20;

/// Reads records in the shape that the settings name.
#[derive(Clone, Debug)]
pub struct Decoder {
    shape: Shape,
    /// Whether a converter of Kafka Connect may have written the records: then a first byte of 0 means Avro.
    connect: bool,
}

/// The shape, with what it needs of the settings.
#[derive(Clone, Debug)]
enum Shape {
    Text,
    Pointers(Reader),
    /// Any other, by its reader.
    Of(fn(&str) -> Result<Record<'_>, Bad>),
}

impl Decoder {
    /// A decoder of this format. The pointers matter for [`Format::Json`] only.
    ///
    /// # Errors
    /// Where a pointer is not valid.
    pub fn new(format: Format, pointers: &Pointers) -> Result<Self, PointerError> {
        let shape = match format {
            Format::Text => Shape::Text,
            Format::Json => Shape::Pointers(Reader::new(pointers)?),
            Format::Auto => Shape::Of(auto::record),
            Format::Tweet => Shape::Of(tweet::record),
            Format::X => Shape::Of(x::record),
            Format::Eneco => Shape::Of(eneco::record),
            Format::Jcustenborder => Shape::Of(jcustenborder::record),
            Format::Jetstream => Shape::Of(jetstream::record),
            Format::Mastodon => Shape::Of(mastodon::record),
        };
        let connect = matches!(format, Format::Auto | Format::Eneco | Format::Jcustenborder);
        Ok(Decoder { shape, connect })
    }

    /// Reads one record's value; `None` is Kafka's null.
    ///
    /// # Errors
    /// Where the value is no post and no other message that is known, by the reason.
    pub fn decode<'a>(&self, value: Option<&'a [u8]>) -> Result<Record<'a>, Bad> {
        let bytes = value.ok_or_else(|| Bad::new(Reason::Tombstone, "the record has no value"))?;
        let Some(first) = bytes.first() else {
            return Err(Bad::new(Reason::Empty, "the value has no bytes"));
        };
        if bytes.len() > MAX_RECORD {
            return Err(Bad::new(Reason::TooLarge, format!("{} bytes, at most {MAX_RECORD}", bytes.len())));
        }
        if *first == 0 && self.connect {
            return Err(Bad::new(
                Reason::Avro,
                "the first byte is 0, as in Confluent's wire format; it can be read after a JSON converter",
            ));
        }
        let value = simdutf8::basic::from_utf8(bytes).map_err(|_| Bad::new(Reason::Utf8, no_utf8(bytes)))?;
        match &self.shape {
            Shape::Text => Ok(Record::Post(text::post(value.into()))),
            Shape::Pointers(reader) => reader.post(value).map(Record::Post),
            // Streams send blank lines so that a quiet connection is not taken for a dead one.
            Shape::Of(_) if value.trim_ascii().is_empty() => Ok(Record::Other("keep_alive")),
            Shape::Of(read) => read(value),
        }
    }
}

/// Where a text is no UTF-8: finding out at once would take longer for all that are.
#[cold]
fn no_utf8(bytes: &[u8]) -> String {
    simdutf8::compat::from_utf8(bytes).err().map(|error| error.to_string()).unwrap_or_default()
}
