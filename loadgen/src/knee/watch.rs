//! What the broker's machine did during a trial, where it is this one: the time of its busiest
//! thread, and of the busiest disk.
//!
//! Owns: a thread that reads /proc. Lives on: that thread, made before the generator's takes its
//! processor. Never: writes anywhere; guesses where /proc says nothing.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    net::ToSocketAddrs,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(250);
/// Samples that are kept: those of a long trial are thinned.
const SAMPLES_MAX: usize = 4096;
/// The unit of /proc/PID/stat, which Linux keeps at this for programs, whatever it uses itself.
const TICKS_PER_S: f64 = 100.0;
/// What a TCP socket that listens has for its state in /proc/net/tcp.
const LISTENS: &str = "0A";

/// Shares of the time of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// The broker's thread that had, or wanted, a processor the longest.
    pub busiest_thread: Option<Busy>,
    /// All its threads together: 2 is two processors.
    pub broker_processors: Option<f64>,
    pub busiest_disk: Option<Busy>,
    /// What the broker's process gave to the kernel for a disk, in bytes per second.
    pub broker_written: Option<f64>,
    /// Of the disk that is flushed most, by all programs together, per second.
    pub flushes: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Busy {
    pub name: String,
    pub share: f64,
    /// Of a thread: ready to run, while something else had the processor.
    pub waited: f64,
}

/// What a thread has had and has waited for, in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
struct ThreadTime {
    name: String,
    used_s: f64,
    waited_s: f64,
}

/// Seconds that were used up to a moment.
#[derive(Clone, Debug, Default)]
struct Sample {
    at_s: f64,
    /// By the number of the thread.
    threads: HashMap<u32, ThreadTime>,
    disks: HashMap<String, DiskTime>,
    written_bytes: Option<f64>,
}

/// What a disk has done since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct DiskTime {
    busy_s: f64,
    /// Not every kernel counts them.
    flushes: Option<f64>,
}

pub struct Watch {
    samples: Arc<Mutex<Vec<Sample>>>,
    began: Instant,
    pub broker_pid: Option<u32>,
}

impl Watch {
    pub fn start(broker_pid: Option<u32>) -> io::Result<Watch> {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let (shared, began) = (samples.clone(), Instant::now());
        thread::Builder::new().name("watch".to_owned()).spawn(move || {
            loop {
                let sample = sample(broker_pid, began.elapsed());
                let mut samples = shared.lock().expect("no thread panics with the samples");
                samples.push(sample);
                if samples.len() > SAMPLES_MAX {
                    let mut index = 0;
                    samples.retain(|_| {
                        index += 1;
                        index % 2 == 0
                    });
                }
                drop(samples);
                thread::sleep(PAUSE);
            }
        })?;
        Ok(Watch { samples, began, broker_pid })
    }

    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Of the time between two moments of this clock; what came before is forgotten.
    pub fn between(&self, from: Duration, to: Duration) -> Usage {
        let mut samples = self.samples.lock().expect("no thread panics with the samples");
        let all = std::mem::take(&mut *samples);
        drop(samples);
        let (from_s, to_s) = (from.as_secs_f64(), to.as_secs_f64());
        let within: Vec<Sample> =
            all.into_iter().filter(|one| (from_s..=to_s).contains(&one.at_s)).collect();
        match within.as_slice() {
            [first, .., last] => usage(first, last),
            _ => Usage::default(),
        }
    }
}

fn usage(first: &Sample, last: &Sample) -> Usage {
    let seconds = (last.at_s - first.at_s).max(1e-3);
    let share = |before: f64, now: f64| (now - before).max(0.0) / seconds;
    let new = ThreadTime::default();
    let threads: Vec<Busy> = last
        .threads
        .iter()
        .map(|(number, now)| {
            let before = first.threads.get(number).unwrap_or(&new);
            Busy {
                name: now.name.clone(),
                share: share(before.used_s, now.used_s),
                waited: share(before.waited_s, now.waited_s),
            }
        })
        .collect();
    let before = |name: &String| first.disks.get(name).copied().unwrap_or_default();
    let disks = last.disks.iter().map(|(name, now)| Busy {
        name: name.clone(),
        share: share(before(name).busy_s, now.busy_s),
        waited: 0.0,
    });
    let flushes = last
        .disks
        .iter()
        .filter_map(|(name, now)| Some(share(before(name).flushes.unwrap_or(0.0), now.flushes?)));
    let by_share = |a: &Busy, b: &Busy| (a.share + a.waited).total_cmp(&(b.share + b.waited));
    Usage {
        broker_processors: (!threads.is_empty())
            .then(|| threads.iter().map(|thread| thread.share).sum()),
        busiest_thread: threads.into_iter().max_by(by_share),
        busiest_disk: disks.max_by(by_share),
        broker_written: first.written_bytes.zip(last.written_bytes).map(|(a, b)| share(a, b)),
        flushes: flushes.max_by(f64::total_cmp),
    }
}

fn sample(broker_pid: Option<u32>, at: Duration) -> Sample {
    let threads = broker_pid.map(threads_of).unwrap_or_default();
    let disks = fs::read_to_string("/proc/diskstats").unwrap_or_default();
    let io = broker_pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/io")).ok());
    Sample {
        at_s: at.as_secs_f64(),
        threads,
        disks: disks.lines().filter_map(disk).collect(),
        written_bytes: io.and_then(|text| written_bytes(&text)),
    }
}

fn threads_of(pid: u32) -> HashMap<u32, ThreadTime> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return HashMap::new() };
    tasks
        .filter_map(|task| {
            let task = task.ok()?;
            let number = task.file_name().to_str()?.parse().ok()?;
            let mut time = thread_stat(&fs::read_to_string(task.path().join("stat")).ok()?)?;
            // Not every kernel counts it.
            let waits = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            time.waited_s = seconds_of(&waits, 1).unwrap_or(0.0);
            // To the nanosecond; the ticks of a short trial are few.
            time.used_s = seconds_of(&waits, 0).filter(|used| *used > 0.0).unwrap_or(time.used_s);
            Some((number, time))
        })
        .collect()
}

/// The name, which may hold spaces and brackets, and the time on a processor.
fn thread_stat(text: &str) -> Option<ThreadTime> {
    let (name, rest) = (text.split_once('(')?.1).rsplit_once(')')?;
    // Fields 14 and 15 of the whole line; the third is the first after the name.
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<f64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    Some(ThreadTime { name: name.to_owned(), used_s: ticks / TICKS_PER_S, waited_s: 0.0 })
}

/// A number of schedstat: nanoseconds on a processor, then those ready to run without one.
fn seconds_of(text: &str, place: usize) -> Option<f64> {
    Some(text.split_whitespace().nth(place)?.parse::<f64>().ok()? / 1e9)
}

/// Of /proc/PID/io: what dirtied pages that have to go to a disk.
fn written_bytes(text: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix("write_bytes:"))?.trim().parse().ok()
}

/// How many processors the broker's cores are: those that threads of it are bound to, one each;
/// where none is bound, all that it may run on.
pub fn broker_cores(pid: u32) -> Option<usize> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let allowed = tasks.filter_map(|task| {
        let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
        Some(list.trim().to_owned())
    });
    cores_of(&allowed.collect::<Vec<String>>())
}

/// Of lists such as `0-3,8`, one for each thread.
fn cores_of(allowed: &[String]) -> Option<usize> {
    let bound: HashSet<&String> =
        allowed.iter().filter(|list| list.parse::<usize>().is_ok()).collect();
    if !bound.is_empty() {
        return Some(bound.len());
    }
    let span = |part: &str| match part.split_once('-') {
        Some((from, until)) => {
            let (from, until) = (from.parse::<usize>().ok()?, until.parse::<usize>().ok()?);
            (until.checked_sub(from)?).checked_add(1)
        }
        None => part.parse::<usize>().ok().map(|_| 1),
    };
    let count = |list: &String| list.split(',').map(span).sum::<Option<usize>>();
    allowed.iter().filter_map(count).max()
}

/// A disk's name, how long it has had something to do, and how often it was flushed.
fn disk(line: &str) -> Option<(String, DiskTime)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let name = fields.get(2)?;
    let is_memory = ["loop", "ram", "zram"].iter().any(|kind| name.starts_with(kind));
    let busy_ms: f64 = fields.get(12)?.parse().ok()?;
    let flushes = fields.get(18).and_then(|count| count.parse().ok());
    (!is_memory).then(|| ((*name).to_owned(), DiskTime { busy_s: busy_ms / 1000.0, flushes }))
}

/// The process that listens on the port of the first address, if that is one of loopback: on any
/// other, a port alone does not tell that it is this machine's.
pub fn find_broker(bootstrap: &[String]) -> Option<u32> {
    let addresses = bootstrap.first()?.to_socket_addrs().ok()?;
    let port =
        addresses.filter(|address| address.ip().is_loopback()).map(|one| one.port()).next()?;
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|text| listeners(&text, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid| has_socket(*pid, &inodes))
}

/// The numbers of the sockets that listen on a port.
fn listeners(text: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    text.lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_ours = fields.get(1)?.ends_with(&port) && *fields.get(3)? == LISTENS;
            is_ours.then_some(fields.get(9)?.to_string())
        })
        .collect()
}

fn has_socket(pid: u32, inodes: &[String]) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).any(|target| {
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| inodes.iter().any(|one| one == inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn proc_is_read_as_the_kernel_writes_it() {
        let stat = "123 (core (0) x) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 99";
        let time = thread_stat(stat).unwrap();
        assert_eq!((time.name.as_str(), time.used_s), ("core (0) x", 3.0));
        assert_eq!((seconds_of("7 1500000000 3\n", 1), seconds_of("", 1)), (Some(1.5), None));
        assert_eq!(seconds_of("2000000000 7 3\n", 0), Some(2.0));
        assert_eq!(thread_stat("nonsense"), None);
        let line = " 254 0 vda 100 0 200 5 300 0 400 6 0 1500 11 0 0 0 0 0 0";
        let vda = DiskTime { busy_s: 1.5, flushes: Some(0.0) };
        assert_eq!(disk(line), Some(("vda".to_owned(), vda)));
        assert_eq!(disk(" 7 0 loop0 1 0 2 5 3 0 4 6 0 1500 11"), None);
        assert_eq!(disk(""), None);
        let flushed = " 8 0 sda 100 0 200 5 300 0 400 6 0 2000 11 0 0 0 0 42 7";
        assert_eq!(disk(flushed).unwrap().1.flushes, Some(42.0));
        let short = " 8 0 sda 100 0 200 5 300 0 400 6 0 2000 11";
        assert_eq!(disk(short).unwrap().1.flushes, None, "a kernel before 5.5");
        assert_eq!(written_bytes("wchar: 7\nwrite_bytes: 4096\n"), Some(4096.0));
        assert_eq!(written_bytes("wchar: 7\n"), None);
    }

    #[test]
    fn the_cores_of_a_broker_are_those_that_its_threads_are_bound_to() {
        let cores =
            |lists: &[&str]| cores_of(&lists.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(cores(&["0-15", "0", "0", "3"]), Some(2));
        assert_eq!(cores(&["0-3,8", "0-3,8"]), Some(5), "none is bound");
        assert_eq!((cores(&[]), cores(&["x"]), cores(&["3-1"])), (None, None, None));
        assert!(broker_cores(std::process::id()).is_some_and(|cores| cores > 0));
    }

    #[test]
    fn listeners_of_the_port_are_found_and_no_others() {
        let text = "  sl  local_address rem_address st tx_queue tr tm->when retrnsmt uid t inode\n\
             0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 4711 1\n\
             1: 0100007F:2384 0100007F:9999 01 00000000:00000000 00:00000000 0 0 0 4712 1\n\
             2: 0100007F:2385 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 4713 1\n";
        assert_eq!(listeners(text, 9092), ["4711"]);
    }

    #[test]
    fn the_process_behind_a_port_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(find_broker(&[address]), Some(std::process::id()));
        assert_eq!(find_broker(&["192.0.2.1:9092".to_owned()]), None);
    }

    fn sampled(at_s: f64, threads: &[(u32, f64)], disk_s: f64) -> Sample {
        let named = |(number, used_s): &(u32, f64)| {
            let name = format!("t{number}");
            (*number, ThreadTime { name, used_s: *used_s, waited_s: at_s * 0.1 })
        };
        Sample {
            at_s,
            threads: threads.iter().map(named).collect(),
            disks: HashMap::from([(
                "vda".to_owned(),
                DiskTime { busy_s: disk_s, flushes: Some(disk_s * 100.0) },
            )]),
            written_bytes: Some(at_s * 1000.0),
        }
    }

    #[test]
    fn the_busiest_is_what_used_most_between_two_moments() {
        let first = sampled(10.0, &[(1, 100.0), (2, 5.0)], 50.0);
        let last = sampled(14.0, &[(1, 101.0), (2, 8.0), (3, 0.0)], 51.0);
        let usage = usage(&first, &last);
        let thread = usage.busiest_thread.unwrap();
        assert_eq!((thread.name.as_str(), thread.share), ("t2", 0.75));
        assert!((thread.waited - 0.1).abs() < 1e-9, "{thread:?}");
        assert_eq!(usage.broker_processors, Some(1.0));
        let disk = usage.busiest_disk.unwrap();
        assert_eq!((disk.name.as_str(), disk.share), ("vda", 0.25));
        assert_eq!((usage.broker_written, usage.flushes), (Some(1000.0), Some(25.0)));
    }

    #[test]
    fn without_two_moments_nothing_is_known() {
        let watch = Watch { samples: Arc::default(), began: Instant::now(), broker_pid: None };
        watch.samples.lock().unwrap().push(sampled(1.0, &[], 1.0));
        assert_eq!(watch.between(Duration::ZERO, Duration::from_secs(9)), Usage::default());
        watch.samples.lock().unwrap().extend([1.0, 2.0, 30.0].map(|at| sampled(at, &[], at)));
        let usage = watch.between(Duration::ZERO, Duration::from_secs(9));
        assert_eq!(usage.busiest_disk.map(|disk| disk.share), Some(1.0));
        assert!(watch.samples.lock().unwrap().is_empty());
    }
}
