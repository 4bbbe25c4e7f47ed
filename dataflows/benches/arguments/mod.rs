//! Numbers from the command line: `--name 7`.

/// The number behind a name; without the name the default.
pub fn argument(name: &str, default: u64) -> Result<u64, String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (Some(_), Some(number)) => number.parse().map_err(|error| format!("{name} {number}: {error}")),
        (Some(_), None) => Err(format!("{name} wants a number")),
    }
}
