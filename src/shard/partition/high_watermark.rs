//! The high watermark of a partition, from what its leader knows of the replicas. Pure.
//!
//! Owns: nothing. Never: lets the high watermark fall, or pass what a replica that counts has.

/// A follower as the leader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerProgress {
    pub broker_id: i32,
    /// It has everything below, as safe as it promises: it asked for records from here.
    pub log_end_offset: i64,
    /// It is in the ISR that the controller has committed, or in the one that the leader has
    /// proposed: the high watermark needs both (ReplicationQuorumSuperset of the TLA+ models,
    /// `maximalIsr` of Apache Kafka).
    pub is_in_sync: bool,
}

/// What decides the high watermark, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Everything below is safe in the leader's own log.
    pub leader_safe_offset: i64,
    pub followers: &'a [FollowerProgress],
    /// How many replicas are in the committed ISR, the leader among them.
    pub in_sync_count: usize,
    /// `min.insync.replicas`, but no more than there are replicas.
    pub min_in_sync: usize,
}

impl Progress<'_> {
    /// Fewer replicas are in sync than the topic asks for.
    pub fn is_under_min_in_sync(&self) -> bool {
        self.in_sync_count < self.min_in_sync
    }
}

/// The high watermark after `current`: the lowest offset that every replica in sync has. With too
/// few replicas in sync it stays (KIP-966): what they have alone could be lost with them.
pub fn high_watermark(current: i64, progress: &Progress<'_>) -> i64 {
    assert!(progress.in_sync_count > 0, "the leader is in its ISR");
    if progress.is_under_min_in_sync() {
        return current;
    }
    let in_sync = progress.followers.iter().filter(|follower| follower.is_in_sync);
    let lowest =
        in_sync.map(|follower| follower.log_end_offset).fold(progress.leader_safe_offset, i64::min);
    current.max(lowest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn follower(broker_id: i32, log_end_offset: i64, is_in_sync: bool) -> FollowerProgress {
        FollowerProgress { broker_id, log_end_offset, is_in_sync }
    }

    fn progress(leader_safe_offset: i64, followers: &[FollowerProgress]) -> Progress<'_> {
        let in_sync_count = 1 + followers.iter().filter(|one| one.is_in_sync).count();
        Progress { leader_safe_offset, followers, in_sync_count, min_in_sync: 1 }
    }

    #[test]
    fn one_replica_commits_what_is_safe_on_it() {
        assert_eq!(high_watermark(3, &progress(7, &[])), 7);
    }

    #[test]
    fn the_slowest_replica_in_sync_decides() {
        let followers = [follower(2, 5, true), follower(3, 9, true)];
        assert_eq!(high_watermark(3, &progress(7, &followers)), 5);
        assert_eq!(high_watermark(3, &progress(4, &followers)), 4, "the leader itself");
    }

    #[test]
    fn a_replica_out_of_sync_holds_nothing_up() {
        assert_eq!(high_watermark(3, &progress(7, &[follower(2, 0, false)])), 7);
    }

    /// A new leader knows nothing of its followers yet.
    #[test]
    fn it_never_falls() {
        assert_eq!(high_watermark(6, &progress(4, &[])), 6);
        assert_eq!(high_watermark(6, &progress(9, &[follower(2, 0, true)])), 6);
    }

    #[test]
    fn it_stays_where_too_few_replicas_are_in_sync() {
        let behind = [follower(2, 9, false)];
        let alone = Progress { min_in_sync: 2, ..progress(7, &behind) };
        assert_eq!(high_watermark(3, &alone), 3);
        let two = [follower(2, 6, true)];
        assert_eq!(high_watermark(3, &Progress { min_in_sync: 2, ..progress(7, &two) }), 6);
    }

    proptest! {
        #[test]
        fn what_it_passes_every_replica_in_sync_has(
            current in 0i64..20,
            safe in 0i64..20,
            followers in prop::collection::vec((0i64..20, any::<bool>()), 0..4),
            min_in_sync in 1usize..4,
        ) {
            let followers: Vec<_> = followers
                .iter()
                .zip(2..)
                .map(|((end, is_in_sync), id)| follower(id, *end, *is_in_sync))
                .collect();
            let progress = Progress { min_in_sync, ..progress(safe, &followers) };
            let next = high_watermark(current, &progress);
            prop_assert!(next >= current);
            if next > current {
                prop_assert!(!progress.is_under_min_in_sync());
                prop_assert!(next <= safe);
                let has_it = |one: &FollowerProgress| !one.is_in_sync || one.log_end_offset >= next;
                prop_assert!(followers.iter().all(has_it));
            }
        }
    }
}
