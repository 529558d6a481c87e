//! The disk: how fast bytes go past the page cache, and how long a flush takes.
//!
//! Owns: one file in the folder to be measured, from its creation to its removal. Lives on: the
//! selftest's thread. Never: asks for more room than `--size`, or measures the page cache and calls
//! it the disk.

use super::{
    Bench, MIB, ROOM_LEFT_BYTES, SelftestOptions,
    figures::{Figures, Latencies, Transfer},
};
use crate::say;
use anyhow::{Context, ensure};
use bytes::{Bytes, BytesMut};
use ring::{ALIGNMENT, AlignedBuf, File, OpenOptions, Ring};
use std::{cell::Cell, fs, io, path::PathBuf, process, rc::Rc, time::Duration};

/// Bytes of one operation of the sequential measurements.
const BLOCK: usize = 1 << 20;
/// Operations under way at once: a disk with several queues shows its rate with more than one.
const AT_ONCE: usize = 4;

/// How long each measurement may take.
pub struct Bounds {
    pub write: Duration,
    pub read: Duration,
    /// Of each size of flush, and no less.
    pub flushes: Duration,
}

pub const BOUNDS: Bounds = Bounds {
    write: Duration::from_secs(3),
    read: Duration::from_secs(2),
    flushes: Duration::from_secs(5),
};

/// The file, removed with this value, whatever ends the measurement.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

pub async fn measure(
    bench: &Bench,
    options: &SelftestOptions,
    bounds: &Bounds,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let (ring, size) = (&bench.ring, options.size);
    let dir = options.dir.display();
    let (free, _) = ring
        .disk_space(&options.dir)
        .await
        .with_context(|| format!("cannot ask how much room {dir} has"))?;
    ensure!(
        free >= size + ROOM_LEFT_BYTES,
        "{dir} has {} MiB left, and the test takes {} MiB and leaves {} MiB: give a smaller \
         --size, or --dir on another disk",
        free / MIB,
        size / MIB,
        ROOM_LEFT_BYTES / MIB
    );
    let path = options.dir.join(format!("loadgen-selftest-{}.tmp", process::id()));
    let create = OpenOptions { create_new: true, ..OpenOptions::write() };
    let (direct, is_direct) = ring.open_direct(&path, create).await.with_context(|| {
        format!("cannot make a file in {dir}: give --dir a folder that you may write to")
    })?;
    let _scratch = Scratch(path.clone());
    figures.is_direct = Some(is_direct);
    let failed = || format!("the disk of {dir} failed");

    say::note(&format!("selftest: 1 of 8: writing {} MiB in sequence, 3 s at most", size / MIB));
    let written = sequential(bench, &direct, size, bounds.write, Way::Write).await;
    let written = written.with_context(failed)?;
    figures.write = Some(written);
    say::note("selftest: 2 of 8: reading them, 2 s at most");
    let read = sequential(bench, &direct, written.bytes, bounds.read, Way::Read).await;
    figures.read = Some(read.with_context(failed)?);
    drop(direct);

    let file = ring.open(&path, OpenOptions::write()).await.with_context(failed)?;
    for (step, bytes) in [(3, 4 << 10), (4, MIB as usize)] {
        if bench.ended() {
            break;
        }
        say::note(&format!(
            "selftest: {step} of 8: appending {} KiB and flushing, again and again for 5 s",
            bytes >> 10
        ));
        let took = flushes(bench, &file, bytes, size, bounds.flushes).await.with_context(failed)?;
        *(if step == 3 { &mut figures.flush_4k } else { &mut figures.flush_1m }) = Some(took);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Write,
    Read,
}

/// Moves whole blocks from the file's start on, several at once, until `size` or the time is over.
/// What was written counts when it is flushed.
async fn sequential(
    bench: &Bench,
    file: &File,
    size: u64,
    max: Duration,
    way: Way,
) -> io::Result<Transfer> {
    let ring = &bench.ring;
    if way == Way::Write {
        ring.truncate(file, 0).await?;
    }
    let blocks: Vec<Bytes> = (0..AT_ONCE).map(|_| random_block(ring)).collect();
    let next = Rc::new(Cell::new(0));
    let began = ring.precise_now();
    let movers: Vec<_> = blocks
        .into_iter()
        .map(|block| {
            let (bench, file, next) = (bench.clone(), file.clone(), next.clone());
            let until = began + max;
            bench.ring.clone().spawn(async move {
                let mut room = aligned_room(BLOCK);
                loop {
                    let at = next.get();
                    let over = bench.ended() || bench.ring.precise_now() >= until;
                    if over || at + BLOCK as u64 > size {
                        return Ok::<(), io::Error>(());
                    }
                    next.set(at + BLOCK as u64);
                    if way == Way::Write {
                        bench.ring.write_at(&file, vec![block.clone()], at).await?;
                    } else {
                        room.clear();
                        let read;
                        (read, room) = bench.ring.read_at(&file, room, BLOCK, at).await;
                        read?;
                    }
                }
            })
        })
        .collect();
    for mover in movers {
        mover.await?;
    }
    if way == Way::Write {
        ring.sync_data(file).await?;
    }
    Ok(Transfer { bytes: next.get(), took: ring.precise_now().since(began) })
}

/// Bytes at an aligned address that no disk makes smaller.
fn random_block(ring: &Ring) -> Bytes {
    struct Block(AlignedBuf);
    impl AsRef<[u8]> for Block {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let mut block = AlignedBuf::zeroed(BLOCK);
    block.bytes_mut().chunks_exact_mut(8).for_each(|word| {
        word.copy_from_slice(&ring.random_u64().to_le_bytes());
    });
    Bytes::from_owner(Block(block))
}

/// Room for `bytes` at an address that `O_DIRECT` takes.
fn aligned_room(bytes: usize) -> BytesMut {
    let mut room = BytesMut::with_capacity(bytes + ALIGNMENT);
    let skipped = room.as_ptr().align_offset(ALIGNMENT);
    room.resize(skipped, 0);
    room.split_off(skipped)
}

/// Appends and flushes, one after the other; at `size` the file begins anew, so that it takes no
/// more room.
async fn flushes(
    bench: &Bench,
    file: &File,
    bytes: usize,
    size: u64,
    length: Duration,
) -> io::Result<Latencies> {
    let ring = &bench.ring;
    ring.truncate(file, 0).await?;
    let block = random_block(ring).slice(..bytes);
    let mut took = Latencies::default();
    let (mut at, until) = (0, ring.precise_now() + length);
    while !bench.ended() && ring.precise_now() < until {
        if at + bytes as u64 > size {
            ring.truncate(file, 0).await?;
            // What the cut costs is none of the next flush's.
            ring.sync_data(file).await?;
            at = 0;
        }
        let began = ring.precise_now();
        ring.write_at(file, vec![block.clone()], at).await?;
        ring.sync_data(file).await?;
        took.record(ring.precise_now().since(began));
        at += bytes as u64;
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_direct_reads_is_aligned_and_stays_so_when_it_is_used_again() {
        for _ in 0..8 {
            let mut room = aligned_room(BLOCK);
            let address = room.as_ptr();
            assert_eq!((address.align_offset(ALIGNMENT), room.len()), (0, 0));
            room.resize(BLOCK, 1);
            room.clear();
            room.reserve(BLOCK);
            assert_eq!(room.as_ptr(), address);
        }
    }

    #[test]
    fn the_file_goes_with_its_guard() {
        let path = std::env::temp_dir().join(format!("scratch-{}", process::id()));
        fs::write(&path, "x").unwrap();
        drop(Scratch(path.clone()));
        assert!(!path.exists());
    }
}
