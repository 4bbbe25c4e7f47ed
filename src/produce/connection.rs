//! The flags by which commands beside the engine find Kafka.
//!
//! Idea: the same configuration file as the engine's, of which `[kafka]` matters here, so that TLS and credentials are
//! written down once; and `--brokers` in front of it.

use std::path::PathBuf;

use crate::config::{self, ConfigError, Loaded, Override};

/// How to reach Kafka.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Connection {
    /// Kafka brokers, host:port separated by commas [default: those of the configuration, else localhost:9092]
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Configuration file, for its `kafka` section: brokers, topics, and properties such as security.protocol
    /// [default: ./tidings.toml where it exists]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Connection {
    /// The settings, with the brokers of these flags.
    ///
    /// # Errors
    /// All that is wrong with the file, the environment or the flags.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let brokers = self.brokers.clone().map(|brokers| Override {
            key: "kafka.brokers",
            value: brokers.into(),
            flag: "--brokers",
        });
        config::load_found(self.config.as_deref(), brokers.into_iter().collect())
    }
}
