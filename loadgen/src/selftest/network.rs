//! The loopback network: round trips of a small message, and bytes over one connection.
//!
//! Owns: both ends of one TCP connection. Lives on: the selftest's thread, with the ring, and one
//! thread with plain blocking calls for the other end, as two processes would be. Never: leaves the
//! loopback interface.

use super::{
    Bench, ROUND_TRIPS, TRANSFER,
    figures::{Figures, Latencies, Transfer},
};
use crate::say;
use anyhow::anyhow;
use bytes::{Bytes, BytesMut};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
    time::Duration,
};

/// About the size of a fetch that finds nothing, and of its answer.
const MESSAGE: usize = 64;
const CHUNK: usize = 1 << 20;

pub async fn measure(bench: &Bench, figures: &mut Figures) -> anyhow::Result<()> {
    say::note("selftest: 5 of 8: round trips over loopback, 1 s");
    figures.round_trips = Some(round_trips(bench, ROUND_TRIPS).await?);
    say::note("selftest: 6 of 8: bytes over one loopback connection, 1 s");
    figures.transfer = Some(transfer(bench, TRANSFER).await?);
    Ok(())
}

type Peer = thread::JoinHandle<io::Result<u64>>;

/// A thread that takes one connection and reads it to its end; what it got, it may send back. The
/// thread ends with the connection and says how many bytes came.
fn peer(echoes: bool) -> io::Result<(Peer, std::net::SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let serve = move || {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut room = vec![0; CHUNK];
        let mut came = 0;
        loop {
            let bytes = stream.read(&mut room)?;
            if bytes == 0 {
                return Ok(came);
            }
            came += bytes as u64;
            if echoes {
                stream.write_all(&room[..bytes])?;
            }
        }
    };
    Ok((thread::Builder::new().name("selftest-peer".to_owned()).spawn(serve)?, address))
}

fn ended(peer: Peer) -> anyhow::Result<u64> {
    Ok(peer.join().map_err(|_| anyhow!("the other end's thread has panicked"))??)
}

pub async fn round_trips(bench: &Bench, length: Duration) -> anyhow::Result<Latencies> {
    let ring = &bench.ring;
    let (peer, address) = peer(true)?;
    let stream = ring.connect(address).await?;
    let message = Bytes::from_static(&[7; MESSAGE]);
    let mut room = BytesMut::with_capacity(MESSAGE);
    let mut took = Latencies::default();
    let until = ring.precise_now() + length;
    while !bench.ended() && ring.precise_now() < until {
        let began = ring.precise_now();
        ring.send(&stream, vec![message.clone()]).await?;
        room.clear();
        while room.len() < MESSAGE {
            let missing = MESSAGE - room.len();
            let came;
            (came, room) = ring.recv(&stream, room, missing).await;
            anyhow::ensure!(came? > 0, "the other end has closed the connection");
        }
        took.record(ring.precise_now().since(began));
    }
    ring.shutdown(&stream);
    drop(stream);
    ended(peer)?;
    Ok(took)
}

/// Counts what the other end has got by the time that it has seen the end.
pub async fn transfer(bench: &Bench, length: Duration) -> anyhow::Result<Transfer> {
    let ring = &bench.ring;
    let (peer, address) = peer(false)?;
    let stream = ring.connect(address).await?;
    let chunk = Bytes::from(vec![7; CHUNK]);
    let began = ring.precise_now();
    while !bench.ended() && ring.precise_now() < began + length {
        ring.send(&stream, vec![chunk.clone()]).await?;
    }
    ring.shutdown(&stream);
    drop(stream);
    let bytes = ended(peer)?;
    Ok(Transfer { bytes, took: ring.precise_now().since(began) })
}
