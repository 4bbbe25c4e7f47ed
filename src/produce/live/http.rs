//! Requests to a source, and what its answers mean.
//!
//! Idea: a connection a request, as each is either a stream that lasts or one of a few questions at the start. An answer
//! that is no success becomes the kind of failure that the documents tell apart, with the server's own words.
//! Invariant: redirections are not followed, as the token would be handed to whoever is named there. The token is in no
//! message, even where the server repeats it.
//! Source: RFC 9110 for the statuses; X's rate limits for 420, 429 and `x-rate-limit-reset`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;

use super::address::Address;
use super::broken::{Broken, quoted};
use super::dial::Dialer;
use super::token::Token;

/// What a server is told of who asks; X wants the version there.
pub const AGENT: &str = concat!("tidings/", env!("CARGO_PKG_VERSION"));
/// How long the head of an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of an answer is read that is no stream.
const WHOLE: usize = 8 << 20;
/// How much of one that is an error.
const EXCERPT: usize = 16 << 10;

/// Who asks whom.
pub struct Client {
    /// Makes the connections.
    pub dialer: Dialer,
    /// Who asks; `None` where nobody wants to know.
    pub token: Option<Token>,
}

impl Client {
    /// Asks for a stream and returns its body, once the server has said that it is one.
    ///
    /// # Errors
    /// The kind of failure, with the server's words.
    pub async fn stream(&self, address: &Address, accept: &str) -> Result<Incoming, Broken> {
        let answer = self.send(address, Method::GET, accept, None).await?;
        self.successful(answer).await.map(Response::into_body)
    }

    /// Asks for something that is read whole.
    ///
    /// # Errors
    /// The same; `Server` for an answer of more than 8 MiB.
    pub async fn get(&self, address: &Address, accept: &str) -> Result<Bytes, Broken> {
        let answer = self.send(address, Method::GET, accept, None).await?;
        whole(self.successful(answer).await?.into_body(), WHOLE).await
    }

    /// Sends JSON and reads the answer whole.
    ///
    /// # Errors
    /// The same.
    pub async fn post(&self, address: &Address, json: String) -> Result<Bytes, Broken> {
        let answer = self.send(address, Method::POST, "application/json", Some(json)).await?;
        whole(self.successful(answer).await?.into_body(), WHOLE).await
    }

    async fn send(
        &self,
        address: &Address,
        method: Method,
        accept: &str,
        json: Option<String>,
    ) -> Result<Response<Incoming>, Broken> {
        if self.token.is_some() && !address.tls && !address.is_loopback() {
            return Err(Broken::Refused("a token is not sent without TLS: use https".to_owned()));
        }
        let mut request = Request::builder()
            .method(method)
            .uri(&address.path)
            .header(header::HOST, address.host_header())
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT, accept);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.header());
        }
        if json.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from(json.unwrap_or_default())))
            .map_err(|error| Broken::Refused(format!("no such request can be made: {error}")))?;
        let wire = self.dialer.dial(address).await?;
        let network = |error: hyper::Error| Broken::Network(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(network)?;
        // It ends with the answer, whether that is read to its end or dropped.
        tokio::spawn(connection);
        match timeout(PATIENCE, sender.send_request(request)).await {
            Ok(answer) => answer.map_err(network),
            Err(_) => Err(Broken::Network(format!("no answer within {PATIENCE:?}"))),
        }
    }

    async fn successful(&self, answer: Response<Incoming>) -> Result<Response<Incoming>, Broken> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        // A server that fails may not even finish saying so.
        let body = timeout(Duration::from_secs(5), whole(body, EXCERPT)).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let broken = failure(head.status, &head.headers, &body);
        Err(match &self.token {
            Some(token) => broken.map(|text| token.hide(text)),
            None => broken,
        })
    }
}

async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, Broken> {
    let mut bytes = Vec::new();
    loop {
        let frame = timeout(PATIENCE, body.frame())
            .await
            .map_err(|_| Broken::Network(format!("an answer stopped for {PATIENCE:?}")))?;
        let Some(frame) = frame else { return Ok(bytes.into()) };
        let frame = frame.map_err(|error| Broken::Network(error.to_string()))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if bytes.len() > most {
            return Err(Broken::Server(format!("an answer of more than {most} bytes")));
        }
    }
}

/// What an answer other than a success means.
pub fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Broken {
    let said = said(body);
    let text = match said.is_empty() {
        true => status.to_string(),
        false => format!("{status}: {said}"),
    };
    match status.as_u16() {
        420 | 429 => Broken::Limited(text, asked(headers)),
        401 | 403 => Broken::Refused(format!("the token is refused, or may not do this: {text}")),
        300..400 => {
            let to = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            Broken::Refused(format!("{status} to {}: name that by --url if it can be trusted", quoted(to)))
        }
        408 | 425 => Broken::Server(text),
        400..500 => Broken::Refused(text),
        _ => Broken::Server(text),
    }
}

/// How long a server asks to wait: `Retry-After` in seconds, or a moment of one of the headers of rate limits.
fn asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(seconds) = text("retry-after").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    let reset = text("x-rate-limit-reset").or_else(|| text("x-ratelimit-reset"))?;
    let moment = match reset.parse::<u64>() {
        Ok(seconds) => UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?,
        Err(_) => SystemTime::from(reset.parse::<jiff::Timestamp>().ok()?),
    };
    Some(moment.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The words of an error: of its JSON those meant for people, else the text as it is, unless it is a page.
fn said(body: &[u8]) -> String {
    /// The fields that the sources use for it.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        title: Option<String>,
        detail: Option<String>,
        error: Option<String>,
        message: Option<String>,
        errors: Vec<Inner>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        title: Option<String>,
        detail: Option<String>,
        message: Option<String>,
    }
    if let Ok(said) = serde_json::from_slice::<Said>(body) {
        let inner = said.errors.into_iter().flat_map(|inner| [inner.title, inner.detail, inner.message]);
        let mut parts: Vec<String> = [said.title, said.detail, said.error, said.message]
            .into_iter()
            .chain(inner)
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        parts.dedup();
        return quoted(&parts.join("; "));
    }
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') { String::new() } else { quoted(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn of(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Broken {
        failure(StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes())
    }

    #[test]
    fn statuses_are_told_apart() {
        assert!(matches!(of(503, &[], ""), Broken::Server(text) if text == "503 Service Unavailable"));
        assert!(matches!(of(420, &[], ""), Broken::Limited(_, None)));
        assert!(matches!(of(401, &[], ""), Broken::Refused(text) if text.contains("token")));
        assert!(matches!(of(400, &[], "bad"), Broken::Refused(text) if text == "400 Bad Request: bad"));
        let moved = of(301, &[("location", "https://b.example/")], "<html>");
        assert!(
            matches!(moved, Broken::Refused(text) if text.contains("https://b.example/ ") || text.contains("https://b.example/:"))
        );
    }

    #[test]
    fn a_limit_says_how_long_in_any_of_the_known_ways() {
        let wait = |pairs: &[(&'static str, &str)]| match of(429, pairs, "") {
            Broken::Limited(_, wait) => wait.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 100;
        let in_seconds = wait(&[("x-rate-limit-reset", &soon.to_string())]).unwrap();
        assert!((98..=100).contains(&in_seconds), "{in_seconds}");
        let moment = jiff::Timestamp::from_second(soon as i64).unwrap().to_string();
        let as_moment = wait(&[("x-ratelimit-reset", &moment)]).unwrap();
        assert!((98..=100).contains(&as_moment), "{as_moment}");
        assert_eq!(wait(&[("x-rate-limit-reset", "1")]), Some(0));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
    }

    #[test]
    fn the_words_for_people_are_found() {
        let problem = r#"{"title":"ConnectionException","detail":"at the limit","connection_issue":"TooManyConnections"}"#;
        assert_eq!(said(problem.as_bytes()), "ConnectionException; at the limit");
        assert_eq!(said(br#"{"error":"CursorTooOld","message":"cursor 1"}"#), "CursorTooOld; cursor 1");
        assert_eq!(said(br#"{"errors":[{"message":"m"}]}"#), "m");
        assert_eq!(said(b"<html>long page</html>"), "");
        assert_eq!(said(b"\xff plain"), "\u{fffd} plain");
    }
}
