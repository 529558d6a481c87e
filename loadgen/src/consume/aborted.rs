//! Which batches of a partition a consumer that reads committed records passes over: those of
//! transactions that the broker has named as aborted, up to their markers. Pure.

use protocol::{
    messages::fetch_response::AbortedTransaction,
    records::{Batch, ControlRecordType, RecordsError},
};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

#[derive(Clone, Default)]
pub struct Aborted {
    /// First offset and producer of transactions that are still to come.
    ahead: BTreeSet<(i64, i64)>,
    /// Producers within one now.
    within: FxHashSet<i64>,
}

impl Aborted {
    /// What an answer names, of the offsets from the one that was asked for on.
    pub fn told(&mut self, transactions: &[AbortedTransaction]) {
        // Each answer names all that reach into it, also those that began before.
        self.ahead = transactions.iter().map(|one| (one.first_offset, one.producer_id)).collect();
    }

    /// To be asked of one batch after the other.
    pub fn passes_over(&mut self, batch: &Batch<'_>) -> Result<bool, RecordsError> {
        let header = batch.header();
        while let Some((first_offset, producer)) = self.ahead.first().copied()
            && first_offset <= header.last_offset()
        {
            self.ahead.pop_first();
            self.within.insert(producer);
        }
        if header.is_control() {
            let mut is_abort = false;
            for record in batch.records()? {
                let kind = ControlRecordType::parse(record?.key)?;
                is_abort |= kind == Some(ControlRecordType::Abort);
            }
            if is_abort {
                self.within.remove(&header.producer_id());
            }
            return Ok(true);
        }
        Ok(header.is_transactional() && self.within.contains(&header.producer_id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::records::{BatchBuilder, EndTransactionMarker, batches};

    fn data(offset: i64, producer: i64, is_transactional: bool) -> Bytes {
        let mut builder = BatchBuilder::new(offset);
        if producer >= 0 {
            builder = builder.producer(producer, 0, 0).transactional(is_transactional);
        }
        builder.append(1, None, Some(b"x"), &[]);
        builder.build()
    }

    fn marker(offset: i64, producer: i64, committed: bool) -> Bytes {
        let marker = EndTransactionMarker { committed, coordinator_epoch: 1 };
        let mut builder =
            BatchBuilder::new(offset).producer(producer, 0, -1).transactional(true).control(true);
        let value = [&0i16.to_be_bytes()[..], &1i32.to_be_bytes()].concat();
        builder.append(1, Some(&marker.control_type().key()), Some(&value), &[]);
        builder.build()
    }

    #[test]
    fn batches_of_aborted_transactions_are_passed_over_up_to_their_markers() {
        let log = [
            data(0, 7, true),
            data(1, 8, true),
            data(2, -1, false),
            marker(3, 7, false),
            data(4, 7, true),
            marker(5, 8, true),
            marker(6, 7, true),
            data(7, 8, true),
            marker(8, 8, false),
        ];
        let named = |producer_id, first_offset| AbortedTransaction { producer_id, first_offset };
        let mut aborted = Aborted::default();
        aborted.told(&[named(8, 7), named(7, 0)]);
        let seen: Vec<i64> = log
            .iter()
            .filter_map(|bytes| {
                let batch = batches(bytes).next().unwrap().unwrap();
                let passes = aborted.passes_over(&batch).unwrap();
                (!passes).then(|| batch.header().base_offset())
            })
            .collect();
        assert_eq!(seen, [1, 2, 4]);
    }

    #[test]
    fn a_transaction_goes_on_in_the_next_answer() {
        let mut aborted = Aborted::default();
        let named = [AbortedTransaction { producer_id: 7, first_offset: 0 }];
        for (bytes, passes) in
            [(data(0, 7, true), true), (data(9, 7, true), true), (marker(10, 7, false), true)]
        {
            aborted.told(&named);
            let batch = batches(&bytes).next().unwrap().unwrap();
            assert_eq!(aborted.passes_over(&batch).unwrap(), passes);
        }
        aborted.told(&[]);
        let next = data(11, 7, true);
        let batch = batches(&next).next().unwrap().unwrap();
        assert!(!aborted.passes_over(&batch).unwrap());
    }
}
