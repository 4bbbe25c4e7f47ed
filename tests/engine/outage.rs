//! A broker that goes away and comes back: answers go on, the wall clock is held, nothing is lost or counted twice.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::oracle::Oracle;
use crate::oracle::answers::{Offsets, Status};
use crate::oracle::history::History;
use crate::support::asker::Asker;
use crate::support::broker::{Embedded, Producer, read_back, wall_ms};
use crate::support::hostile::Sent;
use crate::support::process::Server;

#[test]
fn answers_go_on_and_counts_stay_exact() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut server = Server::run(&format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[kafka.properties]\n\"reconnect.backoff.max.ms\" = 500\n\
         [engine]\nworkers = 2\nepoch = \"50ms\"\n",
        broker.brokers()
    ))
    .ready();
    let (client, config) = (server.client(), server.config());
    let send = |from: i32, to: i32| {
        for n in from..to {
            let value =
                json!({ "id_str": n.to_string(), "text": format!("#tag{} word{n}", n % 7) }).to_string();
            producer.send("posts", n % 2, &Sent { value: Some(value.into_bytes()), timestamp: wall_ms() });
        }
        producer.flush()
    };
    let mut asker = Asker::new(client.clone(), &config, 1);
    let mut answers = asker.ask_everything(&send(0, 100));

    broker.down();
    let gone = Instant::now();
    while client.get("/readyz").status == 200 {
        assert!(gone.elapsed() < Duration::from_secs(15), "it still says that it is ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    let reasons = String::from_utf8(client.get("/readyz").body).unwrap();
    assert!(reasons.contains("source_unavailable"), "{reasons}");
    let clock = || client.get("/v1/status").json::<Status>().stamp.clock.unwrap();
    let held = clock();
    answers.extend(asker.ask_everything(&Offsets::new()));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(clock(), held, "the wall clock goes on although nobody knows what has been written");

    broker.up();
    answers.extend(asker.ask_everything(&send(100, 200)));
    let back = Instant::now();
    while client.get("/readyz").status != 200 {
        assert!(back.elapsed() < Duration::from_secs(15), "it does not become ready again");
        std::thread::sleep(Duration::from_millis(100));
    }
    answers.extend(asker.ask_everything(&Offsets::new()));
    assert!(clock() > held);
    assert!(server.terminate().0.success());
    Oracle::new(&config, &read_back(&broker.brokers(), &["posts"]), wall_ms()).check_all(&answers);
    History::new(&answers).check();
}
