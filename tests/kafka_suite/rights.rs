//! Rights that are taken away from a topic that is being read, and given back.
//!
//! Idea: whoever comes without a name may do everything, and is the broker itself and the test; Ada may read, until that is denied,
//! which says more than that it is allowed.

#![expect(unsafe_code, reason = "rights are given and taken in librdkafka's C interface only")]

use std::ffi::{CStr, c_char};
use std::net::SocketAddr;
use std::ptr::null_mut;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::bindings as rd;
use rdkafka::client::DefaultClientContext;
use tidings::cluster::ports;

use crate::admin::Admin;
use crate::broker::Broker;
use crate::held::Held;
use crate::load::{Load, settings, until};
use crate::oracle::answers::Status;
use crate::support::process::Server;
use crate::support::session::{ask_during, recount};

const TOPIC: &str = "rights";
const TOPIC_AS_C: &CStr = c"rights";

/// How long an administrative request may take, in milliseconds.
const PATIENCE_MS: i32 = 20_000;

/// A right of Ada's at the topic.
type Right = (rd::rd_kafka_AclOperation_t, rd::rd_kafka_AclPermissionType_t);

const MAY_READ: Right = (
    rd::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_READ,
    rd::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
);
const MUST_NOT_READ: Right =
    (MAY_READ.0, rd::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_DENY);

/// How librdkafka makes a right, or a filter that is one.
type Make = unsafe extern "C" fn(
    rd::rd_kafka_ResourceType_t,
    *const c_char,
    rd::rd_kafka_ResourcePatternType_t,
    *const c_char,
    *const c_char,
    rd::rd_kafka_AclOperation_t,
    rd::rd_kafka_AclPermissionType_t,
    *mut c_char,
    usize,
) -> *mut rd::rd_kafka_AclBinding_t;

/// How it asks for something of some of them.
type Ask = unsafe extern "C" fn(
    *mut rd::rd_kafka_t,
    *mut *mut rd::rd_kafka_AclBinding_t,
    usize,
    *const rd::rd_kafka_AdminOptions_t,
    *mut rd::rd_kafka_queue_t,
);

struct Rights {
    client: AdminClient<DefaultClientContext>,
}

impl Rights {
    fn at(brokers: &str) -> Rights {
        let config = ClientConfig::new().set("bootstrap.servers", brokers).set("log_level", "0").clone();
        Rights { client: config.create().unwrap() }
    }

    fn give(&self, right: Right) {
        self.ask(right, rd::rd_kafka_AclBinding_new, rd::rd_kafka_CreateAcls);
    }

    fn take(&self, right: Right) {
        self.ask(right, rd::rd_kafka_AclBindingFilter_new, rd::rd_kafka_DeleteAcls);
    }

    /// Asks for something of a right of Ada's, which is made for that, and waits for the answer.
    fn ask(&self, (operation, permission): Right, make: Make, ask: Ask) {
        // SAFETY: all of it lives until the answer is there.
        unsafe {
            let client = self.client.inner().native_ptr();
            let mut right = make(
                rd::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
                TOPIC_AS_C.as_ptr(),
                rd::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
                c"User:ada".as_ptr(),
                c"*".as_ptr(),
                operation,
                permission,
                null_mut(),
                0,
            );
            let queue = rd::rd_kafka_queue_new(client);
            ask(client, &raw mut right, 1, null_mut(), queue);
            done(queue);
            rd::rd_kafka_AclBinding_destroy(right);
        }
    }
}

/// Waits for the answer to the only request of a queue.
///
/// # Safety
/// The queue must be there, and nobody else's.
unsafe fn done(queue: *mut rd::rd_kafka_queue_t) {
    // SAFETY: an event that came is ours until it is destroyed.
    unsafe {
        let event = rd::rd_kafka_queue_poll(queue, PATIENCE_MS);
        assert!(!event.is_null(), "the broker does not answer");
        let error = rd::rd_kafka_event_error(event);
        assert_eq!(error, rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
        rd::rd_kafka_event_destroy(event);
        rd::rd_kafka_queue_destroy(queue);
    }
}

/// A broker that looks at rights, and where it asks for names.
fn broker() -> (Broker, String) {
    let port = ports::free(1).unwrap()[0].parse::<SocketAddr>().unwrap().port();
    let broker = Broker::start(&format!(
        "listeners=PLAINTEXT://127.0.0.1:%PORT%,CONTROLLER://127.0.0.1:%CONTROLLER_PORT%,SASL://127.0.0.1:{port}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:%PORT%,SASL://127.0.0.1:{port}\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT\n\
         sasl.enabled.mechanisms=PLAIN\n\
         listener.name.sasl.plain.sasl.jaas.config=\
         org.apache.kafka.common.security.plain.PlainLoginModule required user_ada=\"of-the-engine\";\n\
         authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         super.users=User:ANONYMOUS\n"
    ));
    (broker, format!("127.0.0.1:{port}"))
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn rights_that_are_gone_for_a_moment_cost_nothing_and_those_that_never_were_are_named() {
    let (broker, sasl) = broker();
    let rights = Rights::at(broker.address());
    Admin::of(broker.address()).create(TOPIC, 2, &[]);
    let mut load = Load::new(broker.address(), TOPIC, 2);
    load.send(100);
    let properties = "[kafka.properties]\n\"security.protocol\" = \"sasl_plaintext\"\n\"sasl.mechanism\" = \"PLAIN\"\n\
                      \"sasl.username\" = \"ada\"\n\"sasl.password\" = \"of-the-engine\"\n";
    let text = settings(&sasl, &[TOPIC], properties);

    let mut unknown = Held::start(&text);
    assert_eq!(unknown.ends_within(Duration::from_secs(30)), Some(78), "{}", unknown.log());
    assert!(unknown.log().contains("grant DESCRIBE and READ"), "{}", unknown.log());

    rights.give(MAY_READ);
    let mut server = Server::run(&text).ready();
    let config = server.config();
    let answers = ask_during(&server, &config, 171, |_, _| {
        load.keep_sending(10, Duration::from_secs(1));
        rights.give(MUST_NOT_READ);
        let told = || server.log().contains("not allowed to read it").then(|| load.send(10));
        until(Duration::from_secs(30), "it is said", told);
        load.keep_sending(10, Duration::from_secs(3));
        rights.take(MUST_NOT_READ);
        load.keep_sending(10, Duration::from_secs(1));
        // Ada has no right on the group: offsets have been waiting for a while to be committed, and others do since.
        Admin::of(broker.address()).grow(TOPIC, 3);
        let mut grown = Load::new(broker.address(), TOPIC, 3);
        let written = grown.send(30);
        until(Duration::from_secs(60), "the new partition is read", || {
            let offsets = &server.client().get("/v1/status").json::<Status>().stamp.offsets;
            (offsets.get(TOPIC)?.get(&2)? >= &10).then_some(())
        });
        written
    });
    let (ended, _) = server.terminate();
    assert!(ended.success(), "{}", server.log());
    recount(broker.address(), &[TOPIC], &config, &answers);

    rights.give(MUST_NOT_READ);
    let mut refused = Held::start(&text);
    assert_eq!(refused.ends_within(Duration::from_secs(30)), Some(78), "{}", refused.log());
    assert!(refused.log().contains("grant this user READ and DESCRIBE"), "{}", refused.log());
}
