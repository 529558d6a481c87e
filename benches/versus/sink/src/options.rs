//! The command line of every sink.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

#[derive(Parser, Clone, Debug)]
#[command(
    about = "The kernel's work of a broker's path, and nothing else: serves one topic on the \
        loopback address"
)]
pub struct Options {
    #[arg(long)]
    pub port: u16,

    /// The only topic that there is
    #[arg(long, default_value = "versus-sink")]
    pub topic: String,

    #[arg(long, default_value_t = 1)]
    pub partitions: i32,

    /// What happens to the bytes
    #[arg(long, value_enum)]
    pub mode: Mode,

    /// Where files are kept, in the modes that have some
    #[arg(long, value_name = "DIR", default_value = "target/sink")]
    pub dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Mode {
    /// Received, and forgotten
    Receive,
    /// Received, and appended to files in the page cache, which roll and go as a broker's segments
    /// do
    PageCache,
    /// Received, and written past the page cache to a pre-written file; answered when they are on
    /// the disk
    Disk,
    /// Sent from memory
    FetchHot,
    /// Sent from the page cache: by splice where the sink is on bare epoll, else by read and send
    FetchWarm,
    /// Read past the page cache, then sent
    FetchCold,
}

impl Mode {
    pub fn fetches(self) -> bool {
        matches!(self, Mode::FetchHot | Mode::FetchWarm | Mode::FetchCold)
    }
}
