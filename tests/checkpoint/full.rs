//! A disk that is full, and a folder that nobody may write: said with the name of the file, and over as soon as that is.
//!
//! The place is a file system of its own, which takes root; what root may not do is what nobody may.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::Stage;
use crate::support::process::Server;

/// A file system in memory, gone with its handle.
struct Mounted(PathBuf);

impl Mounted {
    fn at(folder: &Path) -> Mounted {
        fs::create_dir_all(folder).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=8m", "tmpfs"], folder);
        Mounted(folder.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A test that failed may have left another on top of it.
        unmount(&self.0.join("drafts"));
        unmount(&self.0);
    }
}

fn unmount(folder: &Path) {
    // What still has a file open there may take a moment to go; what is not mounted never does.
    let is_mounted = || {
        let mounted = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        mounted.lines().any(|line| line.split(' ').nth(1) == folder.to_str())
    };
    for _ in 0..100 {
        if !is_mounted() {
            return;
        }
        drop(Command::new("umount").arg(folder).output());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn mount(options: &[&str], folder: &Path) {
    let done = Command::new("mount").args(options).arg(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Waits for a checkpoint that did not come about; why not.
fn failed(server: &Server) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let status: Value = server.client().get("/v1/status").json();
        if let Some(error) = status["checkpoint"]["error"].as_str() {
            assert!(status["checkpoint"]["failures"].as_u64() > Some(0), "{status}");
            return error.to_owned();
        }
        assert!(Instant::now() < deadline, "no checkpoint has failed: {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run while nothing can be written, one that begins then, and one that begins later.
fn nothing_can_be_written(seed: u64, why: &str, block: impl Fn(&Path), unblock: impl Fn(&Path)) {
    let mut stage = Stage::new(seed);
    let folder = stage.kept_in();
    let _mounted = Mounted::at(&folder);
    let server = stage.start(2);
    stage.work(&server, 2);
    let written = stage.produce(10);
    let kept = stage.kept(&server, &written);
    block(&folder);
    stage.work_on(&server, 2);
    let error = failed(&server);
    // Of what was to be written, not of what stood in its place meanwhile.
    assert!(error.contains(why) && error.contains(folder.to_str().unwrap()), "{error}");
    assert!(["/segments/", "/manifests/"].iter().any(|what| error.contains(what)), "{error}");
    assert!(server.log().contains(&error), "{}", server.log());
    // Counting goes on, and the checkpoint before stands.
    stage.work_on(&server, 2);
    let status: Value = server.client().get("/v1/status").json();
    assert!(status["checkpoint"]["last"]["number"].as_u64() >= kept["number"].as_u64(), "{status}");
    let verified = stage.look(&["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    unblock(&folder);
    let written = stage.produce(10);
    stage.kept(&server, &written);
    assert_eq!(server.client().get("/v1/status").json::<Value>()["checkpoint"]["error"], Value::Null);
    block(&folder);
    stage.work_on(&server, 1);
    server.kill();
    let (code, said) = stage.refused(&stage.settings(1));
    assert_eq!(code, 74, "{said}");
    assert!(said.contains(why) && said.contains(folder.to_str().unwrap()), "{said}");
    unblock(&folder);
    let server = stage.start(1);
    stage.work(&server, 1);
    stage.recount();
    server.kill();
}

#[test]
#[ignore = "mounts a file system, as root"]
fn a_disk_that_is_full() {
    let block = |folder: &Path| {
        let mut filler = File::create(folder.join("filler")).unwrap();
        // What was being written may give room when it is given up.
        for _ in 0..50 {
            while filler.write_all(&[7; 4096]).is_ok() {}
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let unblock = |folder: &Path| fs::remove_file(folder.join("filler")).unwrap();
    nothing_can_be_written(81, "No space left on device", block, unblock);
}

#[test]
#[ignore = "mounts a file system, as root"]
fn a_folder_that_nobody_may_write() {
    // A file system of which a file is open for writing cannot be made read-only, as the lock is; the folder in which
    // all files begin can be covered by one that is.
    let block = |folder: &Path| mount(&["-t", "tmpfs", "-o", "ro", "tmpfs"], &folder.join("drafts"));
    let unblock = |folder: &Path| unmount(&folder.join("drafts"));
    nothing_can_be_written(82, "Read-only file system", block, unblock);
    // And the whole of it, before a run begins.
    let stage = Stage::new(83);
    let folder = stage.kept_in();
    let _mounted = Mounted::at(&folder);
    mount(&["-o", "remount,ro"], &folder);
    let (code, said) = stage.refused(&stage.settings(1));
    assert_eq!(code, 74, "{said}");
    assert!(said.contains("Read-only file system") && said.contains(folder.to_str().unwrap()), "{said}");
}
