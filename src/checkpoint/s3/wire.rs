//! HTTP to the bucket's server, over the TLS that is in the program anyway.
//!
//! Idea: object_store signs requests, repeats them and reads the answers; what it leaves open is how they travel. Here that
//! is HTTP/1.1 by hyper, over rustls with ring: nothing that would bring a second TLS with it.
//! Invariant: each request ends within a minute. A connection is used by one request at a time, and again only where its
//! last answer was read to the end a short while ago. In the clear only this machine is spoken to, the addresses at
//! which clouds tell it its role, or whoever `AWS_ALLOW_HTTP` allows.
//! Cost: a connection a thread that waits.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpService,
};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Variables;
use crate::outward::{connect as dial, connector};

/// How long a connection may take, name and TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a request may take, from its first byte to the last one of its answer.
const REQUEST: Duration = Duration::from_secs(60);

/// A connection that nobody has used for so long may have been closed by the server, which does so after twenty seconds.
const FRESH: Duration = Duration::from_secs(8);

/// An answer has at most this many bytes. What is asked for of a segment at once is much less; a manifest that names a million panes
/// has half as many.
const LARGEST: usize = 512 << 20;

/// Connections that are kept.
const KEPT: usize = 4;

/// How requests travel.
#[derive(Clone)]
pub(super) struct Wire(Arc<Shared>);

struct Shared {
    tls: TlsConnector,
    allow_http: bool,
    idle: Mutex<Vec<(Authority, Instant, Line)>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Wire")
    }
}

impl Wire {
    /// Trusts the authorities of `AWS_CA_BUNDLE`, or those that browsers trust.
    ///
    /// # Errors
    /// Where that file cannot be used, and where the server would be spoken to in the clear.
    pub(super) fn new(variables: &Variables) -> Result<Wire, String> {
        let bundle = variables.get("AWS_CA_BUNDLE").filter(|file| !file.is_empty());
        let tls = connector(bundle.map(Path::new))
            .map_err(|why| format!("AWS_CA_BUNDLE {}: {why}", bundle.map_or("", String::as_str)))?;
        let allow_http = variables.get("AWS_ALLOW_HTTP").is_some_and(|value| value == "true" || value == "1");
        let named = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
        for uri in named.iter().filter_map(|name| variables.get(*name)?.parse().ok()) {
            match target(&uri) {
                Ok((to, false)) if !allow_http && !is_near(to.host()) => return Err(in_the_clear(&to)),
                Ok(_) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(Wire(Arc::new(Shared { tls, allow_http, idle: Mutex::default() })))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let (to, encrypted) = target(&head.uri).map_err(|why| broken(HttpErrorKind::Unknown, &why))?;
        if !encrypted && !self.0.allow_http && !is_near(to.host()) {
            return Err(broken(HttpErrorKind::Unknown, &in_the_clear(&to)));
        }
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = path.parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let host = to.as_str().parse().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        head.headers.entry(HOST).or_insert(host);
        let mut line = match self.0.take(&to) {
            Some(line) => line,
            None => self.connect(&to, encrypted).await?,
        };
        let asked = line.ask(Request::from_parts(head, body));
        let Ok(answer) = timeout(REQUEST, asked).await else {
            return Err(broken(HttpErrorKind::Timeout, &format!("no answer within {REQUEST:?}")));
        };
        let answer = answer?;
        // One that was answered before it was read cannot take the next request.
        if line.is_open && line.sender.is_ready() {
            self.0.give_back(to, line);
        }
        Ok(answer)
    }

    async fn connect(&self, to: &Authority, encrypted: bool) -> Result<Line, HttpError> {
        let port = to.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let name = to.host().trim_start_matches('[').trim_end_matches(']');
        let connected = dial(name, port, encrypted.then_some(&self.0.tls));
        let stream = match timeout(CONNECT, connected).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(HttpError::new(HttpErrorKind::Connect, error)),
            Err(_) => {
                return Err(broken(HttpErrorKind::Connect, &format!("no connection within {CONNECT:?}")));
            }
        };
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        // How it ends is seen by whoever waits for an answer.
        let connection = Box::pin(async { drop(connection.await) });
        Ok(Line { sender, connection, is_open: true })
    }
}

impl Shared {
    fn take(&self, to: &Authority) -> Option<Line> {
        let mut idle = self.idle.lock().expect("no holder panics");
        idle.retain(|(_, since, _)| since.elapsed() < FRESH);
        let at = idle.iter().position(|(known, ..)| known == to)?;
        Some(idle.swap_remove(at).2)
    }

    fn give_back(&self, to: Authority, line: Line) {
        let mut idle = self.idle.lock().expect("no holder panics");
        if idle.len() < KEPT {
            idle.push((to, Instant::now(), line));
        }
    }
}

/// A connection. It moves on only while somebody waits for an answer from it, so it needs no task of its own.
struct Line {
    sender: SendRequest<HttpRequestBody>,
    connection: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_open: bool,
}

impl Line {
    async fn ask(&mut self, request: Request<HttpRequestBody>) -> Result<HttpResponse, HttpError> {
        let Line { sender, connection, is_open } = self;
        let answer = async {
            let failed = |error| HttpError::new(HttpErrorKind::Request, error);
            let (head, body) = sender.send_request(request).await.map_err(failed)?.into_parts();
            let whole = Limited::new(body, LARGEST).collect().await;
            let whole = whole.map_err(|why| broken(HttpErrorKind::Interrupted, &why.to_string()))?;
            Ok::<HttpResponse, HttpError>(Response::from_parts(head, whole.to_bytes().into()))
        };
        let mut answer = pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                () = &mut *connection, if *is_open => *is_open = false,
            }
        }
    }
}

fn target(uri: &Uri) -> Result<(Authority, bool), String> {
    let to = uri.authority().ok_or_else(|| format!("{uri} names no server"))?;
    if to.as_str().contains('@') {
        return Err("an address with a user in it: credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
    }
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok((to.clone(), true)),
        Some(scheme) if *scheme == Scheme::HTTP => Ok((to.clone(), false)),
        _ => Err(format!("{uri} is neither https nor http")),
    }
}

/// This machine itself, and the addresses at which clouds tell a machine or a container what its role may do: what goes there
/// leaves the host as little.
fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    let tells_roles = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];
    host.eq_ignore_ascii_case("localhost")
        || tells_roles.contains(&host)
        || address.is_ok_and(|address| address.is_loopback())
}

fn in_the_clear(to: &Authority) -> String {
    format!(
        "{to} would be spoken to in the clear: use https, or set AWS_ALLOW_HTTP=true where nobody else listens"
    )
}

fn broken(kind: HttpErrorKind, why: &str) -> HttpError {
    HttpError::new(kind, io::Error::other(why.to_owned()))
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Wire {
    // As the attribute `async_trait` would have it, by which the trait was declared.
    fn call<'a, 'f>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_spoken_to_in_the_clear() {
        for near in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "169.254.169.254"] {
            assert!(is_near(near), "{near}");
        }
        for far in ["10.0.0.1", "minio", "localhost.example", "169.254.1.1", "[fe80::1]"] {
            assert!(!is_near(far), "{far}");
        }
    }

    #[test]
    fn targets_have_a_server_and_a_known_scheme() {
        let of = |text: &str| target(&text.parse().unwrap());
        let (to, encrypted) = of("https://bucket.example:9000/a?b").unwrap();
        assert_eq!((to.as_str(), encrypted), ("bucket.example:9000", true));
        assert!(!of("http://[::1]:9000/").unwrap().1);
        assert!(of("/a").is_err() && of("ftp://a/").is_err());
    }
}
