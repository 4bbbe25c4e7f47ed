//! A walk through a record along a tree of pointers.
//!
//! Idea: a visitor of the JSON reader that goes into what lies on the tree and skips the rest unread.
//! Invariant: the depth of the walk is that of the tree, not of the record. A key on the tree that an object has twice
//! is a fault. What is wanted as a whole is never gone into at once: its parts are walked to in a second pass.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::bad::Bad;
use super::super::json::{Raw, Str, fault};
use super::tree::{Node, Step};
use super::{FIELDS, Found};

/// What the pointers of `root` lead to in a record.
///
/// # Errors
/// [`super::super::Reason::Json`] where the record is not one JSON document, or has a key on the way twice.
pub(super) fn find<'a>(root: &Node, record: &'a str) -> Result<Found<'a>, Bad> {
    let mut found = Found::default();
    let mut later = Vec::new();
    walk(record, Walk { fields: &root.fields, steps: &root.steps, found: &mut found, later: &mut later })?;
    while let Some((value, steps)) = later.pop() {
        walk(value.text(), Walk { fields: &[], steps, found: &mut found, later: &mut later })?;
    }
    Ok(found)
}

/// Walks through a whole JSON text.
fn walk<'a>(text: &'a str, walk: Walk<'_, '_, 'a>) -> Result<(), Bad> {
    let mut input = serde_json::Deserializer::from_str(text);
    walk.deserialize(&mut input).and_then(|()| input.end()).map_err(|error| fault(text, &error))
}

/// A walk through a record from one node of the tree.
struct Walk<'n, 'f, 'a> {
    fields: &'n [usize],
    steps: &'n [Step],
    found: &'f mut Found<'a>,
    /// Values that are wanted themselves and have wanted parts: the parts are walked to afterwards.
    later: &'f mut Vec<(Raw<'a>, &'n [Step])>,
}

impl<'n, 'a> Walk<'n, '_, 'a> {
    fn to<'f>(&'f mut self, node: &'n Node) -> Walk<'n, 'f, 'a> {
        Walk { fields: &node.fields, steps: &node.steps, found: self.found, later: self.later }
    }
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, input: D) -> Result<(), D::Error> {
        if self.fields.is_empty() {
            return input.deserialize_any(self);
        }
        if let Some(value) = Option::<Raw>::deserialize(input)? {
            for field in self.fields {
                self.found[*field] = Some(value);
            }
            if !self.steps.is_empty() {
                self.later.push((value, self.steps));
            }
        }
        Ok(())
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_map<M: MapAccess<'a>>(mut self, mut map: M) -> Result<(), M::Error> {
        let mut seen = [false; FIELDS];
        while let Some(key) = map.next_key::<Str>()? {
            let Some(at) = self.steps.iter().position(|step| step.key == *key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut seen[at], true) {
                let key: String = key.chars().take(40).collect();
                return Err(M::Error::custom(format!("duplicate field `{key}`")));
            }
            map.next_value_seed(self.to(&self.steps[at].node))?;
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'a>>(mut self, mut list: S) -> Result<(), S::Error> {
        for index in 0_usize.. {
            let more = match self.steps.iter().find(|step| step.index == Some(index)) {
                Some(step) => list.next_element_seed(self.to(&step.node))?.is_some(),
                None => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
