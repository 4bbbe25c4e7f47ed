//! Servers on free ports, which end with their test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;
use warp::Filter;

use super::fed::Fed;
use crate::config::Http;
use crate::engine::Reader;
use crate::serve::accept::{self, Door};
use crate::serve::access::Access;
use crate::serve::api::Api;
use crate::serve::resource::Resource;
use crate::serve::{interface, listen, run};

/// Settings with two free ports and nothing else.
pub fn free() -> Http {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    Http {
        bind: any_port,
        health_bind: Some(any_port),
        token_file: None,
        tls_cert: None,
        tls_key: None,
        cors: Vec::new(),
        max_connections: 1000,
        max_streams: 10,
    }
}

/// A server over a reader, until it is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its second listener is.
    pub health: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// With so many connections at most.
    pub fn with_connections(reader: &Reader, max_connections: usize) -> Server {
        Server::with(reader, |http| http.max_connections = max_connections)
    }

    /// With other settings than the usual ones.
    pub fn with(reader: &Reader, change: impl FnOnce(&mut Http)) -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let mut http = free();
        change(&mut http);
        let listener = runtime.block_on(listen(&http)).expect("free ports");
        let (address, health) = (listener.local_addr(), listener.health_addr().expect("a second listener"));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let reader = reader.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(run(listener, reader, async { drop(stopped.await) }));
        });
        Server { address, health, stop: Some(stop), thread: Some(thread) }
    }

    /// With as many connections as a test may want.
    pub fn new(reader: &Reader) -> Server {
        Server::with(reader, |_| ())
    }

    /// Tells it to stop.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until it has stopped.
    pub fn join(&mut self) {
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("the server does not panic"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}

/// A server of resources that a test makes up, until the runtime is dropped.
pub struct Custom {
    /// Where it listens.
    pub address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
    _stop: watch::Sender<bool>,
}

impl Custom {
    /// With these resources, and those for health.
    pub fn new(reader: &Reader, resources: impl FnOnce(&Arc<Api>) -> Vec<Resource>) -> Custom {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (stop, stopping) = watch::channel(false);
        let access = Access::load(&crate::config::Config::default().http).expect("no file is named");
        let api = Arc::new(Api::new(reader.clone(), access, 10, stopping.clone()));
        let either = |one: Resource, two: Resource| one.or(two).unify().boxed();
        let resource =
            resources(&api).into_iter().rev().fold(interface::health(&api), |rest, one| either(one, rest));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (crowded, misled) = (interface::crowded(&api), interface::misled(&api));
        let door = Door { listener: Arc::new(listener), most: 100, access: None, resource, crowded, misled };
        runtime.spawn(accept::serve(door, api.metrics.clone(), stopping));
        Custom { address, _runtime: runtime, _stop: stop }
    }
}

/// A server over some posts in two epochs, 1000 and 2000.
pub fn served() -> (Arc<Fed>, Server) {
    let fed = Fed::new();
    fed.feed(1000, &[(0, "#Rust good morning"), (1000, "#rust #Go hello"), (1000, "#Rust good evening")]);
    fed.feed(2000, &[(65_000, "#rust late"), (65_500, "#Ünïcode #été good morning")]);
    let server = Server::new(&fed.reader);
    (Arc::new(fed), server)
}
