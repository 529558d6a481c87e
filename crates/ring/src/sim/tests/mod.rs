//! The simulated world against what it promises. Every case runs over several seeds.

mod cold;
mod cores;
mod disk;
mod files;
mod network;
mod properties;
mod repeats;

use super::{NodeId, SimOptions, World};
use crate::{File, OpenOptions, Ring};
use bytes::{Bytes, BytesMut};
use std::{cell::RefCell, future::Future, rc::Rc, time::Duration};

const SEEDS: std::ops::Range<u64> = 0..40;
const LIMIT: Duration = Duration::from_secs(600);

fn calm(seed: u64) -> (World, NodeId) {
    let world = World::new(seed, SimOptions::calm());
    let node = world.node("a");
    (world, node)
}

/// Runs `main` on a core of its own until it has a result. The core stays until its node ends.
fn on<T: 'static, F: Future<Output = T> + 'static>(
    world: &World,
    node: NodeId,
    main: impl FnOnce(Ring) -> F + 'static,
) -> T {
    let result = start(world, node, main);
    assert!(world.run_until(LIMIT, || result.borrow().is_some()), "no result within {LIMIT:?}");
    result.take().expect("it is there")
}

/// Starts `main` on a core of its own; its result appears in the cell.
fn start<T: 'static, F: Future<Output = T> + 'static>(
    world: &World,
    node: NodeId,
    main: impl FnOnce(Ring) -> F + 'static,
) -> Rc<RefCell<Option<T>>> {
    let result = Rc::new(RefCell::new(None));
    let place = result.clone();
    let index = world.inner.executors.borrow().len();
    world.start_core(node, index, |ring| async move {
        let value = main(ring).await;
        *place.borrow_mut() = Some(value);
    });
    result
}

async fn create(ring: &Ring, path: &str) -> File {
    ring.open(path, OpenOptions::write()).await.expect("a file can be created")
}

async fn write(ring: &Ring, file: &File, content: &'static [u8], offset: u64) {
    ring.write_at(file, vec![Bytes::from_static(content)], offset).await.expect("a write succeeds");
}

async fn read(ring: &Ring, path: &str) -> Option<Vec<u8>> {
    match ring.read_file(path, 1 << 20).await {
        Ok(content) => Some(content),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

async fn receive_all(ring: &Ring, stream: &crate::Stream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let (result, buf) = ring.recv(stream, BytesMut::new(), 8192).await;
        if result? == 0 {
            return Ok(all);
        }
        all.extend_from_slice(&buf);
    }
}
