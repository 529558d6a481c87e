//! How the descriptors that this process may have are shared out between connections and logs.
//! Pure.
//!
//! Neither may take what the other needs: a client that opens connections must not keep a log from
//! its next segment, and thousands of idle segments must not shut clients out.

use crate::limits::{
    FILES_MIN_PER_CORE, FILES_OF_CORE, FILES_OF_PROCESS, FILES_PER_OPENING, PARTITION_FILES_AT_ONCE,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileShares {
    /// Connections of all cores.
    pub connections: usize,
    /// Files of logs that one core should have open.
    pub logs_per_core: usize,
}

impl FileShares {
    pub const UNLIMITED: FileShares =
        FileShares { connections: usize::MAX, logs_per_core: usize::MAX };

    /// Of so many descriptors in all.
    pub fn of(limit: u64, cores: usize) -> FileShares {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = limit.saturating_sub(FILES_OF_PROCESS + cores * FILES_OF_CORE);
        let logs = (rest / 2).max(cores * FILES_MIN_PER_CORE);
        FileShares {
            connections: rest.saturating_sub(logs).max(FILES_MIN_PER_CORE),
            logs_per_core: logs / cores,
        }
    }

    /// What a node on so many cores needs at least: with less, some part of it lacks descriptors
    /// though no other takes too many.
    pub fn least(cores: usize) -> u64 {
        let least =
            FILES_OF_PROCESS + cores * (FILES_OF_CORE + FILES_MIN_PER_CORE) + FILES_MIN_PER_CORE;
        u64::try_from(least).unwrap_or(u64::MAX)
    }

    /// Logs that one core opens, makes or closes at the same time.
    pub fn logs_at_once(&self) -> usize {
        (self.logs_per_core / FILES_PER_OPENING).clamp(1, PARTITION_FILES_AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_is_left_is_for_connections_and_half_for_logs() {
        let shares = FileShares::of(1024, 2);
        assert_eq!(shares, FileShares { connections: 456, logs_per_core: 228 });
        assert_eq!(shares.logs_at_once(), 32);
        assert!(FileShares::of(1 << 20, 64).connections > 500_000);
    }

    #[test]
    fn the_shares_never_exceed_the_limit_unless_it_is_absurd() {
        for cores in [1, 2, 8, 64] {
            for limit in [FileShares::least(cores), 4096, 16_384, 1 << 20] {
                let shares = FileShares::of(limit, cores);
                let all = shares.connections
                    + cores * (shares.logs_per_core + FILES_OF_CORE)
                    + FILES_OF_PROCESS;
                assert!(all <= limit as usize, "{limit} files, {cores} cores: {shares:?}");
            }
        }
        let absurd = FileShares::of(10, 4);
        assert_eq!(
            (absurd.connections, absurd.logs_per_core),
            (FILES_MIN_PER_CORE, FILES_MIN_PER_CORE)
        );
        assert_eq!(absurd.logs_at_once(), 2);
    }
}
