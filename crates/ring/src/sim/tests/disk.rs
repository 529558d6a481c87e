//! What a power cut and a failed sync leave: a table of cases, and properties over random histories.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The contents of `/log` and `/new`.
type Found = (Option<Vec<u8>>, Option<Vec<u8>>);

/// What is found at `/log` and `/new` after `before` and a power cut, over many seeds.
fn after_crash<F: Future<Output = ()> + 'static>(
    before: impl Fn(Ring) -> F + 'static + Clone,
) -> BTreeSet<Found> {
    let found = |seed| {
        let (world, node) = calm(seed);
        on(&world, node, before.clone());
        world.crash(node);
        on(&world, node, |ring| async move { (read(&ring, "/log").await, read(&ring, "/new").await) })
    };
    (0..200).map(found).collect()
}

async fn durable(ring: &Ring, path: &str, content: &'static [u8]) -> File {
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
        logs.contains(&b"abc"[..]) && logs.contains(&b"abcdef"[..]) && logs.contains(&b"abc\0\0\0"[..]),
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
    let logs: BTreeSet<_> = found.into_iter().map(|(log, _)| log.expect("the name was synced")).collect();
    assert!(logs.contains(&b""[..]) && logs.contains(&b"abc"[..]) && logs.contains(&b"\0\0\0"[..]), "{logs:?}");
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

/// One step of a history of one file.
#[derive(Clone, Debug)]
enum Step {
    Write { offset: u16, length: u16 },
    Truncate(u16),
    Sync,
    Rename,
    SyncDir,
    Crash,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_000_u16, 1..6_000_u16).prop_map(|(offset, length)| Step::Write { offset, length }),
        1 => (0..14_000_u16).prop_map(Step::Truncate),
        3 => Just(Step::Sync),
        1 => Just(Step::Rename),
        1 => Just(Step::SyncDir),
        2 => Just(Step::Crash),
        1 => Just(Step::Kill),
    ]
}

/// What a byte may be: every value that it was written with since it was last certain, zero where there was nothing.
struct Model {
    possible: Vec<BTreeSet<u8>>,
    now: Vec<u8>,
    sizes: BTreeSet<usize>,
}

impl Model {
    fn settle(&mut self, content: Vec<u8>) {
        self.possible.iter_mut().for_each(|values| *values = BTreeSet::from([0]));
        for (values, &byte) in self.possible.iter_mut().zip(&content) {
            *values = BTreeSet::from([byte]);
        }
        self.sizes = BTreeSet::from([content.len()]);
        self.now = content;
    }

    fn change(&mut self, content: Vec<u8>) {
        for (index, values) in self.possible.iter_mut().enumerate() {
            values.insert(content.get(index).copied().unwrap_or(0));
        }
        self.sizes.insert(content.len());
        self.now = content;
    }

    fn check(&self, content: &[u8]) -> Result<(), TestCaseError> {
        let (least, most) = (*self.sizes.first().unwrap(), *self.sizes.last().unwrap());
        prop_assert!((least..=most).contains(&content.len()), "{} bytes, expected {least} to {most}", content.len());
        for (index, (byte, values)) in content.iter().zip(&self.possible).enumerate() {
            prop_assert!(values.contains(byte), "byte {index} is {byte}, which was never there: {values:?}");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// What was synced is there after a crash; everything else was there at some time, or is zero.
    #[test]
    fn crashes_invent_nothing(seed: u64, steps in proptest::collection::vec(step(), 1..40)) {
        let (world, node) = calm(seed);
        let mut model = Model { possible: vec![BTreeSet::new(); 20_000], now: vec![], sizes: BTreeSet::new() };
        model.settle(vec![]);
        let mut names = BTreeSet::from(["/0".to_owned()]);
        let mut name = "/0".to_owned();
        on(&world, node, |ring| async move { drop(durable(&ring, "/0", b"").await) });
        for (number, step) in steps.into_iter().enumerate() {
            let path = name.clone();
            let open = |ring: Ring| async move { (ring.open(&path, OpenOptions::write()).await.unwrap(), ring) };
            match step {
                Step::Write { offset, length } => {
                    let data = vec![number as u8 + 1; length as usize];
                    let mut content = model.now.clone();
                    let end = (offset + length) as usize;
                    content.resize(content.len().max(end), 0);
                    content[offset as usize..end].copy_from_slice(&data);
                    model.change(content);
                    on(&world, node, move |ring| async move {
                        let (file, ring) = open(ring).await;
                        ring.write_at(&file, vec![data.into()], offset.into()).await.unwrap();
                    });
                }
                Step::Truncate(size) => {
                    let mut content = model.now.clone();
                    content.resize(size as usize, 0);
                    model.change(content);
                    on(&world, node, move |ring| async move {
                        let (file, ring) = open(ring).await;
                        ring.truncate(&file, size.into()).await.unwrap();
                    });
                }
                Step::Sync => {
                    on(&world, node, move |ring| async move {
                        let (file, ring) = open(ring).await;
                        ring.sync_data(&file).await.unwrap();
                    });
                    model.settle(model.now.clone());
                }
                Step::Rename => {
                    let (from, to) = (name.clone(), format!("/{}", number + 1));
                    name = to.clone();
                    names.insert(to.clone());
                    on(&world, node, move |ring| async move { ring.rename(from, to).await.unwrap() });
                }
                Step::SyncDir => {
                    on(&world, node, move |ring| async move { ring.sync_dir("/").await.unwrap() });
                    names = BTreeSet::from([name.clone()]);
                }
                Step::Crash | Step::Kill => {
                    if matches!(step, Step::Crash) { world.crash(node) } else { world.kill(node) }
                    let found = world.disk(node).file_names();
                    prop_assert_eq!(found.len(), 1, "the file has one name: {:?}", found);
                    prop_assert!(names.contains(&found[0]));
                    let content = world.disk(node).read_raw(&found[0]).unwrap();
                    model.check(&content)?;
                    if matches!(step, Step::Kill) {
                        prop_assert_eq!(&content, &model.now);
                        prop_assert_eq!(&found[0], &name);
                    } else {
                        name = found[0].clone();
                        names = BTreeSet::from([name.clone()]);
                        model.settle(content);
                    }
                }
            }
        }
    }
}
