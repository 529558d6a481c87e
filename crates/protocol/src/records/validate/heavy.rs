//! Checking a batch in steps, and packing it anew on the way: what [`super::validate`] and
//! [`super::recompress`] do to a small one at once.
//!
//! Owns: the batch, until the verdict. Lives on: the core that the request came to. Never: does
//! more than a fraction of a millisecond's work in a step, or holds more than a piece of the
//! unpacked records.

use std::rc::Rc;

use bytes::BytesMut;

use super::{
    Faults, Largest, Rejection, ValidBatch, ValidationRules, accepted, check_codec, check_header,
    only_batch, record_fault, too_large, wanted_codec,
};
use crate::compression::{
    Compression, memory,
    pieces::{PIECE_BYTES, Packing, Unpacking},
};
use crate::error::ErrorCode;
use crate::records::{
    BATCH_HEADER_BYTES, Batch, NO_TIMESTAMP, Outline, PieceWalk, Record, RecordsError,
    batch::{self, CHECKSUM_BYTES, Checksum},
};

/// A batch that takes too long to be checked at once.
pub struct HeavyBatch {
    batch: Rc<BytesMut>,
    rules: ValidationRules,
    level: Option<i32>,
    stage: Stage,
}

/// What comes next.
enum Stage {
    /// Comparing the checksum.
    Received(Checksum),
    /// Unpacking, checking and packing the records.
    Records(Box<Work>),
    /// The batch was packed anew: its checksum.
    Packed {
        output: Vec<u8>,
        valid: ValidBatch,
        checksum: Checksum,
    },
    Over,
}

struct Work {
    unpacking: Unpacking,
    walk: PieceWalk,
    largest: Largest,
    faults: Faults,
    packing: Option<Packing>,
    /// The result got too large; the rest is only checked, because other faults are named first.
    packed_too_large: Option<usize>,
    piece_bytes: usize,
}

/// The batch to append, and what it holds.
pub type Accepted = (BytesMut, ValidBatch);

impl HeavyBatch {
    /// `level` is the topic's for the codec that it wants.
    pub fn new(batch: BytesMut, rules: ValidationRules, level: Option<i32>) -> Self {
        Self { batch: Rc::new(batch), rules, level, stage: Stage::Received(Checksum::new()) }
    }

    /// What the work on it takes at most, beyond the batch itself.
    pub fn memory_bytes(&self) -> usize {
        let Ok(batch) = Batch::parse(&self.batch) else { return 0 };
        let Ok(compression) = batch.compression() else { return 0 };
        let unpacking =
            memory::unpacking_bytes(compression, batch.body(), self.rules.max_decompressed_bytes);
        let packing = wanted_codec(compression, &self.rules).map_or(0, |codec| {
            memory::packing_bytes(codec, self.level) + self.rules.max_message_bytes
        });
        unpacking + packing
    }

    /// Refuses a batch whose work would take more memory.
    pub fn takes_at_most(&self, bytes_max: usize) -> Result<(), Rejection> {
        let bytes = self.memory_bytes();
        if bytes <= bytes_max {
            return Ok(());
        }
        let message = format!(
            "checking the batch takes {bytes} bytes of memory, and memory.limit.bytes allows \
             {bytes_max}"
        );
        Err(Rejection::new(ErrorCode::MessageTooLarge, message))
    }

    /// Does some of the work, and gives the verdict when that was the last of it. `piece` holds a
    /// part of the records meanwhile, and nothing in between: one buffer serves many batches.
    pub fn step(&mut self, piece: &mut Vec<u8>) -> Option<Result<Accepted, Rejection>> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Received(checksum) => self.received(checksum).err().map(Err),
            Stage::Records(mut work) => match self.records(&mut work, piece) {
                Ok(true) => self.checked(*work),
                Ok(false) => {
                    self.stage = Stage::Records(work);
                    None
                }
                Err(refused) => Some(Err(refused)),
            },
            Stage::Packed { mut output, valid, mut checksum } => {
                let Some(crc) = checksum.step(&output, CHECKSUM_BYTES) else {
                    self.stage = Stage::Packed { output, valid, checksum };
                    return None;
                };
                batch::set_crc(&mut output, crc);
                Some(Ok((BytesMut::from(bytes::Bytes::from(output)), valid)))
            }
            Stage::Over => panic!("a batch has one verdict"),
        }
    }

    fn received(&mut self, mut checksum: Checksum) -> Result<(), Rejection> {
        let batch = only_batch(&self.batch)?;
        let compression = check_codec(&batch, &self.rules)?;
        check_header(&batch, &self.rules)?;
        let Some(crc) = checksum.step(&self.batch, CHECKSUM_BYTES) else {
            self.stage = Stage::Received(checksum);
            return Ok(());
        };
        if crc != batch.crc() {
            return Err(Rejection::new(
                ErrorCode::CorruptMessage,
                "the batch's CRC does not match its bytes",
            ));
        }
        let limit_bytes = self.rules.max_decompressed_bytes.max(batch.size_bytes());
        let unpacking =
            Unpacking::new(compression, self.batch.clone(), BATCH_HEADER_BYTES, limit_bytes);
        let wanted = wanted_codec(compression, &self.rules).filter(|_| !batch.is_control());
        let packing = wanted.map(|codec| {
            let head = batch.bytes()[..BATCH_HEADER_BYTES].to_vec();
            let body_bytes = (compression == Compression::None).then_some(batch.body().len());
            Packing::new(codec, self.level, head, body_bytes)
        });
        self.stage = Stage::Records(Box::new(Work {
            unpacking: unpacking.map_err(RecordsError::from)?,
            walk: PieceWalk::new(&batch)?
                .with_record_bytes_max(self.rules.record_bytes_max(compression)),
            largest: Largest { timestamp: NO_TIMESTAMP, offset_delta: 0 },
            faults: Faults::default(),
            packing,
            packed_too_large: None,
            piece_bytes: wanted
                .map_or(PIECE_BYTES, |codec| Packing::piece_bytes(codec, self.level)),
        }));
        Ok(())
    }

    /// The next piece of the records; whether it was the last.
    fn records(&self, work: &mut Work, piece: &mut Vec<u8>) -> Result<bool, Rejection> {
        let Work { unpacking, walk, largest, faults, packing, packed_too_large, piece_bytes } =
            work;
        let header = batch::BatchHeader::view(&self.batch).expect("it was looked at before");
        let more = unpacking.next(piece, *piece_bytes).map_err(RecordsError::from)?;
        walk.feed(piece, |index, outline: &Outline| {
            if outline.offset_delta != index {
                let message =
                    format!("record {index} says that it is number {}", outline.offset_delta);
                return Err(Rejection::invalid(message));
            }
            let record = Record::outlined(header, outline);
            if let Some(fault) = record_fault(&record, header.timestamp_type(), &self.rules) {
                faults.add(index, fault, &record, &self.rules);
            } else if record.timestamp > largest.timestamp {
                *largest = Largest { timestamp: record.timestamp, offset_delta: index };
            }
            Ok(())
        })?;
        if let Some(packed) = packing {
            packed.write(piece);
            if packed.output_bytes() > self.rules.max_message_bytes {
                *packed_too_large = Some(packed.output_bytes());
                *packing = None;
            }
        }
        if !more {
            walk.end()?;
        }
        Ok(!more)
    }

    /// All records were looked at. Gives the verdict, unless a new batch wants a checksum first.
    fn checked(&mut self, work: Work) -> Option<Result<Accepted, Rejection>> {
        let Work { unpacking, largest, faults, packing, packed_too_large, .. } = work;
        drop(unpacking);
        if let Err(refused) = faults.into_result() {
            return Some(Err(refused));
        }
        let received = std::mem::take(&mut self.batch);
        let batch = Batch::parse(&received).expect("it was looked at before");
        let compression = batch.compression().expect("it was looked at before");
        let valid = accepted(&batch, compression, largest, &self.rules);
        let output = packing.map(Packing::finish);
        let size_bytes = output.as_ref().map(Vec::len).or(packed_too_large);
        if let Some(size_bytes) = size_bytes.filter(|size| *size > self.rules.max_message_bytes) {
            return Some(Err(too_large(size_bytes, &self.rules)));
        }
        let Some(mut output) = output else {
            let received = Rc::try_unwrap(received).expect("nothing reads the batch any more");
            return Some(Ok((received, valid)));
        };
        let codec = valid.recompress_to.expect("it was packed because the topic wants it");
        output.shrink_to_fit();
        batch::set_codec_and_length(&mut output, codec);
        let valid = ValidBatch {
            size_bytes: output.len(),
            compression: codec,
            recompress_to: None,
            ..valid
        };
        self.stage = Stage::Packed { output, valid, checksum: Checksum::new() };
        None
    }
}
