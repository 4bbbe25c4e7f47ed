//! Why a request about topics failed, in a line that names what is there instead.

use crate::source::client::{ClientError, brokers_flag};

/// The longest name of a topic, in characters.
const LONGEST_NAME: usize = 249;

/// Why a request about topics failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// There is no way to the broker.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The topic is not there.
    #[error("there is no topic {name:?} at {brokers}; {}", there_are(known))]
    Missing {
        /// The topic asked for.
        name: String,
        /// The brokers asked.
        brokers: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// The topic is there already.
    #[error(
        "topic {name:?} exists already, with {partitions} partitions; \
         `tidings topic describe {name}{}` shows it",
        brokers_flag(brokers)
    )]
    Exists {
        /// The topic asked for.
        name: String,
        /// How many partitions it has.
        partitions: usize,
        /// The brokers asked.
        brokers: String,
    },
    /// No topic can have that name.
    #[error(
        "{name:?} is no name for a topic: 1 to 249 of the characters a-z A-Z 0-9 . _ -, and not . or .. alone"
    )]
    Name {
        /// The name asked for.
        name: String,
    },
    /// The broker refuses.
    #[error("{0}")]
    Refused(String),
}

fn there_are(known: &[String]) -> String {
    if known.is_empty() { "it has none yet".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

/// Refuses what Kafka takes for no topic's name.
pub(super) fn check_name(name: &str) -> Result<(), TopicError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let usable =
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(legal) && name != "." && name != "..";
    if usable { Ok(()) } else { Err(TopicError::Name { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_kafka() {
        for good in ["posts", "a", "A.b_c-9", &"x".repeat(249)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "täg", "a/b", "nul\0", &"x".repeat(250)] {
            assert!(check_name(bad).is_err_and(|error| error.to_string().contains("1 to 249")), "{bad}");
        }
    }

    #[test]
    fn a_missing_topic_names_those_that_are_there() {
        let missing = |known: &[&str]| TopicError::Missing {
            name: "post".to_owned(),
            brokers: "a:1".to_owned(),
            known: known.iter().map(|&name| name.to_owned()).collect(),
        };
        assert!(missing(&["other", "posts"]).to_string().ends_with("there are: other, posts"));
        assert!(missing(&[]).to_string().ends_with("it has none yet"));
    }

    #[test]
    fn a_topic_that_exists_is_shown_by_the_brokers_that_have_it() {
        let exists = |brokers: &str| {
            let (name, brokers) = ("posts".to_owned(), brokers.to_owned());
            TopicError::Exists { name, partitions: 4, brokers }.to_string()
        };
        assert!(
            exists("a:1").ends_with("`tidings topic describe posts --brokers a:1` shows it"),
            "{}",
            exists("a:1")
        );
        assert!(exists("localhost:9092").ends_with("`tidings topic describe posts` shows it"));
    }
}
