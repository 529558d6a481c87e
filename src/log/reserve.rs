//! Room on the disk of one log directory that is kept for what must be written when there is no
//! other: what a start writes, and the metadata of what makes room again.
//!
//! Owns: one file that says nothing and takes room ([`FILE_NAME`]). Lives on: the core that boots
//! the broker. Given back piece by piece, it is taken again when a start is done, and when the disk
//! has plenty. Never: holds anything up.

use crate::limits::{RESERVE_BYTES, RESERVE_PIECE_BYTES};
use ring::{File, OpenOptions, Ring};
use std::{
    cell::Cell,
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Not a folder, so that Apache Kafka leaves it alone.
pub const FILE_NAME: &str = "millstream-reserve";

/// The reserve grows beside other work only while this many times its size is free: it must not be
/// what fills the disk.
const PLENTY: u64 = 8;

/// The least that is taken at a time.
const PAGE_BYTES: u64 = 4096;

pub struct Reserve {
    ring: Ring,
    dir: PathBuf,
    /// `None`: there is none, for want of a file system that can set room aside, or of room.
    file: Option<File>,
    size_bytes: Cell<u64>,
}

impl Reserve {
    /// Of this log directory; made where there is room for it.
    pub async fn open(ring: &Ring, dir: &Path) -> Rc<Reserve> {
        let opened = async {
            let file = ring.open(dir.join(FILE_NAME), OpenOptions::write()).await?;
            let size_bytes = ring.size(&file).await?;
            io::Result::Ok((file, size_bytes))
        };
        let (file, size_bytes) = match opened.await {
            Ok((file, size_bytes)) => (Some(file), size_bytes),
            Err(error) => {
                tracing::warn!(dir = %dir.display(), %error, "there is no reserve for a full disk \
                    in this log directory");
                (None, 0)
            }
        };
        let reserve = Reserve {
            ring: ring.clone(),
            dir: dir.to_owned(),
            file,
            size_bytes: Cell::new(size_bytes),
        };
        reserve.refill_from_plenty().await;
        Rc::new(reserve)
    }

    /// Without any room: nothing is written that would need it.
    pub fn none(ring: &Ring, dir: &Path) -> Rc<Reserve> {
        Rc::new(Reserve {
            ring: ring.clone(),
            dir: dir.to_owned(),
            file: None,
            size_bytes: Cell::new(0),
        })
    }

    pub fn size_bytes(&self) -> u64 {
        self.size_bytes.get()
    }

    /// Gives a piece back to the file system; `false` where nothing is left, or it is no room that
    /// is missing.
    pub async fn spend_for(&self, error: &io::Error) -> bool {
        let size_bytes = self.size_bytes.get();
        let is_full =
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let Some(file) = self.file.as_ref().filter(|_| is_full && size_bytes > 0) else {
            return false;
        };
        let left = size_bytes.saturating_sub(RESERVE_PIECE_BYTES);
        let given = async {
            self.ring.truncate(file, left).await?;
            // Some file systems give blocks to others only once their journal says that they are
            // free.
            self.ring.sync_data(file).await
        };
        if let Err(error) = given.await {
            tracing::warn!(dir = %self.dir.display(), %error, "the reserve for a full disk cannot \
                be given back");
            return false;
        }
        assert!(left < size_bytes, "a piece of {size_bytes} bytes was given, and {left} are left");
        self.size_bytes.set(left);
        tracing::warn!(
            dir = %self.dir.display(), left_bytes = left,
            "the disk is full: a piece of the reserve is used; make room on it"
        );
        true
    }

    /// Takes the missing bytes, as far as the disk has room.
    pub async fn refill(&self) {
        let Some(file) = &self.file else { return };
        let mut piece = RESERVE_BYTES.saturating_sub(self.size_bytes.get());
        if piece < PAGE_BYTES {
            return;
        }
        while piece >= PAGE_BYTES && self.size_bytes.get() < RESERVE_BYTES {
            let size_bytes = self.size_bytes.get();
            if self.ring.allocate(file, size_bytes, piece, false).await.is_ok() {
                let taken = size_bytes + piece;
                assert!(taken <= RESERVE_BYTES, "{taken} bytes are reserved of {RESERVE_BYTES}");
                self.size_bytes.set(taken);
            } else {
                // What it has taken of a piece before the disk was full.
                let _ = self.ring.truncate(file, size_bytes).await;
                piece /= 2;
            }
        }
        let durable = async {
            self.ring.sync_data(file).await?;
            self.ring.sync_dir(&self.dir).await
        };
        if let Err(error) = durable.await {
            tracing::warn!(dir = %self.dir.display(), %error, "the reserve for a full disk may \
                not outlast a power cut");
        }
    }

    /// The same where the disk has plenty.
    pub async fn refill_from_plenty(&self) {
        if self.size_bytes.get() < RESERVE_BYTES
            && let Ok((free_bytes, _)) = self.ring.disk_space(&self.dir).await
            && free_bytes >= PLENTY * RESERVE_BYTES
        {
            self.refill().await;
        }
    }
}
