//! A broker with one core or several in this process, as `src/main.rs` starts one, and its clean
//! stop.

use crate::support::broker::{free_port, scratch_folder};
use millstream::{
    boot::{self, Board, CoreStart, ListenAddress},
    config,
    shard::mailbox::{ControlEnd, Message},
};
use ring::{BackendKind, CoreOptions};
use std::{
    fs, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

pub struct Broker {
    pub address: SocketAddr,
    folder: PathBuf,
    control: ControlEnd,
    cores: Vec<JoinHandle<io::Result<()>>>,
}

impl Broker {
    pub fn start(backend: BackendKind, count: usize) -> Broker {
        let folder = scratch_folder();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let overrides = [
            ("listeners", format!("PLAINTEXT://{address}")),
            ("log.dirs", folder.join("data").display().to_string()),
            ("offsets.topic.num.partitions", "1".to_owned()),
            ("transaction.state.log.num.partitions", "1".to_owned()),
            // The allocations of a request are counted; a flush is shared by all that come while it
            // runs.
            ("durability", "os".to_owned()),
        ];
        let overrides = overrides.map(|(key, value)| (key.to_owned(), value));
        let loaded = config::load::from_sources(None, &overrides, std::iter::empty(), "localhost")
            .expect("a valid configuration");
        let (ends, control) = boot::mesh_with_control(count);
        let board = Board::new(count);
        let (is_ready, ready) = mpsc::channel();
        let (config, open_connections) = (Arc::new(loaded.config), Arc::default());
        let spawn = |end: boot::MeshEnd| {
            let (index, is_ready) = (end.index(), is_ready.clone());
            let start = CoreStart {
                config: config.clone(),
                layers: loaded.layers.clone(),
                board: board.clone(),
                end,
                count,
                cpu: 0,
                open_connections: Arc::clone(&open_connections),
                addresses: vec![ListenAddress { listener: 0, address }],
                ready: Box::new(move |_| is_ready.send(()).expect("the test waits")),
            };
            let name = format!("shard-{index}");
            let options = CoreOptions { name, index, cpu: None, backend, spin: Duration::ZERO };
            let core = ring::spawn_core(options, |ring| async move {
                boot::run_core(ring, start).await.expect("the broker starts, serves and stops");
            });
            core.expect("a thread")
        };
        let cores = ends.into_iter().map(spawn).collect();
        ready.recv().expect("the broker becomes ready");
        let control =
            ControlEnd::new(control, board.doorbells().expect("posted by cores that are ready"));
        Broker { address, folder, control, cores }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        assert!(self.control.send(0, Message::Stop), "the core takes its messages");
        let ended: Vec<_> = self.cores.drain(..).map(JoinHandle::join).collect();
        let _ = fs::remove_dir_all(&self.folder);
        if !std::thread::panicking() {
            ended.into_iter().for_each(|one| one.expect("no panic").expect("a clean stop"));
        }
    }
}
