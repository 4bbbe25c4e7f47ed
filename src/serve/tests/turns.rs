//! Reads that take long hold up neither short ones nor anything else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::client::get;
use super::fed::Fed;
use super::server::Custom;
use crate::serve::answer;
use crate::serve::api::Effort;
use crate::serve::resource::resource;
use crate::serve::route::Route;

#[test]
fn long_reads_queue_for_themselves() {
    let fed = Fed::new();
    let (entered, reading) = mpsc::channel();
    let done = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&done);
    let server = Custom::new(&fed.reader, move |api| {
        let long = resource(api, Route::STATUS, move |api, _| {
            let (entered, until) = (entered.clone(), Arc::clone(&until));
            async move {
                api.read(Effort::Long, move || {
                    entered.send(()).expect("the test listens");
                    while !until.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                    Ok(answer::json(&()))
                })
                .await
            }
        });
        let short = resource(api, Route::COUNTS, |api, _| async move {
            api.read(Effort::Short, || Ok(answer::json(&()))).await
        });
        vec![long, short]
    });
    let address = server.address;
    let turns = thread::available_parallelism().map_or(2, usize::from).div_ceil(2);
    let ask = || thread::spawn(move || get(address, "/v1/status"));
    let running: Vec<_> = (0..turns).map(|_| ask()).collect();
    running.iter().for_each(|_| reading.recv().expect("it has a turn"));
    let queued = ask();
    assert_eq!((get(address, "/v1/counts").status, get(address, "/livez").status), (200, 200));
    assert!(!queued.is_finished(), "short ones came behind a long one that had no turn");
    let refused = queued.join().expect("an answer");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "overloaded"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    done.store(true, Ordering::SeqCst);
    assert!(running.into_iter().all(|running| running.join().expect("an answer").status == 200));
    assert!(reading.try_recv().is_err(), "what was refused is not read after all");
}
