//! A client of an event stream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An event as it came.
#[derive(Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its identifier.
    pub id: String,
    /// Its data.
    pub data: serde_json::Value,
}

/// A stream that has been opened.
pub struct Events {
    reader: BufReader<TcpStream>,
    /// The head of the answer, in lower case.
    pub head: String,
    /// Comments so far.
    pub comments: usize,
    text: Vec<u8>,
}

impl Events {
    /// Opens a stream; `last` is the `Last-Event-ID`.
    pub fn open(address: SocketAddr, query: &str, last: Option<&str>) -> Events {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time");
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        let request = format!("GET /v1/events?{query} HTTP/1.1\r\nhost: here\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).expect("the server reads");
        let (mut reader, mut head) = (BufReader::new(stream), String::new());
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).expect("a head") > 0, "ended after {head}");
        }
        Events { reader, head: head.to_lowercase(), comments: 0, text: Vec::new() }
    }

    /// The next event; none where the stream has ended.
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                let block = String::from_utf8(block).expect("UTF-8");
                let field = |name: &str| {
                    let values = block.lines().filter_map(|line| line.split_once(": "));
                    values.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
                };
                self.comments += usize::from(block.starts_with(':'));
                assert!(self.comments < 3, "only signs of life");
                let Some(name) = field("event") else { continue };
                let data = serde_json::from_str(&field("data").expect("data")).expect("JSON");
                return Some(Event { name, id: field("id").expect("an identifier"), data });
            }
            let mut size = String::new();
            if self.reader.read_line(&mut size).expect("a chunk within the time limit") == 0 {
                return None;
            }
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a hexadecimal size");
            let mut chunk = vec![0; size + 2];
            self.reader.read_exact(&mut chunk).expect("the whole chunk");
            if size == 0 {
                return None;
            }
            self.text.extend_from_slice(&chunk[..size]);
        }
    }
}
