//! Follows the stream of events, and notes up to which offsets each one goes.

use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;

use crate::probes::{Moment, Probes};

/// Follows until told to end; an event comes at least every second, so that it hears of it.
pub fn follow(address: &str, topic: &str, probes: &Probes, ended: &AtomicBool) -> Result<(), String> {
    let path = format!("{address}/v1/events?counts=hashtags,words&window=1m&k=20");
    let answer = ureq::get(path).call().map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(answer.into_body().into_reader());
    let mut line = String::new();
    while !ended.load(Ordering::Relaxed) {
        line.clear();
        if lines.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err("the stream of events ended".to_owned());
        }
        let at = Instant::now();
        let Some(data) = line.strip_prefix("data:") else { continue };
        let event: Value = serde_json::from_str(data.trim()).map_err(|error| error.to_string())?;
        let offsets = &event["stamp"]["offsets"][topic];
        probes.seen_before(|partition| offsets[partition.to_string()].as_i64(), Moment::Told, at);
    }
    Ok(())
}
