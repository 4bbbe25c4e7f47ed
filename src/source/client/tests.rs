use super::*;
use crate::config::{OnGap, Property, Start};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaConfRes;

fn kafka(brokers: &str, properties: &[(&str, &str)]) -> Kafka {
    let property = |value: &str| Property { value: value.to_owned(), secret: false };
    Kafka {
        brokers: brokers.to_owned(),
        topics: vec!["posts".to_owned()],
        start: Start::Latest,
        group_id: "tidings".to_owned(),
        on_gap: OnGap::Stop,
        properties: properties.iter().map(|(key, value)| ((*key).to_owned(), property(value))).collect(),
    }
}

/// Tries to reach a broker, and says why that failed and how long it took.
fn failure(brokers: &str) -> (ClientError, Duration) {
    let begun = Instant::now();
    let consumer: BaseConsumer<Watch> =
        create(&client_config(&kafka(brokers, &[])), Watch::default()).expect("settings");
    let poll = || drop(consumer.poll(Duration::ZERO));
    let error = reach(consumer.client(), consumer.context(), brokers, poll).expect_err("nobody is there");
    (error, begun.elapsed())
}

#[test]
fn the_users_properties_win_by_either_name() {
    let config = client_config_with(
        &kafka("a:1", &[("queue.buffering.max.ms", "7"), ("client.id", "mine")]),
        &[("linger.ms", "20"), ("acks", "all")],
    );
    assert_eq!(config.get("linger.ms"), None);
    assert_eq!(config.get("queue.buffering.max.ms"), Some("7"));
    assert_eq!(config.get("client.id"), Some("mine"));
    assert_eq!((config.get("acks"), config.get("bootstrap.servers")), (Some("all"), Some("a:1")));
}

#[test]
fn every_default_is_known_to_librdkafka() {
    assert!(client_config(&kafka("a:1", &[])).create_native_config().is_ok());
}

#[test]
fn a_port_where_nobody_listens_is_an_error_within_seconds() {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr()).expect("a port").port();
    let (error, took) = failure(&format!("127.0.0.1:{port}"));
    assert!(matches!(&error, ClientError::Unreachable(text) if text.contains("can be reached")), "{error}");
    assert!(error.to_string().contains("refused") && error.to_string().contains("--brokers"), "{error}");
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_server_of_another_kind_is_no_broker() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let _ = stream.and_then(|mut stream| {
                std::io::Read::read(&mut stream, &mut [0; 1024])?;
                std::io::Write::write_all(
                    &mut stream,
                    b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                )
            });
        }
    });
    let (error, _) = failure(&address);
    assert!(
        error.to_string().contains("is no Kafka broker") && error.to_string().contains(&address),
        "{error}"
    );
}

#[test]
fn an_unknown_host_is_named_as_such() {
    let (error, took) = failure("no-such-host.invalid:9092");
    assert!(
        error.to_string().contains("unknown") && error.to_string().contains("no-such-host.invalid"),
        "{error}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn one_that_accepts_and_says_nothing_is_an_error_within_ten_seconds() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (error, took) = failure(&silent.local_addr().expect("bound").to_string());
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn wrong_properties_are_named_without_their_values() {
    let wrong = |key, value| {
        let config = client_config(&kafka("a:1", &[(key, value)]));
        create::<BaseConsumer<Watch>, _>(&config, Watch::default())
            .err()
            .expect("a wrong property")
            .to_string()
    };
    assert!(wrong("fetch.wait.max", "3").contains("`fetch.wait.max`"));
    let text = wrong("security.protocol", "s3cret");
    assert!(text.contains("security.protocol") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_librdkafka_was_built_without_is_said_without_the_value() {
    let description = "Configuration property \"ssl.engine.location\" not supported in this build: OpenSSL >= 1.1.x not \
                       available at build time";
    let error = KafkaError::ClientConfig(
        RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
        description.to_owned(),
        "ssl.engine.location".to_owned(),
        "s3cret".to_owned(),
    );
    let text = explain(&error, "a:1");
    assert!(text.contains("`ssl.engine.location`") && text.contains("not part of"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

/// What a client with these properties is refused for; `None`: librdkafka takes them.
fn refusal(properties: &[(&str, &str)]) -> Option<String> {
    let config = client_config(&kafka("a:1", properties));
    let made = create::<BaseConsumer<Watch>, _>(&config, Watch::default());
    made.err().map(|error| match error {
        ClientError::Settings(text) => text,
        ClientError::Unreachable(text) => panic!("nobody was asked yet: {text}"),
    })
}

#[test]
fn plain_passwords_work_in_every_build() {
    let plain = [("sasl.mechanism", "PLAIN"), ("sasl.username", "ada"), ("sasl.password", "s3cret")];
    let properties = [&[("security.protocol", "sasl_plaintext")][..], &plain].concat();
    assert_eq!(refusal(&properties), None);
}

#[test]
fn tls_and_scram_work_in_a_build_with_tls_and_are_refused_in_another() {
    let scram = [("sasl.mechanism", "SCRAM-SHA-512"), ("sasl.username", "ada"), ("sasl.password", "s3cret")];
    for protocol in ["ssl", "sasl_ssl", "sasl_plaintext"] {
        let properties = [&[("security.protocol", protocol)][..], &scram].concat();
        let refusal = refusal(&properties);
        assert_eq!(refusal.is_none(), cfg!(feature = "tls"), "{protocol}: {refusal:?}");
        match refusal {
            None => {}
            Some(text) => {
                assert!(text.contains("`cargo run --release --features tls`"), "{text}");
                assert!(!text.contains("s3cret"), "{text}");
            }
        }
    }
}

#[test]
fn each_common_error_names_what_to_change() {
    let line = |code| explain(&KafkaError::Global(code), "a:1");
    for (code, hint) in [
        (Code::BrokerTransportFailure, "--brokers"),
        (Code::Resolve, "advertised.listeners"),
        (Code::OperationTimedOut, "--brokers"),
        (Code::UnknownTopicOrPartition, "tidings topic list"),
        (Code::SaslAuthenticationFailed, "sasl.password"),
        (Code::SSL, "ssl.ca.location"),
        (Code::TopicAuthorizationFailed, "rights"),
        (Code::InvalidTimestamp, "message.timestamp"),
    ] {
        assert!(line(code).contains(hint) && line(code).contains("Kafka"), "{}", line(code));
        assert!(!line(code).contains('\n'));
    }
    assert!(explain(&KafkaError::AdminOp(Code::PolicyViolation), "a:1").contains("a:1"));
}

#[test]
fn a_command_in_a_hint_asks_the_brokers_that_were_asked() {
    let line = |brokers| explain(&KafkaError::Global(Code::UnknownTopic), brokers);
    assert!(line("a:1,b:2").contains("`tidings topic list --brokers a:1,b:2`"), "{}", line("a:1,b:2"));
    assert!(line("localhost:9092").contains("`tidings topic list`"), "{}", line("localhost:9092"));
    assert_eq!(brokers_flag(""), "");
}

#[test]
fn a_listener_that_hangs_up_may_want_the_other_of_tls_and_plain_words() {
    let line = |reason| words(Code::BrokerTransportFailure, reason, "a:1");
    assert!(line("ssl://a:1/bootstrap: Disconnected: SSL connection closed by peer").contains("PLAINTEXT"));
    assert!(line("a:1/bootstrap: Disconnected while requesting ApiVersion").contains("wants TLS or SASL"));
    assert!(!line("a:1/bootstrap: Connect failed: Connection refused").contains("security.protocol"));
}

#[test]
fn the_reason_heard_last_explains_a_vague_error() {
    let watch = Watch::default();
    watch.heard(&KafkaError::Global(Code::Resolve), "kafka:9092/1: Failed to resolve 'kafka:9092'");
    watch.heard(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
    let text = watch.explain(&KafkaError::MetadataFetch(Code::BrokerTransportFailure), "a:1");
    assert!(text.contains("kafka:9092/1") && text.contains("advertised.listeners"), "{text}");
    let purged = watch.explain(&KafkaError::MessageProduction(Code::PurgeQueue), "a:1");
    assert_eq!(purged, text);
    let clear = watch.explain(&KafkaError::Global(Code::UnknownTopic), "a:1");
    assert!(clear.contains("tidings topic list"), "{clear}");
}

#[test]
fn a_certificate_that_is_refused_is_a_matter_of_settings_however_soon_it_comes() {
    let reason = "ssl://localhost:9093/bootstrap: error:0A000086:SSL routines::certificate verify failed";
    for heard in [Code::SSL, Code::BrokerTransportFailure] {
        let (watch, error) = (Watch::default(), KafkaError::Global(heard));
        watch.heard(&error, reason);
        let error =
            watch.client_error(&KafkaError::MetadataFetch(Code::BrokerTransportFailure), "localhost:9093");
        assert!(matches!(&error, ClientError::Settings(text) if text.contains("ssl.ca.location")), "{error}");
    }
    let watch = Watch::default();
    watch.heard(
        &KafkaError::Global(Code::BrokerTransportFailure),
        "ssl://localhost:9093/bootstrap: Connect failed",
    );
    let error =
        watch.client_error(&KafkaError::MetadataFetch(Code::BrokerTransportFailure), "localhost:9093");
    assert!(matches!(error, ClientError::Unreachable(_)), "{error}");
}
