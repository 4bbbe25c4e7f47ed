//! What all JSON shapes share: objects read field by field, strings that borrow, and the kinds of fault.
//!
//! Idea: a shape declares the few fields that it reads, by [`object!`]; everything else is skipped unread. An object is
//! taken for an object only, and a field that is given twice is a fault, as it would be anyone's guess which was meant.
//! The reader is our own because of what it skips: of a status more than nine tenths.
//! Invariant: skipping does not recurse and read fields nest a fixed number of levels, so that no nesting overflows the
//! stack. What is not one valid JSON document is [`Reason::Json`], whatever else is wrong with it; `serde_json` has the
//! last word on that.
//! Cost: one pass. Strings without escapes are borrowed from the record; a second pass is paid by faulty records only.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::bad::{Bad, Reason};

mod cursor;
mod keys;
mod skip;
mod strings;
mod values;

pub(super) use cursor::{Cursor, Expected, Fault};
pub(super) use keys::Keys;
pub(super) use values::{Raw, Read, Str};

/// Declares an object by the fields that are read of it, all optional; a null is as good as none.
macro_rules! object {
    ($(#[$doc:meta])* struct $name:ident<$a:lifetime> { $($field:ident: $type:ty = $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<$a> { $(pub(super) $field: Option<$type>,)+ }

        impl<$a> $crate::posts::json::Read<$a> for $name<$a> {
            fn read(input: &mut $crate::posts::json::Cursor<$a>) -> Result<Self, $crate::posts::json::Fault> {
                let mut read = Self::default();
                read.fill(input)?;
                Ok(read)
            }
        }

        impl<$a> $name<$a> {
            /// Reads the value here into this, which must be empty: a large one is not moved then.
            pub(super) fn fill(
                &mut self,
                input: &mut $crate::posts::json::Cursor<$a>,
            ) -> Result<(), $crate::posts::json::Fault> {
                const KEYS: $crate::posts::json::Keys = $crate::posts::json::Keys::new(&[$($key),+]);
                let mut seen = 0_u32;
                input.object(&KEYS, |key, start, input| match key {
                    $($key => {
                        const BIT: u32 = KEYS.bit($key);
                        if seen & BIT != 0 {
                            return Err(input.duplicate(start));
                        }
                        seen |= BIT;
                        self.$field = $crate::posts::json::Read::read(input)?;
                        Ok(())
                    })+
                    _ => input.skip(),
                })
            }
        }
    };
}
pub(super) use object;

/// Reads a whole JSON document as `T`.
///
/// # Errors
/// [`Reason::Json`] where the text is not one JSON document, or a field that is read is there twice, or cannot be
/// represented (half of a surrogate pair); [`Reason::Type`] where a field has a type that it may not have.
pub(super) fn read<'a, T: Read<'a>>(text: &'a str) -> Result<T, Bad> {
    pass(text, |input| T::read(input))
}

/// Passes a whole JSON document in any way.
///
/// # Errors
/// As [`read`].
pub(super) fn pass<'a, T>(
    text: &'a str,
    way: impl FnOnce(&mut Cursor<'a>) -> Result<T, Fault>,
) -> Result<T, Bad> {
    let mut input = Cursor::new(text);
    match way(&mut input) {
        Ok(value) if input.is_at_end() => Ok(value),
        Ok(_) => Err(explained(text, Fault::Syntax, input.at())),
        Err(fault) => Err(explained(text, fault, input.at())),
    }
}

/// What a fault at a place of `text` says of it.
#[cold]
fn explained(text: &str, fault: Fault, at: usize) -> Bad {
    // Reading stopped at the first fault; the rest of the text may still be no JSON at all.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Bad::new(Reason::Json, error.to_string());
    }
    // The post's own words do not belong into a log: a value is named by its type.
    let (reason, what) = match fault {
        Fault::Type(expected) => {
            let found = match text.as_bytes().get(at) {
                Some(b'"') => "a string",
                Some(b'{') => "an object",
                Some(b'[') => "an array",
                Some(b'n') => "null",
                Some(b't' | b'f') => "a boolean",
                _ => "a number",
            };
            let expected = match expected {
                Expected::Object => "an object",
                Expected::Array => "an array",
                Expected::String => "a string",
                Expected::Boolean => "a boolean",
                Expected::Hashtag => "a hashtag",
            };
            (Reason::Type, format!("{found} where {expected} is expected"))
        }
        Fault::Duplicate => {
            let key = Cursor::new(&text[at..]).string().unwrap_or_default();
            (Reason::Json, format!("duplicate field `{}`", key.chars().take(40).collect::<String>()))
        }
        Fault::Surrogate => (Reason::Json, "half of a surrogate pair".to_owned()),
        Fault::Syntax => (Reason::Json, "no JSON".to_owned()),
    };
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    Bad::new(reason, format!("{what} at line {line} column {}", at - line_start + 1))
}

/// A language, where one is known: `und` says that it is not.
pub(super) fn language(lang: Option<Str<'_>>) -> Option<Cow<'_, str>> {
    lang.map(|lang| lang.0).filter(|lang| !lang.is_empty() && lang != "und")
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        /// Fields of all sorts.
        struct Sample<'a> {
            text: Str<'a> = "text",
            flag: bool = "flag",
            raw: Raw<'a> = "a.b",
            inner: Vec<Inner<'a>> = "inner",
        }
    }

    object! {
        /// An object in it.
        struct Inner<'a> { id: Raw<'a> = "id" }
    }

    fn fault(text: &str) -> String {
        read::<Sample>(text).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn fields_are_read_in_any_order_and_the_rest_is_skipped() {
        let text = r#" { "x":{"text":1}, "inner":[{"id":1},{}], "a.b" : [1, 2] , "te\u0078t":"\u00e9","flag":true,"":0}"#;
        let sample: Sample = read(text).unwrap();
        assert_eq!((sample.text.as_deref(), sample.flag), (Some("é"), Some(true)));
        assert_eq!(sample.raw.map(Raw::text), Some("[1, 2]"));
        let ids = sample.inner.unwrap().into_iter().map(|inner| inner.id.map(Raw::text));
        assert_eq!(ids.collect::<Vec<_>>(), [Some("1"), None]);
        let nulls: Sample = read(r#"{"text":null,"inner":null,"flag":null,"a.b":null}"#).unwrap();
        assert!(nulls.text.is_none() && nulls.inner.is_none() && nulls.flag.is_none() && nulls.raw.is_none());
    }

    #[test]
    fn a_fault_says_what_is_wrong_and_where() {
        for (text, expected) in [
            ("{\n \"text\":5}", "type: a number where a string is expected at line 2 column 9"),
            ("[]", "type: an array where an object is expected at line 1 column 1"),
            (r#"{"inner":[null]}"#, "type: null where an object is expected at line 1 column 11"),
            (r#"{"flag":"é"}"#, "type: a string where a boolean is expected at line 1 column 9"),
            (r#"{"text":"","text":""}"#, "json: duplicate field `text` at line 1 column 12"),
            (r#"{"text":"\ud800"}"#, "json: half of a surrogate pair at line 1 column 17"),
            (r#"{"text":5,}"#, "json: key must be a string at line 1 column 11"),
            (r#"{"text":5} x"#, "json: trailing characters at line 1 column 12"),
            (r#"{"text":"a"{"flag":true}"#, "json: expected `,` or `}` at line 1 column 12"),
            (r#"{"x":1{"flag":true}"#, "json: expected `,` or `}` at line 1 column 7"),
            (r#"{"text":"a",}"#, "json: key must be a string at line 1 column 13"),
        ] {
            assert_eq!(fault(text), expected, "{text}");
        }
    }
}
