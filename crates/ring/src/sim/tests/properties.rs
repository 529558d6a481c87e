//! Random histories against models: what was synced is there, and nothing is invented.

use super::{disk::durable, *};
use proptest::prelude::*;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

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
        6 => (0..12_000_u16, 1..6_000_u16)
            .prop_map(|(offset, length)| Step::Write { offset, length }),
        1 => (0..14_000_u16).prop_map(Step::Truncate),
        3 => Just(Step::Sync),
        1 => Just(Step::Rename),
        1 => Just(Step::SyncDir),
        2 => Just(Step::Crash),
        1 => Just(Step::Kill),
    ]
}

/// What a byte may be: every value that it was written with since it was last certain, zero where
/// there was nothing.
struct Model {
    possible: Vec<BTreeSet<u8>>,
    now: Vec<u8>,
    sizes: BTreeSet<usize>,
}

impl Model {
    /// Of an empty file.
    fn empty() -> Model {
        let possible = vec![BTreeSet::new(); 20_000];
        let mut model = Model { possible, now: vec![], sizes: BTreeSet::new() };
        model.settle(vec![]);
        model
    }

    fn write(&mut self, offset: usize, data: &[u8]) {
        let (mut content, end) = (self.now.clone(), offset + data.len());
        content.resize(content.len().max(end), 0);
        content[offset..end].copy_from_slice(data);
        self.change(content);
    }

    fn truncate(&mut self, size: usize) {
        let mut content = self.now.clone();
        content.resize(size, 0);
        self.change(content);
    }

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
        prop_assert!(
            (least..=most).contains(&content.len()),
            "{} bytes, expected {least} to {most}",
            content.len()
        );
        for (index, (byte, values)) in content.iter().zip(&self.possible).enumerate() {
            prop_assert!(
                values.contains(byte),
                "byte {index} is {byte}, which was never there: {values:?}"
            );
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
        let mut model = Model::empty();
        let mut names = BTreeSet::from(["/0".to_owned()]);
        let mut name = "/0".to_owned();
        on(&world, node, |ring| async move { drop(durable(&ring, "/0", b"").await) });
        for (number, step) in steps.into_iter().enumerate() {
            let path = name.clone();
            let open = |ring: Ring| async move { (ring.open(&path,
                OpenOptions::write()).await.unwrap(), ring) };
            match step {
                Step::Write { offset, length } => {
                    let data = vec![number as u8 + 1; length as usize];
                    model.write(offset.into(), &data);
                    on(&world, node, move |ring| async move {
                        let (file, ring) = open(ring).await;
                        ring.write_at(&file, vec![data.into()], offset.into()).await.unwrap();
                    });
                }
                Step::Truncate(size) => {
                    model.truncate(size.into());
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
                    on(&world, node, move |ring| async move { ring.rename(from,
                        to).await.unwrap() });
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

/// One step of a history of two directories; places are `/{directory}/{name}`.
#[derive(Clone, Copy, Debug)]
enum NameStep {
    Create(usize),
    Rename(usize, usize),
    Unlink(usize),
    SyncDir(usize),
    Crash,
}

const PLACES: usize = 6;

fn place(number: usize) -> String {
    format!("/{}/{}", number % 2, number / 2)
}

fn name_step() -> impl Strategy<Value = NameStep> {
    prop_oneof![
        4 => (0..PLACES).prop_map(NameStep::Create),
        4 => (0..PLACES, 0..PLACES).prop_map(|(from, to)| NameStep::Rename(from, to)),
        2 => (0..PLACES).prop_map(NameStep::Unlink),
        3 => (0..2_usize).prop_map(NameStep::SyncDir),
        2 => Just(NameStep::Crash),
    ]
}

/// Which file (by its content) each place has now, and which ones it may have after a power cut.
#[derive(Default)]
struct Names {
    now: [Option<u32>; PLACES],
    possible: [BTreeSet<Option<u32>>; PLACES],
}

impl Names {
    fn set(&mut self, place: usize, file: Option<u32>) {
        self.now[place] = file;
        self.possible[place].insert(file);
    }

    fn settle(&mut self, directory: Option<usize>) {
        for place in
            (0..PLACES).filter(|place| directory.is_none_or(|directory| place % 2 == directory))
        {
            self.possible[place] = BTreeSet::from([self.now[place]]);
        }
    }
}

async fn make_file(ring: Ring, path: String, content: u32) {
    let file =
        ring.open(path, OpenOptions { truncate: true, ..OpenOptions::write() }).await.unwrap();
    ring.write_at(&file, vec![content.to_be_bytes().to_vec().into()], 0).await.unwrap();
    ring.sync_data(&file).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A synced directory is what it was; an unsynced change of a name is there or not; no file has
    /// two names.
    #[test]
    fn crashes_keep_synced_names(seed: u64,
        steps in proptest::collection::vec(name_step(), 1..40)) {
        let mut options = SimOptions::calm();
        options.disk.early_writeback_per_million = 200_000;
        let world = World::new(seed, options);
        let node = world.node("a");
        let mut names = Names::default();
        names.settle(None);
        on(&world, node, |ring| async move {
            ring.create_dir_all("/0").await.unwrap();
            ring.create_dir_all("/1").await.unwrap();
            ring.sync_dir("/").await.unwrap();
        });
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                // Contents are told apart by the step that wrote them, so only new names get any.
                NameStep::Create(at) if names.now[at].is_none() => {
                    on(&world, node, move |ring| make_file(ring, place(at), number as u32));
                    names.set(at, Some(number as u32));
                }
                NameStep::Rename(from, to) if names.now[from].is_some() && from != to => {
                    on(&world, node, move |ring| async move { ring.rename(place(from),
                        place(to)).await.unwrap() });
                    names.set(to, names.now[from]);
                    names.set(from, None);
                }
                NameStep::Unlink(at) if names.now[at].is_some() => {
                    on(&world, node, move |ring| async move {
                        ring.unlink(place(at)).await.unwrap()
                    });
                    names.set(at, None);
                }
                NameStep::SyncDir(directory) => {
                    on(&world, node, move |ring| async move {
                        ring.sync_dir(format!("/{directory}")).await.unwrap()
                    });
                    names.settle(Some(directory));
                }
                NameStep::Crash => {
                    world.crash(node);
                    let disk = world.disk(node);
                    let file_at = |number: usize| {
                        let content = disk.read_raw(place(number)).ok()?;
                        Some(u32::from_be_bytes(content.try_into().expect("its content was \
                            synced")))
                    };
                    let found: Vec<_> = (0..PLACES).map(file_at).collect();
                    for (at, found) in found.iter().enumerate() {
                        prop_assert!(names.possible[at].contains(found), "{}: \
                            {found:?}", place(at));
                    }
                    let files: Vec<u32> = found.iter().copied().flatten().collect();
                    prop_assert_eq!(files.iter().collect::<BTreeSet<_>>().len(), files.len(), "a \
                        file has two names");
                    names.now.copy_from_slice(&found);
                    names.settle(None);
                }
                _ => {}
            }
        }
    }
}

/// Three tasks append to one log and sync it, each for itself; what they have told the world is
/// there after a crash at any moment, unless a sync has failed before.
#[test]
fn acknowledged_appends_survive_under_concurrent_syncs() {
    let mut outcomes = BTreeMap::new();
    for seed in 0..150_u64 {
        let mut options = SimOptions::calm();
        options.disk.sync_error_per_million = if seed % 3 == 0 { 30_000 } else { 0 };
        options.disk.slow_per_million = 20_000;
        let world = World::new(seed, options);
        let node = world.node("a");
        let (acknowledged, failed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let (acks, fails) = (acknowledged.clone(), failed.clone());
        world.start_core(node, 0, |ring| async move {
            let file = create(&ring, "/log").await;
            ring.sync_dir("/").await.unwrap_or_else(|_| fails.set(true));
            let end = Rc::new(Cell::new(0_u64));
            for _ in 0..3 {
                let (ring, file, end) = (ring.clone(), file.clone(), end.clone());
                let (acks, fails) = (acks.clone(), fails.clone());
                ring.clone().spawn(async move {
                    while !fails.get() {
                        let content: Vec<u8> = (end.get()
                            ..end.get() + 1 + ring.random_u64() % 3000)
                            .map(|at| at as u8 | 1)
                            .collect();
                        let offset = end.replace(end.get() + content.len() as u64);
                        let appended = end.get();
                        ring.write_now(&file, &[content.into()], offset).unwrap();
                        ring.sleep(Duration::from_micros(ring.random_u64() % 300)).await;
                        match ring.sync_data(&file).await {
                            Ok(()) if !fails.get() => acks.set(appended.max(acks.get())),
                            _ => fails.set(true),
                        }
                    }
                });
            }
        });
        world.run_for(Duration::from_micros(seed * 131));
        world.crash(node);
        let content = world.disk(node).read_raw("/log").unwrap_or_default();
        let acknowledged = acknowledged.get() as usize;
        assert!(content.len() >= acknowledged, "{} bytes of {acknowledged}", content.len());
        assert!((0..acknowledged).all(|at| content[at] == at as u8 | 1));
        assert!(content.iter().enumerate().all(|(at, &byte)| byte == 0 || byte == at as u8 | 1));
        *outcomes.entry((failed.get(), acknowledged > 0)).or_insert(0) += 1;
    }
    assert!(outcomes[&(false, true)] > 50 && outcomes[&(true, true)] > 10, "{outcomes:?}");
}
