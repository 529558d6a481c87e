//! From committed records to images: follows the high watermark, replays what is committed, and
//! shows each image.
//!
//! Owns: the image of all that is committed, and what has changed in it. Lives on: the core of the
//! metadata node. It knows no controller: on a node that only follows it is the same. Never: waits
//! for what is shown an image, shows one in the middle of a transaction, or shows any after its
//! end.

use super::{log::MetadataLog, quorum::Quorum};
use crate::meta::{
    changes::Changes,
    image::MetadataImage,
    metalog::{self, Batch, MetalogError},
    replay::Replay,
};
use bytes::Bytes;
use ring::{Ring, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

/// Shows an image, with what has changed in it, to all that follow the metadata. Takes no time.
pub type Show = Box<dyn Fn(Arc<MetadataImage>, Changes)>;

pub struct Publisher {
    log: Rc<MetadataLog>,
    quorum: Rc<Quorum>,
    replay: RefCell<Replay>,
    /// The offset behind the last record that was replayed.
    replayed_to: Cell<i64>,
    moved: Notify,
    show: Show,
    has_ended: Cell<bool>,
}

impl Publisher {
    /// Follows the quorum from where `replay` ends, which is `replayed_to`.
    pub fn start(
        ring: &Ring,
        log: Rc<MetadataLog>,
        quorum: Rc<Quorum>,
        (replay, replayed_to): (Replay, i64),
        show: Show,
    ) -> Rc<Publisher> {
        let publisher = Rc::new(Publisher {
            log,
            quorum,
            replay: RefCell::new(replay),
            replayed_to: Cell::new(replayed_to),
            moved: Notify::default(),
            show,
            has_ended: Cell::new(false),
        });
        let task = publisher.clone();
        drop(ring.spawn_named("metadata publisher", async move {
            loop {
                task.quorum.moved_past(task.replayed_to.get()).await;
                task.replay_committed();
            }
        }));
        publisher
    }

    /// The image of all that was replayed.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.replay.borrow().image().clone()
    }

    pub fn is_in_transaction(&self) -> bool {
        self.replay.borrow().transaction_start().is_some()
    }

    /// Waits until the image has the record at this offset, and was shown.
    pub async fn replayed(&self, offset: i64) {
        self.moved.wait_until(|| self.replayed_to.get() > offset).await;
    }

    /// Shows nothing any more.
    pub fn end(&self) {
        self.has_ended.set(true);
    }

    fn replay_committed(&self) {
        let high_watermark = self.quorum.high_watermark();
        for bytes in self.quorum.take_committed() {
            self.replay_batches(&bytes);
        }
        if !self.is_in_transaction() {
            let image = self.image();
            let changes = self.replay.borrow_mut().take_changes();
            if !self.has_ended.get() {
                (self.show)(image.clone(), changes);
            }
            self.log.snapshot_if_due(&image);
        }
        self.replayed_to.set(high_watermark);
        self.moved.notify();
    }

    fn replay_batches(&self, bytes: &Bytes) {
        let decoded: Result<Vec<Batch>, MetalogError> = metalog::decode(bytes).collect();
        let mut replay = self.replay.borrow_mut();
        for batch in decoded.expect("what was encoded can be decoded") {
            if let Err(error) = replay.apply(&batch) {
                // The controller has decided what the image cannot take: going on would spread
                // the fault.
                panic!("{error}");
            }
        }
    }
}
