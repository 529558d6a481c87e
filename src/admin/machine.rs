//! How much memory this process may have: what the machine has, or less where a cgroup says so.
//! Read once, at start, on the control thread.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where cgroups are mounted, as everywhere.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The memory of the machine, or what the cgroups of this process allow (versions 1 and 2),
/// whichever is less. `None` where the system does not say.
pub fn memory_bytes() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| total_bytes(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits =
        limit_files(&groups).into_iter().filter_map(|path| read(&path)?.trim().parse().ok());
    machine.into_iter().chain(limits).min()
}

/// `MemTotal` of /proc/meminfo, which is in KiB.
fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The files that may hold a limit for a process with this /proc/self/cgroup: of its own group and
/// of those around it. A container sees its own group as the root.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (roots, file): (&[&str], _) = match controllers {
            "" => (&["", "unified"], "memory.max"),
            _ if controllers.split(',').any(|one| one == "memory") => {
                (&["memory"], "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for root in roots {
            let root = Path::new(CGROUPS).join(root);
            let around = Path::new(group.trim_start_matches('/'));
            files.extend(around.ancestors().map(|group| root.join(group).join(file)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_says_how_much_it_has() {
        assert_eq!(
            total_bytes("MemFree:  1 kB\nMemTotal:       24684188 kB\n"),
            Some(24_684_188 * 1024)
        );
        assert_eq!(total_bytes("MemTotal: much"), None);
        assert!(memory_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn limits_are_those_of_the_group_and_of_all_around_it() {
        let files = |groups| {
            limit_files(groups).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            files("7:cpu,cpuacct:/a\n4:memory:/a/b\n"),
            ["a/b/", "a/", ""]
                .map(|group| format!("/sys/fs/cgroup/memory/{group}memory.limit_in_bytes"))
        );
        assert_eq!(
            files("0::/a\n"),
            ["a/", "", "unified/a/", "unified/"]
                .map(|group| format!("/sys/fs/cgroup/{group}memory.max"))
        );
        assert!(files("nonsense").is_empty());
    }
}
