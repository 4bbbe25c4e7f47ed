//! Addresses as people write them: to listen on, of brokers, of the processes of a cluster, of web pages.
//!
//! Idea: what is read here is only checked for its form; no name is looked up, so that a configuration is valid or not
//! whatever the network says at the moment. The one name that is known is `localhost`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::super::problem::quote;

/// The port of a Kafka broker where none is given.
const KAFKA_PORT: u16 = 9092;

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; port 0 takes any free one.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(port) {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let instead = match port(text.strip_prefix(':').unwrap_or(text)) {
        Some(port) => format!("\"127.0.0.1:{port}\" for this host only or \"0.0.0.0:{port}\" for all"),
        None => "an IP address and a port, such as \"127.0.0.1:8080\", \"[::1]:8080\" or \"localhost:8080\""
            .to_owned(),
    };
    text.parse().map_err(|_| format!("{} is no address to listen on, write {instead}", quote(text)))
}

/// The host and port of a process, `10.0.0.1:2101` or `name:2101`.
pub(super) fn process(text: &str) -> Result<String, String> {
    match host_and_port(text) {
        Some((_, Some(port))) if port > 0 => Ok(text.to_owned()),
        _ => Err(format!(
            "{} is no address of a process, write host:port, such as \"10.0.0.1:2101\"",
            quote(text)
        )),
    }
}

/// Whether an address that [`process`] accepts is of this host only.
pub(super) fn is_loopback(address: &str) -> bool {
    let host = host_and_port(address).map_or("", |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Brokers, `host:port` separated by commas; the port may be left out.
pub(super) fn brokers(text: &str) -> Result<String, String> {
    let valid = |broker: &str| {
        let address = broker.rsplit_once("://").map_or(broker, |(_, address)| address);
        host_and_port(address).is_some_and(|(_, port)| port.unwrap_or(KAFKA_PORT) > 0)
    };
    let all: Vec<&str> = text.split(',').map(str::trim).collect();
    match all.iter().find(|broker| !valid(broker)) {
        None => Ok(all.join(",")),
        Some(wrong) => Err(format!(
            "{} is no broker, write host:port, several separated by commas, such as \"kafka1:9092,kafka2:9092\"",
            quote(wrong)
        )),
    }
}

/// A web origin by RFC 6454: scheme, host and perhaps a port, without a path; `*` for all of them. Browsers write hosts in
/// lower case and leave a scheme's own port out, and origins are compared as they are.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let (scheme, usual) = if text.starts_with("https://") { ("https://", 443) } else { ("http://", 80) };
    let address = text.strip_prefix(scheme).and_then(host_and_port);
    let usual = address.filter(|(_, port)| *port == Some(usual)).map(|(host, _)| format!("{scheme}{host}"));
    let instead = match (usual, address) {
        (None, Some(_)) if !text.contains(|c: char| c.is_ascii_uppercase()) => return Ok(text.to_owned()),
        (None, None) if text == "*" => return Ok(text.to_owned()),
        (usual, Some(_)) => quote(&usual.unwrap_or_else(|| text.to_owned()).to_ascii_lowercase()),
        (_, None) => "scheme and host, such as \"https://example.org\"".to_owned(),
    };
    Err(format!("{} is no origin, write it as a browser sends it: {instead}", quote(text)))
}

/// A host, in brackets if it is an IPv6 address, and the port where there is one.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, after) = match text.strip_prefix('[') {
        Some(rest) => text.split_at(rest.find(']')? + 2),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match after.strip_prefix(':') {
        Some(digits) => Some(port(digits)?),
        None if after.is_empty() => None,
        None => return None,
    };
    let valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            !host.is_empty() && host.len() <= 253 && host.chars().all(letter)
        }
    };
    valid.then_some((host, port))
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*|[\\[\\]:a-f0-9.,/é]{0,40}") {
            let _ = (listen(&text), process(&text), brokers(&text), origin(&text), is_loopback(&text));
        }

        #[test]
        fn every_socket_address_can_be_listened_on(address: SocketAddr) {
            prop_assume!(!matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0 || v6.flowinfo() != 0));
            prop_assert_eq!(listen(&address.to_string()), Ok(address));
        }
    }

    #[test]
    fn addresses_to_listen_on() {
        assert_eq!(listen("localhost:8080"), Ok(SocketAddr::from(([127, 0, 0, 1], 8080))));
        assert_eq!(listen("[::1]:0").map(|address| address.port()), Ok(0));
        for port_only in ["8080", ":8080"] {
            let error = listen(port_only).expect_err(port_only);
            assert!(
                error.contains("write \"127.0.0.1:8080\" for this host only or \"0.0.0.0:8080\""),
                "{error}"
            );
        }
        for wrong in
            ["", "example.org:80", "127.0.0.1", "127.0.0.1:65536", "localhost", "localhost:+1", "::1:80 "]
        {
            let error = listen(wrong).expect_err(wrong);
            assert!(error.contains("is no address to listen on, write an IP address and a port"), "{error}");
        }
    }

    #[test]
    fn brokers_are_hosts_with_ports() {
        assert_eq!(brokers("a:1, b:2"), Ok("a:1,b:2".to_owned()));
        for right in ["localhost", "SASL_SSL://a.b-c_d:9092", "[::1]:9092", "10.0.0.1:9092"] {
            assert_eq!(brokers(right), Ok(right.to_owned()));
        }
        for wrong in
            ["", "a:1,", "a:b", "a:0", "a:99999", "a b:1", "[::1", "[x]:1", "[::1]9", "a\0:1", "user@a:1"]
        {
            let error = brokers(wrong).expect_err(wrong);
            assert!(error.contains("is no broker, write host:port"), "{error}");
        }
    }

    #[test]
    fn processes_have_a_port() {
        assert_eq!(process("10.0.0.1:2101"), Ok("10.0.0.1:2101".to_owned()));
        for wrong in ["", "a", "a:0", "a:", ":1", "a:1:2"] {
            let error = process(wrong).expect_err(wrong);
            assert!(error.contains("is no address of a process, write host:port"), "{error}");
        }
        for here in ["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["10.0.0.1:1", "localhost.example:1", "[::2]:1", "", "0.0.0.0:1"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn origins_have_a_scheme_and_no_path() {
        for right in ["https://example.org", "http://localhost:3000", "http://[::1]:443", "*"] {
            assert_eq!(origin(right), Ok(right.to_owned()));
        }
        for (wrong, instead) in [
            ("https://Example.org", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            let error = origin(wrong).expect_err(wrong);
            assert!(error.ends_with(&format!("write it as a browser sends it: \"{instead}\"")), "{error}");
        }
        for wrong in ["", "**", "example.org", "https://example.org/", "ftp://a", "https://", "https://a b"] {
            let error = origin(wrong).expect_err(wrong);
            assert!(
                error.contains("is no origin, write it as a browser sends it: scheme and host"),
                "{error}"
            );
        }
    }
}
