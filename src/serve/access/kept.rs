//! A value that is read from files and can be read anew while the server runs.
//!
//! Idea: whoever uses it takes the value that holds at that moment; a reload puts another in its place.
//! Invariant: there is always a value; one that cannot be read never takes the place of one that could.
//! Cost: a lock that is held for as long as a reference count takes to change.

use std::sync::{Arc, PoisonError, RwLock};

use super::AccessError;

/// Reads the value.
type Read<T> = Box<dyn Fn() -> Result<T, AccessError> + Send + Sync>;

/// A value from files.
pub struct Kept<T> {
    read: Read<T>,
    current: RwLock<Arc<T>>,
}

impl<T> Kept<T> {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn new(
        read: impl Fn() -> Result<T, AccessError> + Send + Sync + 'static,
    ) -> Result<Kept<T>, AccessError> {
        let current = RwLock::new(Arc::new(read()?));
        Ok(Kept { read: Box::new(read), current })
    }

    /// The value that holds now.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads it anew, and returns it.
    ///
    /// # Errors
    /// Those of reading; then the old value goes on to hold.
    pub fn reload(&self) -> Result<Arc<T>, AccessError> {
        let read = Arc::new((self.read)()?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_cannot_be_read_changes_nothing() {
        let reads = AtomicU32::new(0);
        let kept = Kept::new(move || match reads.fetch_add(1, Ordering::Relaxed) {
            1 => Err(AccessError::new("http.token_file", Path::new("/token"), "is empty")),
            read => Ok(read),
        });
        let kept = kept.expect("the first time it can be read");
        assert_eq!(*kept.current(), 0);
        assert!(kept.reload().is_err());
        assert_eq!(*kept.current(), 0);
        assert_eq!(kept.reload().ok().as_deref(), Some(&2));
        assert_eq!(*kept.current(), 2);
    }
}
