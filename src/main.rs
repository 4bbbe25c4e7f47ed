//! The program: one command a run.

use std::process::ExitCode;

use clap::Parser;
use tidings::cli::{Cli, Code};
use tidings::cluster::loss;
use tidings::say::say;
use tidings::{allocator, open_files};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    end_at_panics();
    allocator::keep_for_the_next_epoch();
    open_files::raise();
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(format_args!("tidings: {failure}"));
            failure.into()
        }
    }
}

/// A worker that is gone leaves all others waiting for ever, so a panic ends the process; but for the threads that answer
/// over HTTP, where a panic costs one request.
fn end_at_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        loss::end_if_lost(info);
        print(info);
        if std::thread::current().name() != Some("http") {
            std::process::exit(Code::Bug as i32);
        }
    }));
}
