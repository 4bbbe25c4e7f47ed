//! The flags of every command that takes a configuration.
//!
//! Idea: a flag is a layer like the others, so that it is checked by the same rules and shown with the same origin.
//! Secrets have no flag, since the arguments of a process can be read by others.

use std::path::{Path, PathBuf};

use super::{ConfigError, Loaded, Override, load_os};

/// Read when no other file is named.
const USUAL_FILE: &str = "tidings.toml";

/// Flags that name a configuration and change single settings of it.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ConfigFlags {
    /// Configuration file [default: ./tidings.toml where it exists]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Kafka brokers, host:port separated by commas
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
    /// Topic to read; may be given several times
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Worker threads; 0: one a core
    #[arg(short, long, value_name = "N")]
    pub workers: Option<u32>,
    /// Address to answer on
    #[arg(long, value_name = "IP:PORT")]
    pub bind: Option<String>,
    /// Where a first start begins: earliest, latest, an RFC 3339 time or an age such as -24h
    #[arg(long, value_name = "START", allow_hyphen_values = true)]
    pub start: Option<String>,
    /// error, warn, info, debug, trace, off, or a filter such as info,tidings::source=debug
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// text or json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Print every setting and where it came from, secrets hidden, and stop
    #[arg(long)]
    pub print_config: bool,
}

impl ConfigFlags {
    /// The settings that these flags change.
    pub fn overrides(&self) -> Vec<Override> {
        let text = |key, flag, value: &Option<String>| {
            value.clone().map(|value| Override { key, value: value.into(), flag })
        };
        let topics = (!self.topics.is_empty()).then(|| self.topics.clone());
        let flags = [
            text("kafka.brokers", "--brokers", &self.brokers),
            topics.map(|topics| Override { key: "kafka.topics", value: topics.into(), flag: "--topic" }),
            self.workers.map(|n| Override {
                key: "engine.workers",
                value: i64::from(n).into(),
                flag: "--workers",
            }),
            text("http.bind", "--bind", &self.bind),
            text("kafka.start", "--start", &self.start),
            text("log.level", "--log-level", &self.log_level),
            text("log.format", "--log-format", &self.log_format),
        ];
        flags.into_iter().flatten().collect()
    }

    /// The configuration by the named file, or by `./tidings.toml` where it exists, by the environment of this process
    /// and by these flags.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        load_found(self.config.as_deref(), self.overrides())
    }
}

/// The configuration by the named file, or by `./tidings.toml` where it exists, by the environment of this process and
/// by `flags`. [`Loaded::file`] tells which file it was.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn load_found(file: Option<&Path>, flags: Vec<Override>) -> Result<Loaded, ConfigError> {
    load_os(file.or_else(|| present(Path::new(USUAL_FILE))), std::env::vars_os(), flags)
}

/// The path, if anything is there. A link that leads nowhere is, so that reading it says what is wrong; the defaults
/// in its place would say nothing.
fn present(path: &Path) -> Option<&Path> {
    path.symlink_metadata().is_ok().then_some(path)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{LogFormat, Start, load};
    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: ConfigFlags,
    }

    fn parse(arguments: &str) -> ConfigFlags {
        Command::try_parse_from(arguments.split(' ')).map(|command| command.flags).expect(arguments)
    }

    #[test]
    fn every_flag_changes_its_setting() {
        let flags = parse(
            "tidings --brokers a:1 --topic x --topic y -w 3 --bind [::1]:1 --start -24h --log-level warn --log-format json",
        );
        let loaded = load(None, [], flags.overrides()).expect("it is valid");
        let config = &loaded.config;
        assert_eq!((config.kafka.brokers.as_str(), config.engine.workers), ("a:1", 3));
        assert_eq!(config.kafka.topics, ["x", "y"]);
        assert_eq!(config.http.bind.to_string(), "[::1]:1");
        assert_eq!(config.kafka.start, Start::Ago(std::time::Duration::from_secs(86_400)));
        assert_eq!((config.log.level.as_str(), config.log.format), ("warn", LogFormat::Json));
        for flag in ["--brokers", "--topic", "--workers", "--bind", "--start", "--log-level", "--log-format"]
        {
            assert!(loaded.print().contains(&format!(" # {flag}\n")), "{flag}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_usual_file_is_read_where_it_is_present() {
        let link = std::env::temp_dir().join(format!("tidings-config-link-{}", std::process::id()));
        assert_eq!(present(&link), None);
        std::os::unix::fs::symlink("/nowhere/at-all", &link).expect("the scratch folder can be written");
        let error = load(present(&link), [], Vec::new()).err().map(|error| error.to_string());
        std::fs::remove_file(&link).expect("it was made above");
        assert!(error.is_some_and(|error| error.ends_with(": there is no such file")));
    }

    #[test]
    fn without_flags_nothing_is_changed() {
        assert!(parse("tidings").overrides().is_empty());
    }

    #[test]
    fn a_wrong_flag_is_named() {
        let error = load(None, [], parse("tidings --bind 8080").overrides())
            .expect_err("it is no address")
            .to_string();
        assert!(error.starts_with("--bind: `http.bind`: \"8080\" is no address to listen on"), "{error}");
    }
}
