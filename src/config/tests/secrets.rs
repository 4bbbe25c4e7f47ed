//! No secret is ever shown, wherever it was put and whatever else is wrong.

use super::super::{ConfigError, Loaded};
use super::{Scratch, load_text};

const CANARY: &str = "xyzzyCANARYxyzzy";

/// All that a configuration or its refusal can be shown as.
fn shown(result: &Result<Loaded, ConfigError>) -> String {
    match result {
        Ok(loaded) => {
            format!("{loaded:?}\n{loaded:#?}\n{}\n{}", loaded.print(), loaded.warnings().join("\n"))
        }
        Err(error) => format!("{error}\n{error:?}\n{error:#?}"),
    }
}

#[test]
fn a_secret_is_hidden_in_every_place_that_it_may_be_put() {
    let file = Scratch::new(CANARY);
    let from_file = format!("{{ file = {:?} }}", file.path());
    let quoted = format!("{CANARY:?}");
    let places = [
        format!("[kafka.properties]\nsasl.password = {quoted}"),
        format!("[kafka.properties]\n\"sasl.password\" = {quoted}"),
        format!("[kafka.properties.sasl]\npassword = {quoted}"),
        format!("kafka.properties.sasl = {{ password = {quoted} }}"),
        format!("[kafka.properties]\nssl.key.pem = {quoted}"),
        format!("[kafka.properties]\nsasl.oauthbearer.config = {quoted}"),
        format!("[kafka.properties]\nharmless = {from_file}"),
        // Mistakes.
        format!("[kafka.properties]\nsasl.pasword = {quoted}"),
        format!("[kafka.properties]\nsasl.password = [{quoted}]"),
        format!("[kafka.properties]\nsasl.password = {{ fiel = {quoted} }}"),
        format!("[kafka.properties]\nsasl.password = {{ file = {:?}, x = {quoted} }}", file.path()),
        format!("[kafka.properties]\nsasl.password = {CANARY}"),
        format!("[kafka.properties]\nsasl.password = \"{CANARY}"),
        format!("[kafka.properties]\nsasl.password = \"{CANARY}\\q\""),
        format!("[kafka.properties]\nsasl.password = {quoted} {quoted}"),
        format!("[kafka.properties]\nsasl.password = {quoted}\nsasl.password = {quoted}"),
        format!("[kafka.properties]\ngroup.id = {quoted}"),
        format!("[kafka]\nsasl.password = {quoted}"),
        format!("[kafka]\nsasl_password = {quoted}"),
        format!("[kafka]\nproperties = {quoted}"),
        format!("[sasl]\npassword = {quoted}"),
        format!("password = {quoted}"),
    ];
    for text in places {
        let shown = shown(&load_text(&text, &[]));
        assert!(!shown.contains(CANARY), "{text}\n{shown}");
    }
}

#[test]
fn a_secret_of_the_environment_is_hidden() {
    for variable in [
        "TIDINGS__KAFKA__PROPERTIES__SASL_PASSWORD",
        "TIDINGS__KAFKA__PROPERTIES__HARMLESS",
        "TIDINGS__KAFKA__PROPERTIES__GROUP_ID",
        "TIDINGS__KAFKA__PROPERTIES__",
        "TIDINGS__KAFKA__SASL_PASSWORD",
        "TIDINGS__PASSWORD",
        "TIDINGS_KAFKA_BROKERS",
    ] {
        for value in [CANARY.to_owned(), format!("{CANARY}\0")] {
            let shown = shown(&load_text("", &[(variable, &value)]));
            assert!(!shown.contains(CANARY), "{variable}\n{shown}");
        }
    }
}

#[test]
fn a_hidden_secret_is_still_there() {
    let loaded =
        load_text(&format!("[kafka.properties]\nsasl.password = {CANARY:?}"), &[]).expect("it is valid");
    assert_eq!(loaded.config.kafka.properties["sasl.password"].value, CANARY);
    assert!(loaded.print().contains("\"sasl.password\" = \"***\" # "), "{}", loaded.print());
}

/// A file with a secret, in which someone's keyboard slipped: a character more or less in any place but the secret.
#[test]
fn no_slip_shows_a_secret() {
    let text = format!(
        "[kafka]\nbrokers = \"a:1\"\n[kafka.properties]\nsecurity.protocol = \"SASL_SSL\"\n\
         sasl.username = \"me\"\nsasl.password = \"{CANARY}\"\n[engine]\nepoch = \"1s\"\n"
    );
    let (before, after) = text.split_once(CANARY).expect("the secret is there");
    for slip in ["", "\"", "'", "\n", "=", "[", "]", "{", ".", "#", "\\", "\0", " ", "é"] {
        let less = usize::from(slip.is_empty());
        let slips = |part: &str| -> Vec<String> {
            (0..=part.len() - less).map(|at| format!("{}{slip}{}", &part[..at], &part[at + less..])).collect()
        };
        let slipped = slips(before).into_iter().map(|before| format!("{before}{CANARY}{after}"));
        for text in slipped.chain(slips(after).into_iter().map(|after| format!("{before}{CANARY}{after}"))) {
            let shown = shown(&load_text(&text, &[]));
            assert!(!shown.contains(CANARY), "{text}\n{shown}");
        }
    }
}
