//! A request to an engine, on a connection of its own.
//!
//! Idea: hyper, which serves here, can ask as well; there is one stream at a time, so no pool of connections.
//! Invariant: every wait has a limit; a refusal is told with what to do about it.
//! Cost: a connection a request.

use std::fs;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderName, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, rustls};

use super::target::Target;
use crate::cli::visible::visible;
use crate::outward::{Bytes as Wire, connect};

/// How long connecting and the head of an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer that is read as a whole, at most.
const MOST: usize = 4 << 20;

/// Why an engine cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no connection.
    #[error(
        "cannot reach {target}: {why}; start an engine there (`tidings demo` or `tidings run`), or give its address by --url"
    )]
    Unreachable {
        /// The address.
        target: Target,
        /// Why not.
        why: String,
    },
    /// The answer is not one of tidings.
    #[error("{target} answers, but not as tidings does ({what}); give the address of an engine by --url")]
    NotTidings {
        /// The address.
        target: Target,
        /// What it did.
        what: String,
    },
    /// A token is needed, or another.
    #[error("{target} {what}")]
    Token {
        /// The address.
        target: Target,
        /// What to do.
        what: String,
    },
    /// The engine refuses, and says why.
    #[error("{target} refuses: {detail}")]
    Refused {
        /// The address.
        target: Target,
        /// Why, and what is valid instead.
        detail: String,
        /// Whether it may do so no longer in a while.
        temporary: bool,
    },
}

/// What a refusal says, of RFC 9457 and tidings' own.
#[derive(Deserialize)]
struct Problem {
    detail: String,
    #[serde(default)]
    valid: Vec<String>,
}

/// Asks one engine.
#[derive(Clone)]
pub struct Client {
    target: Target,
    tls: TlsConnector,
    token_file: Option<PathBuf>,
}

/// The parts of an answer as they come in.
pub struct Parts(Incoming);

impl Client {
    /// By this TLS, where the target speaks it; with the token in a file, which is read anew for each request.
    pub fn new(target: Target, tls: TlsConnector, token_file: Option<PathBuf>) -> Client {
        Client { target, tls, token_file }
    }

    /// Where the engine is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The JSON at a path.
    ///
    /// # Errors
    /// Where there is no engine, or it refuses.
    pub async fn json<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, ClientError> {
        let mut parts = self.get(path, "application/json", &[]).await?;
        let body = parts.whole().await.map_err(|why| self.unreachable(why))?;
        serde_json::from_slice(&body)
            .map_err(|error| self.not_tidings(format!("{path} is not what it should be: {error}")))
    }

    /// The stream at a path.
    ///
    /// # Errors
    /// Where there is no engine, or it refuses.
    pub async fn stream(&self, path: &str, last: Option<&str>) -> Result<Parts, ClientError> {
        let headers = last.map(|last| (HeaderName::from_static("last-event-id"), last));
        self.get(path, "text/event-stream", headers.as_slice()).await
    }

    async fn get(
        &self,
        path: &str,
        accept: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Parts, ClientError> {
        let mut request = Request::get(self.target.path(path))
            .header(HOST, &self.target.authority)
            .header(USER_AGENT, concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, accept);
        if let Some(token) = self.token()? {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(String::new()).map_err(|error| self.unreachable(error.to_string()))?;
        let asked = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(self.dial().await?))
                .await
                .map_err(|error| error.to_string())?;
            // It ends with the answer.
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(|error| match error {
                error if error.is_parse() => format!("it does not speak HTTP ({error})"),
                error => error.to_string(),
            })
        };
        let answer = match timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|why| self.unreachable(why))?,
            Err(_) => return Err(self.unreachable(format!("no answer within {PATIENCE:?}"))),
        };
        let (status, head) = (answer.status(), answer.headers().clone());
        let content_type = head.get("content-type").and_then(|of| of.to_str().ok()).unwrap_or("").to_owned();
        let mut parts = Parts(answer.into_body());
        if status == StatusCode::OK && content_type.starts_with(accept) {
            return Ok(parts);
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(ClientError::Token { target: self.target.clone(), what: self.about_token() });
        }
        if content_type != "application/problem+json" {
            let what = format!("{path}: status {}, type {}", status.as_u16(), visible(&content_type));
            return Err(self.not_tidings(what));
        }
        let body = parts.whole().await.map_err(|why| self.unreachable(why))?;
        let problem: Problem =
            serde_json::from_slice(&body).map_err(|error| self.not_tidings(error.to_string()))?;
        let mut detail = visible(&problem.detail);
        if !problem.valid.is_empty() {
            detail = format!("{detail}; valid: {}", visible(&problem.valid.join(", ")));
        }
        Err(ClientError::Refused { target: self.target.clone(), detail, temporary: status.is_server_error() })
    }

    async fn dial(&self) -> Result<Box<dyn Wire>, String> {
        let Target { host, port, tls, .. } = &self.target;
        let why = |error: io::Error| match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner @ rustls::Error::InvalidCertificate(_)) => format!(
                "TLS: {inner}: if it is the engine's all the same, give it by --ca-file, or that of who signed it"
            ),
            Some(rustls::Error::InvalidMessage(_)) => {
                "what answers there speaks no TLS: it may be an engine that is to be asked by http://"
                    .to_owned()
            }
            Some(inner) => format!("TLS: {inner}"),
            None => error.to_string(),
        };
        connect(host, *port, tls.then_some(&self.tls)).await.map_err(why)
    }

    fn token(&self) -> Result<Option<String>, ClientError> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let unusable = |why: String| ClientError::Token {
            target: self.target.clone(),
            what: format!("was not asked: --token-file {} {why}", file.display()),
        };
        let text = fs::read_to_string(file).map_err(|error| unusable(format!("cannot be read: {error}")))?;
        let token = text.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("must hold one token: a line of visible ASCII characters".to_owned()));
        }
        Ok(Some(token.to_owned()))
    }

    fn about_token(&self) -> String {
        match &self.token_file {
            None => "asks for a token; give the file that holds it by --token-file".to_owned(),
            Some(file) => {
                format!(
                    "does not accept the token in {}; give the one of its `http.token_file`",
                    file.display()
                )
            }
        }
    }

    fn unreachable(&self, why: String) -> ClientError {
        ClientError::Unreachable { target: self.target.clone(), why }
    }

    fn not_tidings(&self, what: String) -> ClientError {
        ClientError::NotTidings { target: self.target.clone(), what }
    }
}

impl Parts {
    /// The next part; none at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            match poll_fn(|context| Pin::new(&mut self.0).poll_frame(context)).await? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn whole(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        let reading = async {
            while let Some(part) = self.next().await {
                body.extend_from_slice(&part.map_err(|error| error.to_string())?);
                if body.len() > MOST {
                    return Err(format!("its answer has more than {MOST} bytes"));
                }
            }
            Ok(())
        };
        timeout(PATIENCE, reading).await.map_err(|_| format!("no whole answer within {PATIENCE:?}"))??;
        Ok(body)
    }
}
