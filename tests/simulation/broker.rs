//! A broker under test: its process on a simulated node, from power-on to whatever end it meets.
//!
//! Stands where `src/main.rs` stands for a real process: one simulated core per thread, and the
//! control thread's end of the mailboxes for a clean stop.

use crate::{
    cluster::ClusterId,
    dice::Dice,
    plan::{NodePlan, Plan},
    quiet::Quiet,
};
use millstream::net::admission::OpenConnections;
use millstream::{
    boot::{self, Board, CoreStart, ListenAddress, MeshEnd},
    config::{self, Loaded},
    control::StandIn,
    shard::mailbox::{ControlEnd, JobsEnd, Message},
};
use ring::sim::{NodeId, World};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub const PORT: u16 = 9092;
const MAX_CORES: u64 = 4;

/// What a job of a core takes in virtual time.
const JOB_DELAY: Duration = Duration::from_millis(20);

pub struct Broker {
    /// Its `node.id`.
    pub id: i32,
    pub cluster: ClusterId,
    pub node: NodeId,
    pub address: SocketAddr,
    pub quiet: Quiet,
    world: World,
    loaded: Loaded,
    cores: Cell<usize>,
    /// Says how many cores the next start has, where that varies.
    dice: Option<RefCell<Dice>>,
    process: RefCell<Option<Process>>,
}

/// What is known of the running process.
struct Process {
    board: Arc<Board>,
    control: Option<MeshEnd>,
    ready: Arc<AtomicBool>,
    /// By core: how it has ended.
    ended: Rc<RefCell<Vec<Option<Result<(), String>>>>>,
}

impl Broker {
    pub fn new(world: &World, plan: &Plan, own: &NodePlan) -> Broker {
        let node = world.node(&format!("broker {}", own.id));
        let address = SocketAddr::new(world.address(node), PORT);
        let mut overrides: Vec<_> =
            own.properties.iter().chain(&plan.properties).cloned().collect();
        overrides.push(("node.id".to_owned(), own.id.to_string()));
        overrides.push(("listeners".to_owned(), format!("PLAINTEXT://{address}")));
        let dirs: Vec<String> = (0..own.log_dirs).map(|index| format!("/data/{index}")).collect();
        overrides.push(("log.dirs".to_owned(), dirs.join(",")));
        let loaded = config::load::from_sources(None, &overrides, std::iter::empty(), "broker")
            .expect("a valid configuration");
        // That of the first one as it was when it was the only one.
        let dice_seed = plan.seed ^ 0xc02e5 ^ (own.id as u64 - 1) << 32;
        Broker {
            id: own.id,
            cluster: own.cluster,
            node,
            address,
            quiet: Quiet::default(),
            world: world.clone(),
            loaded,
            cores: Cell::new(own.cores),
            dice: plan.vary_cores.then(|| RefCell::new(Dice::new(dice_seed))),
            process: RefCell::default(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.process.borrow().is_some()
    }

    pub fn start(&self) {
        assert!(!self.is_running(), "one process at a time");
        if let Some(dice) = &self.dice {
            self.cores.set(dice.borrow_mut().between(1, MAX_CORES) as usize);
        }
        let count = self.cores.get();
        let (ends, mut control) = boot::mesh_with_control(count);
        let board = Board::with_control(count);
        self.start_control(count, &board, control.take_jobs());
        let config = Arc::new(self.loaded.config.clone());
        let open_connections: Arc<OpenConnections> = Arc::default();
        let ready = Arc::new(AtomicBool::new(false));
        let ended = Rc::new(RefCell::new(vec![None; count]));
        for (index, end) in ends.into_iter().enumerate() {
            let is_ready = ready.clone();
            let start = CoreStart {
                config: config.clone(),
                layers: self.loaded.layers.clone(),
                board: board.clone(),
                end,
                count,
                cpu: index,
                open_connections: open_connections.clone(),
                addresses: vec![ListenAddress { listener: 0, address: self.address }],
                ready: Box::new(move |_| is_ready.store(true, Ordering::Relaxed)),
            };
            let ended = ended.clone();
            self.world.start_core(self.node, index, move |ring| async move {
                let outcome = boot::run_core(ring, start).await.map_err(|error| error.to_string());
                ended.borrow_mut()[index] = Some(outcome);
            });
        }
        *self.process.borrow_mut() = Some(Process { board, control: Some(control), ready, ended });
    }

    /// What carries out the jobs of the cores in place of a control thread. No name is known: nodes
    /// have addresses.
    fn start_control(&self, index: usize, board: &Arc<Board>, jobs: JobsEnd) {
        let board = board.clone();
        self.world.start_core(self.node, index, |ring| async move {
            board.post_control(ring.doorbell());
            let stand_in = StandIn::new(BTreeMap::new(), JOB_DELAY);
            stand_in.serve(&ring, jobs);
            std::future::pending::<()>().await;
        });
    }

    /// How many cores the process has, or had last.
    pub fn cores(&self) -> usize {
        self.cores.get()
    }

    /// Whether clients are served.
    pub fn is_ready(&self) -> bool {
        self.process.borrow().as_ref().is_some_and(|process| process.ready.load(Ordering::Relaxed))
    }

    /// Why a core gave up, if one did.
    pub fn failure(&self) -> Option<String> {
        let process = self.process.borrow();
        let ended = process.as_ref()?.ended.borrow();
        ended.iter().flatten().find_map(|outcome| outcome.clone().err())
    }

    /// Asks for a clean stop, as SIGTERM does; `false` when the process cannot be asked yet.
    pub fn begin_stop(&self) -> bool {
        let mut process = self.process.borrow_mut();
        let Some(process) =
            process.as_mut().filter(|process| process.ready.load(Ordering::Relaxed))
        else {
            return false;
        };
        let Some(doorbells) = process.board.doorbells() else { return false };
        let Some(control) = process.control.take() else { return false };
        ControlEnd::new(control, doorbells).send(0, Message::Stop)
    }

    /// Whether every core has ended by itself.
    pub fn has_stopped(&self) -> bool {
        self.process
            .borrow()
            .as_ref()
            .is_some_and(|process| process.ended.borrow().iter().all(Option::is_some))
    }

    /// Cuts the power of the node.
    pub fn crash(&self) {
        self.process.take();
        self.world.crash(self.node);
    }

    /// Ends the process; also tidies up after one that has stopped.
    pub fn kill(&self) {
        self.process.take();
        self.world.kill(self.node);
    }
}
