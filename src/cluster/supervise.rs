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

use rustix::process::{Pid, Signal, kill_process};

use super::ending::{End, Next, cause};
use crate::say::say;

/// Between two looks at the children.
const LOOK: Duration = Duration::from_millis(50);

/// How long children have to end by themselves when one is lost.
const ENDING: Duration = Duration::from_secs(3);

/// How long they have to stop when they are asked to: what a process allows itself (`cli::serving`), what its answers then may
/// take to end, and a little more.
const STOPPING: Duration = Duration::from_secs(40);

/// The pause before children are started again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));

/// After how long a child hears a signal that it did not hear from its beginning.
const LISTENING: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_secs(10) };

/// A generation that ran for so long makes the next pause short again.
const LASTED: Duration = Duration::from_secs(60);

/// Bytes of a line that are kept together.
const LINE: u64 = 64 << 10;

/// What whoever supervises is told meanwhile.
#[derive(Default)]
pub struct Orders {
    /// Stop all.
    pub stop: AtomicBool,
    /// Tell all to read anew what says who may ask: SIGHUP.
    pub reload: AtomicBool,
}

/// A child, and the threads that pass on what it prints.
struct Watched {
    child: Child,
    lines: Vec<JoinHandle<()>>,
}

/// Runs the processes that `commands` makes, over and over, until they are to stop or one refuses to run; returns the exit code
/// that says how it ended. `commands` is called for each generation.
///
/// # Errors
/// Where a process of the first generation cannot be started.
pub fn supervise(mut commands: impl FnMut() -> io::Result<Vec<Command>>, orders: &Orders) -> io::Result<u8> {
    let (mut pause, mut is_first) = (PAUSES.0, true);
    loop {
        let begun = Instant::now();
        let mut children = match start_all(&mut commands) {
            Ok(children) => children,
            Err(error) if is_first => return Err(error),
            // What could be done once may be possible again: a disk is full, or a bucket is away.
            Err(error) => {
                let seconds = pause.as_secs_f64();
                say(format_args!(
                    "tidings: cannot start the processes: {error}; it is tried again in {seconds} s"
                ));
                if !rest(pause, &orders.stop) {
                    return Ok(0);
                }
                pause = (2 * pause).min(PAUSES.1);
                continue;
            }
        };
        is_first = false;
        let Some(first) = first_to_end(&mut children, begun, orders)? else {
            // Who only missed another that had stopped already has stopped too.
            let ends = end_all(&mut children, STOPPING);
            return Ok(ends.iter().map(|end| end.code()).find(|code| !matches!(code, 0 | 75)).unwrap_or(0));
        };
        // They notice by themselves, each in its own way.
        let patience = if first.next() == Next::Anew { ENDING } else { STOPPING };
        let until = Instant::now() + patience;
        while Instant::now() < until && any_lives(&mut children)? {
            thread::sleep(LOOK);
        }
        let (process, end) = cause(first, &end_all(&mut children, ENDING));
        match end.next() {
            Next::End(code) => {
                say(format_args!("tidings: process {process} ended with {end}, and so do all"));
                return Ok(code);
            }
            Next::Anew if orders.stop.load(Ordering::SeqCst) => return Ok(0),
            Next::Anew => {}
        }
        pause = if begun.elapsed() > LASTED { PAUSES.0 } else { pause };
        let seconds = pause.as_secs_f64();
        say(format_args!("tidings: process {process} ended with {end}; all start anew in {seconds} s"));
        if !rest(pause, &orders.stop) {
            return Ok(0);
        }
        pause = (2 * pause).min(PAUSES.1);
    }
}

/// Waits; false as soon as all is to stop.
fn rest(pause: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if stop.load(Ordering::SeqCst) {
            return false;
        }
        thread::sleep(LOOK.min(pause));
    }
    true
}

/// Starts all processes, or none.
fn start_all(commands: &mut impl FnMut() -> io::Result<Vec<Command>>) -> io::Result<Vec<Watched>> {
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
    Ok(children)
}

fn start(process: usize, mut command: Command) -> io::Result<Watched> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_owned();
    let mut child = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
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

/// Waits until a child ends; how it did. `None`: all are to be stopped first.
fn first_to_end(children: &mut [Watched], begun: Instant, orders: &Orders) -> io::Result<Option<End>> {
    loop {
        let mut ended = Vec::new();
        for watched in children.iter_mut() {
            ended.extend(watched.child.try_wait()?.map(End::of));
        }
        // Who only followed another did not begin it.
        if let Some(first) = ended.into_iter().min_by_key(|end: &End| (*end == End::Code(75), end.rank())) {
            return Ok(Some(first));
        }
        if orders.stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        // One that has just been started would be ended by the signal, since it does not listen yet.
        if begun.elapsed() > LISTENING && orders.reload.swap(false, Ordering::SeqCst) {
            for watched in children.iter() {
                // It may have ended just now.
                let _ = kill_process(Pid::from_child(&watched.child), Signal::HUP);
            }
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

/// Asks all children to stop, and ends those that do not; how each ended.
fn end_all(children: &mut Vec<Watched>, patience: Duration) -> Vec<End> {
    children.iter_mut().for_each(|watched| drop(watched.child.stdin.take()));
    let until = Instant::now() + patience;
    // A child that cannot even be asked after is ended below.
    while Instant::now() < until && any_lives(children).unwrap_or(false) {
        thread::sleep(LOOK);
    }
    let ends = children.drain(..).map(|mut watched| {
        let by_itself = watched.child.try_wait().ok().flatten().map(End::of);
        if by_itself.is_none() {
            // It may have ended just now.
            let _ = watched.child.kill();
            // That it is gone is all that matters.
            let _ = watched.child.wait();
        }
        watched.lines.into_iter().for_each(|lines| drop(lines.join()));
        by_itself.unwrap_or(End::Killed)
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

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
        let (mut generations, orders) = (0, Orders::default());
        let commands = || {
            generations += 1;
            let code = if generations < 3 { 70 } else { 78 };
            // The second ends when it is asked to.
            Ok(vec![shell(&format!("exit {code}")), shell("cat >/dev/null; exit 75")])
        };
        let ended = supervise(commands, &orders).expect("there is a shell");
        assert_eq!((ended, generations), (78, 3));
    }

    #[test]
    fn what_cannot_be_started_for_a_while_is_started_later() {
        let (mut generations, orders) = (0, Orders::default());
        let commands = || {
            generations += 1;
            match generations {
                1 => Ok(vec![shell("exit 70")]),
                2 => Err(io::ErrorKind::StorageFull.into()),
                3 => Ok(vec![shell("cat >/dev/null; exit 0"), Command::new("no such program")]),
                _ => Ok(vec![shell("exit 78")]),
            }
        };
        assert_eq!(supervise(commands, &orders).expect("there is a shell"), 78);
        assert_eq!(generations, 4);
        assert!(supervise(|| Err(io::ErrorKind::StorageFull.into()), &orders).is_err());
    }

    #[test]
    fn whoever_is_to_stop_hears_the_end_of_its_input() {
        let orders = Orders { stop: AtomicBool::new(true), ..Orders::default() };
        let commands = || Ok(vec![shell("cat >/dev/null; exit 0"), shell("cat >/dev/null; exit 0")]);
        assert_eq!(supervise(commands, &orders).expect("there is a shell"), 0);
    }

    #[test]
    fn all_are_told_to_read_anew() {
        let orders = Orders::default();
        // Nobody waits for ever, whatever becomes of the signal.
        let wait = "trap 'exit 78' HUP; for second in $(seq 60); do sleep 1; done; exit 65";
        let commands = || {
            let mut command = shell(wait);
            // A shell cannot trap what it was started to ignore, as by nohup.
            #[expect(unsafe_code, reason = "the standard library knows nothing of signals")]
            // SAFETY: between fork and exec nothing is done but one system call.
            unsafe {
                command.pre_exec(|| {
                    libc::signal(libc::SIGHUP, libc::SIG_DFL);
                    Ok(())
                });
            }
            Ok(vec![command])
        };
        orders.reload.store(true, Ordering::SeqCst);
        assert_eq!(supervise(commands, &orders).expect("there is a shell"), 78);
    }
}
