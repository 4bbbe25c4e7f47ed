//! Who asks: so many requests a second whatever becomes of them, or as many as are answered.
//!
//! Invariant: with a rate, request i should be sent i / rate seconds after the beginning, and its time counts from then,
//! also where its connection was still busy with an earlier one.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::http::{Connection, request};

/// What is asked for, and the letter that stands for it between the processes.
pub const KINDS: [(&str, &str); 2] = [("top", "t"), ("one term", "w")];

/// Asks, and prints a line a request: its kind, and how many microseconds it took.
pub fn run(address: SocketAddr, rate: u64, connections: usize, time: Duration) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let times = runtime.block_on(async {
        let terms = terms(address).await?;
        let begun = Instant::now() + Duration::from_millis(200);
        let mut asking = JoinSet::new();
        for number in 0..connections {
            let (terms, mut connection) =
                (terms.clone(), Connection::open(address).await.map_err(|error| error.to_string())?);
            asking.spawn(async move {
                let mut times = Vec::new();
                for index in (number..).step_by(connections) {
                    let due = match rate {
                        0 => begun.max(Instant::now()),
                        rate => begun + Duration::from_secs_f64(index as f64 / rate as f64),
                    };
                    if due > begun + time {
                        break;
                    }
                    if due > Instant::now() {
                        sleep_until(due.into()).await;
                    }
                    let kind = index / connections % 2;
                    let asked = match kind {
                        0 => &terms[0],
                        _ => &terms[1 + index % (terms.len() - 1)],
                    };
                    let (status, _) = connection.ask(asked).await.map_err(|error| error.to_string())?;
                    if status != 200 {
                        return Err(format!("status {status}"));
                    }
                    times.push((KINDS[kind].1, due.elapsed().as_micros()));
                }
                Ok::<_, String>(times)
            });
        }
        let mut all = Vec::new();
        while let Some(times) = asking.join_next().await {
            all.extend(times.map_err(|error| error.to_string())??);
        }
        Ok::<_, String>(all)
    })?;
    let mut text = String::new();
    times.iter().for_each(|(kind, took)| writeln!(text, "{kind} {took}").expect("a string"));
    print!("{text}");
    Ok(())
}

/// The request for the first places, then one for each of them.
async fn terms(address: SocketAddr) -> Result<Vec<Vec<u8>>, String> {
    let path = "/v1/counts/hashtags/top?window=1m&k=10";
    let top = super::http::get(address, "/v1/counts/words/top?window=1m&k=100")
        .await
        .map_err(|error| error.to_string())?;
    let top: serde_json::Value =
        serde_json::from_str(&top).map_err(|error| format!("{error}: {top:.200}"))?;
    let mut requests = vec![request(path)];
    for place in top["top"].as_array().into_iter().flatten() {
        let term = percent_encoding::utf8_percent_encode(
            place["term"].as_str().unwrap_or(""),
            percent_encoding::NON_ALPHANUMERIC,
        );
        requests.push(request(&format!("/v1/counts/words/terms/{term}?window=5m")));
    }
    if requests.len() < 2 { Err("nothing has been counted".to_owned()) } else { Ok(requests) }
}

/// What [`run`] has printed.
pub fn read(text: &str) -> Result<Vec<(&str, i64)>, String> {
    let line = |line: &'_ str| -> Option<(usize, i64)> {
        Some((line.find(' ')?, line.split(' ').nth(1)?.parse().ok()?))
    };
    text.lines()
        .map(|text| line(text).map(|(end, took)| (&text[..end], took)).ok_or(format!("{text:?}")))
        .collect()
}
