//! The rules that decide what X's filtered stream holds.
//!
//! Idea: X keeps the rules of an app until they are removed, whoever added them. Those made here carry a tag; a start
//! adds what is wanted and not there, and removes what carries the tag and is not wanted any more. The rules of others
//! are left alone.
//! Invariant: first is added, then removed, so that nothing that is wanted both before and after is missed between.
//! Source: the X API's "Filtered stream", its rules endpoint.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::produce::live::address::Address;
use crate::produce::live::broken::{Broken, quoted};
use crate::produce::live::http::Client;

const PATH: &str = "/2/tweets/search/stream/rules";

/// A rule that X keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its number.
    pub id: String,
    /// What a post must have.
    pub value: String,
    /// By what it is known.
    #[serde(default)]
    pub tag: String,
}

/// The rules that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What posts must have; one rule each.
    pub values: Vec<String>,
    /// The tag of the rules that are ours.
    pub tag: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Vec<Rule>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    value: Option<String>,
    #[serde(default)]
    details: Vec<String>,
    detail: Option<String>,
}

impl Problem {
    fn words(self) -> String {
        let parts = [self.title, self.value.map(|value| format!("{value:?}")), self.detail];
        let parts = parts.into_iter().flatten().chain(self.details);
        quoted(&parts.collect::<Vec<_>>().join(" "))
    }
}

/// All rules of the token's app.
///
/// # Errors
/// As the request fails.
pub async fn list(client: &Client, api: &Address) -> Result<Vec<Rule>, Broken> {
    let answer = client.get(&api.below(PATH), "application/json").await?;
    Ok(understood(client, &answer)?.data)
}

/// Adds rules; those that were made.
///
/// # Errors
/// As the request fails; `Refused` where X does not take a rule, with its reasons. Those before it may have been made.
pub async fn add(client: &Client, api: &Address, values: &[String], tag: &str) -> Result<Vec<Rule>, Broken> {
    let rules: Vec<_> = values.iter().map(|value| json!({ "value": value, "tag": tag })).collect();
    let answer = client.post(&api.below(PATH), json!({ "add": rules }).to_string()).await?;
    let answer = understood(client, &answer)?;
    if answer.errors.is_empty() {
        return Ok(answer.data);
    }
    let words: Vec<String> = answer.errors.into_iter().map(Problem::words).collect();
    Err(Broken::Refused(hidden(client, &format!("X does not take these rules: {}", words.join("; ")))))
}

/// Removes rules.
///
/// # Errors
/// As the request fails.
pub async fn remove(client: &Client, api: &Address, ids: &[String]) -> Result<(), Broken> {
    let answer = client.post(&api.below(PATH), json!({ "delete": { "ids": ids } }).to_string()).await?;
    let errors = understood(client, &answer)?.errors;
    if errors.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = errors.into_iter().map(Problem::words).collect();
    Err(Broken::Refused(hidden(client, &format!("X does not remove these rules: {}", words.join("; ")))))
}

/// Brings the rules into the state that is wanted; `None`: as they are, of which there must be some. What was done.
///
/// # Errors
/// As the requests fail; `Refused` where a rule is not taken, or there would be none.
pub async fn bring_about(client: &Client, api: &Address, wanted: Option<&Wanted>) -> Result<String, Broken> {
    let there = list(client, api).await?;
    let Some(Wanted { values, tag }) = wanted else {
        return match there.len() {
            0 => Err(Broken::Refused(
                "the app has no rules, so the stream would be empty: say what is wanted by --track, --follow or --rule"
                    .to_owned(),
            )),
            rules => Ok(format!("the {rules} rules of the app")),
        };
    };
    let (missing, gone) = difference(&there, values, tag);
    if !missing.is_empty() {
        add(client, api, &missing, tag).await?;
    }
    if !gone.is_empty() {
        remove(client, api, &gone).await?;
    }
    Ok(format!(
        "the rules of the app: {} wanted, {} added, {} removed",
        values.len(),
        missing.len(),
        gone.len()
    ))
}

/// The values to be added, and the ids to be removed.
fn difference(there: &[Rule], values: &[String], tag: &str) -> (Vec<String>, Vec<String>) {
    let missing = values.iter().filter(|value| there.iter().all(|rule| rule.value != **value)).cloned();
    let gone = there.iter().filter(|rule| rule.tag == tag && !values.contains(&rule.value));
    (missing.collect(), gone.map(|rule| rule.id.clone()).collect())
}

fn understood(client: &Client, answer: &[u8]) -> Result<Answer, Broken> {
    serde_json::from_slice(answer).map_err(|error| {
        let text = format!("an answer that is none: {error}: {}", quoted(&String::from_utf8_lossy(answer)));
        Broken::Server(hidden(client, &text))
    })
}

fn hidden(client: &Client, text: &str) -> String {
    client.token.as_ref().map_or_else(|| text.to_owned(), |token| token.hide(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_with_the_own_tag_are_removed() {
        let rule = |id: &str, value: &str, tag: &str| Rule {
            id: id.to_owned(),
            value: value.to_owned(),
            tag: tag.to_owned(),
        };
        let there =
            [rule("1", "cat", "ours"), rule("2", "dog", "ours"), rule("3", "fox", ""), rule("4", "owl", "x")];
        let values = ["cat".to_owned(), "fox".to_owned(), "hen".to_owned()];
        assert_eq!(difference(&there, &values, "ours"), (vec!["hen".to_owned()], vec!["2".to_owned()]));
    }
}
