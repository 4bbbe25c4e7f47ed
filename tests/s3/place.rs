//! Where checkpoints are kept in these tests: a bucket of a server of its own.
//!
//! Invariant: the server is gone with its handle, by its own id.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::proxy::{Fault, Proxy};

const KEY: &str = "tidings-test";
const SECRET: &str = "a-secret-of-tests-only";

/// The bucket, and what stands before the names in it.
const BUCKET: &str = "kept";
const PREFIX: &str = "a/b";

/// A server with a bucket.
pub struct Place {
    server: Child,
    folder: TempDir,
    port: u16,
    proxy: Option<Proxy>,
}

impl Place {
    pub fn new() -> Place {
        let folder = TempDir::new().unwrap();
        // A folder below the root is a bucket.
        for name in ["data/kept", "about"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = serve(&folder, port);
            while server.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Place { server, folder, port, proxy: None };
                }
                assert!(Instant::now() < deadline, "the server does not answer");
                std::thread::sleep(Duration::from_millis(20));
            }
            // Somebody else has taken the port meanwhile.
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "the server ended: {log}");
        }
    }

    /// One that is reached through a proxy with these faults.
    pub fn behind(faults: impl FnMut() -> Fault + Send + 'static) -> Place {
        let mut place = Place::new();
        place.proxy = Some(Proxy::start(place.port, faults));
        place
    }

    /// As `checkpoint.dir` names it.
    pub fn address(&self) -> String {
        format!("s3://{BUCKET}/{PREFIX}")
    }

    /// Where the server keeps its objects, as files.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("data").join(BUCKET).join(PREFIX)
    }

    /// What the program needs to reach it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let port = self.proxy.as_ref().map_or(self.port, Proxy::port);
        let variables = [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The proxy, where there is one.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }
}

fn serve(folder: &TempDir, port: u16) -> Child {
    let program = std::env::var_os("TIDINGS_S3_SERVER").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/s3/versitygw")),
        PathBuf::from,
    );
    let log = File::create(folder.path().join("log")).unwrap();
    let spawned = Command::new(&program)
        .env_clear()
        .args([
            "--access",
            KEY,
            "--secret",
            SECRET,
            "--port",
            &format!("127.0.0.1:{port}"),
            "posix",
            "--sidecar",
        ])
        .args([folder.path().join("about"), folder.path().join("data")])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn();
    spawned.unwrap_or_else(|error| panic!("{}: {error}; see the head of tests/s3/main.rs", program.display()))
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
