//! What goes over the second connection of each pair of processes: frames.
//!
//! Idea: a frame is its length, its kind and its content. Many questions are on their way at once in both directions, so
//! question and answer carry a number; what they say is the engine's affair, here they are bytes.
//! Invariant: whatever comes in, reading it ends in a frame or in an error, and never holds more bytes than have come in, or
//! than [`LARGEST`]. A frame that cannot be read ends the connection, since where the next one begins is not known.
//! Cost: 5 bytes a frame, 13 a question; one copy at each end.

use std::io::{self, Read};

/// Bytes of a frame's content, at most: many times what the largest answer takes.
pub const LARGEST: usize = 16 << 20;

/// Bytes before a frame's content: its length, then its kind.
const HEAD: usize = 5;

/// What one process sends another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// What the process has published.
    Tell(Vec<u8>),
    /// That it lives, and a few bits about how it is.
    Beat(u8),
    /// A question.
    Ask(Ask),
    /// The answer to the question of this number.
    Answer(u64, Vec<u8>),
    /// There was no turn for the question of this number.
    Busy(u64),
    /// The question of this number met a bug, or makes no sense.
    Failed(u64),
    /// Nothing more will come: the process ends as it should.
    Bye,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its number, which its answer carries.
    pub id: u64,
    /// Whether it may take longer than others.
    pub long: bool,
    /// Milliseconds after which nobody waits for its answer.
    pub within_ms: u32,
    /// What is asked.
    pub question: Vec<u8>,
}

/// Why no further frame can be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection ended between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A length that no frame has.
    #[error("a frame of {0} bytes; {LARGEST} is the most")]
    TooLarge(usize),
    /// What came is no frame.
    #[error("a frame that cannot be read: {0}")]
    Malformed(&'static str),
}

impl Frame {
    fn kind(&self) -> u8 {
        match self {
            Frame::Tell(_) => 1,
            Frame::Beat(_) => 2,
            Frame::Ask(_) => 3,
            Frame::Answer(..) => 4,
            Frame::Busy(_) => 5,
            Frame::Failed(_) => 6,
            Frame::Bye => 7,
        }
    }

    /// The frame as bytes; `None` where its content is larger than [`LARGEST`].
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; HEAD];
        match self {
            Frame::Tell(content) => bytes.extend_from_slice(content),
            Frame::Beat(state) => bytes.push(*state),
            Frame::Ask(ask) => {
                bytes.extend_from_slice(&ask.id.to_le_bytes());
                bytes.push(u8::from(ask.long));
                bytes.extend_from_slice(&ask.within_ms.to_le_bytes());
                bytes.extend_from_slice(&ask.question);
            }
            Frame::Answer(id, answer) => {
                bytes.extend_from_slice(&id.to_le_bytes());
                bytes.extend_from_slice(answer);
            }
            Frame::Busy(id) | Frame::Failed(id) => bytes.extend_from_slice(&id.to_le_bytes()),
            Frame::Bye => {}
        }
        let content = u32::try_from(bytes.len() - HEAD).ok().filter(|len| *len as usize <= LARGEST)?;
        bytes[..4].copy_from_slice(&content.to_le_bytes());
        bytes[4] = self.kind();
        Some(bytes)
    }

    /// The next frame of a connection.
    ///
    /// # Errors
    /// Why there is none, and will be none.
    pub fn read(from: &mut impl Read) -> Result<Frame, FrameError> {
        let mut head = [0; HEAD];
        let begun = from.by_ref().take(1).read(&mut head)?;
        if begun == 0 {
            return Err(FrameError::Closed);
        }
        from.read_exact(&mut head[begun..])?;
        let [a, b, c, d, kind] = head;
        let len = u32::from_le_bytes([a, b, c, d]) as usize;
        if len > LARGEST {
            return Err(FrameError::TooLarge(len));
        }
        // Grows with what comes, not with what was announced.
        let mut content = Vec::new();
        from.by_ref().take(len as u64).read_to_end(&mut content)?;
        if content.len() < len {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Frame::parse(kind, content)
    }

    fn parse(kind: u8, content: Vec<u8>) -> Result<Frame, FrameError> {
        let mut rest = Rest(&content);
        match kind {
            1 => Ok(Frame::Tell(content)),
            2 => {
                let [state] = rest.take()?;
                rest.end()?;
                Ok(Frame::Beat(state))
            }
            3 => {
                let (id, [long]) = (u64::from_le_bytes(rest.take()?), rest.take()?);
                let within_ms = u32::from_le_bytes(rest.take()?);
                Ok(Frame::Ask(Ask { id, long: long != 0, within_ms, question: rest.0.to_vec() }))
            }
            4 => Ok(Frame::Answer(u64::from_le_bytes(rest.take()?), rest.0.to_vec())),
            5 | 6 => {
                let id = u64::from_le_bytes(rest.take()?);
                rest.end()?;
                Ok(if kind == 5 { Frame::Busy(id) } else { Frame::Failed(id) })
            }
            7 => rest.end().map(|()| Frame::Bye),
            _ => Err(FrameError::Malformed("there is no such kind")),
        }
    }
}

/// What has not been read of a frame's content.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(FrameError::Malformed("it is too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn end(&self) -> Result<(), FrameError> {
        if self.0.is_empty() { Ok(()) } else { Err(FrameError::Malformed("it is too long")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let content = || proptest::collection::vec(any::<u8>(), 0..100);
        let ask = (any::<u64>(), any::<bool>(), any::<u32>(), content())
            .prop_map(|(id, long, within_ms, question)| Frame::Ask(Ask { id, long, within_ms, question }));
        prop_oneof![
            content().prop_map(Frame::Tell),
            any::<u8>().prop_map(Frame::Beat),
            ask,
            (any::<u64>(), content()).prop_map(|(id, answer)| Frame::Answer(id, answer)),
            any::<u64>().prop_map(Frame::Busy),
            any::<u64>().prop_map(Frame::Failed),
            Just(Frame::Bye),
        ]
    }

    fn read_all(mut bytes: &[u8]) -> (Vec<Frame>, FrameError) {
        let mut frames = Vec::new();
        loop {
            match Frame::read(&mut bytes) {
                Ok(frame) => frames.push(frame),
                Err(error) => return (frames, error),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(frames in proptest::collection::vec(frames(), 0..20)) {
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.to_bytes().expect("small")).collect();
            let (read, end) = read_all(&bytes);
            prop_assert_eq!(read, frames);
            prop_assert!(matches!(end, FrameError::Closed));
        }

        #[test]
        fn what_is_cut_off_is_no_frame(frame in frames(), cut in any::<prop::sample::Index>()) {
            let bytes = frame.to_bytes().expect("small");
            let (read, end) = read_all(&bytes[..cut.index(bytes.len())]);
            prop_assert!(read.is_empty());
            prop_assert!(matches!(end, FrameError::Closed | FrameError::Io(_)));
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_all(&bytes);
        }

        #[test]
        fn any_content_is_read_or_refused(kind in 0u8..12, content in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = (content.len() as u32).to_le_bytes().to_vec();
            bytes.push(kind);
            bytes.extend(content);
            let (frames, end) = read_all(&bytes);
            match frames.as_slice() {
                [] => prop_assert!(matches!(end, FrameError::Malformed(_))),
                [Frame::Ask(_)] => {}
                [frame] => prop_assert_eq!(frame.to_bytes().expect("small"), bytes),
                _ => prop_assert!(false, "one frame at most"),
            }
        }
    }

    #[test]
    fn a_huge_length_is_refused_at_once_and_a_large_one_takes_no_room() {
        let (frames, end) = read_all(&[0xFF, 0xFF, 0xFF, 0xFF, 1]);
        assert!(frames.is_empty() && matches!(end, FrameError::TooLarge(_)));
        let mut announced = (LARGEST as u32).to_le_bytes().to_vec();
        announced.extend([4, 1, 2, 3]);
        assert!(matches!(read_all(&announced).1, FrameError::Io(_)));
        assert_eq!(Frame::Tell(vec![0; LARGEST + 1]).to_bytes(), None);
    }
}
