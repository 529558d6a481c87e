//! Sending bytes that are not in the page cache: the right ones, past the page cache, read ahead,
//! and never old ones.

use super::{sockets::pair, *};
use crate::{File, OpenOptions, Stable, Stream, cold::READ_BYTES, send_file::cached_pages};
use proptest::prelude::*;
use std::{io, path::Path, rc::Rc};

/// Below the build folder: a file system in memory has everything in the page cache.
fn scratch(name: &str) -> Rc<Scratch> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("cold-{name}-{}.tmp", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the build folder is writable");
    Rc::new(Scratch(path))
}

/// A file with `content` that is nowhere but on the disk.
async fn cold_file(ring: &Ring, path: &Path, content: Bytes) -> File {
    let file = ring
        .open(path, OpenOptions { truncate: true, ..OpenOptions::write() })
        .await
        .expect("opens");
    ring.write_at(&file, vec![content], 0).await.expect("writes");
    ring.sync_data(&file).await.expect("syncs");
    evict(path);
    file
}

/// Whether the file is cold now, as far as the kernel can say: some file systems keep their pages.
fn is_cold(file: &File, length: usize) -> bool {
    cached_pages(file, 0, length as u64) == Some(0) && file.can_read_directly()
}

/// Sends a range and gives what has arrived of it.
async fn sent(
    ring: &Ring,
    ends: &(Stream, Stream),
    file: &File,
    offset: usize,
    length: usize,
    stable: Stable,
) -> Bytes {
    let sender = {
        let (ring, near, file) = (ring.clone(), ends.0.clone(), file.clone());
        ring.clone().spawn(async move {
            ring.send_file(&near, &file, offset as u64, length as u64, stable).await
        })
    };
    let got = recv_exact(ring, &ends.1, length).await.expect("arrives").freeze();
    sender.await.expect("sends the file");
    got
}

fn reads(ring: &Ring) -> usize {
    ring.core.cold.reads.get()
}

#[test]
fn cold_ranges_arrive_whole_and_leave_the_page_cache_alone() {
    const SIZE: usize = (3 << 20) + 777;
    let scratch = scratch("ranges");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let (path, content) = (scratch.path("file"), pattern(0, SIZE));
            let file = cold_file(&ring, &path, content.clone()).await;
            let cold = is_cold(&file, SIZE);
            let ends = pair(&ring).await;
            let none = file.stable(0);
            for (offset, length) in [
                (0, 1),
                (1, 4095),
                (4096, 4096),
                (4095, 2),
                (123_457, 2_000_003),
                (SIZE - 5, 5),
                (0, SIZE),
                (777, SIZE - 777),
            ] {
                let got = sent(&ring, &ends, &file, offset, length, none).await;
                assert!(got == content[offset..offset + length], "{length} bytes from {offset} on");
            }
            if cold {
                assert!(reads(&ring) >= 8, "each range was read directly");
                assert_eq!(
                    cached_pages(&file, 0, SIZE as u64),
                    Some(0),
                    "nothing came into the page cache"
                );
            }
            while ring.core.cold.block_counts().0 > 0 {
                ring.sleep(Duration::from_millis(1)).await;
            }
            ring.release_idle();
            ring.release_idle();
            assert_eq!(ring.core.cold.block_counts(), (0, 0), "the memory is given back");
        }
    });
}

#[test]
fn a_deleted_file_is_sent_as_well() {
    const SIZE: usize = 700_000;
    let scratch = scratch("deleted");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let (path, content) = (scratch.path("file"), pattern(3, SIZE));
            let file = cold_file(&ring, &path, content.clone()).await;
            let cold = is_cold(&file, SIZE);
            ring.unlink(&path).await.expect("removes");
            let ends = pair(&ring).await;
            assert!(
                sent(&ring, &ends, &file, 11, SIZE - 11, file.stable(0)).await == content[11..]
            );
            assert!(!cold || reads(&ring) == SIZE.div_ceil(READ_BYTES));
        }
    });
}

#[test]
fn a_reader_that_goes_on_finds_what_was_read_ahead() {
    const SIZE: usize = 8 << 20;
    const RANGE: usize = 600_001;
    let scratch = scratch("ahead");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let content = pattern(0, SIZE);
            let file = cold_file(&ring, &scratch.path("file"), content.clone()).await;
            if !is_cold(&file, SIZE) {
                return;
            }
            let ends = pair(&ring).await;
            let stable_until = 10 * RANGE + 5;
            let stable = file.stable(stable_until as u64);
            let first = RANGE.div_ceil(READ_BYTES);
            for nth in 0..10 {
                let got = sent(&ring, &ends, &file, nth * RANGE, RANGE, stable).await;
                assert!(got == content[nth * RANGE..(nth + 1) * RANGE], "range {nth}");
                if nth == 0 {
                    assert_eq!(reads(&ring), first, "a single range is not read ahead of");
                } else {
                    assert!(
                        ring.core.cold.block_counts().0 > 0,
                        "the next ranges are there, or on their way"
                    );
                }
            }
            // The first range is one by itself; the others are read in whole blocks, none of it
            // twice.
            let whole = (stable_until - RANGE).div_ceil(READ_BYTES);
            let others = reads(&ring) - first;
            assert!((whole..=whole + 1).contains(&others), "{others} reads, not {whole}");
            // What lies behind the stable bytes was not read, and can change.
            ring.write_at(&file, vec![pattern(7, 1000)], stable_until as u64)
                .await
                .expect("writes");
            let got = sent(&ring, &ends, &file, 10 * RANGE, 1005, file.stable(0)).await;
            assert!(got[..5] == content[10 * RANGE..stable_until] && got[5..] == pattern(7, 1000));
        }
    });
}

#[test]
fn what_was_read_ahead_of_a_cut_is_never_sent() {
    const SIZE: usize = 2 << 20;
    const RANGE: usize = 100_000;
    let scratch = scratch("cut");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let path = scratch.path("file");
            let (old, new) = (pattern(0, SIZE), pattern(5, SIZE));
            let file = cold_file(&ring, &path, old.clone()).await;
            let ends = pair(&ring).await;
            let stable = file.stable(SIZE as u64);
            for nth in 0..2 {
                let got = sent(&ring, &ends, &file, nth * RANGE, RANGE, stable).await;
                assert!(got == old[nth * RANGE..(nth + 1) * RANGE]);
            }
            ring.truncate(&file, 2 * RANGE as u64).await.expect("truncates");
            ring.write_at(&file, vec![new.slice(2 * RANGE..)], 2 * RANGE as u64)
                .await
                .expect("writes");
            ring.sync_data(&file).await.expect("syncs");
            evict(&path);
            // A reader that learned before the cut which bytes are stable must not read ahead any
            // more.
            for nth in 2..4 {
                let got = sent(&ring, &ends, &file, nth * RANGE, RANGE, stable).await;
                assert!(got == new[nth * RANGE..(nth + 1) * RANGE], "range {nth}");
                assert_eq!(ring.core.cold.block_counts().0, 0, "nothing is kept");
            }
        }
    });
}

#[test]
fn without_a_block_the_page_cache_has_to_do() {
    const SIZE: usize = 1_500_000;
    let scratch = scratch("exhausted");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let content = pattern(0, SIZE);
            let file = cold_file(&ring, &scratch.path("file"), content.clone()).await;
            let cold = is_cold(&file, SIZE);
            let ends = pair(&ring).await;
            let mut blocks = ring.core.cold.take_all_blocks();
            assert!(
                sent(&ring, &ends, &file, 1, 700_000, file.stable(0)).await == content[1..700_001]
            );
            assert_eq!(reads(&ring), 0);
            blocks.pop();
            assert!(sent(&ring, &ends, &file, 1, SIZE - 1, file.stable(0)).await == content[1..]);
            assert!(!cold || reads(&ring) > 0, "a single block is enough");
        }
    });
}

#[test]
fn a_file_system_in_memory_needs_no_direct_reads() {
    let shared_memory = Path::new("/dev/shm");
    if !shared_memory.is_dir() {
        return;
    }
    let scratch = Rc::new(Scratch(shared_memory.join(format!("ring-cold-{}", std::process::id()))));
    std::fs::create_dir_all(&scratch.0).expect("it is writable");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let content = pattern(0, 1_000_000);
            let file = cold_file(&ring, &scratch.path("file"), content.clone()).await;
            let ends = pair(&ring).await;
            assert!(
                sent(&ring, &ends, &file, 10, 900_000, file.stable(0)).await
                    == content[10..900_010]
            );
        }
    });
}

#[test]
fn a_cold_file_shorter_than_promised_is_an_error() {
    let scratch = scratch("short");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let file = cold_file(&ring, &scratch.path("file"), pattern(0, 300_001)).await;
            let (near, far) = pair(&ring).await;
            let stable = file.stable(1 << 20);
            let error = ring
                .send_file(&near, &file, 1000, 400_000, stable)
                .await
                .expect_err("not so much is there");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert!(
                recv_exact(&ring, &far, 299_001).await.expect("what was there")
                    == pattern(1000, 299_001)
            );
        }
    });
}

#[test]
fn a_dropped_cold_transfer_breaks_the_stream_and_gives_its_blocks_back() {
    const SIZE: usize = 32 << 20;
    let scratch = scratch("dropped");
    on_each(|ring| {
        let scratch = scratch.clone();
        async move {
            let file = cold_file(&ring, &scratch.path("file"), pattern(0, SIZE)).await;
            for wait_ms in [0, 1, 50] {
                let (near, far) = pair(&ring).await;
                let send = ring.send_file(&near, &file, 0, SIZE as u64, file.stable(SIZE as u64));
                assert!(
                    ring.timeout(Duration::from_millis(wait_ms), send).await.is_none(),
                    "the peer reads nothing"
                );
                recv_exact(&ring, &far, SIZE).await.expect_err("the rest never comes");
                while ring.core.cold.block_counts().0 > 0 {
                    ring.sleep(Duration::from_millis(1)).await;
                }
            }
        }
    });
}

/// Ranges of a file of 1 MiB, each with a part that is brought into the page cache before it is
/// sent.
fn ranges() -> impl Strategy<Value = Vec<(usize, usize, usize, usize, bool)>> {
    const SIZE: usize = 1 << 20;
    let range = (0..SIZE, 1..300_000_usize, 0..SIZE, 1..100_000_usize, any::<bool>());
    proptest::collection::vec(range, 1..8).prop_map(|ranges| {
        let mut end = 0;
        let mut follow = |(offset, length, warm, warm_length, goes_on)| {
            let offset: usize = if goes_on && end < SIZE { end } else { offset };
            let length = usize::min(length, SIZE - offset);
            end = offset + length;
            (offset, length, warm, usize::min(warm_length, SIZE - warm), goes_on)
        };
        ranges.into_iter().map(&mut follow).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_ranges_arrive_whatever_lies_in_memory(ranges in ranges()) {
        let scratch = scratch("any");
        on_each(|ring| {
            let (scratch, ranges) = (scratch.clone(), ranges.clone());
            async move {
                let (path, content) = (scratch.path("file"), pattern(0, 1 << 20));
                let file = cold_file(&ring, &path, content.clone()).await;
                let ends = pair(&ring).await;
                for (offset, length, warm, warm_length, evicts) in ranges {
                    if evicts {
                        evict(&path);
                    }
                    ring.read_exact_at(&file, warm as u64, warm_length).await.expect("reads");
                    let got = sent(&ring, &ends, &file, offset, length, file.stable(1 << 20)).await;
                    assert!(got == content[offset..offset + length], "{length} bytes from \
                        {offset} on");
                }
            }
        });
    }
}
