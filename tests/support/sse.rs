//! A client of `/v1/events`, as bytes over TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An event as it came.
#[derive(Debug)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
}

/// A stream that has been opened.
pub struct Events {
    reader: BufReader<TcpStream>,
    text: Vec<u8>,
}

impl Events {
    /// Opens a stream.
    pub fn open(address: &str, query: &str) -> Events {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        write!(stream, "GET /v1/events?{query} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let (mut reader, mut head) = (BufReader::new(stream), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0, "ended after {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Events { reader, text: Vec::new() }
    }

    /// The next event; none where the stream has ended.
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block = String::from_utf8(self.text.drain(..end + 2).collect()).unwrap();
                let field = |name: &str| {
                    let mut fields = block.lines().filter_map(|line| line.split_once(": "));
                    fields.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
                };
                let Some(name) = field("event") else { continue };
                let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                return Some(Event { name, id: field("id").unwrap(), data });
            }
            let mut size = String::new();
            if self.reader.read_line(&mut size).unwrap_or(0) == 0 {
                return None;
            }
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                return None;
            }
            self.text.extend_from_slice(&chunk[..size]);
        }
    }
}
