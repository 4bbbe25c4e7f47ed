//! Servers that answer as their test says: HTTP with streams that last, and websockets.
//!
//! Idea: a thread a connection, and blocking reads and writes; a script is called with the request and the open connection.
//! Invariant: a server remembers every request; its threads end with the test's process.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::dictionary;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request as Upgrade, Response,
};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub at: Instant,
}

/// A status, headers and a body in place of a websocket.
pub type Refusal = (u16, Vec<(&'static str, String)>, String);

/// Looks at an upgrade, and refuses it or not.
struct OnUpgrade<F>(F);

impl<F: FnOnce(&Upgrade) -> Option<Refusal>> Callback for OnUpgrade<F> {
    fn on_request(self, request: &Upgrade, response: Response) -> Result<Response, ErrorResponse> {
        let Some((status, headers, body)) = (self.0)(request) else { return Ok(response) };
        let mut refusal = ErrorResponse::new(Some(body));
        *refusal.status_mut() = status.try_into().unwrap();
        for (name, value) in headers {
            refusal.headers_mut().insert(name, value.parse().unwrap());
        }
        Err(refusal)
    }
}

/// A server on a free port of loopback.
pub struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// HTTP; the script is told how many requests came before.
    pub fn http(script: impl Fn(usize, &Request, &mut Answer) + Send + Sync + 'static) -> Server {
        serve(move |stream, seen| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let Some(request) = read(&mut reader) else { return };
            let number = seen(request.clone());
            script(number, &request, &mut Answer { stream });
        })
    }

    /// Websockets; `refuse` may answer an upgrade with a status, headers and a body instead.
    pub fn websocket(
        refuse: impl Fn(usize, &str) -> Option<Refusal> + Send + Sync + 'static,
        script: impl Fn(usize, &mut WebSocket<TcpStream>) + Send + Sync + 'static,
    ) -> Server {
        serve(move |stream, seen| {
            // Beside its events a Jetstream has a dictionary, over plain HTTP.
            let mut head = [0; 256];
            let got = stream.peek(&mut head).unwrap_or_default();
            if String::from_utf8_lossy(&head[..got]).contains("getZstdDictionary") {
                read(&mut BufReader::new(stream.try_clone().unwrap()));
                return Answer { stream }.whole("200 OK", &[], &dictionary::bytes());
            }
            let number = Cell::new(0);
            let upgrade = OnUpgrade(|request: &Upgrade| {
                let path = request.uri().path_and_query().unwrap().to_string();
                let headers = request
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect();
                let (method, body) = ("GET".to_owned(), String::new());
                number.set(seen(Request { method, path: path.clone(), headers, body, at: Instant::now() }));
                refuse(number.get(), &path)
            });
            if let Ok(mut socket) = accept_hdr(stream, upgrade) {
                script(number.get(), &mut socket);
            }
        })
    }

    /// Its address with this scheme.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until there were so many requests.
    pub fn awaits(&self, number: usize) -> Vec<Request> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let requests = self.requests();
            if requests.len() >= number {
                return requests;
            }
            assert!(Instant::now() < deadline, "only {} requests of {number}", requests.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

type Seen<'a> = &'a (dyn Fn(Request) -> usize + Sync);

fn serve(script: impl Fn(TcpStream, Seen<'_>) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (script, seen) = (Arc::new(script), requests.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (script, seen) = (script.clone(), seen.clone());
            std::thread::spawn(move || {
                script(stream, &|request| {
                    let mut requests = seen.lock().unwrap();
                    requests.push(request);
                    requests.len() - 1
                });
            });
        }
    });
    Server { port, requests }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut parts = line.split_whitespace();
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()?, at: Instant::now() })
}

/// How a request is answered.
pub struct Answer {
    stream: TcpStream,
}

impl Answer {
    /// An answer that is whole.
    pub fn whole(&mut self, status: &str, headers: &[(&str, &str)], body: &[u8]) {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        let _ = self.stream.write_all(head.as_bytes());
        let _ = self.stream.write_all(body);
    }

    /// The head of a stream.
    pub fn stream(&mut self, kind: &str) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let _ = self.stream.write_all(head.as_bytes());
    }

    /// A piece of a stream; whether somebody reads it.
    pub fn piece(&mut self, piece: &str) -> bool {
        write!(self.stream, "{:x}\r\n{piece}\r\n", piece.len()).is_ok()
    }

    /// Nothing more, but the connection stays, until the other side goes.
    pub fn hold(&mut self) {
        let _ = self.stream.read(&mut [0; 64]);
    }
}

/// Sends texts over a websocket.
pub fn texts(socket: &mut WebSocket<TcpStream>, texts: &[String]) {
    for text in texts {
        let _ = socket.send(Message::text(text.as_str()));
    }
}

/// Answers pings until the other side goes.
pub fn hold(socket: &mut WebSocket<TcpStream>) {
    while socket.read().is_ok() {}
}
