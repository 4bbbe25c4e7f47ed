//! What all JSON shapes share: objects read field by field, strings that borrow, and the kinds of fault.
//!
//! Idea: a shape declares the few fields that it reads, by [`object!`]; everything else is skipped unread. Unlike a
//! derived reader, these take an object for an object only, never an array of its values, and a field that is given
//! twice is a fault, as it would be anyone's guess which was meant.
//! Invariant: skipping does not recurse and read fields nest a fixed number of levels, so that no nesting overflows the
//! stack. What is not one valid JSON document is [`Reason::Json`], whatever else is wrong with it.
//! Cost: one pass. Strings without escapes are borrowed from the record; a second pass is paid by faulty records only.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::{Error, IgnoredAny, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::OwnTime;
use super::bad::{Bad, Reason};
use super::time;

/// Declares an object by the fields that are read of it, all optional; a null is as good as none.
macro_rules! object {
    ($(#[$doc:meta])* struct $name:ident<$a:lifetime> { $($field:ident: $type:ty = $key:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name<$a> { $(pub(super) $field: Option<$type>,)+ }

        impl<$a> serde::Deserialize<$a> for $name<$a> {
            fn deserialize<D: serde::Deserializer<$a>>(input: D) -> Result<Self, D::Error> {
                struct Fields<$a>(std::marker::PhantomData<&$a ()>);

                impl<$a> serde::de::Visitor<$a> for Fields<$a> {
                    type Value = $name<$a>;

                    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        out.write_str("an object")
                    }

                    fn visit_map<M: serde::de::MapAccess<$a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                        $(let mut $field: Option<Option<$type>> = None;)+
                        while let Some(key) = map.next_key::<$crate::posts::json::Str<$a>>()? {
                            match &*key {
                                $($key => {
                                    if $field.replace(map.next_value()?).is_some() {
                                        return Err(serde::de::Error::duplicate_field($key));
                                    }
                                })+
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok($name { $($field: $field.flatten(),)+ })
                    }
                }

                input.deserialize_map(Fields(std::marker::PhantomData))
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
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Bad> {
    serde_json::from_str(text).map_err(|error| fault(text, &error))
}

/// What a failed reading of `text` says of it.
#[cold]
pub(super) fn fault(text: &str, error: &serde_json::Error) -> Bad {
    // Reading stopped at the first fault; the rest of the text may still be no JSON at all.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Bad::new(Reason::Json, error.to_string());
    }
    let message = error.to_string();
    let is_type = error.classify() == Category::Data || message.starts_with("number out of range");
    if !is_type || message.starts_with("duplicate field") {
        return Bad::new(Reason::Json, message);
    }
    // The message quotes a string that stands where it may not; the post's own words do not belong into a log.
    let quoted = message.split_once(" string \"").and_then(|(head, rest)| {
        let (_, tail) = rest.rsplit_once("\", expected")?;
        Some(format!("{head} string, expected{tail}"))
    });
    Bad::new(Reason::Type, quoted.unwrap_or(message))
}

/// A string, borrowed from the record where it has no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Str<'a>(pub(super) Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Str<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Borrowing;

        impl<'de> Visitor<'de> for Borrowing {
            type Value = Str<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
        }

        input.deserialize_str(Borrowing)
    }
}

/// Any value that was only skipped over so far: whether it is there matters, or it is read later.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Raw<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Raw<'a> {
    /// The value's text in the record.
    pub(super) fn text(self) -> &'a str {
        self.0.get()
    }

    /// Whether it is an object.
    pub(super) fn is_object(self) -> bool {
        self.text().starts_with('{')
    }

    /// Whether it is a string.
    pub(super) fn is_string(self) -> bool {
        self.text().starts_with('"')
    }

    /// The value as an id or a name: a string, or an integer of any length by its digits. `field` names it in errors.
    ///
    /// # Errors
    /// [`Reason::Type`] where it is neither.
    pub(super) fn id(self, field: &str) -> Result<Cow<'a, str>, Bad> {
        let text = self.text();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Cow::Borrowed(text));
        }
        if self.is_string() {
            return self.string();
        }
        Err(Bad::new(Reason::Type, format!("`{field}` is neither a string nor an integer")))
    }

    /// The value as a string.
    ///
    /// # Errors
    /// [`Reason::Type`] where it is of another type, [`Reason::Json`] where it holds half of a surrogate pair.
    pub(super) fn string(self) -> Result<Cow<'a, str>, Bad> {
        read::<Str>(self.text()).map(|string| string.0)
    }

    /// The value as a time: a string or a number in any form of [`time::parse`]. Nothing else is a fault of the record:
    /// such a post has no usable time.
    pub(super) fn time(self) -> OwnTime {
        let text = self.text();
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(inner) if inner.contains('\\') => {
                self.string().map_or(OwnTime::Unusable, |text| time::parse(&text))
            }
            Some(inner) => time::parse(inner),
            None => time::parse(text),
        }
    }
}

/// A language, where one is known: `und` says that it is not.
pub(super) fn language(lang: Option<Str<'_>>) -> Option<Cow<'_, str>> {
    lang.map(|lang| lang.0).filter(|lang| !lang.is_empty() && lang != "und")
}
