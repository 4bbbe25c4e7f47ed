//! The configuration as a whole: layers, messages with their places, properties, secrets.

mod layers;
mod messages;
mod mistakes;
mod properties;
mod secrets;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ConfigError, Loaded, load};

/// A file that is removed with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(content: impl AsRef<[u8]>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tidings-config-{}-{number}.toml", std::process::id()));
        std::fs::write(&path, content).expect("the scratch folder can be written");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may be gone already; there is nothing else to do about it.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn env(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    load(Some(Scratch::new(text).path()), env(variables), Vec::new())
}

/// The problems of a text, with `t.toml` in the place of its path.
fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let file = Scratch::new(text);
    match load(Some(file.path()), env(variables), Vec::new()) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let shown = error.to_string().replace(&file.path().display().to_string(), "t.toml");
            shown.lines().map(str::to_owned).collect()
        }
    }
}
