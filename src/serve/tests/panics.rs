//! A bug in a request is the failure of that request.

use std::sync::Arc;

use tokio::sync::watch;

use super::client::Client;
use super::fixture::served;
use crate::serve::accept::{Door, serve};
use crate::serve::api::Api;
use crate::serve::interface;
use crate::serve::resource::resource;
use crate::serve::route::Route;

#[test]
fn a_panic_is_a_500_and_the_connection_lives() {
    let (fed, _server) = served();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (stop, stopping) = watch::channel(false);
    let api = Arc::new(Api::new(fed.reader.clone(), stopping.clone()));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let at_once = resource(&api, Route::STATUS, |_, request| {
        assert!(request.segment(0).is_err(), "on purpose, before there is a future");
        async { unreachable!() }
    });
    let in_a_read = resource(&api, Route::COUNTS, |api, _| async move {
        api.read(|| panic!("on purpose, on another thread")).await
    });
    let health = interface::health(&api);
    let both = warp::Filter::boxed(warp::Filter::unify(warp::Filter::or(at_once, in_a_read)));
    let all = warp::Filter::boxed(warp::Filter::unify(warp::Filter::or(both, health)));
    let door = Door { listener, most: 10, resource: all, crowded: interface::crowded(&api) };
    let serving = runtime.spawn(serve(door, api.metrics.clone(), stopping));
    let mut client = Client::connect(address);
    for path in ["/v1/status", "/v1/counts", "/v1/status", "/v1/counts"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.problem().as_str()), (500, "internal"), "{path}");
        assert!(!answer.text().contains("on purpose"));
    }
    let metrics = client.get("/metrics");
    assert!(metrics.text().contains("\ntidings_http_panics_total 4\n"));
    assert!(metrics.text().contains("tidings_http_requests_total{route=\"/v1/status\",status=\"500\"} 2"));
    stop.send_replace(true);
    runtime.block_on(serving).expect("the accept loop ends");
}
