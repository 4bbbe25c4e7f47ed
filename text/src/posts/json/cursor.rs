//! A way through a JSON text, from its beginning to its end.
//!
//! Idea: whoever reads an object is shown the keys that it asks for; all other fields are passed in one go.
//! Invariant: what was passed is valid JSON. The place never goes back, but to say where a fault is.
//! Cost: that of [`skip`], and nothing for fields that are not read.

use std::borrow::Cow;

use super::keys::Keys;
use super::skip::{self, FAULT};
use super::strings::unescape;

/// Why a text could not be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::posts) enum Fault {
    /// It is no JSON.
    Syntax,
    /// A string that is read has half of a surrogate pair.
    Surrogate,
    /// An object has a key twice that is read; here the second one begins.
    Duplicate,
    /// Another type of value stands here.
    Type(Expected),
}

/// What a value should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::posts) enum Expected {
    Object,
    Array,
    String,
    Boolean,
    Hashtag,
}

/// A place in a JSON text.
#[derive(Debug)]
pub(in crate::posts) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    /// How many bytes have been passed.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The fault of a key that begins at `start` and was there before.
    #[cold]
    pub(in crate::posts) fn duplicate(&mut self, start: usize) -> Fault {
        self.at = start;
        Fault::Duplicate
    }

    /// Passes white space; gives the byte behind it, 0 at the end.
    #[inline(always)]
    pub(in crate::posts) fn token(&mut self) -> u8 {
        let (byte, at) = skip::token(self.text.as_bytes(), self.at);
        self.at = at;
        byte
    }

    /// Whether nothing follows but white space.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.token();
        self.at == self.text.len()
    }

    /// Passes an object and shows each key that may be one of `keys`, decoded, with the place where it begins; `field`
    /// passes the value.
    #[inline(always)]
    pub(in crate::posts) fn object(
        &mut self,
        keys: &Keys,
        mut field: impl FnMut(&str, usize, &mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.token() != b'{' {
            return Err(Fault::Type(Expected::Object));
        }
        self.at += 1;
        let mut is_first = true;
        while let Some(key) = self.next_key(keys, is_first)? {
            is_first = false;
            let inside = &self.text[key.start + 1..key.end];
            if key.has_escapes {
                field(&unescape(inside)?, key.start, self)?;
            } else {
                field(inside, key.start, self)?;
            }
        }
        Ok(())
    }

    /// Passes all fields that are not read, or the end of the object; stops before the value of the next field that may be
    /// read. `None`: the object has been passed. `is_first`: no field has been passed yet, so that no comma is due.
    fn next_key(&mut self, keys: &Keys, is_first: bool) -> Result<Option<Key>, Fault> {
        let bytes = self.text.as_bytes();
        let mut next =
            if is_first { skip::opening(bytes, self.at, false) } else { skip::next_opening(bytes, self.at) };
        loop {
            let (start, has_field) = next?;
            if !has_field {
                self.at = start;
                return Ok(None);
            }
            let (end, has_escapes, value) = skip::key(bytes, start);
            if value == FAULT {
                return Err(Fault::Syntax);
            }
            if has_escapes || keys.may_have(bytes, start, end) {
                self.at = value;
                return Ok(Some(Key { start, end, has_escapes }));
            }
            // Behind a fault there is no opening.
            next = skip::next_opening(bytes, skip::value(bytes, value));
        }
    }

    /// Passes an array; `item` passes each of its values, of which it is told the index.
    #[inline(always)]
    pub(in crate::posts) fn array(
        &mut self,
        mut item: impl FnMut(usize, &mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.token() != b'[' {
            return Err(Fault::Type(Expected::Array));
        }
        self.at += 1;
        if self.token() == b']' {
            self.at += 1;
            return Ok(());
        }
        for index in 0.. {
            item(index, self)?;
            let byte = self.token();
            self.at += 1;
            match byte {
                b',' => {}
                b']' => break,
                _ => return Err(Fault::Syntax),
            }
        }
        Ok(())
    }

    /// Passes a string; borrowed where it has no escapes.
    pub(in crate::posts) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.token() != b'"' {
            return Err(Fault::Type(Expected::String));
        }
        let (end, has_escapes) = skip::string(self.text.as_bytes(), self.at);
        if end == FAULT {
            return Err(Fault::Syntax);
        }
        let inside = &self.text[self.at + 1..end - 1];
        self.at = end;
        if has_escapes { unescape(inside).map(Cow::Owned) } else { Ok(Cow::Borrowed(inside)) }
    }

    /// Passes a null, if one is here.
    #[inline(always)]
    pub(in crate::posts) fn null(&mut self) -> Result<bool, Fault> {
        let is_null = self.token() == b'n';
        if is_null {
            self.skip()?;
        }
        Ok(is_null)
    }

    /// Passes `true` or `false`.
    pub(super) fn boolean(&mut self) -> Result<bool, Fault> {
        let first = self.token();
        if !matches!(first, b't' | b'f') {
            return Err(Fault::Type(Expected::Boolean));
        }
        self.skip()?;
        Ok(first == b't')
    }

    /// Passes any value; gives its text.
    pub(in crate::posts) fn raw(&mut self) -> Result<&'a str, Fault> {
        self.token();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// Passes any value.
    pub(in crate::posts) fn skip(&mut self) -> Result<(), Fault> {
        let end = skip::value(self.text.as_bytes(), self.at);
        if end == FAULT {
            return Err(Fault::Syntax);
        }
        self.at = end;
        Ok(())
    }
}

/// The key of a field: from its opening quote to its closing one.
#[derive(Clone, Copy, Debug)]
struct Key {
    start: usize,
    end: usize,
    has_escapes: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_is_the_text_of_the_value() {
        let mut cursor = Cursor::new(" {\"a\" : [1 , \"]\"] , \"b\":2}");
        let mut seen = Vec::new();
        let passed = cursor.object(&Keys::ALL, |key, at, input| {
            seen.push((key.to_owned(), at, input.raw()?));
            Ok(())
        });
        assert_eq!(passed, Ok(()));
        assert_eq!(seen, [("a".to_owned(), 2, "[1 , \"]\"]"), ("b".to_owned(), 20, "2")]);
        assert!(cursor.is_at_end());
    }
}
