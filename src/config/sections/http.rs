//! `[http]`: where to answer, to whom, and to how many at once.
//!
//! Invariant: certificate and key are given together; the two listeners differ; pages of all origins may ask only where a
//! token is asked for.

use super::super::model::Http;
use super::{Reader, addresses};

/// More connections than this need other means than one process.
const MOST_CONNECTIONS: u32 = 1_000_000;

pub(super) fn read(reader: &mut Reader<'_>) -> Http {
    let http = Http {
        bind: reader.parse("http.bind", addresses::listen),
        health_bind: reader.optional("http.health_bind", addresses::listen),
        token_file: reader.path("http.token_file"),
        tls_cert: reader.path("http.tls_cert"),
        tls_key: reader.path("http.tls_key"),
        cors: reader.list("http.cors", addresses::origin),
        max_connections: reader.number("http.max_connections", 1..=MOST_CONNECTIONS),
        max_streams: reader.number("http.max_streams", 0..=MOST_CONNECTIONS),
    };
    if http.health_bind == Some(http.bind) && http.bind.port() != 0 {
        reader.refuse_together(
            "http.health_bind",
            &["http.bind"],
            "is the same address as `http.bind`, choose another",
        );
    }
    if http.tls_cert.is_some() && http.tls_key.is_none() {
        reader.refuse_together(
            "http.tls_cert",
            &["http.tls_key"],
            "needs its key: set `http.tls_key` as well",
        );
    }
    if http.tls_key.is_some() && http.tls_cert.is_none() {
        reader.refuse_together(
            "http.tls_key",
            &["http.tls_cert"],
            "needs its certificate: set `http.tls_cert` as well",
        );
    }
    if http.cors.iter().any(|origin| origin == "*") && http.token_file.is_none() {
        reader.refuse_together(
            "http.cors",
            &["http.token_file"],
            "\"*\" lets every page that a browser shows read everything: set `http.token_file` as well, or name the origins",
        );
    }
    if !http.bind.ip().is_loopback() && http.token_file.is_some() && http.tls_cert.is_none() {
        reader.warn(
            "http.token_file",
            "would cross the network in the clear: set `http.tls_cert` and `http.tls_key`, or put a proxy with TLS in front",
        );
    }
    if !http.bind.ip().is_loopback() && http.token_file.is_none() {
        reader.warn(
            "http.bind",
            "is open to other hosts: set `http.token_file`, or start with --allow-anonymous",
        );
    }
    if http.max_streams > http.max_connections {
        reader
            .warn("http.max_streams", "is more than `http.max_connections`, of which every stream takes one");
    }
    http
}
