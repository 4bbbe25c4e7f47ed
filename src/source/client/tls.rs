//! What TLS and SASL need of this build, and where it finds the authorities that everybody trusts.
//!
//! Idea: without OpenSSL librdkafka knows PLAIN alone, and refuses the rest in words for those who compile it. So what a
//! configuration needs is looked at before librdkafka sees it, and refused with the command that builds what is missing.
//! Invariant: a property is named, its value never. What passes here can still be refused by librdkafka, as are files that
//! are not there.

use rdkafka::ClientConfig;

/// Whether this build has OpenSSL, and by it TLS, SCRAM and OAUTHBEARER.
pub(super) const TLS: bool = cfg!(feature = "tls");

/// Why a client with these settings cannot work in a build with or without TLS; `None`: as far as is known here, it can.
pub(super) fn unmet(config: &ClientConfig, tls: bool) -> Option<String> {
    let about_tls = config.config_map().into_keys().find(|key| is_ssl(key));
    let needs = if speaks_tls(config) {
        Some(("security.protocol", "asks for TLS"))
    } else if let Some(key) = about_tls {
        Some((key, "is about TLS"))
    } else {
        let takes_openssl = |name: &str| name.starts_with("SCRAM-") || name == "OAUTHBEARER";
        mechanism(config)
            .filter(|(_, name)| takes_openssl(name))
            .map(|(key, _)| (key, "asks for a mechanism that takes OpenSSL"))
    };
    match needs.filter(|_| !tls) {
        Some((key, what)) => Some(format!(
            "`{key}` in [kafka.properties] {what}, which this build of tidings is without: `cargo run --release \
             --features tls` builds and runs one that has it"
        )),
        None => unknown_mechanism(config),
    }
}

/// SASL without a mechanism is Kerberos to librdkafka, which no build of tidings has.
fn unknown_mechanism(config: &ClientConfig) -> Option<String> {
    let protocol = config.get("security.protocol")?.trim().to_ascii_lowercase();
    let known = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
    let named = mechanism(config).is_some_and(|(_, mechanism)| known.contains(&mechanism));
    (protocol.starts_with("sasl") && !named).then(|| {
        "with this `security.protocol` set `sasl.mechanism` in [kafka.properties] to PLAIN, SCRAM-SHA-256, \
         SCRAM-SHA-512 or OAUTHBEARER, in capitals; others, such as Kerberos (GSSAPI), are not part of tidings"
            .to_owned()
    })
}

/// To be called before the first client there is. Left alone, OpenSSL frees what it holds when the process exits, while
/// threads of librdkafka that nobody waited for still use it: then an orderly end is a crash, with nothing lost but its exit
/// code (openssl issue 6214).
pub(super) fn keep_openssl_to_the_end() {
    #[cfg(feature = "tls")]
    openssl_sys::init();
}

/// Looks for the system's certificates where systems have them: an OpenSSL that was built along with the program knows
/// only the folder of its own installation, which nobody made.
pub(super) fn trust_the_systems_authorities(config: &mut ClientConfig) {
    let named = ["ssl.ca.location", "ssl.ca.pem"].iter().any(|key| config.get(key).is_some());
    if TLS && speaks_tls(config) && !named {
        config.set("ssl.ca.location", "probe");
    }
}

fn speaks_tls(config: &ClientConfig) -> bool {
    // librdkafka takes the names of protocols in any case.
    let protocol = config.get("security.protocol").unwrap_or_default().trim().to_ascii_lowercase();
    protocol == "ssl" || protocol == "sasl_ssl"
}

fn is_ssl(key: &str) -> bool {
    key.starts_with("ssl.") || key == "enable.ssl.certificate.verification"
}

fn mechanism(config: &ClientConfig) -> Option<(&'static str, &str)> {
    ["sasl.mechanism", "sasl.mechanisms"]
        .into_iter()
        .find_map(|key| config.get(key).map(|mechanism| (key, mechanism.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(properties: &[(&str, &str)]) -> ClientConfig {
        properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    const NEEDS: [(&str, &[(&str, &str)]); 8] = [
        ("security.protocol", &[("security.protocol", "ssl")]),
        ("security.protocol", &[("security.protocol", "SASL_SSL"), ("sasl.mechanism", "PLAIN")]),
        ("sasl.mechanism", &[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "SCRAM-SHA-256")]),
        ("sasl.mechanisms", &[("security.protocol", "sasl_plaintext"), ("sasl.mechanisms", "SCRAM-SHA-512")]),
        ("sasl.mechanism", &[("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "OAUTHBEARER")]),
        ("ssl.ca.location", &[("ssl.ca.location", "/s3cret")]),
        ("ssl.key.password", &[("ssl.key.password", "s3cret")]),
        ("enable.ssl.certificate.verification", &[("enable.ssl.certificate.verification", "false")]),
    ];

    #[test]
    fn a_build_without_tls_refuses_what_needs_it_and_says_how_to_get_it() {
        for (named, properties) in NEEDS {
            let text = unmet(&config(properties), false).expect("it needs TLS");
            assert!(text.contains(&format!("`{named}`")), "{text}");
            assert!(text.contains("`cargo run --release --features tls`"), "{text}");
            assert!(!text.contains("s3cret") && !text.contains('\n'), "{text}");
            assert_eq!(unmet(&config(properties), true), None, "{properties:?}");
        }
    }

    #[test]
    fn plain_and_no_security_need_nothing() {
        let plain = [("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN")];
        for properties in [&[][..], &[("security.protocol", "plaintext")], &plain] {
            assert_eq!(unmet(&config(properties), false), None, "{properties:?}");
        }
    }

    #[test]
    fn sasl_without_a_mechanism_that_is_there_is_refused() {
        for mechanism in [None, Some("GSSAPI"), Some("plain"), Some("s3cret")] {
            let mut config = config(&[("security.protocol", "sasl_plaintext")]);
            mechanism.map(|mechanism| config.set("sasl.mechanism", mechanism));
            for tls in [false, true] {
                let text = unmet(&config, tls).expect("there is no such mechanism");
                assert!(text.contains("`sasl.mechanism`") && text.contains("SCRAM-SHA-512"), "{text}");
                assert!(!text.contains("s3cret"), "{text}");
            }
        }
    }

    #[test]
    fn the_systems_authorities_are_looked_for_where_no_others_are_named() {
        let trusted = |properties: &[(&str, &str)]| {
            let mut config = config(properties);
            trust_the_systems_authorities(&mut config);
            config.get("ssl.ca.location").map(str::to_owned)
        };
        assert_eq!(trusted(&[("security.protocol", "ssl")]).as_deref(), TLS.then_some("probe"));
        assert_eq!(trusted(&[("security.protocol", "ssl"), ("ssl.ca.location", "a")]).as_deref(), Some("a"));
        assert_eq!(trusted(&[("security.protocol", "ssl"), ("ssl.ca.pem", "a")]), None);
        assert_eq!(trusted(&[("security.protocol", "plaintext")]), None);
    }

    /// How a process ends that looked: OpenSSL was still there, or gone before it.
    #[cfg(feature = "tls")]
    const THERE: i32 = 98;
    #[cfg(feature = "tls")]
    const GONE: i32 = 99;

    #[test]
    #[cfg(feature = "tls")]
    #[expect(unsafe_code, reason = "what happens at an exit is seen through C interfaces only")]
    fn openssl_is_there_to_the_end_of_a_process_that_had_a_client() {
        use crate::source::client::{Watch, create};
        use rdkafka::consumer::BaseConsumer;

        extern "C" fn look() {
            // SAFETY: OpenSSL may be asked to begin at any time; it refuses once it is gone. `_exit` takes a number.
            unsafe {
                let gone = openssl_sys::OPENSSL_init_ssl(0, std::ptr::null()) == 0;
                libc::_exit(if gone { GONE } else { THERE });
            }
        }
        let ends = "TIDINGS_TEST_ENDS";
        if std::env::var_os(ends).is_some() {
            // SAFETY: the function lives as long as the process. What is registered first is called last.
            assert_eq!(unsafe { libc::atexit(look) }, 0);
            let config = config(&[("security.protocol", "ssl")]);
            drop(create::<BaseConsumer<Watch>, _>(&config, Watch::default()).expect("a client"));
            return;
        }
        let own = std::env::current_exe().expect("this program");
        let name = "source::client::tls::tests::openssl_is_there_to_the_end_of_a_process_that_had_a_client";
        let ended = std::process::Command::new(own).args(["--exact", name]).env(ends, "1").status();
        assert_eq!(ended.expect("it runs").code(), Some(THERE), "{GONE}: it was gone");
    }
}
