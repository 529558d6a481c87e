//! The process's log lines, and what else it prints.
//!
//! Owns: the thread that writes log lines to stderr. Lives on: the main thread, which begins and
//! ends it; every thread hands it lines. Never: makes a core wait for the reader of the log, or
//! ends the process because there is none.
//!
//! A reader that is gone and a full disk cost the lines that could not be written, and a slow
//! reader those for which the queue has no room; the broker goes on in either case, as Apache Kafka
//! does.

use millstream::{config::loggers::Levels, control::Loggers};
use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Log lines that wait for their reader. What comes when there are so many is lost.
const LINES_MAX: usize = 16 * 1024;

/// Ends the thread when it is dropped, behind the lines that it has by then.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Log lines go to stderr from now on; RUST_LOG chooses which (`info` by default), until what is
/// given back does.
pub fn start() -> Loggers {
    let (directives, unknown) = directives("info");
    let colors = std::io::stderr().is_terminal();
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(LINES_MAX)
        .lossy(true)
        .thread_name("log")
        .finish(std::io::stderr());
    *lock() = Some(guard);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(&directives)
        .with_writer(writer)
        .log_internal_errors(false)
        .with_ansi(colors)
        .with_target(false)
        .with_filter_reloading();
    let filter = lines.reload_handle();
    lines.init();
    if let Some(unknown) = unknown {
        tracing::warn!(
            "RUST_LOG={unknown} is not understood: type error, warn, info, debug or trace; this \
             run uses info"
        );
    }
    let apply = move |directives: &str| {
        let next = EnvFilter::try_new(directives).map_err(|error| error.to_string())?;
        filter.reload(next).map_err(|error| error.to_string())
    };
    Loggers::new(Levels::from_directives(&directives), Box::new(apply))
}

/// What RUST_LOG chooses, or the default; and what it says, where that names neither a level nor a
/// module.
fn directives(default: &str) -> (String, Option<String>) {
    let Ok(wanted) = std::env::var("RUST_LOG") else { return (default.to_owned(), None) };
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    // A word alone is a module, as far as the filter is concerned: a misspelt level would silence
    // everything.
    let is_known = |directive: &str| match directive.split_once('=') {
        Some((module, level)) => !module.is_empty() && is_level(level),
        None => directive.is_empty() || is_level(directive) || directive.starts_with("millstream"),
    };
    match EnvFilter::try_new(&wanted) {
        Ok(_) if wanted.split(',').map(str::trim).all(is_known) => (wanted, None),
        _ => (default.to_owned(), Some(wanted)),
    }
}

/// For a command that ends soon: warnings go to stderr as they are, without a time; RUST_LOG
/// chooses others.
pub fn start_plain() {
    let (directives, _) = directives("warn");
    tracing_subscriber::fmt()
        .with_env_filter(directives)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}

/// Writes the lines that are left; bounded in time, should the reader not read. For the end of the
/// process, whichever way it comes.
pub fn end() {
    let guard = lock().take();
    drop(guard);
}

fn lock() -> std::sync::MutexGuard<'static, Option<WorkerGuard>> {
    WRITER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A line on stdout, for a person or a script that waits for it. Where it cannot be written, a log
/// line says so.
pub fn print(line: &str) {
    let mut stdout = std::io::stdout();
    if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        tracing::warn!(%error, "stdout takes no lines; this one was for it: {line}");
    }
}

/// A line on stderr, for a person who waits. Where it cannot be written, it is lost.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The process's last words, on stderr.
pub fn say_last(words: std::fmt::Arguments<'_>) {
    end();
    let _ = writeln!(std::io::stderr(), "millstream: {words}");
}
