//! The configuration: defaults < file < environment < flags, checked as a whole before anything starts.
//!
//! Idea: each layer says what it sets and where; they are laid upon each other, and then every key is read once into
//! the plain data of [`Config`]. Nothing is looked up but files that hold the value of a property, so that
//! `tidings check` says the same on any machine that has these files.
//! Invariant: a [`Config`] obeys all rules of its fields' documentation; a [`ConfigError`] names everything that is
//! wrong; neither it nor [`Loaded`] ever shows a secret.
//! Cost: some hundred microseconds, once in a process.

mod durations;
mod environment;
mod file;
mod flags;
mod layers;
mod model;
mod origin;
mod print;
mod problem;
mod schema;
mod sections;
mod slides;
#[cfg(test)]
mod tests;
mod values;
pub mod windows;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use flags::ConfigFlags;
pub use layers::Override;
pub use model::*;
pub use problem::ConfigError;
pub use windows::{check_windows, parse_duration, parse_window};

pub(crate) use durations::{show, show_duration};
pub(crate) use flags::load_found;
pub(crate) use sections::secrets::is_secret;

use layers::Layer;
use problem::Problems;

/// A configuration, and where its values came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    file: Option<PathBuf>,
    printed: String,
    warnings: Vec<String>,
    a_worker_a_core: bool,
}

/// Lays `flags` on the environment, that on the file, that on the defaults, and checks the result.
///
/// `env` is taken as the whole environment: variables that do not begin with `TIDINGS__` are passed over.
///
/// # Errors
/// All that is wrong with any layer or with the whole.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
    flags: Vec<Override>,
) -> Result<Loaded, ConfigError> {
    load_os(file, env.into_iter().map(|(name, value)| (name.into(), value.into())), flags)
}

/// As [`load`], from the environment as the operating system has it.
///
/// # Errors
/// As [`load`].
pub fn load_os(
    path: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
    flags: Vec<Override>,
) -> Result<Loaded, ConfigError> {
    let mut problems = Problems::default();
    let mut warnings = Vec::new();
    let layer = path.map(|path| file::layer(path, &problem::shown_path(path), &mut problems));
    let unreadable = matches!(layer, Some(None));
    let layers = vec![
        layer.flatten().unwrap_or_default(),
        environment::layer(env, &mut problems, &mut warnings),
        Layer::of_flags(flags),
    ];
    let mut settings = layers::merge(layers, &mut problems);
    if unreadable {
        // What the file would have set is not known, so that nothing can be said of the whole.
        return problems.or(None);
    }
    let config = sections::read(&mut settings, &mut problems, &mut warnings);
    let printed = print::text(&settings, &config);
    let a_worker_a_core = settings.values.get("engine.workers").value.as_integer() == Some(0);
    let file = path.map(Path::to_owned);
    problems.or(Some(Loaded { config, file, printed, warnings, a_worker_a_core }))
}

impl Loaded {
    /// All settings as a valid configuration file, each followed by where it came from: `# default`,
    /// `# tidings.toml:12`, `# TIDINGS__KAFKA__BROKERS`, `# --brokers`. Secrets are shown as `"***"`.
    pub fn print(&self) -> String {
        self.printed.clone()
    }

    /// Settings that are valid but questionable, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether the number of workers is that of the cores, since `engine.workers` is 0.
    pub fn has_a_worker_a_core(&self) -> bool {
        self.a_worker_a_core
    }

    /// The file that was read, if one was.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl Default for Config {
    /// The documented defaults, without any file, variable or flag.
    fn default() -> Self {
        load(None, [], Vec::new()).expect("the documented defaults are valid").config
    }
}
