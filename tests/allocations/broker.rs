//! A broker with one core in this process, as `src/main.rs` starts one, and its clean stop.

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
    core: Option<JoinHandle<io::Result<()>>>,
}

impl Broker {
    pub fn start(backend: BackendKind) -> Broker {
        let folder = scratch_folder();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let overrides = [
            ("listeners", format!("PLAINTEXT://{address}")),
            ("log.dirs", folder.join("data").display().to_string()),
            ("offsets.topic.num.partitions", "1".to_owned()),
            // The allocations of a request are counted; a flush is shared by all that come while it
            // runs.
            ("durability", "os".to_owned()),
        ];
        let overrides = overrides.map(|(key, value)| (key.to_owned(), value));
        let loaded = config::load::from_sources(None, &overrides, std::iter::empty(), "localhost")
            .expect("a valid configuration");
        let (mut ends, control) = boot::mesh_with_control(1);
        let board = Board::new(1);
        let (is_ready, ready) = mpsc::channel();
        let start = CoreStart {
            config: Arc::new(loaded.config),
            layers: loaded.layers,
            board: board.clone(),
            end: ends.remove(0),
            count: 1,
            cpu: 0,
            open_connections: Arc::default(),
            addresses: vec![ListenAddress { listener: 0, address }],
            ready: Box::new(move |_| is_ready.send(()).expect("the test waits")),
        };
        let options = CoreOptions { name: "shard-0".to_owned(), index: 0, cpu: None, backend, spin: Duration::ZERO };
        let core = ring::spawn_core(options, |ring| async move {
            boot::run_core(ring, start).await.expect("the broker starts, serves and stops");
        });
        ready.recv().expect("the broker becomes ready");
        let control = ControlEnd::new(control, board.doorbells().expect("posted by a core that is ready"));
        Broker { address, folder, control, core: Some(core.expect("a thread")) }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        assert!(self.control.send(0, Message::Stop), "the core takes its messages");
        let ended = self.core.take().expect("it runs").join();
        let _ = fs::remove_dir_all(&self.folder);
        if !std::thread::panicking() {
            ended.expect("no panic").expect("a clean stop");
        }
    }
}
