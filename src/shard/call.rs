//! What one core may ask of another, and what it hears back.
//!
//! Owns: the types, nothing else. Every call that a core sends it could also carry out for itself; the handlers do not
//! know whether they were called from near or far (see `calls.rs`).

use super::{
    apis::{
        delete_records::{DeleteRecordsQuery, DeleteRecordsResult},
        list_offsets::{OffsetQuery, OffsetResult},
        log_dirs::PartitionSize,
        offset_for_leader_epoch::{EpochQuery, EpochResult},
    },
    fetch::{FetchRead, FetchedPartition},
    follow::Closed,
    lead::checkpoints::PartitionCheckpoint,
    produce::{Append, AppendResult},
    view::ClusterView,
};
use crate::{
    coord::request,
    meta::controller::{ControllerRequest, ControllerResponse},
};
use ring::Instant;
use std::path::PathBuf;

pub enum Call {
    Produce(Vec<Append>),
    Fetch {
        reads: Vec<FetchRead>,
        options: FetchOptions,
    },
    ListOffsets(Vec<OffsetQuery>),
    OffsetsForEpochs(Vec<EpochQuery>),
    DeleteRecords(Vec<DeleteRecordsQuery>),
    PartitionSizes,
    /// A request to the controller, which core 0 hosts.
    Controller(ControllerRequest),
    /// A request to the coordinator hosted with this partition of `__consumer_offsets`.
    Group {
        partition: i32,
        request: request::Request,
    },
    /// A new view of the cluster: the receiver opens and closes partitions until it agrees with it.
    Follow(ClusterView),
    /// Open the listeners.
    Accept,
    /// Write what makes recovery short, in one log directory, and tell how far it reaches.
    Checkpoint(PathBuf),
    /// Tell the same of partitions as they stand.
    Offsets(PathBuf),
    /// Let requests in flight end, take no more, and close every log.
    Close,
}

/// What all reads of one fetch have in common.
#[derive(Clone, Copy, Debug)]
pub struct FetchOptions {
    pub max_bytes: usize,
    pub read_committed: bool,
    /// The request names topics by their ids.
    pub by_id: bool,
    /// The watch that a partition without records tells when it moves, and the end of that watch.
    pub watch: Option<(u64, Instant)>,
    /// What may come from memory; the rest comes as ranges of files.
    pub memory_bytes: usize,
}

pub enum Answer {
    Produce(Vec<AppendResult>),
    Fetch(Vec<FetchedPartition>),
    ListOffsets(Vec<OffsetResult>),
    OffsetsForEpochs(Vec<EpochResult>),
    DeleteRecords(Vec<DeleteRecordsResult>),
    PartitionSizes(Vec<PartitionSize>),
    Controller(ControllerResponse),
    Group(request::Response),
    Following,
    Accepting,
    /// To both of them.
    Checkpoint(Vec<PartitionCheckpoint>),
    Closed(Closed),
}
