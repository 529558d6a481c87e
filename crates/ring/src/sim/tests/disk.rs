//! What a power cut and a failed sync leave, case by case.

use super::*;
use crate::AlignedBuf;
use std::collections::BTreeSet;

/// The contents of `/log` and `/new`.
type Found = (Option<Vec<u8>>, Option<Vec<u8>>);

/// What is found at `/log` and `/new` after `before` and a power cut, over many seeds.
fn after_crash<F: Future<Output = ()> + 'static>(
    before: impl Fn(Ring) -> F + 'static + Clone,
) -> BTreeSet<Found> {
    let found =
        |seed| {
            let (world, node) = calm(seed);
            on(&world, node, before.clone());
            world.crash(node);
            on(&world, node, |ring| async move {
                (read(&ring, "/log").await, read(&ring, "/new").await)
            })
        };
    (0..200).map(found).collect()
}

pub(super) async fn durable(ring: &Ring, path: &str, content: &'static [u8]) -> File {
    let file = create(ring, path).await;
    write(ring, &file, content, 0).await;
    ring.sync_data(&file).await.unwrap();
    ring.sync_dir("/").await.unwrap();
    file
}

fn some(content: &[u8]) -> Option<Vec<u8>> {
    Some(content.to_vec())
}

#[test]
fn what_was_synced_stays() {
    let found = after_crash(|ring| async move { drop(durable(&ring, "/log", b"abc").await) });
    assert_eq!(found, BTreeSet::from([(some(b"abc"), None)]));
}

#[test]
fn an_append_without_sync_is_there_in_part_or_not() {
    let found = after_crash(|ring| async move {
        let file = durable(&ring, "/log", b"abc").await;
        write(&ring, &file, b"def", 3).await;
    });
    let logs: BTreeSet<_> = found.into_iter().map(|(log, _)| log.unwrap()).collect();
    assert!(
        logs.contains(&b"abc"[..])
            && logs.contains(&b"abcdef"[..])
            && logs.contains(&b"abc\0\0\0"[..]),
        "{logs:?}"
    );
    for log in logs {
        assert!(log.starts_with(b"abc") && log.len() <= 6, "{log:?}");
        assert!(b"def".starts_with(&log[3..]) || log[3..].iter().all(|&byte| byte == 0), "{log:?}");
    }
}

#[test]
fn an_overwrite_without_sync_is_old_or_new() {
    let found = after_crash(|ring| async move {
        let file = durable(&ring, "/log", b"abc").await;
        write(&ring, &file, b"xyz", 0).await;
    });
    assert_eq!(found, BTreeSet::from([(some(b"abc"), None), (some(b"xyz"), None)]));
}

#[test]
fn a_name_needs_a_sync_of_its_directory() {
    let found = after_crash(|ring| async move {
        let file = create(&ring, "/log").await;
        write(&ring, &file, b"abc", 0).await;
        ring.sync_data(&file).await.unwrap();
    });
    assert_eq!(found, BTreeSet::from([(None, None), (some(b"abc"), None)]));
}

#[test]
fn content_needs_a_sync_of_its_own() {
    let found = after_crash(|ring| async move {
        let file = create(&ring, "/log").await;
        ring.sync_dir("/").await.unwrap();
        write(&ring, &file, b"abc", 0).await;
    });
    let logs: BTreeSet<_> =
        found.into_iter().map(|(log, _)| log.expect("the name was synced")).collect();
    assert!(
        logs.contains(&b""[..]) && logs.contains(&b"abc"[..]) && logs.contains(&b"\0\0\0"[..]),
        "{logs:?}"
    );
}

#[test]
fn a_rename_without_sync_happens_or_not() {
    let found = after_crash(|ring| async move {
        drop((durable(&ring, "/log", b"old").await, durable(&ring, "/new", b"new").await));
        ring.rename("/new", "/log").await.unwrap();
    });
    assert_eq!(found, BTreeSet::from([(some(b"old"), some(b"new")), (some(b"new"), None)]));
}

#[test]
fn a_removal_without_sync_happens_or_not() {
    let removal = |synced: bool| {
        after_crash(move |ring| async move {
            drop(durable(&ring, "/log", b"abc").await);
            ring.unlink("/log").await.unwrap();
            if synced {
                ring.sync_dir("/").await.unwrap();
            }
        })
    };
    assert_eq!(removal(false), BTreeSet::from([(None, None), (some(b"abc"), None)]));
    assert_eq!(removal(true), BTreeSet::from([(None, None)]));
}

#[test]
fn an_atomic_write_leaves_old_or_new_at_any_moment() {
    let mut found = BTreeSet::new();
    for seed in 0..300_u64 {
        let (world, node) = calm(seed);
        on(&world, node, |ring| ring_write(ring, b"old"));
        let done = start(&world, node, |ring| ring_write(ring, b"new!"));
        world.run_for(Duration::from_micros(seed * 20));
        let returned = done.borrow().is_some();
        world.crash(node);
        let content = on(&world, node, |ring| async move { read(&ring, "/log").await });
        assert!(content == some(b"new!") || content == some(b"old") && !returned, "{content:?}");
        found.insert(content);
    }
    assert_eq!(found.len(), 2);
}

async fn ring_write(ring: Ring, content: &'static [u8]) {
    ring.write_file_atomically("/log", Bytes::from_static(content)).await.unwrap();
}

#[test]
fn a_write_tears_at_sectors() {
    let mut torn = 0;
    for seed in 0..100 {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            ring.write_at(&file, vec![vec![1; 64 * 512].into()], 0).await.unwrap();
            ring.sync_data(&file).await.unwrap();
            ring.sync_dir("/").await.unwrap();
            ring.write_at(&file, vec![vec![2; 64 * 512].into()], 0).await.unwrap();
        });
        world.crash(node);
        let content = world.disk(node).read_raw("/log").unwrap();
        for sector in content.chunks(512) {
            assert!(sector.iter().all(|&byte| byte == sector[0]), "a sector is old or new");
        }
        torn += u32::from(content.contains(&1) && content.contains(&2));
    }
    assert!((20..90).contains(&torn), "{torn} of 100 are torn");
}

#[test]
fn a_kill_keeps_the_page_cache() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            write(&ring, &file, b"abc", 0).await;
            let ring_of_sync = ring.clone();
            ring.spawn(async move { ring_of_sync.sync_data(&file).await });
        });
        world.kill(node);
        let content = on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            ring.sync_data(&file).await.unwrap();
            ring.sync_dir("/").await.unwrap();
            read(&ring, "/log").await
        });
        assert_eq!(content, some(b"abc"));
        world.crash(node);
        assert_eq!(world.disk(node).read_raw("/log").unwrap(), b"abc");
    }
}

#[test]
fn a_failed_sync_is_final() {
    let (mut lost, mut cache_dropped) = (0, 0);
    for seed in 0..100 {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move { drop(durable(&ring, "/log", b"abc").await) });
        world.disk(node).fail_next_fsync();
        let seen = on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            write(&ring, &file, b"xyz", 0).await;
            assert!(ring.sync_data(&file).await.is_err());
            ring.sync_data(&file).await.expect("the next one has nothing to do and succeeds");
            read(&ring, "/log").await
        });
        world.crash(node);
        let content = world.disk(node).read_raw("/log").unwrap();
        cache_dropped += u32::from(seen == some(b"abc"));
        lost += u32::from(content == b"abc");
    }
    assert!(lost > 50 && cache_dropped > 20, "lost {lost}, seen lost {cache_dropped}");
}

#[test]
fn a_sync_waits_for_the_one_before_it() {
    for seed in 0..100 {
        let (world, node) = calm(seed);
        let file_at = start(&world, node, |ring| async move {
            let file = durable(&ring, "/log", b"").await;
            write(&ring, &file, b"abc", 0).await;
            let (other, ring_of_other) = (file.clone(), ring.clone());
            ring.spawn(async move { ring_of_other.sync_data(&other).await });
            ring.end_of_turn().await;
            ring.sync_data(&file).await.unwrap();
        });
        assert!(world.run_until(LIMIT, || file_at.borrow().is_some()));
        world.crash(node);
        assert_eq!(world.disk(node).read_raw("/log").unwrap(), b"abc");
    }
}

#[test]
fn a_misdirected_write_lands_elsewhere() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            ring.write_at(&file, vec![vec![1; 16 * 4096].into()], 0).await.unwrap();
        });
        world.disk(node).misdirect_next_write();
        on(&world, node, |ring| async move {
            let file = create(&ring, "/log").await;
            write(&ring, &file, &[2; 10], 16 * 4096).await;
            write(&ring, &file, &[3; 10], 16 * 4096).await;
        });
        let content = world.disk(node).read_raw("/log").unwrap();
        assert_eq!(content.len(), 16 * 4096 + 10);
        assert_eq!(
            (content.iter().filter(|&&byte| byte == 2).count(), content.ends_with(&[3; 10])),
            (10, true)
        );
    }
}

fn page_of(byte: u8) -> AlignedBuf {
    let mut buf = AlignedBuf::default();
    buf.extend_from_slice(&[byte; 4 * 4096]);
    buf
}

/// A file of four pages of ones, all on the disk, and a durable write of twos over it.
async fn overwrite(ring: Ring) -> std::io::Result<()> {
    let (file, is_direct) = ring.open_direct("/log", OpenOptions::write()).await.unwrap();
    assert!(is_direct);
    ring.sync_dir("/").await.unwrap();
    ring.write_durable(&file, page_of(1), 0).await.0?;
    ring.write_durable(&file, page_of(2), 0).await.0
}

#[test]
fn a_durable_write_needs_no_sync() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move { overwrite(ring).await.unwrap() });
        world.crash(node);
        assert_eq!(world.disk(node).read_raw("/log").unwrap(), [2; 4 * 4096]);
    }
}

#[test]
fn a_durable_write_under_way_tears_at_sectors_or_is_lost() {
    let mut found = BTreeSet::new();
    for seed in 0..400_u64 {
        let (world, node) = calm(seed);
        let done = start(&world, node, overwrite);
        world.run_for(Duration::from_micros(seed * 10));
        let returned = done.borrow().is_some();
        world.crash(node);
        let Ok(content) = world.disk(node).read_raw("/log") else { continue };
        assert!(content.chunks(512).all(|sector| sector.iter().all(|&byte| byte == sector[0])));
        assert!(!returned || content == [2; 4 * 4096]);
        let (ones, twos) = (content.contains(&1), content.contains(&2));
        found.insert((ones, twos));
    }
    assert!(
        found.is_superset(&BTreeSet::from([(true, false), (true, true), (false, true)])),
        "{found:?}"
    );
}

#[test]
fn a_durable_write_fails_and_meets_a_full_disk() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..50 {
        let (world, node) = calm(seed);
        on(&world, node, |ring| async move { overwrite(ring).await.unwrap() });
        world.disk(node).fail_next_fsync();
        let failed = on(&world, node, |ring| async move {
            let file = ring.open("/log", OpenOptions::write()).await.unwrap();
            ring.write_durable(&file, page_of(3), 0).await.0
        });
        assert!(failed.is_err());
        world.crash(node);
        let content = world.disk(node).read_raw("/log").unwrap();
        kept += u32::from(content.contains(&2));
        lost += u32::from(content.contains(&3));
        world.disk(node).set_capacity_bytes(4 * 4096);
        let full = on(&world, node, |ring| async move {
            let file = ring.open("/log", OpenOptions::write()).await.unwrap();
            ring.write_durable(&file, page_of(4), 4096).await.0
        });
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }
    assert!(kept > 20 && lost > 10, "kept {kept}, lost {lost}");
}
