//! A process that is stopped: nobody is shown a part as if it were the whole, nobody waits for long, and when it goes on,
//! so does everything.

use std::time::{Duration, Instant};

use crate::support::broker::{Embedded, Producer, wall_ms};
use crate::support::hostile::Hostile;
use crate::support::several::run;

#[test]
fn answers_are_whole_or_refused_at_once() {
    let broker = Embedded::start(&[("posts", 2)]);
    let producer = Producer::new(&broker.brokers(), "none");
    let mut hostile = Hostile::new(5);
    (0..400).for_each(|n| producer.send("posts", n % 2, &hostile.next(wall_ms())));
    producer.flush();
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = 1\nepoch = \"100ms\"\n",
        broker.brokers()
    );
    let mut servers = run(&text, 2);
    let client = servers[0].client();
    let wait = |path: &str, seconds: u64, wanted: &dyn Fn(u16, &str) -> bool| {
        let begun = Instant::now();
        loop {
            let response = client.get(path);
            let body = String::from_utf8_lossy(&response.body);
            if wanted(response.status, &body) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < Duration::from_secs(seconds), "{path}: {} {body}", response.status);
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait("/readyz", 60, &|status, _| status == 200);
    let top = "/v1/counts/words/top?window=all&k=1000";
    wait(top, 20, &|status, _| status == 200);
    servers[1].signal("STOP");
    let refused = wait(top, 20, &|status, body| status == 503 && body.contains("process 1 of the cluster"));
    println!("refused after {refused:?}");
    // Known to be silent, it is not waited for any more; many ask, and none of them holds up the others.
    std::thread::sleep(Duration::from_secs(3));
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let ask = || {
            let begun = Instant::now();
            assert_eq!(client.get(top).status, 503);
            begun.elapsed()
        };
        let asking: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        assert_eq!(client.get("/v1/counts").status, 200);
        assert_eq!(client.get("/v1/status").status, 200);
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    // A busy machine may hold up some of them.
    took.sort();
    assert!(took[20] < Duration::from_secs(3) && took[39] < Duration::from_secs(15), "{took:?}");
    let noticed = wait("/readyz", 12, &|status, body| status == 503 && body.contains("stalled"));
    println!("stalled after {noticed:?} more");
    servers[1].signal("CONT");
    wait(top, 20, &|status, _| status == 200);
    wait("/readyz", 30, &|status, _| status == 200);
    assert!(servers[0].lives() && servers[1].lives());
    assert!(servers[0].terminate().0.success());
}
