//! Which of librdkafka's properties may be shown.
//!
//! Idea: a value is a secret unless its name is known to be harmless. A list of the names that are secret would be
//! shorter and would show the password of everybody who misspelt one.
//! Invariant: but for the paths of files, no name with a part that says secret is shown, whatever its family.

/// Parts of a name that say that the value is a secret.
const SECRET: [&str; 7] = ["pass", "secret", "token", "pem", "ssl.key", "oauthbearer", "jaas"];

/// Families of properties that are about speed, sizes and times.
const OPEN_FAMILIES: [&str; 22] = [
    "allow",
    "api",
    "broker",
    "check",
    "client",
    "compression",
    "connections",
    "debug",
    "enable",
    "fetch",
    "isolation",
    "linger",
    "log",
    "max",
    "message",
    "metadata",
    "queued",
    "receive",
    "reconnect",
    "retry",
    "socket",
    "statistics",
];

/// Single properties of other families that are no secrets and of use to see.
const OPEN: [&str; 7] = [
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.kerberos.service.name",
    "sasl.kerberos.principal",
    "ssl.endpoint.identification.algorithm",
];

/// Whether the value of a property must be taken for a secret: always, unless its name is known to be harmless.
pub fn is_secret(property: &str) -> bool {
    // The path of a file is what one needs to see when the file cannot be read.
    if OPEN.contains(&property) || property.ends_with(".location") {
        return false;
    }
    let family = property.split('.').next().unwrap_or_default();
    !OPEN_FAMILIES.contains(&family) || SECRET.iter().any(|part| property.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_harmless_is_hidden() {
        for secret in [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "ssl.keystore.password",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.token.endpoint.url",
            "ssl.certificate.pem",
            "sasl.jaas.config",
            "client.secret",
            // Mistakes.
            "sasl.pasword",
            "sasl.psw",
            "SSL.KEY.PEM",
            "sasl",
            "harmless",
            "",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in
            ["security.protocol", "sasl.mechanism", "ssl.ca.location", "ssl.key.location", "fetch.min.bytes"]
        {
            assert!(!is_secret(open), "{open}");
        }
    }
}
