//! Files sent while parts of them are not in the page cache, with faults, cuts and several readers:
//! the bytes that were there, or an error, and the same in every run of a seed.

use super::*;
use crate::{ListenOptions, Stream};
use std::net::SocketAddr;

const SIZE: u64 = 3 << 20;

/// Reads of one client: each goes on where the one before ended, or begins anywhere.
const RANGES: usize = 12;

fn content(generation: u8, from: u64, length: u64) -> Vec<u8> {
    (from..from + length).map(|at| (at * 7 + at / 251) as u8 ^ generation).collect()
}

/// Sends ranges of the file, each behind its bounds, and cuts the file in between now and then.
async fn serve(
    ring: Ring,
    file: File,
    stream: Stream,
    generation: Rc<std::cell::Cell<u8>>,
) -> std::io::Result<()> {
    let mut end = 0;
    for _ in 0..RANGES {
        let offset = if ring.random_u64().is_multiple_of(4) || end >= SIZE {
            ring.random_u64() % SIZE
        } else {
            end
        };
        let length = (1 + ring.random_u64() % 700_000).min(SIZE - offset);
        end = offset + length;
        let mut head = Vec::new();
        head.extend_from_slice(&offset.to_be_bytes());
        head.extend_from_slice(&length.to_be_bytes());
        head.push(generation.get());
        ring.send(&stream, vec![head.into()]).await?;
        ring.send_file(&stream, &file, offset, length, file.stable(SIZE)).await?;
        if ring.random_u64().is_multiple_of(6) {
            // Another file from the first byte on; a reader that has old bytes of it is wrong.
            generation.set(generation.get() + 1);
            ring.truncate(&file, 0).await?;
            ring.write_at(&file, vec![content(generation.get(), 0, SIZE).into()], 0).await?;
        }
        if ring.random_u64().is_multiple_of(4) {
            ring.release_idle();
        }
    }
    Ok(())
}

/// Whether every range came; those that did are right.
async fn check(ring: Ring, address: SocketAddr) -> bool {
    let stream = ring.connect(address).await.unwrap();
    let mut buf = BytesMut::new();
    for _ in 0..RANGES {
        let mut wanted = 17;
        let mut head = None;
        while buf.len() < wanted || head.is_none() {
            if buf.len() >= 17 && head.is_none() {
                let number = |at: usize| u64::from_be_bytes(buf[at..at + 8].try_into().unwrap());
                head = Some((number(0), number(8), buf[16]));
                wanted += number(8) as usize;
                continue;
            }
            let received;
            (received, buf) = ring.recv(&stream, buf, 100_000).await;
            if !matches!(received, Ok(1..)) {
                return false;
            }
        }
        let (offset, length, generation) = head.unwrap();
        let range = buf.split_to(wanted).split_off(17);
        assert!(range == content(generation, offset, length), "{length} bytes from {offset} on");
    }
    true
}

/// Whether all came, how many direct reads there were, and the trace of one run.
fn run(seed: u64, options: SimOptions) -> (bool, usize, u64) {
    let world = World::new(seed, options);
    let (server, client) = (world.node("server"), world.node("client"));
    let address = SocketAddr::new(world.address(server), 9092);
    let served = start(&world, server, move |ring| async move {
        let file = create(&ring, "/log").await;
        let generation = Rc::new(std::cell::Cell::new(1));
        ring.write_at(&file, vec![content(1, 0, SIZE).into()], 0).await.unwrap();
        let listener =
            ring.listen("0.0.0.0:9092".parse().unwrap(), ListenOptions::default()).unwrap();
        let stream = ring.accept(&listener).await.unwrap();
        let sent = serve(ring.clone(), file, stream, generation).await;
        (sent.is_ok(), ring.core.cold.reads.get())
    });
    world.run_for(Duration::from_millis(100));
    let all_came = on(&world, client, move |ring| check(ring, address));
    assert!(
        world.run_until(LIMIT, || served.borrow().is_some()),
        "seed {seed}: the server has not ended"
    );
    let (sent, reads) = served.take().unwrap();
    assert!(sent || !all_came, "seed {seed}: an error, and everything came");
    (all_came, reads, world.trace_hash())
}

#[test]
fn what_arrives_is_what_the_file_had() {
    let (mut whole, mut reads) = (0, 0);
    for seed in SEEDS {
        let mut options = SimOptions::calm();
        options.disk.cold_per_million = [125_000, 700_000, 1_000_000][seed as usize % 3];
        options.disk.short_read_per_million = [0, 200_000][seed as usize % 2];
        options.disk.read_error_per_million = [0, 0, 0, 30_000][seed as usize % 4];
        let ran = run(seed, options);
        assert_eq!(ran, run(seed, options), "seed {seed} is one history");
        assert!(
            ran.0 || options.disk.read_error_per_million > 0,
            "seed {seed}: nothing went wrong, and not all came"
        );
        whole += usize::from(ran.0);
        reads += ran.1;
    }
    assert!(whole < SEEDS.count(), "no read failed");
    assert!(reads > 150, "{reads} direct reads");
}
