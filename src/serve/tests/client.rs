//! A client that sends bytes and reads answers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head in lower case, from the status line to the last header.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.head.lines().filter_map(|line| line.split_once(": "));
        values.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Its body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// Its body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The last part of the type of a problem, whose form is checked.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["type"].as_str().expect("a type").trim_start_matches("/problems/").to_owned()
    }

    /// What a problem names as valid.
    pub fn valid(&self) -> Vec<String> {
        let valid = &self.json()["valid"];
        valid.as_array().into_iter().flatten().map(|valid| valid.as_str().unwrap_or("").to_owned()).collect()
    }
}

/// A connection.
pub struct Client(TcpStream);

impl Client {
    /// To a server.
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
        stream.set_nodelay(true).expect("a socket");
        Client(stream)
    }

    /// Sends bytes; a server that has hung up meanwhile is no failure.
    pub fn send(&mut self, bytes: &[u8]) {
        drop(self.0.write_all(bytes));
    }

    /// The next answer, if one comes before the connection ends. `bodiless`: it is one to `HEAD`.
    pub fn answer(&mut self, bodiless: bool) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(head).expect("a head is ASCII").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        answer.body = vec![0; if bodiless { 0 } else { length }];
        self.0.read_exact(&mut answer.body).expect("the whole body");
        Some(answer)
    }

    /// Sends a request without a body and reads the answer.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes());
        self.answer(false).expect("an answer")
    }

    /// Whether the server ends the connection, within the time limit of reading.
    pub fn is_ended(&mut self) -> bool {
        let mut rest = [0; 4096];
        loop {
            match self.0.read(&mut rest) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }
}

/// Asks on a connection of its own.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    Client::connect(address).get(path)
}

/// Sends bytes on a connection of their own and reads the answer.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut client = Client::connect(address);
    client.send(bytes);
    client.answer(false).expect("an answer")
}

/// Asks with a body.
pub fn post(address: SocketAddr, path: &str, body: &[u8]) -> Answer {
    let mut bytes =
        format!("POST {path} HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    send(address, &bytes)
}

/// The next offsets by partition in an answer's stamp.
pub fn offsets_of(answer: &serde_json::Value) -> BTreeMap<String, i64> {
    let offsets = answer["stamp"]["offsets"]["posts"].as_object().expect("offsets of the topic");
    offsets.iter().map(|(partition, next)| (partition.clone(), next.as_i64().expect("a number"))).collect()
}
