//! Echo round trips of 100 bytes between two cores, and what an idle core costs: a look at the
//! reactor alone.
//!
//! `cargo run --release -p ring --example echo -- [epoll|io_uring] [spin µs] [connections]`

use bytes::{Bytes, BytesMut};
use ring::{BackendChoice, CoreOptions, ListenOptions, Ring, Stream};
use std::{sync::mpsc, time::Duration};

const MESSAGE_BYTES: usize = 100;
const ROUND_TRIPS: usize = 200_000;

async fn echo(ring: Ring, stream: Stream) {
    let mut buf = BytesMut::with_capacity(1 << 16);
    loop {
        let received;
        (received, buf) = ring.recv(&stream, buf, 4096).await;
        if received.unwrap_or(0) == 0
            || ring.send(&stream, vec![buf.split().freeze()]).await.is_err()
        {
            return;
        }
    }
}

async fn client(ring: Ring, stream: Stream, round_trips: usize) {
    let (message, mut buf) =
        (Bytes::from(vec![7; MESSAGE_BYTES]), BytesMut::with_capacity(1 << 16));
    for _ in 0..round_trips {
        ring.send(&stream, vec![message.clone()]).await.expect("the server lives");
        let mut got = 0;
        while got < MESSAGE_BYTES {
            let received;
            (received, buf) = ring.recv(&stream, buf, 4096).await;
            got += received.expect("the server lives");
            buf.clear();
        }
    }
}

/// Processor time of the calling thread.
fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let choice = match arguments.get(1).map(String::as_str) {
        Some("epoll") => BackendChoice::Epoll,
        Some("io_uring") => BackendChoice::IoUring,
        _ => BackendChoice::Auto,
    };
    let number = |at: usize, default: u64| {
        arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (spin, connections) = (Duration::from_micros(number(2, 0)), number(3, 1) as usize);
    let selection = ring::select(choice)?;
    let cpus = ring::allowed_cpus();
    let options = |index: usize, name: &str| CoreOptions {
        name: name.into(),
        index,
        cpu: cpus.get(index).copied(),
        backend: selection.kind,
        spin,
    };
    let (to_client, addresses) = mpsc::channel();
    let server = ring::spawn_core(options(0, "server"), move |ring| async move {
        let listener =
            ring.listen("127.0.0.1:0".parse().expect("valid"), ListenOptions::default())?;
        to_client.send(listener.local_addr()).expect("the client waits");
        let start = thread_cpu();
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let stream = ring.accept(&listener).await?;
            tasks.push(ring.spawn(echo(ring.clone(), stream)));
        }
        for task in tasks {
            task.await;
        }
        let busy = thread_cpu() - start;
        let (idle_start, turns) = (thread_cpu(), ring.turns().turns);
        ring.sleep(Duration::from_secs(2)).await;
        Ok::<_, std::io::Error>((busy, thread_cpu() - idle_start, ring.turns().turns - turns))
    })?;
    let address = addresses.recv().expect("the server listens");
    let elapsed = ring::run(options(1, "client"), move |ring| async move {
        let start = ring.precise_now();
        let mut clients = Vec::new();
        for _ in 0..connections {
            let stream = ring.connect(address).await?;
            clients.push(ring.spawn(client(ring.clone(), stream, ROUND_TRIPS / connections)));
        }
        for client in clients {
            client.await;
        }
        Ok::<_, std::io::Error>(ring.precise_now() - start)
    })??;
    let (busy, idle, turns) = server.join().expect("the server ends")??;
    let per_round_trip = |time: Duration| time.as_secs_f64() * 1e6 / ROUND_TRIPS as f64;
    println!(
        "{}: {:.0} round trips/s, {:.2} µs each, server {:.2} µs CPU each; idle for 2 s: {:.0} µs \
         CPU, {turns} turns",
        selection.reason,
        ROUND_TRIPS as f64 / elapsed.as_secs_f64(),
        per_round_trip(elapsed),
        per_round_trip(busy),
        idle.as_secs_f64() * 1e6,
    );
    Ok(())
}
