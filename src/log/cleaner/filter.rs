//! What stays of a batch (`Cleaner.cleanInto`, `MemoryRecords.filterTo`).
//!
//! Owns: the bounds of one pass. Lives on the core of the log. Never: changes an offset, or makes a
//! batch anew of which everything stays.

use super::map::KeyMap;
use crate::pace::TurnBudget;
use bytes::{Bytes, BytesMut};
use protocol::{
    compression::{
        Compression,
        pieces::{PIECE_BYTES, Unpacking},
    },
    records::{
        BATCH_HEADER_BYTES, Batch, BatchBuilder, Record, Records, RecordsError, empty_batch,
    },
};
use std::{borrow::Cow, rc::Rc};

/// Records that are looked at between two looks at the budget.
const RECORDS_PER_STEP: usize = 128;

/// What a pass goes by.
pub struct Filter<'a> {
    pub map: &'a KeyMap,
    /// What lies from here on is not in the map: all of it stays.
    pub map_end: i64,
    pub now_ms: i64,
    pub delete_retention_ms: i64,
    /// What a batch may unpack to, in bytes.
    pub unpacked_bytes_max: usize,
}

/// What is known of a batch beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Records,
    /// Records of an aborted transaction.
    Aborted,
    Marker {
        /// No batch of its transaction is left.
        is_needless: bool,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    /// As it is.
    All,
    /// This in its place.
    Changed(Bytes),
}

/// What the records of a batch say, each for itself.
#[derive(Default)]
struct Verdicts {
    stays: Vec<bool>,
    count: usize,
    has_tombstone: bool,
}

impl Filter<'_> {
    /// `keeps_empty`: something has to stay of it, be it without records.
    pub async fn keep(
        &self,
        batch: &Batch<'_>,
        kind: Kind,
        keeps_empty: bool,
        budget: &mut TurnBudget<'_>,
    ) -> Result<Kept, RecordsError> {
        let left = |batch: &Batch<'_>| match keeps_empty {
            true if batch.record_count() == 0 => Kept::All,
            true => Kept::Changed(empty_batch(batch)),
            false => Kept::Nothing,
        };
        let is_marker = matches!(kind, Kind::Marker { .. });
        assert_eq!(is_marker, batch.is_control(), "markers are batches of their own");
        if self.drops_all(batch, kind) {
            return Ok(left(batch));
        }
        let body = unpacked(batch, self.unpacked_bytes_max, budget).await?;
        let verdicts = self.judge(batch, &body, is_marker, budget).await?;
        if verdicts.count == 0 {
            return Ok(left(batch));
        }
        let begins_to_wait = (verdicts.has_tombstone || kind == Kind::Marker { is_needless: true })
            && batch.delete_horizon_ms().is_none();
        if verdicts.count == verdicts.stays.len() && !begins_to_wait {
            return Ok(Kept::All);
        }
        let horizon_ms = match begins_to_wait {
            true => Some(self.now_ms.saturating_add(self.delete_retention_ms)),
            false => batch.delete_horizon_ms(),
        };
        Ok(Kept::Changed(rebuilt(batch, &body, &verdicts, horizon_ms, budget).await?))
    }

    fn drops_all(&self, batch: &Batch<'_>, kind: Kind) -> bool {
        match kind {
            Kind::Records | Kind::Marker { is_needless: false } => false,
            Kind::Aborted => true,
            Kind::Marker { is_needless: true } => {
                batch.delete_horizon_ms().is_some_and(|horizon_ms| horizon_ms <= self.now_ms)
            }
        }
    }

    async fn judge(
        &self,
        batch: &Batch<'_>,
        body: &[u8],
        is_marker: bool,
        budget: &mut TurnBudget<'_>,
    ) -> Result<Verdicts, RecordsError> {
        let (mut verdicts, mut order) = (Verdicts::default(), Order::of(batch));
        for record in Records::new(batch, body)? {
            let record = record?;
            order.check(&record)?;
            let stays = is_marker || self.stays(batch, &record);
            verdicts.stays.push(stays);
            if stays {
                verdicts.count += 1;
                verdicts.has_tombstone |= record.value.is_none();
            }
            if verdicts.stays.len().is_multiple_of(RECORDS_PER_STEP) {
                budget.step_done().await;
            }
        }
        Ok(verdicts)
    }

    /// `Cleaner.shouldRetainRecord`.
    fn stays(&self, batch: &Batch<'_>, record: &Record<'_>) -> bool {
        if record.offset >= self.map_end {
            return true;
        }
        // One without a key is older than the policy.
        let Some(key) = record.key else { return false };
        let is_last = self.map.get(key).is_none_or(|last| record.offset >= last);
        let is_wanted = record.value.is_some()
            || batch.delete_horizon_ms().is_none_or(|horizon_ms| self.now_ms < horizon_ms);
        is_last && is_wanted
    }
}

/// That the offsets of a batch rise within it. What comes from clients was checked; what another
/// broker has written was not.
pub struct Order {
    next: i64,
    last: i64,
    index: i32,
}

impl Order {
    pub fn of(batch: &Batch<'_>) -> Self {
        Self { next: batch.base_offset(), last: batch.last_offset(), index: 0 }
    }

    pub fn check(&mut self, record: &Record<'_>) -> Result<(), RecordsError> {
        if !(self.next..=self.last).contains(&record.offset) {
            let reason = "its offset does not follow that before it, or lies outside of its batch";
            return Err(RecordsError::BadRecord { index: self.index, reason });
        }
        self.next = record.offset + 1;
        self.index += 1;
        Ok(())
    }
}

/// The records of a batch as [`Records`] reads them, in turns.
pub async fn unpacked<'a>(
    batch: &Batch<'a>,
    bytes_max: usize,
    budget: &mut TurnBudget<'_>,
) -> Result<Cow<'a, [u8]>, RecordsError> {
    let codec = batch.compression()?;
    if codec == Compression::None {
        return Ok(Cow::Borrowed(batch.body()));
    }
    let whole = Rc::new(BytesMut::from(batch.bytes()));
    let mut unpacking = Unpacking::new(codec, whole, BATCH_HEADER_BYTES, bytes_max)?;
    let (mut body, mut piece) = (Vec::new(), Vec::new());
    loop {
        let more = unpacking.next(&mut piece, PIECE_BYTES)?;
        body.extend_from_slice(&piece);
        if !more {
            return Ok(Cow::Owned(body));
        }
        budget.step_done().await;
    }
}

async fn rebuilt(
    batch: &Batch<'_>,
    body: &[u8],
    verdicts: &Verdicts,
    horizon_ms: Option<i64>,
    budget: &mut TurnBudget<'_>,
) -> Result<Bytes, RecordsError> {
    let mut builder =
        BatchBuilder::like(batch, batch.compression()?, None).last_offset(batch.last_offset());
    if let Some(horizon_ms) = horizon_ms {
        builder = builder.delete_horizon_ms(horizon_ms);
    }
    for (at, record) in Records::new(batch, body)?.enumerate() {
        if verdicts.stays[at] {
            builder.append_record(&record?);
        }
        if at % RECORDS_PER_STEP == RECORDS_PER_STEP - 1 {
            budget.step_done().await;
        }
    }
    assert_eq!(builder.record_count() as usize, verdicts.count, "each record that stays is there");
    let mut building = builder.build_in_steps();
    loop {
        if let Some(built) = building.step() {
            return Ok(built);
        }
        budget.step_done().await;
    }
}
