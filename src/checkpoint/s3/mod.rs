//! A bucket of S3, or of anything that speaks its protocol, as a store.
//!
//! Idea: an object is there whole or not at all, and a PUT that says `If-None-Match: *` is refused where one is there
//! already: a directory needs links and waits for the disk to say as much. What is large goes up in parts and is there
//! with the last request, which names them all. Address, region and credentials come from the variables that all tools of
//! this protocol read: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and so on, or from the machine's or pod's role.
//! Invariant: those of [`Store`]. There are no locks, so of two runs at work the lease tells, and the manifest decides.
//! Where an answer to the writing of a new name is lost, the name is read: what stands there under it was ours if it is the
//! same, byte by byte, and each writer sees to it that what it writes is no other's.
//! Cost: a request an operation, a few a MiB read or written; two every two seconds for the lease.
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.

mod ahead;
mod upload;
mod wire;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::path::Path;
use object_store::{BackoffConfig, Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use self::ahead::Ahead;
use self::upload::Upload;
use self::wire::Wire;
use super::CheckpointError;
use super::failpoint::point;
use super::keys::kind;
use super::store::{Store, Writing};

/// How long a request is repeated where the server fails or is not reached, and after which nothing is waited for any more.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(40);

/// The same for the lease, which is written anew all the time: one that comes later than the next is of no use.
const LEASE: Duration = Duration::from_millis(2500);

/// How often a name is asked for that another is just being given, and how long later.
const TRIES: u32 = 4;
const AGAIN: Duration = Duration::from_millis(200);

/// What is written to see whether the server gives a name once.
const PROBE: &str = "probe";

/// Words of a server that are passed on.
const EXCERPT: usize = 400;

/// Variables of the environment, by name.
pub type Variables = BTreeMap<String, String>;

/// A bucket, or a part of one.
pub struct Bucket {
    place: Arc<Place>,
    ahead: Ahead,
}

/// Where objects are, and who waits for answers.
struct Place {
    client: AmazonS3,
    /// Until the end.
    runtime: Option<Runtime>,
    bucket: String,
    prefix: Path,
}

impl Bucket {
    /// At an address, `s3://bucket/prefix`, by the variables of the environment. Nobody is asked yet.
    ///
    /// # Errors
    /// `Refused` for what cannot be an address, and for variables that cannot be used.
    pub fn new(address: &str) -> Result<Bucket, CheckpointError> {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let own = |(name, _): &(String, String)| name.starts_with("AWS_");
        Bucket::at(address, &std::env::vars_os().filter_map(text).filter(own).collect())
    }

    /// The same by these variables.
    ///
    /// # Errors
    /// Those of [`Bucket::new`].
    pub fn at(address: &str, variables: &Variables) -> Result<Bucket, CheckpointError> {
        let refused = |why: String| CheckpointError::Refused(format!("checkpoint.dir is {address:?}: {why}"));
        let rest = address.strip_prefix("s3://").unwrap_or(address);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| refused(error.to_string()))?;
        let retries = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(3),
                base: 2.0,
            },
            max_retries: 10,
            retry_timeout: PATIENCE,
        };
        let wire = Wire::new(variables).map_err(refused)?;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in variables {
            // An empty one is none to all tools, and other tools have variables of their own.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()
                && !value.is_empty()
            {
                builder = builder.with_config(key, value);
            }
        }
        let client = builder
            .with_bucket_name(bucket)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(retries)
            // Not all servers have that request.
            .with_disable_bulk_delete(true)
            .with_http_connector(wire)
            .build()
            .map_err(|error| refused(said(&error)))?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| refused(error.to_string()))?;
        let place = Place { client, runtime: Some(runtime), bucket: bucket.to_owned(), prefix };
        Ok(Bucket { place: Arc::new(place), ahead: Ahead::default() })
    }
}

impl Place {
    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    fn show(&self, key: &str) -> String {
        let (bucket, prefix) = (&self.bucket, self.prefix.as_ref());
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("s3://{bucket}/{prefix}{slash}{key}")
    }

    /// Waits for an answer, but no longer than this.
    fn ask<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        let late = || Error::Generic { store: "S3", source: format!("no answer within {limit:?}").into() };
        let runtime = self.runtime.as_ref().expect("it is there until the end");
        runtime.block_on(async { tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| Err(late())) })
    }

    /// Waits for an answer, and says of what it is where it is an error.
    fn wait<T>(
        &self,
        action: &'static str,
        key: &str,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, CheckpointError> {
        self.ask(LONGEST, asked).map_err(|error| self.failed(action, key, &error))
    }

    /// The same for what need not be there.
    fn find<T>(
        &self,
        key: &str,
        asked: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>, CheckpointError> {
        match self.ask(LONGEST, asked) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", key, &error)),
        }
    }

    fn failed(&self, action: &'static str, key: &str, error: &Error) -> CheckpointError {
        CheckpointError::Io { action, key: self.show(key), why: said(error) }
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        let path = self.path(key);
        let whole = async { self.client.get(&path).await?.bytes().await };
        Ok(self.find(key, whole)?.map(|bytes| bytes.to_vec()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A name that is being looked up would be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The words of an error, in one line and not without end. Servers answer with pages of XML, in which the key's name and
/// what was signed may stand: of that only the code and the message are passed on.
fn said(error: &Error) -> String {
    let text = error.to_string();
    let (words, page) =
        text.split_at(text.find("<?xml").or_else(|| text.find("<Error>")).unwrap_or(text.len()));
    let element = |name: &str| {
        let (_, behind) = page.split_once(&format!("<{name}>"))?;
        Some(behind.split_once(&format!("</{name}>"))?.0)
    };
    let parts = [Some(words), element("Code"), element("Message")];
    let text: Vec<&str> = parts.into_iter().flatten().flat_map(str::split_whitespace).collect();
    let text = text.join(" ");
    let mut short: String = text.chars().take(EXCERPT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    // What lists is answered by an error of no sort.
    let is_missing = matches!(error, Error::NotFound { .. }) || text.contains("NoSuchBucket");
    let is_forbidden = matches!(error, Error::Unauthenticated { .. } | Error::PermissionDenied { .. })
        || ["SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied"]
            .iter()
            .any(|code| text.contains(code));
    if is_missing {
        format!("the bucket is not there, or the object is gone: {short}")
    } else if is_forbidden {
        format!("the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY do not allow it: {short}")
    } else {
        short
    }
}

impl Store for Bucket {
    fn show(&self, key: &str) -> String {
        self.place.show(key)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, CheckpointError> {
        self.place.read(key)
    }

    fn read_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>, CheckpointError> {
        let path = self.place.path(key);
        self.ahead.read(key, range, |wanted| {
            self.place.wait("read", key, self.place.client.get_range(&path, wanted))
        })
    }

    fn size(&self, key: &str) -> Result<Option<u64>, CheckpointError> {
        let path = self.place.path(key);
        Ok(self.place.find(key, self.place.client.head(&path))?.map(|found| found.size))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, CheckpointError> {
        let path = self.place.path(key);
        point(&format!("{}.put.before", kind(key)));
        let mut tries = 0;
        let created = loop {
            tries += 1;
            let put = self.place.client.put_opts(&path, bytes.to_vec().into(), PutMode::Create.into());
            let Err(error) = self.place.ask(LONGEST, put) else { break true };
            // Also after other errors: what was asked for may have been done before.
            let found = self.place.read(key);
            let is_there = matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. });
            match &found {
                Ok(Some(found)) if found == bytes => break true,
                Ok(Some(_)) if is_there => break false,
                // Another is being given the name just now, and may yet fail.
                Ok(None) if is_there && tries < TRIES => std::thread::sleep(AGAIN),
                _ => return Err(self.place.failed("write", key, &error)),
            }
        };
        point(&format!("{}.put.after", kind(key)));
        Ok(created)
    }

    fn replace(&self, key: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.place.path(key);
        point(&format!("{}.put.before", kind(key)));
        let put = self.place.client.put(&path, bytes.to_vec().into());
        self.place.ask(LEASE, put).map_err(|error| self.place.failed("write", key, &error))?;
        point(&format!("{}.put.after", kind(key)));
        Ok(())
    }

    fn begin(&self, key: &str) -> Result<Box<dyn Writing>, CheckpointError> {
        // Whoever writes has read what there was to be read.
        self.ahead.forget();
        Ok(Box::new(Upload::new(Arc::clone(&self.place), key)))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, CheckpointError> {
        let path = self.place.path(folder);
        let found = self.place.wait("list", folder, self.place.client.list_with_delimiter(Some(&path)))?;
        let name = |found: &ObjectMeta| found.location.filename().map(|name| format!("{folder}/{name}"));
        let mut names: Vec<String> = found.objects.iter().filter_map(name).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn delete(&self, key: &str) -> Result<(), CheckpointError> {
        let path = self.place.path(key);
        point("delete.before");
        match self.place.ask(LONGEST, self.place.client.delete(&path)) {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(self.place.failed("delete", key, &error)),
        }
        point("delete.after");
        Ok(())
    }

    /// There is none; but a server that gives a name twice would let two runs commit, and is found out here.
    fn lock(&self) -> Result<bool, CheckpointError> {
        self.create(PROBE, b"1\n")?;
        if self.create(PROBE, b"2\n")? {
            self.delete(PROBE)?;
            return Err(CheckpointError::Refused(format!(
                "the server of {} does not honour `If-None-Match: *`, without which two clusters could write the same \
                 checkpoint: use another server, or a directory",
                self.show("")
            )));
        }
        Ok(true)
    }

    fn has_locks(&self) -> bool {
        false
    }

    fn tidies(&self) -> bool {
        false
    }

    fn ahead_ms(&self) -> u64 {
        6000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_below_the_prefix() {
        for (address, shown) in [
            ("s3://bucket", "s3://bucket/manifests/1"),
            ("s3://bucket/", "s3://bucket/manifests/1"),
            ("s3://bucket/a/b/", "s3://bucket/a/b/manifests/1"),
        ] {
            let bucket = Bucket::at(address, &Variables::new()).unwrap();
            assert_eq!(bucket.show("manifests/1"), shown);
            let path = bucket.place.path("manifests/1");
            assert_eq!(format!("s3://bucket/{path}"), shown);
        }
        let refused = |address: &str, variables: &[(&str, &str)]| {
            let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Bucket::at(address, &variables.iter().map(text).collect()).err().map(|error| error.to_string())
        };
        assert!(refused("s3://bucket/a//b", &[]).is_some_and(|why| why.contains("s3://bucket/a//b")));
        let far = ("AWS_ENDPOINT_URL", "http://elsewhere:9000");
        assert!(refused("s3://bucket", &[far]).is_some_and(|why| why.contains("AWS_ALLOW_HTTP")));
        assert_eq!(refused("s3://bucket", &[far, ("AWS_ALLOW_HTTP", "true")]), None);
        assert_eq!(refused("s3://bucket", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")]), None);
        let nowhere = refused("s3://bucket", &[("AWS_CA_BUNDLE", "/nowhere.pem")]);
        assert!(nowhere.is_some_and(|why| why.contains("AWS_CA_BUNDLE /nowhere.pem")));
        assert_eq!(
            (kind("manifests/1"), kind("cluster.json"), kind("leases/1")),
            ("manifest", "cluster.json", "lease")
        );
    }
}
