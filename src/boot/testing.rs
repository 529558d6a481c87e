//! A simulated broker, whole, for tests of what takes all of it.

use super::{Board, CoreStart, ListenAddress, mesh_with_control, run_core};
use crate::config;
use ring::sim::{NodeId, World};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long it may take to start, in the time of the world.
const LIMIT: Duration = Duration::from_secs(200);

/// Starts it on one listener, on so many cores, and waits until it serves.
pub fn start(
    world: &World,
    node: NodeId,
    cores: usize,
    listener: &str,
    properties: &[(&str, &str)],
) -> SocketAddr {
    let address = SocketAddr::new(world.address(node), 9092);
    let listeners = format!("{listener}://{address}");
    let always = [("listeners", listeners.as_str()), ("offsets.topic.num.partitions", "1")];
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let overrides: Vec<_> = always.iter().chain(properties).map(owned).collect();
    let loaded = config::load::from_sources(None, &overrides, std::iter::empty(), "broker")
        .expect("a valid configuration");
    let (ends, _control) = mesh_with_control(cores);
    let (board, config) = (Board::new(cores), Arc::new(loaded.config));
    let (open_connections, ready) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    for (index, end) in ends.into_iter().enumerate() {
        let is_ready = ready.clone();
        let start = CoreStart {
            config: config.clone(),
            layers: loaded.layers.clone(),
            board: board.clone(),
            end,
            count: cores,
            cpu: index,
            open_connections: Arc::clone(&open_connections),
            addresses: vec![ListenAddress { listener: 0, address }],
            ready: Box::new(move |_| is_ready.store(true, Ordering::Relaxed)),
        };
        world.start_core(node, index, |ring| async move {
            run_core(ring, start).await.expect("the broker starts and serves");
        });
    }
    assert!(world.run_until(LIMIT, || ready.load(Ordering::Relaxed)), "the broker starts");
    address
}
