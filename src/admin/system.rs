//! What the operating system knows of this process and its disks. Read on the control thread for
//! each scrape.

use std::path::{Path, PathBuf};

/// Numbers that could not be read are left out.
#[derive(Debug, Clone, Default)]
pub struct SystemSnapshot {
    pub cpu_seconds: Option<f64>,
    pub resident_memory_bytes: Option<i64>,
    pub open_files: Option<i64>,
    pub open_files_max: Option<u64>,
    /// As they are configured.
    pub log_dirs: Vec<String>,
    pub disks: Vec<DiskSnapshot>,
}

#[derive(Debug, Clone)]
pub struct DiskSnapshot {
    pub log_dir: String,
    /// What this process may still write.
    pub free_bytes: u64,
    pub total_bytes: u64,
}

pub fn collect(log_dirs: &[PathBuf]) -> SystemSnapshot {
    SystemSnapshot {
        cpu_seconds: std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| cpu_seconds(&stat)),
        resident_memory_bytes: std::fs::read_to_string("/proc/self/statm")
            .ok()
            .and_then(|statm| resident_bytes(&statm)),
        open_files: std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as i64),
        open_files_max: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        log_dirs: log_dirs.iter().map(|dir| dir.display().to_string()).collect(),
        disks: log_dirs.iter().filter_map(|dir| disk(dir)).collect(),
    }
}

/// User and system time are the 14th and 15th fields of /proc/self/stat; the second is the
/// program's name in brackets, which may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The second field of /proc/self/statm counts pages.
fn resident_bytes(statm: &str) -> Option<i64> {
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as i64)
}

fn disk(log_dir: &Path) -> Option<DiskSnapshot> {
    let numbers = rustix::fs::statvfs(log_dir).ok()?;
    Some(DiskSnapshot {
        log_dir: log_dir.display().to_string(),
        free_bytes: numbers.f_bavail.saturating_mul(numbers.f_frsize),
        total_bytes: numbers.f_blocks.saturating_mul(numbers.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_measured() {
        let system = collect(&[std::env::temp_dir(), PathBuf::from("/no/such/folder")]);
        assert!(system.cpu_seconds.is_some());
        assert!(system.resident_memory_bytes.unwrap() > 100_000 && system.open_files.unwrap() >= 3);
        assert!(system.open_files_max.is_none_or(|max| max >= system.open_files.unwrap() as u64));
        assert_eq!(system.disks.len(), 1);
        assert!(
            system.disks[0].total_bytes >= system.disks[0].free_bytes
                && system.disks[0].total_bytes > 0
        );
    }

    #[test]
    fn a_program_name_with_brackets_and_blanks_does_not_confuse() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 5 1 1";
        assert_eq!(cpu_seconds(stat), Some(300.0 / rustix::param::clock_ticks_per_second() as f64));
        assert_eq!(cpu_seconds("7 (a"), None);
    }
}
