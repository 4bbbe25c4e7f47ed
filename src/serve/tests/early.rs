//! Before there is an engine.

use super::client::{Client, get};
use super::fed::Fed;
use super::server::free;
use crate::serve::{Phase, listen, run};

#[test]
fn whoever_asks_early_is_told_how_far_the_start_is() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(listen(&free())).expect("free ports");
    let addresses = [listener.local_addr(), listener.health_addr().expect("a second listener")];
    let phase = Phase::new(true);
    let early = {
        let _inside = runtime.enter();
        listener.serve_early(&phase)
    };
    for address in addresses {
        assert_eq!((get(address, "/livez").status, get(address, "/livez?verbose").text()), (200, "ok"));
        let ready = get(address, "/readyz");
        assert_eq!((ready.status, ready.text()), (503, r#"{"ready":false,"reasons":["starting"]}"#));
        let top = get(address, "/v1/counts/words/top");
        assert_eq!(
            (top.status, top.problem().as_str(), top.header("retry-after")),
            (503, "starting", Some("1"))
        );
        assert_eq!(top.json()["reasons"][0], "starting");
        assert!(top.text().contains("waits for the other processes"));
    }
    phase.starts();
    assert!(get(addresses[0], "/v1/counts/words/top").text().contains("the engine is being started"));
    // Many who say nothing do not keep out one who asks.
    let silent: Vec<Client> = (0..100).map(|_| Client::connect(addresses[0])).collect();
    assert_eq!(get(addresses[0], "/livez").status, 200);
    drop(silent);

    // The engine takes over on the same addresses, and nobody is turned away meanwhile.
    let (fed, (stop, stopped)) = (Fed::new(), tokio::sync::oneshot::channel());
    fed.feed(1, &[(0, "a")]);
    runtime.block_on(early.end());
    let serving = runtime.spawn(run(listener, fed.reader.clone(), async { drop(stopped.await) }));
    for address in addresses {
        assert_eq!(get(address, "/readyz").text(), r#"{"ready":true,"reasons":[]}"#);
    }
    stop.send(()).expect("it serves");
    runtime.block_on(serving).expect("it does not panic");
}
