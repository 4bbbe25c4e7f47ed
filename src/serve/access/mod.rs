//! Who may ask, and how: the token, the certificate, and the pages of other origins.
//!
//! Idea: everything that decides about access is read here from the configuration's files, before an address is bound,
//! and read anew on demand: the token counts from the next request on, the certificate from the next connection on. A
//! stream that is open goes on.
//! Invariant: a server whose configuration names a token or a certificate never answers without it, but for what the listener of
//! `http.health_bind` shows; a reload that fails changes nothing. What holds no data is open to all:
//! [`super::route::Route::is_open`] says what that is.
//! Cost: two short locks a request.

mod cors;
mod files;
mod identity;
mod kept;
mod token;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use warp::http::HeaderMap;
use warp::http::header::AUTHORIZATION;

use super::problem::{Kind, Problem};
use crate::config::Http;
use crate::wall::wall_ms;

use identity::Identity;
use kept::Kept;
use token::Token;

pub use cors::Cors;

/// A file of the configuration that says who may ask, and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{setting}`: {}: {fault}", path.display())]
pub struct AccessError {
    setting: &'static str,
    path: PathBuf,
    fault: String,
}

impl AccessError {
    fn new(setting: &'static str, path: &Path, fault: impl Into<String>) -> AccessError {
        AccessError { setting, path: path.to_owned(), fault: fault.into() }
    }
}

/// Who may ask; clones share what is reloaded.
#[derive(Clone)]
pub struct Access(Arc<Rules>);

struct Rules {
    token: Option<Kept<Token>>,
    identity: Option<Kept<Identity>>,
    cors: Cors,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rules { token, identity, cors } = &*self.0;
        let (token, tls) = (token.is_some(), identity.is_some());
        f.debug_struct("Access").field("token", &token).field("tls", &tls).field("cors", cors).finish()
    }
}

impl Access {
    /// By the configuration, whose files are read.
    ///
    /// # Errors
    /// Names the setting and the file that cannot be used, and why.
    pub fn load(http: &Http) -> Result<Access, AccessError> {
        let token = http.token_file.clone().map(|path| Kept::new(move || Token::read(&path))).transpose()?;
        let identity = match (http.tls_cert.clone(), http.tls_key.clone()) {
            (Some(cert), Some(key)) => Some(Kept::new(move || Identity::read(&cert, &key))?),
            _ => None,
        };
        let access = Access(Arc::new(Rules { token, identity, cors: Cors::new(&http.cors) }));
        Ok(access)
    }

    /// Whether there is anything that [`Access::reload`] reads.
    pub fn is_reloadable(&self) -> bool {
        self.0.token.is_some() || self.0.identity.is_some()
    }

    /// Whether connections must be encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.identity.is_some()
    }

    /// Reads all files anew and says so in the log; of what cannot be read, the old value holds.
    pub fn reload(&self) {
        let said = |what: &str, reloaded: Result<(), AccessError>| match reloaded {
            Ok(()) => tracing::info!("{what} has been read anew"),
            Err(error) => tracing::error!("{what} is kept as it was, the new one cannot be used: {error}"),
        };
        if let Some(token) = &self.0.token {
            said("the token", token.reload().map(drop));
        }
        if let Some(identity) = &self.0.identity {
            said("the certificate", identity.reload().map(drop));
        }
        self.warn();
    }

    /// What is valid but should not stay so.
    pub fn warnings(&self) -> Vec<String> {
        let is_short = self.0.token.as_ref().is_some_and(|token| token.current().is_short());
        let guessed = is_short.then(|| {
            "the token is so short that it can be guessed; `openssl rand -hex 32` prints a better one"
                .to_owned()
        });
        let now = u64::try_from(wall_ms() / 1000).unwrap_or(0);
        let expires = self.0.identity.as_ref().and_then(|identity| identity.current().warning(now));
        guessed.into_iter().chain(expires).collect()
    }

    /// Says it in the log.
    pub fn warn(&self) {
        self.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    }

    /// What handshakes need now; `None`: connections are plain.
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.0.identity.as_ref().map(|identity| Arc::clone(&identity.current().tls))
    }

    /// When the certificate expires, in Unix seconds.
    pub fn expires(&self) -> Option<u64> {
        self.0.identity.as_ref()?.current().expires
    }

    /// Pages of other origins.
    pub fn cors(&self) -> &Cors {
        &self.0.cors
    }

    /// Whether a request with these headers may ask for what is not open to all.
    ///
    /// # Errors
    /// `unauthorized`, which names the scheme.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.0.token else { return Ok(()) };
        let (detail, challenge) = match headers.get(AUTHORIZATION) {
            Some(sent) if token.current().is_in(sent.as_bytes()) => return Ok(()),
            Some(_) => ("the header `Authorization` does not carry the token of this server", INVALID),
            None => ("the request has no header `Authorization`", MISSING),
        };
        Err(Problem::new(Kind::Unauthorized, detail)
            .valid(["Authorization: Bearer TOKEN"])
            .challenge(challenge))
    }
}

/// The challenges of RFC 6750, section 3: with an error only where something was sent.
const MISSING: &str = "Bearer realm=\"tidings\"";
const INVALID: &str = "Bearer realm=\"tidings\", error=\"invalid_token\"";
