//! Starts the processes of one host, watches them, and starts all anew when one is lost.
//!
//! Idea: a child is stopped by the end of its standard input, which is a pipe that this process holds: so it also stops, in
//! good order, when this process is gone in whatever way. How one child ended decides what becomes of all.
//! Invariant: at no time are children of two generations alive; none outlives this process by more than it takes to stop.
//! A child that refuses what it was told to do is not started again, since it would refuse again.
//! Cost: two threads a child that mark its lines, and a look at the children twenty times a second.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two looks at the children.
const LOOK: Duration = Duration::from_millis(50);

/// How long children have to end by themselves when one is lost.
const ENDING: Duration = Duration::from_secs(3);

/// How long they have to stop when they are asked to: what a process allows itself, and a little more.
const STOPPING: Duration = Duration::from_secs(35);

/// The pause before children are started again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// A generation that ran for so long makes the next pause short again.
const LASTED: Duration = Duration::from_secs(60);

/// Bytes of a line that are kept together.
const LINE: u64 = 64 << 10;

/// What becomes of all when a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// All end, with this exit code.
    End(u8),
    /// All start anew.
    Anew,
}

/// By the exit code of the child that ended first; `None`: a signal ended it.
fn next(code: Option<i32>) -> Next {
    match code {
        // It was stopped in good order, and all others with it.
        Some(0) => Next::End(0),
        // The configuration or the data are refused, and would be again.
        Some(code @ (2 | 65 | 78)) => Next::End(code as u8),
        _ => Next::Anew,
    }
}

/// A child, and the threads that pass on what it prints.
struct Watched {
    child: Child,
    lines: Vec<JoinHandle<()>>,
}

/// Runs the processes that `commands` makes, over and over, until `stop` is set or one refuses to run; returns the exit code
/// that says how it ended. `commands` is called for each generation.
///
/// # Errors
/// Where a process cannot be started.
pub fn supervise(
    mut commands: impl FnMut() -> io::Result<Vec<Command>>,
    stop: &AtomicBool,
) -> io::Result<u8> {
    let mut pause = PAUSES.0;
    loop {
        let begun = Instant::now();
        let mut children = Vec::new();
        for (process, command) in commands()?.into_iter().enumerate() {
            match start(process, command) {
                Ok(child) => children.push(child),
                Err(error) => {
                    end_all(&mut children, STOPPING);
                    return Err(error);
                }
            }
        }
        let Some((process, code)) = first_to_end(&mut children, stop)? else {
            // Who only missed another that had stopped already has stopped too.
            let codes = end_all(&mut children, STOPPING);
            return Ok(codes.into_iter().find(|code| !matches!(code, 0 | 75)).unwrap_or(0));
        };
        let next = next(code);
        // They notice by themselves, each in its own way.
        let patience = if next == Next::Anew { ENDING } else { STOPPING };
        let until = Instant::now() + patience;
        while Instant::now() < until && any_lives(&mut children)? {
            thread::sleep(LOOK);
        }
        let codes = end_all(&mut children, ENDING);
        // Who refuses may be gone a moment after those who only missed it.
        let next = match codes.into_iter().find(|code| matches!(code, 2 | 65 | 78)) {
            Some(code) if next == Next::Anew => Next::End(code),
            _ => next,
        };
        let how = code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        match next {
            Next::End(code) => {
                eprintln!("tidings: process {process} ended with {how}, and so do all");
                return Ok(code);
            }
            Next::Anew if stop.load(Ordering::SeqCst) => return Ok(0),
            Next::Anew => {}
        }
        pause = if begun.elapsed() > LASTED { PAUSES.0 } else { pause };
        let seconds = pause.as_secs_f64();
        eprintln!("tidings: process {process} ended with {how}; all start anew in {seconds} s");
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if stop.load(Ordering::SeqCst) {
                return Ok(0);
            }
            thread::sleep(LOOK.min(pause));
        }
        pause = (2 * pause).min(PAUSES.1);
    }
}

fn start(process: usize, mut command: Command) -> io::Result<Watched> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut lines = Vec::new();
    if let Some(out) = child.stdout.take() {
        lines.push(thread::spawn(move || mark(process, out, io::stdout())));
    }
    if let Some(errors) = child.stderr.take() {
        lines.push(thread::spawn(move || mark(process, errors, io::stderr())));
    }
    Ok(Watched { child, lines })
}

/// Passes lines on, each with the process that it came from.
fn mark(process: usize, from: impl Read, mut to: impl Write) {
    let (mut from, mut line) = (BufReader::new(from), Vec::new());
    while let Ok(1..) = (&mut from).take(LINE).read_until(b'\n', &mut line) {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        // Where nobody reads, the child must not be held up.
        let _ = to.write_all(&[format!("[{process}] ").as_bytes(), text, b"\n"].concat());
        let _ = to.flush();
        line.clear();
    }
}

/// Waits until a child ends; which, and its exit code. `None`: all are to be stopped first.
fn first_to_end(children: &mut [Watched], stop: &AtomicBool) -> io::Result<Option<(usize, Option<i32>)>> {
    loop {
        let mut ended = Vec::new();
        for (process, watched) in children.iter_mut().enumerate() {
            if let Some(status) = watched.child.try_wait()? {
                ended.push((process, status.code()));
            }
        }
        // Of several, whoever only followed another did not begin it.
        ended.sort_by_key(|(_, code)| *code == Some(75));
        if let Some(first) = ended.first() {
            return Ok(Some(*first));
        }
        if stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

fn any_lives(children: &mut [Watched]) -> io::Result<bool> {
    let mut lives = false;
    for watched in children {
        lives |= watched.child.try_wait()?.is_none();
    }
    Ok(lives)
}

/// Asks all children to stop, and ends those that do not; the exit codes of all.
fn end_all(children: &mut Vec<Watched>, patience: Duration) -> Vec<u8> {
    children.iter_mut().for_each(|watched| drop(watched.child.stdin.take()));
    let until = Instant::now() + patience;
    // A child that cannot even be asked after is ended below.
    while Instant::now() < until && any_lives(children).unwrap_or(false) {
        thread::sleep(LOOK);
    }
    let codes = children.drain(..).map(|mut watched| {
        let in_time = matches!(watched.child.try_wait(), Ok(Some(_)));
        if !in_time {
            // It may have ended just now.
            let _ = watched.child.kill();
        }
        let status = watched.child.wait();
        watched.lines.into_iter().for_each(|lines| drop(lines.join()));
        let code = status.ok().and_then(|status| status.code());
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(70)
    });
    codes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for (code, becomes) in [
            (Some(0), Next::End(0)),
            (Some(65), Next::End(65)),
            (Some(78), Next::End(78)),
            (Some(2), Next::End(2)),
            (Some(70), Next::Anew),
            (Some(74), Next::Anew),
            (Some(75), Next::Anew),
            (None, Next::Anew),
        ] {
            assert_eq!(next(code), becomes, "{code:?}");
        }
    }

    #[test]
    fn lines_are_marked_whatever_they_hold() {
        let mut out = Vec::new();
        mark(3, &b"one\n\xff\n\nlast"[..], &mut out);
        assert_eq!(out, b"[3] one\n[3] \xff\n[3] \n[3] last\n");
        out.clear();
        mark(0, io::repeat(b'x').take(3 * LINE), &mut out);
        assert_eq!(out.len() as u64, 3 * (LINE + 5));
    }

    /// A shell that does this.
    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn all_start_anew_until_one_refuses() {
        let (mut generations, stop) = (0, AtomicBool::new(false));
        let commands = || {
            generations += 1;
            let code = if generations < 3 { 70 } else { 78 };
            // The second ends when it is asked to.
            Ok(vec![shell(&format!("exit {code}")), shell("cat >/dev/null; exit 75")])
        };
        let ended = supervise(commands, &stop).expect("there is a shell");
        assert_eq!((ended, generations), (78, 3));
    }

    #[test]
    fn whoever_is_to_stop_hears_the_end_of_its_input() {
        let stop = AtomicBool::new(true);
        let commands = || Ok(vec![shell("cat >/dev/null; exit 0"), shell("cat >/dev/null; exit 0")]);
        assert_eq!(supervise(commands, &stop).expect("there is a shell"), 0);
    }
}
