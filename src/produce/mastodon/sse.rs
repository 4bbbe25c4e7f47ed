//! Server-sent events, as they arrive.
//!
//! Idea: an event is its fields up to a blank line; a line that begins with a colon is none, and shows that the server
//! is there.
//! Invariant: an event whose data are too long is left out, and the next is whole. Cost: a copy of the data.
//! Source: the HTML standard, "Server-sent events".

use crate::produce::live::inbox::LONGEST;
use crate::produce::live::lines::{Line, Lines};

/// Turns pieces of a stream into events.
#[derive(Debug, Default)]
pub struct Events {
    lines: Lines,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    too_long: bool,
}

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub enum Sse {
    /// Its name, `message` where it has none, and its data.
    Event(String, Vec<u8>),
    /// One whose data were too long.
    TooLong,
}

impl Events {
    /// Takes a piece and hands out the events that it ends.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Sse> {
        let mut events = Vec::new();
        for line in self.lines.push(piece) {
            match line {
                Line::TooLong => self.too_long = true,
                Line::Whole(line) if line.is_empty() => events.extend(self.end()),
                Line::Whole(line) => self.field(&line),
            }
        }
        events
    }

    fn field(&mut self, line: &[u8]) {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" if self.data.len() + value.len() > LONGEST => {
                self.too_long = true;
                self.data = Vec::new();
            }
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            _ => {}
        }
    }

    fn end(&mut self) -> Option<Sse> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        let has_data = std::mem::take(&mut self.has_data);
        if std::mem::take(&mut self.too_long) {
            return Some(Sse::TooLong);
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        has_data.then_some(Sse::Event(name, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, data: &str) -> Sse {
        Sse::Event(name.to_owned(), data.as_bytes().to_vec())
    }

    const STREAM: &str = ":thump\n\nevent: update\r\ndata: {\"id\":1}\r\n\r\n:)\ndata:a\ndata: b\n\nevent: none\n\n\
        id: 7\nevent: delete\ndata: 106692867363994015\n\nevent: cut\ndata: off";

    proptest! {
        #[test]
        fn events_do_not_depend_on_how_they_arrive(step in 1_usize..60) {
            let mut events = Events::default();
            let got: Vec<Sse> = STREAM.as_bytes().chunks(step).flat_map(|piece| events.push(piece)).collect();
            let expected =
                [event("update", "{\"id\":1}"), event("message", "a\nb"), event("delete", "106692867363994015")];
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn data_without_end_take_no_memory() {
        let mut events = Events::default();
        let line = format!("data: {}\n", "x".repeat(100_000));
        for _ in 0..40 {
            assert_eq!(events.push(line.as_bytes()), []);
            assert!(events.data.len() <= LONGEST + 1);
        }
        assert_eq!(events.push(b"\ndata: a\n\n"), [Sse::TooLong, event("message", "a")]);
    }
}
