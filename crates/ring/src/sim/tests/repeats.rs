//! One seed is one history: files, connections, timers, doorbells and faults over several cores,
//! run twice.

use super::*;
use crate::{ListenOptions, Stream};
use std::net::SocketAddr;

async fn echo(ring: Ring, stream: Stream) {
    loop {
        let (result, buf) = ring.recv(&stream, BytesMut::new(), 1000).await;
        if !matches!(result, Ok(size) if size > 0)
            || ring.send(&stream, vec![buf.freeze()]).await.is_err()
        {
            return;
        }
    }
}

async fn server(ring: Ring, address: SocketAddr) {
    let listener = ring.listen(address, ListenOptions::default()).expect("the port is free");
    while let Ok(stream) = ring.accept(&listener).await {
        ring.spawn(echo(ring.clone(), stream));
    }
}

async fn client(ring: Ring, address: SocketAddr) {
    loop {
        ring.sleep(Duration::from_micros(ring.random_u64() % 5_000)).await;
        let Some(Ok(stream)) = ring.timeout(Duration::from_secs(3), ring.connect(address)).await
        else {
            continue;
        };
        for round in 0..ring.random_u64() % 10 {
            let sent = ring
                .send(
                    &stream,
                    vec![vec![round as u8; 1 + ring.random_u64() as usize % 3000].into()],
                )
                .await;
            let received = ring
                .timeout(Duration::from_secs(1), ring.recv(&stream, BytesMut::new(), 4000))
                .await;
            if sent.is_err() || !matches!(received, Some((Ok(1..), _))) {
                break;
            }
        }
    }
}

async fn files(ring: Ring, index: usize) {
    let directory = format!("/data/{index}");
    loop {
        ring.sleep(Duration::from_micros(ring.random_u64() % 2_000)).await;
        if ring.create_dir_all(&directory).await.is_err() || ring.sync_dir("/data").await.is_err() {
            continue;
        }
        let path = format!("{directory}/{}", ring.random_u64() % 4);
        let Ok(file) = ring.open(&path, OpenOptions::write()).await else { continue };
        let content = Bytes::from(vec![index as u8; ring.random_u64() as usize % 10_000]);
        ring.write_now(&file, std::slice::from_ref(&content), ring.random_u64() % 50_000).ok();
        ring.write_at(&file, vec![content], ring.random_u64() % 50_000).await.ok();
        ring.sync_data(&file).await.ok();
        if ring.random_u64().is_multiple_of(8) {
            ring.rename(&path, format!("{directory}/renamed")).await.ok();
        }
    }
}

/// Hashes of one run: of its events, and of what its disk holds in the end.
fn history(seed: u64, options: SimOptions) -> (u64, Vec<(String, Vec<u8>)>) {
    let world = World::new(seed, options);
    let (broker, other) = (world.node("broker"), world.node("other"));
    let address = SocketAddr::new(world.address(broker), 9092);
    let start_broker = || {
        for index in 0..3 {
            world.start_core(broker, index, move |ring| async move {
                ring.spawn(server(ring.clone(), address));
                files(ring, index).await;
            });
        }
    };
    start_broker();
    for index in 0..2 {
        world.start_core(other, index, move |ring| client(ring, address));
    }
    for round in 0..6_u64 {
        world.run_for(Duration::from_millis(30 + round * 7));
        match (seed + round) % 6 {
            0 => world.partition(broker, other),
            1 => world.heal_all(),
            2 => world.pause(broker),
            3 => world.unpause(broker),
            4 => {
                world.crash(broker);
                start_broker();
            }
            _ => {
                world.kill(broker);
                start_broker();
            }
        }
    }
    world.calm_down();
    world.run_for(Duration::from_millis(50));
    let disk = world.disk(broker);
    let files = disk
        .file_names()
        .into_iter()
        .map(|path| (path.clone(), disk.read_raw(&path).unwrap()))
        .collect();
    (world.trace_hash(), files)
}

#[test]
fn one_seed_is_one_history() {
    let mut hashes = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let options = if seed % 3 == 0 { SimOptions::calm() } else { SimOptions::stormy(seed) };
        let first = history(seed, options);
        assert!(first == history(seed, options), "seed {seed} has two histories");
        assert!(!first.1.is_empty());
        hashes.insert(first.0);
    }
    assert_eq!(hashes.len(), 12, "other seeds have other histories");
}
