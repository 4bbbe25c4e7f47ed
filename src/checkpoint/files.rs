//! A directory as a store.
//!
//! Idea: whatever is written is written under another name first, brought to the disk, and only then given its name; the
//! folder that has the name is brought to the disk last. A name that must not be there yet is given by a hard link, which
//! fails where it is. A folder that is made is brought to the disk in the same way, before anything is put into it.
//! Invariant: those of [`Store`], across a power cut: a name whose bytes are not on the disk does not exist.
//! Cost: two waits for the disk a file, one more a folder that is made.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failpoint::point;
use super::store::{Store, Writing};
use super::{CheckpointError, keys};

/// Where files stand before they have their names. What an ended process left here is removed at the next start.
const DRAFTS: &str = "drafts";

/// The folder of the lock.
const LOCK: &str = "LOCK";

/// A directory.
pub struct Files {
    root: PathBuf,
    drafts: AtomicU64,
    /// Process ids are the same in different containers.
    tag: u64,
    lock: Mutex<Option<File>>,
}

impl Files {
    /// In this folder, which is made when something is written.
    pub fn new(root: impl Into<PathBuf>) -> Files {
        let tag = RandomState::new().hash_one(0);
        Files { root: root.into(), drafts: AtomicU64::new(0), tag, lock: Mutex::default() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn draft(&self, key: &str) -> Result<Draft, CheckpointError> {
        let (folder, path) = (self.path(DRAFTS), self.path(key));
        make_folder(&folder)?;
        make_folder(path.parent().unwrap_or(&self.root))?;
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!("{}-{:016x}-{number}", std::process::id(), self.tag));
        // Messages name what is to be: what stands in its place meanwhile says nothing to anybody.
        let file = File::create_new(&draft).map_err(|why| failed("write", &path, &why))?;
        let kind = keys::kind(key).to_owned();
        Ok(Draft { file: BufWriter::with_capacity(1 << 16, file), draft, path, kind, named: false })
    }

    /// Removes what ended processes have left half written.
    fn tidy(&self) {
        for entry in fs::read_dir(self.path(DRAFTS)).into_iter().flatten().flatten() {
            // What cannot be removed costs room and nothing else.
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Store for Files {
    fn show(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        match fs::read(self.path(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(why) if is_missing(&why) => Ok(None),
            Err(why) => Err(failed("read", &self.path(key), &why)),
        }
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, CheckpointError> {
        let path = self.path(key);
        let read = || {
            let mut file = File::open(&path)?;
            if range.end > file.metadata()?.len() || range.start > range.end {
                return Err(io::Error::from(ErrorKind::UnexpectedEof));
            }
            file.seek(SeekFrom::Start(range.start))?;
            let mut bytes = vec![0; (range.end - range.start) as usize];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|why| failed("read", &path, &why))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, CheckpointError> {
        match fs::metadata(self.path(key)) {
            Ok(found) => Ok(Some(found.len())),
            Err(why) if is_missing(&why) => Ok(None),
            Err(why) => Err(failed("read", &self.path(key), &why)),
        }
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, CheckpointError> {
        let mut draft = self.draft(key)?;
        draft.write_all(bytes).map_err(|why| failed("write", &draft.path, &why))?;
        draft.sync()?;
        point(&format!("{}.link.before", draft.kind));
        match fs::hard_link(&draft.draft, &draft.path) {
            Ok(()) => {}
            Err(why) if why.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(why) => return Err(failed("name", &draft.path, &why)),
        }
        point(&format!("{}.link.after", draft.kind));
        // Without a name that is sure to last it is not there, so that nothing refers to what is then taken back.
        sync_folder(&draft.path).inspect_err(|_| drop(fs::remove_file(&draft.path)))?;
        point(&format!("{}.folder.after", draft.kind));
        Ok(true)
    }

    fn replace(&self, key: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let mut draft = self.draft(key)?;
        draft.write_all(bytes).map_err(|why| failed("write", &draft.path, &why))?;
        Box::new(draft).finish()
    }

    fn begin(&self, key: &str) -> Result<Box<dyn Writing>, CheckpointError> {
        Ok(Box::new(self.draft(key)?))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, CheckpointError> {
        let path = self.path(folder);
        let read = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&path)? {
                // What is not UTF-8 is not one of ours.
                names.extend(entry?.file_name().to_str().map(|name| format!("{folder}/{name}")));
            }
            names.sort_unstable();
            Ok(names)
        };
        match read() {
            Ok(names) => Ok(names),
            Err(why) if is_missing(&why) => Ok(Vec::new()),
            Err(why) => Err(failed("list", &path, &why)),
        }
    }

    fn delete(&self, key: &str) -> Result<(), CheckpointError> {
        point("delete.before");
        match fs::remove_file(self.path(key)) {
            Err(why) if !is_missing(&why) => Err(failed("delete", &self.path(key), &why)),
            _ => {
                point("delete.after");
                Ok(())
            }
        }
    }

    fn lock(&self) -> Result<bool, CheckpointError> {
        make_folder(&self.root)?;
        let path = self.path(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|why| failed("open", &path, &why))?;
        match file.try_lock() {
            Ok(()) => {
                *self.lock.lock().expect("no holder panics") = Some(file);
                self.tidy();
                Ok(true)
            }
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(why)) => Err(failed("lock", &path, &why)),
        }
    }

    fn has_locks(&self) -> bool {
        true
    }

    fn tidies(&self) -> bool {
        true
    }

    fn ahead_ms(&self) -> u64 {
        3000
    }
}

/// That the name, or a folder on the way to it, is not there.
fn is_missing(why: &io::Error) -> bool {
    why.kind() == ErrorKind::NotFound
}

/// A file that does not have its name yet. It is removed where it is given none.
struct Draft {
    file: BufWriter<File>,
    draft: PathBuf,
    path: PathBuf,
    /// What it will be, for failpoints.
    kind: String,
    named: bool,
}

impl Draft {
    /// Brings the bytes to the disk.
    fn sync(&mut self) -> Result<(), CheckpointError> {
        point(&format!("{}.sync.before", self.kind));
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|why| failed("write", &self.path, &why))?;
        point(&format!("{}.sync.after", self.kind));
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writing for Draft {
    fn finish(mut self: Box<Self>) -> Result<(), CheckpointError> {
        self.sync()?;
        point(&format!("{}.rename.before", self.kind));
        fs::rename(&self.draft, &self.path).map_err(|why| failed("name", &self.path, &why))?;
        self.named = true;
        point(&format!("{}.rename.after", self.kind));
        sync_folder(&self.path)?;
        point(&format!("{}.folder.after", self.kind));
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.named {
            // What cannot be removed costs room and nothing else.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

fn failed(action: &'static str, path: &Path, why: &io::Error) -> CheckpointError {
    CheckpointError::Io { action, key: path.display().to_string(), why: why.to_string() }
}

/// Makes a folder where it is not there, and those above it, each on the disk before the next is made: what is put into one
/// must not vanish with it.
fn make_folder(folder: &Path) -> Result<(), CheckpointError> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), make_folder)?;
    match fs::create_dir(folder) {
        // Another process may have been faster; it need not have come to the disk yet.
        Err(why) if why.kind() != ErrorKind::AlreadyExists || !folder.is_dir() => {
            Err(failed("make", folder, &why))
        }
        _ => sync_folder(folder),
    }
}

/// Brings the folder of a file to the disk, so that the file's name outlives a power cut.
fn sync_folder(path: &Path) -> Result<(), CheckpointError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|why| failed("write", folder, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_has_all_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().join("root"));
        assert_eq!(files.read("manifests/1").unwrap(), None);
        assert_eq!(files.list("manifests").unwrap(), Vec::<String>::new());
        assert!(files.create("manifests/1", b"one").unwrap());
        assert!(!files.create("manifests/1", b"two").unwrap());
        assert_eq!(files.read("manifests/1").unwrap().as_deref(), Some(&b"one"[..]));
        files.replace("leases/1", b"a").unwrap();
        files.replace("leases/1", b"bc").unwrap();
        assert_eq!(files.read("leases/1").unwrap().as_deref(), Some(&b"bc"[..]));
        let mut writing = files.begin("segments/1").unwrap();
        writing.write_all(&[7; 100_000]).unwrap();
        assert_eq!(files.size("segments/1").unwrap(), None, "not before it is whole");
        writing.finish().unwrap();
        assert_eq!(files.read_range("segments/1", 99_990..100_000).unwrap(), [7; 10]);
        assert!(files.read_range("segments/1", 99_990..100_001).is_err());
        assert_eq!(files.list("segments").unwrap(), ["segments/1"]);
        drop(files.begin("segments/2").unwrap());
        assert_eq!(fs::read_dir(folder.path().join("root/drafts")).unwrap().count(), 0, "nothing is left");
        files.delete("segments/1").unwrap();
        files.delete("segments/1").unwrap();
        assert_eq!(files.size("segments/1").unwrap(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = Files::new(folder.path().join("file/below")).create("manifests/1", b"").unwrap_err();
        // What stands in the way, not what was to be below it.
        assert!(matches!(&error, CheckpointError::Io { key, .. } if key.ends_with("/file")), "{error}");
        assert!(Files::new(folder.path().join("a/b/c")).create("manifests/1", b"").unwrap());
        make_folder(&folder.path().join("a/b/c")).unwrap();
    }

    #[test]
    fn one_is_in_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Files::new(folder.path()), Files::new(folder.path()));
        assert!(one.lock().unwrap());
        assert!(!two.lock().unwrap());
        drop(one);
        assert!(two.lock().unwrap());
    }
}
