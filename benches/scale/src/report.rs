//! The figures as Markdown, with the machine that they were taken on.

use crate::Options;
use std::{fmt::Write, fs};

pub struct Row {
    pub what: String,
    pub figure: String,
    /// From the design; `-` where it has none.
    pub target: &'static str,
}

pub fn markdown(options: &Options, rows: &[Row]) -> String {
    let mut text = String::from("# Scale of small things\n\n");
    let _ = writeln!(
        text,
        "What {} partitions, {} idle connections and {} groups cost a broker with one core: \
         `cargo xtask bench scale`.\n\
         Every set-up has a broker of its own. Memory is resident memory of the process; a start \
         is measured from the\n\
         beginning of the process to its first answer, after a clean stop, the median of {}; a \
         busy partition gets records\n\
         of 100 bytes from one producer for {} s, `durability=os`.\n\nMachine: {}.\n",
        options.partitions,
        options.connections,
        options.groups,
        options.starts,
        options.seconds,
        machine()
    );
    text.push_str("| | measured | target |\n| --- | --- | --- |\n");
    for row in rows {
        let _ = writeln!(text, "| {} | {} | {} |", row.what, row.figure, row.target);
    }
    text
}

fn machine() -> String {
    let field = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
        line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
            .unwrap_or_else(|| "?".to_owned())
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    // Behind the version stands the name that the builder of this kernel gave it.
    let version = kernel.trim().split('-').next().unwrap_or_default();
    format!("{processors} × {model}, {memory}, Linux {version}")
}
