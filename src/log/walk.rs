//! Walking the batch headers of a `.log` file without reading the records between them.
//!
//! Owns a small buffer. Lives on the core of its log. Trusts nothing that it reads: a header that
//! makes no sense ends the walk with an error of kind `InvalidData`.

use bytes::BytesMut;
use protocol::records::{BATCH_HEADER_BYTES, BatchHeader, MAGIC_V2};
use ring::{File, Ring};
use std::io;

/// Enough for what lies between two index entries of small batches.
const CHUNK_BYTES: u64 = 8 * 1024;

pub(super) struct Walk<'a> {
    ring: &'a Ring,
    file: &'a File,
    position: u64,
    end: u64,
    chunk: BytesMut,
    chunk_position: u64,
}

/// A batch in a file.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub position: u64,
    pub size_bytes: u64,
    pub header: BatchHeader,
}

impl Located {
    pub fn end(&self) -> u64 {
        self.position + self.size_bytes
    }
}

impl<'a> Walk<'a> {
    /// Batches from `position`, where one must start, up to `end`, where one must end.
    pub fn new(ring: &'a Ring, file: &'a File, position: u64, end: u64) -> Self {
        Self { ring, file, position, end, chunk: BytesMut::new(), chunk_position: 0 }
    }

    /// The next batch; `None` at the end.
    pub async fn next(&mut self) -> io::Result<Option<Located>> {
        if self.position >= self.end {
            return Ok(None);
        }
        if self.end - self.position < BATCH_HEADER_BYTES as u64 {
            return Err(self.nonsense("the file ends inside a batch header"));
        }
        let chunk_end = self.chunk_position + self.chunk.len() as u64;
        if self.position < self.chunk_position
            || self.position + BATCH_HEADER_BYTES as u64 > chunk_end
        {
            let length = CHUNK_BYTES.min(self.end - self.position);
            self.chunk = self.ring.read_exact_at(self.file, self.position, length as usize).await?;
            self.chunk_position = self.position;
        }
        let header =
            BatchHeader::view(&self.chunk[(self.position - self.chunk_position) as usize..])
                .expect("the chunk holds the whole header")
                .clone();
        let Some(size_bytes) = header.claimed_size_bytes().filter(|_| header.magic() == MAGIC_V2)
        else {
            return Err(self.nonsense("no batch header"));
        };
        assert!(size_bytes >= BATCH_HEADER_BYTES, "a batch of {size_bytes} bytes has no header");
        let located = Located { position: self.position, size_bytes: size_bytes as u64, header };
        if located.end() > self.end {
            return Err(self.nonsense("the file ends inside a batch"));
        }
        self.position = located.end();
        Ok(Some(located))
    }

    /// The first batch that ends after `offset`: the one that holds it, or the next one where there
    /// is a gap.
    pub async fn seek(&mut self, offset: i64) -> io::Result<Option<Located>> {
        while let Some(located) = self.next().await? {
            if located.header.next_offset() > offset {
                return Ok(Some(located));
            }
        }
        Ok(None)
    }

    fn nonsense(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{what} at byte {}", self.position))
    }
}
