//! A walk through a record along a tree of pointers.
//!
//! Idea: the reader of JSON goes into what lies on the tree and skips the rest unread.
//! Invariant: the depth of the walk is that of the tree, not of the record. A key on the tree that an object has twice
//! is a fault. What is wanted as a whole is never gone into at once: its parts are walked to in a second pass.

use super::super::bad::Bad;
use super::super::json::{Cursor, Fault, Keys, Raw, Read, pass};
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
    pass(text, |input| walk.value(input))
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

impl<'a> Walk<'_, '_, 'a> {
    /// Walks through the value here.
    fn value(self, input: &mut Cursor<'a>) -> Result<(), Fault> {
        if self.fields.is_empty() {
            return match input.token() {
                b'{' => self.object(input),
                b'[' => self.array(input),
                _ => input.skip(),
            };
        }
        if let Some(value) = Option::<Raw>::read(input)? {
            for field in self.fields {
                self.found[*field] = Some(value);
            }
            if !self.steps.is_empty() {
                self.later.push((value, self.steps));
            }
        }
        Ok(())
    }

    fn object(mut self, input: &mut Cursor<'a>) -> Result<(), Fault> {
        let mut seen = [false; FIELDS];
        input.object(&Keys::ALL, |key, start, input| {
            let Some(at) = self.steps.iter().position(|step| *step.key == *key) else {
                return input.skip();
            };
            if std::mem::replace(&mut seen[at], true) {
                return Err(input.duplicate(start));
            }
            self.to(&self.steps[at].node).value(input)
        })
    }

    fn array(mut self, input: &mut Cursor<'a>) -> Result<(), Fault> {
        input.array(|index, input| match self.steps.iter().find(|step| step.index == Some(index)) {
            Some(step) => self.to(&step.node).value(input),
            None => input.skip(),
        })
    }
}
