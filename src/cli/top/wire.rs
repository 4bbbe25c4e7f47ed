//! Server-sent events, taken apart as they come in.
//!
//! Idea: the format of the HTML standard, section 9.2.6: fields a line, an empty line behind an event. Bytes may be cut
//! anywhere between two reads.
//! Invariant: an event is handed out when it is complete, and never holds more than [`MOST`] bytes.
//! Cost: a copy of each line.

/// Bytes of an event, at most: far more than the largest ranking has.
const MOST: usize = 8 << 20;

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: String,
    /// The last identifier that came, with this event or before.
    pub id: String,
}

/// What has come in of the next event.
#[derive(Debug, Default)]
pub struct Wire {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_return: bool,
    size: usize,
}

/// An event is larger than any that tidings sends.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Wire {
    /// Takes bytes, and hands out the events that they complete.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for byte in bytes {
            let ends = matches!(byte, b'\r' | b'\n');
            let is_second_half = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            if is_second_half {
                continue;
            }
            if !ends {
                self.size += 1;
                if self.size > MOST {
                    return Err(TooLarge);
                }
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            events.extend(self.line(&String::from_utf8_lossy(&line)));
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let id = self.event.id.clone();
            let event = std::mem::replace(&mut self.event, Event { id, ..Event::default() });
            self.size = 0;
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" if !value.contains('\0') => value.clone_into(&mut self.event.id),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // A comment, how long to wait before coming back, or something of the future.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, data: &str, id: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.to_owned() }
    }

    proptest! {
        #[test]
        fn events_are_the_same_wherever_they_are_cut(
            text in "((event|id|data|:|x)(: ?[a-zé]{0,3})?(\r|\n|\r\n)|\n){0,30}",
            cuts in prop::collection::vec(0usize..100, 0..10),
        ) {
            let whole = Wire::default().take(text.as_bytes());
            let (mut wire, mut events, mut rest) = (Wire::default(), Vec::new(), text.as_bytes());
            for cut in cuts {
                let (part, behind) = rest.split_at(cut.min(rest.len()));
                events.extend(wire.take(part).expect("small"));
                rest = behind;
            }
            events.extend(wire.take(rest).expect("small"));
            prop_assert_eq!(whole.expect("small"), events);
        }
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        let mut wire = Wire::default();
        let text = "retry: 2000\n\n:\n\nevent: snapshot\nid: 1-2\ndata: a\ndata:b\n\nevent: lost\n\ndata\n\n";
        let events = wire.take(text.as_bytes()).expect("small");
        assert_eq!(events, [event("snapshot", "a\nb", "1-2"), event("", "", "1-2")]);
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut wire = Wire::default();
        assert!((0..9).any(|_| wire.take(&vec![b'x'; 1 << 20]) == Err(TooLarge)));
    }
}
