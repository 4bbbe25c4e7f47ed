//! What is answered before there is an engine: that the process lives, and how far it is.
//!
//! Idea: the address is bound before the other processes of a cluster are found and Kafka is asked, which may take a while.
//! Whoever asks meanwhile is told so instead of being left to wait: `/livez` is 200, `/readyz` is 503 with the reason, and
//! everything else is a 503 that may be tried again.
//! Invariant: these answers are each the last of their connection, so that nobody keeps one after the engine is there; no more
//! connections are held than the few that are when the server is full.
//! Cost: a task a listener until the engine is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use warp::Filter;
use warp::filters::path::FullPath;
use warp::http::Method;

use super::accept::{self, Door};
use super::access::Access;
use super::answer::Answer;
use super::health::{alive, readiness};
use super::interface::tls_only;
use super::listen::Listener;
use super::metrics::Metrics;
use super::problem::{Kind, Problem};
use super::resource::Resource;
use super::route::Route;

/// How long those who are being answered may hold up the engine's own answers.
const MOMENT: Duration = Duration::from_secs(1);

/// How far a start is.
#[derive(Clone, Debug)]
pub struct Phase(Arc<AtomicBool>);

impl Phase {
    /// At its beginning; `forms`: other processes have to be found first.
    pub fn new(forms: bool) -> Phase {
        Phase(Arc::new(AtomicBool::new(forms)))
    }

    /// All processes are connected, and the engine starts.
    pub fn starts(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// What the process is at; to `/readyz` all of it is `starting`.
    fn detail(&self) -> &'static str {
        if self.0.load(Ordering::Relaxed) {
            "this process waits for the other processes of its cluster"
        } else {
            "the engine is being started"
        }
    }
}

/// Answers until it is ended, or dropped.
#[derive(Debug)]
pub struct Early {
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl Early {
    /// Takes no more connections, and leaves those that there are a moment.
    pub async fn end(self) {
        self.stop.send_replace(true);
        for serving in self.serving {
            // Who is in the middle of a question may still have its answer.
            let _ = tokio::time::timeout(MOMENT, serving).await;
        }
    }
}

impl Listener {
    /// Answers early on all addresses; must be called within a tokio runtime.
    pub fn serve_early(&self, phase: &Phase) -> Early {
        let (stop, stopping) = watch::channel(false);
        let metrics = Metrics::new(None, &self.access);
        let serve = |listener: &Arc<TcpListener>, access: Option<Access>| {
            // Each connection is one for which there is no room: it gets one answer, and soon.
            let (resource, crowded) = (resource(phase), resource(phase));
            let misled = warp::any().map(|| tls_only().into_answer()).boxed();
            let door = Door { listener: Arc::clone(listener), most: 0, access, resource, crowded, misled };
            tokio::spawn(accept::serve(door, metrics.clone(), stopping.clone()))
        };
        let main = serve(&self.main, Some(self.access.clone()));
        let health = self.health.iter().map(|health| serve(health, None));
        Early { serving: std::iter::once(main).chain(health).collect(), stop }
    }
}

fn resource(phase: &Phase) -> Resource {
    let phase = phase.clone();
    let asked = warp::path::full().and(warp::method());
    asked.map(move |path: FullPath, method: Method| answer(&phase, path.as_str(), &method)).boxed()
}

fn answer(phase: &Phase, path: &str, method: &Method) -> Answer {
    let reasons = vec!["starting"];
    let vital = [Route::LIVEZ, Route::READYZ].into_iter().find(|route| route.path == path);
    match vital {
        Some(route) if !route.allows(method.as_str()) => {
            Problem::new(Kind::MethodNotAllowed, format!("{} takes {}", route.path, route.allow))
                .allow(route.allow)
                .into_answer()
        }
        Some(Route::LIVEZ) => alive(),
        Some(_) => readiness(reasons),
        None => Problem::new(Kind::Starting, phase.detail()).retry_after(1).reasons(reasons).into_answer(),
    }
}
