//! What a field may hold, and how it is read.

use std::borrow::Cow;
use std::ops::Deref;

use super::super::bad::{Bad, Reason};
use super::super::{OwnTime, time};
use super::cursor::{Cursor, Fault};
use super::read;

/// What can be read from a place in a JSON text.
pub(in crate::posts) trait Read<'a>: Sized {
    /// Reads the value here and passes it.
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault>;
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    #[inline(always)]
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        if input.null()? { Ok(None) } else { T::read(input).map(Some) }
    }
}

impl<'a, T: Read<'a>> Read<'a> for Box<T> {
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        T::read(input).map(Box::new)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        let mut all = Vec::new();
        input.array(|_, input| {
            all.push(T::read(input)?);
            Ok(())
        })?;
        Ok(all)
    }
}

impl<'a> Read<'a> for bool {
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        input.boolean()
    }
}

/// A string, borrowed from the record where it has no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::posts) struct Str<'a>(pub(in crate::posts) Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Read<'a> for Str<'a> {
    #[inline(always)]
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        input.string().map(Str)
    }
}

/// Any value that was only skipped over so far: whether it is there matters, or it is read later.
#[derive(Clone, Copy, Debug)]
pub(in crate::posts) struct Raw<'a>(&'a str);

impl<'a> Read<'a> for Raw<'a> {
    #[inline(always)]
    fn read(input: &mut Cursor<'a>) -> Result<Self, Fault> {
        input.raw().map(Raw)
    }
}

impl<'a> Raw<'a> {
    /// The value's text in the record.
    pub(in crate::posts) fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is an object.
    pub(in crate::posts) fn is_object(self) -> bool {
        self.text().starts_with('{')
    }

    /// Whether it is a string.
    pub(in crate::posts) fn is_string(self) -> bool {
        self.text().starts_with('"')
    }

    /// The value as an id or a name: a string, or an integer of any length by its digits. `field` names it in errors.
    ///
    /// # Errors
    /// [`Reason::Type`] where it is neither.
    pub(in crate::posts) fn id(self, field: &str) -> Result<Cow<'a, str>, Bad> {
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
    pub(in crate::posts) fn string(self) -> Result<Cow<'a, str>, Bad> {
        // What was passed as a string is one.
        match self.inside() {
            Some(inside) if !inside.contains('\\') => Ok(Cow::Borrowed(inside)),
            _ => read::<Str>(self.text()).map(|string| string.0),
        }
    }

    /// What stands between the quotes of a string.
    fn inside(self) -> Option<&'a str> {
        self.text().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
    }

    /// The value as a time: a string or a number in any form of [`time::parse`]. Nothing else is a fault of the record:
    /// such a post has no usable time.
    pub(in crate::posts) fn time(self) -> OwnTime {
        self.time_by(time::parse)
    }

    /// The same of a field that counts milliseconds, see [`time::parse_ms`].
    pub(in crate::posts) fn time_ms(self) -> OwnTime {
        self.time_by(time::parse_ms)
    }

    fn time_by(self, parse: impl FnOnce(&str) -> OwnTime) -> OwnTime {
        match self.inside() {
            Some(inner) if inner.contains('\\') => {
                self.string().map_or(OwnTime::Unusable, |text| parse(&text))
            }
            Some(inner) => parse(inner),
            None => parse(self.text()),
        }
    }
}
