//! The quorum over the metadata log: which node may append, and what is committed. A quorum of one.
//!
//! Owns: the epoch, the high watermark, and committed batches until the publisher takes them. Lives
//! on: the core of the metadata node. It leads from the moment that `quorum-state` is written, and
//! commits what is synced. A quorum of several becomes another case: there `append` and `committed`
//! end with an error once another node leads. Never: looks into records, or commits what may be
//! taken back.

use super::{
    MetaNodeError,
    log::{MetadataLog, Room},
};
use crate::meta::{
    bootstrap,
    image::MetadataImage,
    metalog::{self, MAX_BATCH_BYTES},
};
use bytes::Bytes;
use protocol::metadata_records::MetadataRecord;
use ring::{Ring, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

pub struct Quorum {
    ring: Ring,
    log: Rc<MetadataLog>,
    node_id: i32,
    epoch: i32,
    /// The offset behind the last committed record.
    high_watermark: Cell<i64>,
    /// Behind what the publisher has taken: a request's at most, as requests take turns.
    committed: RefCell<Vec<Bytes>>,
    /// The high watermark has moved.
    moved: Notify,
}

/// This node does not lead any more: the records may be committed or not, another node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another node leads the metadata quorum")]
pub struct NotLeader;

/// Taking the lead is only right when no other node has a vote.
pub fn check_voters(image: &MetadataImage, node_id: i32) -> Result<(), MetaNodeError> {
    let voters: Vec<i32> = image.quorum.voters.iter().map(|voter| voter.id).collect();
    if voters.iter().any(|&voter| voter != node_id) {
        return Err(MetaNodeError::OtherVoters { voters, node_id });
    }
    Ok(())
}

impl Quorum {
    /// Takes the lead in an epoch after `last_epoch`, and says so in the log. `image`: of all that
    /// the log holds, which is committed.
    pub async fn lead(
        ring: &Ring,
        log: Rc<MetadataLog>,
        node_id: i32,
        last_epoch: i32,
        image: &MetadataImage,
    ) -> Result<Quorum, MetaNodeError> {
        check_voters(image, node_id)?;
        let end_offset = log.end_offset();
        log.log().set_high_watermark(end_offset);
        let quorum = Quorum {
            ring: ring.clone(),
            node_id,
            epoch: log.begin_epoch(node_id, last_epoch).await?,
            high_watermark: Cell::new(end_offset),
            committed: RefCell::default(),
            moved: Notify::default(),
            log,
        };
        let control = bootstrap::start_of_epoch(image, node_id, vec![node_id]);
        let now_ms = ring.wall_clock_ms();
        let batch = metalog::encode_control(&control, end_offset, quorum.epoch, now_ms);
        quorum.append(quorum.epoch, vec![batch], Room::Reserve).await?;
        Ok(quorum)
    }

    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// The node that leads, where one is known.
    pub fn leader(&self) -> Option<i32> {
        Some(self.node_id)
    }

    pub fn is_leader(&self) -> bool {
        self.leader() == Some(self.node_id)
    }

    /// Why nothing can be appended now.
    pub fn refuses(&self) -> Option<String> {
        if self.is_leader() { self.log.failure() } else { Some(NotLeader.to_string()) }
    }

    /// The offset behind the last committed record.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.get()
    }

    /// Where the leader's next record will be.
    pub fn end_offset(&self) -> i64 {
        self.log.end_offset()
    }

    /// Records as the batches that are appended next, in this epoch.
    pub fn encode(&self, records: &[MetadataRecord], level: i16) -> Vec<Bytes> {
        let (offset, now_ms) = (self.end_offset(), self.ring.wall_clock_ms());
        metalog::encode_records(records, level, offset, self.epoch, now_ms, MAX_BATCH_BYTES)
            .expect("the controller makes records that its metadata.version can hold")
    }

    /// Appends batches, all or none, as the leader of this epoch: the offset of the last record.
    pub async fn append(
        &self,
        epoch: i32,
        batches: Vec<Bytes>,
        room: Room,
    ) -> Result<i64, MetaNodeError> {
        if epoch != self.epoch || !self.is_leader() {
            return Err(NotLeader.into());
        }
        self.log.append(&batches, room).await?;
        let end_offset = self.end_offset();
        self.commit(end_offset, batches);
        Ok(end_offset - 1)
    }

    /// What the only voter has synced is committed.
    fn commit(&self, end_offset: i64, batches: Vec<Bytes>) {
        self.log.log().set_high_watermark(end_offset);
        self.committed.borrow_mut().extend(batches);
        self.high_watermark.set(end_offset);
        self.moved.notify();
    }

    /// Waits until the record at this offset, which this node has appended, is committed.
    pub async fn committed(&self, offset: i64) -> Result<(), NotLeader> {
        self.moved.wait_until(|| self.high_watermark() > offset || !self.is_leader()).await;
        if self.high_watermark() > offset { Ok(()) } else { Err(NotLeader) }
    }

    /// Waits until records from `offset` on are committed.
    pub async fn moved_past(&self, offset: i64) {
        self.moved.wait_until(|| self.high_watermark() > offset).await;
    }

    /// The batches committed since this was called before, for the publisher alone. They reach up
    /// to the high watermark.
    pub fn take_committed(&self) -> Vec<Bytes> {
        self.committed.take()
    }
}
