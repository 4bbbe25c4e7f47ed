//! Processes of one cluster on this host.

use std::net::TcpListener;

use crate::support::process::Server;

/// Addresses of so many processes: ports that were free a moment ago.
pub fn hosts(processes: usize) -> Vec<String> {
    let taken: Vec<TcpListener> = (0..processes).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    taken.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect()
}

/// A cluster with this configuration, once all of its processes say where they answer.
pub fn run(text: &str, processes: usize) -> Vec<Server> {
    let hosts = hosts(processes);
    std::thread::scope(|scope| {
        let start = |process: usize| {
            let text = format!("{text}[cluster]\nhosts = {hosts:?}\nprocess = {process}\n");
            scope.spawn(move || Server::run(&text))
        };
        let starting: Vec<_> = (0..processes).map(start).collect();
        starting.into_iter().map(|starting| starting.join().unwrap()).collect()
    })
}
