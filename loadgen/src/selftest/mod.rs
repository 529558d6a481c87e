//! `loadgen selftest`: what this host's disk, loopback network, timers and clock give, without a
//! broker.
//!
//! Owns: the order of the measurements and their bounds. Lives on: one thread with a ring of its
//! own, and one more for the other end of the loopback connection. Never: leaves its file behind
//! when it can still remove it, takes more room on the disk than `--size`, or changes a setting.

mod disk;
mod figures;
mod network;
mod timing;

use crate::{
    progress::ThreadClock,
    report::ReportFile,
    say,
    signals::{Interrupt, Signals},
};
use anyhow::{Context, ensure};
use clap::Args;
use figures::Figures;
use ring::{BackendChoice, CoreOptions, Ring};
use std::{fs, ops::RangeInclusive, path::PathBuf, rc::Rc, time::Duration};

const MIB: u64 = 1 << 20;
/// Below, a run is over before the disk has shown anything; above, it helps no more.
const SIZES: RangeInclusive<u64> = 8 * MIB..=64 << 30;
/// What stays free on the disk beside the file.
const ROOM_LEFT_BYTES: u64 = 64 * MIB;

const ROUND_TRIPS: Duration = Duration::from_secs(1);
const TRANSFER: Duration = Duration::from_secs(1);
const SLEEPS: Duration = Duration::from_secs(3);

#[derive(Args, Clone, Debug)]
pub struct SelftestOptions {
    /// The folder whose disk is measured, such as a log directory
    #[arg(long, default_value = ".")]
    pub dir: PathBuf,

    /// The size of the file that is written there and removed: 64MiB, 1GiB; a plain number means
    /// bytes
    #[arg(long, value_parser = parse_size, default_value = "256MiB")]
    pub size: u64,

    /// Writes the result as JSON here
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

fn parse_size(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_bytes = match text[number.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => MIB,
        "g" | "gib" => 1 << 30,
        unit => return Err(format!("unknown unit '{unit}': give --size in MiB or GiB, as 256MiB")),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_bytes))
        .filter(|bytes| SIZES.contains(bytes));
    bytes.ok_or_else(|| "give --size from 8MiB to 64GiB, as in --size 256MiB".to_owned())
}

/// What every measurement has: the core, and whether the user wants it to end.
#[derive(Clone)]
struct Bench {
    ring: Ring,
    interrupt: Rc<Interrupt>,
}

impl Bench {
    fn ended(&self) -> bool {
        self.interrupt.came()
    }
}

/// Measures, prints, and says whether all was measured.
pub fn run(options: &SelftestOptions) -> anyhow::Result<bool> {
    let is_folder = fs::metadata(&options.dir).is_ok_and(|found| found.is_dir());
    ensure!(
        is_folder,
        "there is no folder {}: give --dir a folder that exists, on the disk to be measured",
        options.dir.display()
    );
    // A limit of file sizes is then an error, and the file is removed.
    ring::ignore_file_size_signal();
    let selection = ring::select(BackendChoice::Auto)?;
    let json = options.json.clone().map(|path| ReportFile::create("--json", path)).transpose()?;
    let signals = Signals::watch().context("cannot watch for signals")?;
    let core = CoreOptions {
        name: "selftest".to_owned(),
        index: 0,
        cpu: None,
        backend: selection.kind,
        spin: Duration::ZERO,
    };
    let asked = options.clone();
    let outcome = ring::run(core, move |ring| async move {
        let bench = Bench { interrupt: signals.deliver_to(&ring), ring };
        let mut figures = Figures::of(&asked.dir, asked.size);
        let (began, clock) = (bench.ring.precise_now(), ThreadClock::start());
        let failed = measure(&bench, &asked, &mut figures).await.err();
        figures.waited_ratio = clock.read(bench.ring.precise_now().since(began)).waited;
        figures.interrupted = bench.ended();
        figures.error = failed.as_ref().map(|error| format!("{error:#}"));
        (figures, failed)
    });
    let (figures, failed) = outcome.context("the core cannot start")?;
    json.map_or(Ok(()), |file| file.write_json(&figures.json()))?;
    match failed {
        Some(error) => Err(error),
        None => {
            say::result(&figures.table());
            Ok(!figures.interrupted)
        }
    }
}

/// Fills in one figure after the other; what was measured before an error or a signal stays.
async fn measure(
    bench: &Bench,
    options: &SelftestOptions,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    disk::measure(bench, options, &disk::BOUNDS, figures).await?;
    if bench.ended() {
        return Ok(());
    }
    network::measure(bench, figures).await.context("the loopback connection failed")?;
    if bench.ended() {
        return Ok(());
    }
    say::note("selftest: 7 of 8: timers, sleeps of 1 ms for 3 s");
    figures.timer_late = Some(timing::sleep_lateness(bench, SLEEPS).await);
    say::note("selftest: 8 of 8: what a look at the clock costs");
    figures.clock_read_ns = Some(timing::clock_read_ns());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Command, Options};
    use clap::Parser;
    use std::{env, process};

    /// On epoll, and on io_uring where there is one.
    fn on_each_backend<T: 'static, F: Future<Output = T> + 'static>(
        test: impl Fn(Bench) -> F + Clone + 'static,
    ) -> Vec<T> {
        let choices = [BackendChoice::Epoll, BackendChoice::Auto];
        let run = |choice| {
            let core = CoreOptions {
                name: "test".to_owned(),
                index: 0,
                cpu: None,
                backend: ring::select(choice).unwrap().kind,
                spin: Duration::ZERO,
            };
            let test = test.clone();
            let bench = |ring| Bench { ring, interrupt: Rc::new(Interrupt::default()) };
            ring::run(core, move |ring| test(bench(ring))).unwrap()
        };
        choices.map(run).into()
    }

    #[test]
    fn the_disk_is_written_read_and_flushed_within_the_size_and_left_as_it_was() {
        let dir = env::temp_dir().join(format!("selftest-{}", process::id()));
        fs::create_dir_all(&dir).unwrap();
        let options = SelftestOptions { dir: dir.clone(), size: 8 * MIB, json: None };
        let measured = on_each_backend(move |bench| {
            let options = options.clone();
            async move {
                let bounds = disk::Bounds {
                    write: Duration::from_secs(600),
                    read: Duration::from_secs(600),
                    flushes: Duration::from_millis(50),
                };
                let mut figures = Figures::of(&options.dir, options.size);
                disk::measure(&bench, &options, &bounds, &mut figures).await.unwrap();
                figures
            }
        });
        let bytes = |moved: Option<figures::Transfer>| moved.map(|moved| moved.bytes);
        for figures in measured {
            assert_eq!((bytes(figures.write), bytes(figures.read)), (Some(8 * MIB), Some(8 * MIB)));
            assert!(figures.flush_4k.is_some_and(|took| took.count() > 0));
            assert!(figures.flush_1m.is_some_and(|took| took.count() > 0));
        }
        fs::remove_dir(&dir).expect("the folder is empty again");
    }

    #[test]
    fn a_disk_without_the_room_is_not_touched() {
        let errors = on_each_backend(|bench| async move {
            let options = SelftestOptions { dir: env::temp_dir(), size: 1 << 60, json: None };
            let mut figures = Figures::of(&options.dir, options.size);
            disk::measure(&bench, &options, &disk::BOUNDS, &mut figures).await.unwrap_err()
        });
        for error in errors {
            assert!(error.to_string().contains("smaller --size"), "{error}");
        }
    }

    #[test]
    fn loopback_gives_every_message_back() {
        let length = Duration::from_millis(20);
        let measured = on_each_backend(move |bench| async move {
            let trips = network::round_trips(&bench, length).await.unwrap();
            (trips.count(), network::transfer(&bench, length).await.unwrap().bytes)
        });
        for (trips, bytes) in measured {
            assert!(trips > 0, "no message came back");
            assert!(bytes > 0 && bytes.is_multiple_of(MIB), "{bytes} bytes came");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(parse_size("256MiB"), Ok(256 * MIB));
        assert_eq!(parse_size("1g"), Ok(1 << 30));
        assert_eq!(parse_size("16777216"), Ok(16 * MIB));
        for text in ["", "MiB", "4MiB", "65GiB", "1TiB", "-8MiB", "99999999999999999999", "8.5MiB"]
        {
            let said = parse_size(text).expect_err(text);
            assert!(said.contains("give --size"), "{text}: {said}");
        }
    }

    #[test]
    fn the_command_line_has_defaults() {
        let command = Options::try_parse_from(["loadgen", "selftest"]).unwrap().command;
        let Command::Selftest(options) = command else { panic!("another command was parsed") };
        assert_eq!((options.dir, options.size), (PathBuf::from("."), 256 * MIB));
    }

    #[test]
    fn a_folder_that_is_missing_is_refused_before_anything_else() {
        let dir = PathBuf::from("/there/is/no/such/folder");
        let options = SelftestOptions { dir, size: 8 * MIB, json: None };
        let said = run(&options).expect_err("no folder").to_string();
        assert!(said.contains("give --dir"), "{said}");
    }
}
