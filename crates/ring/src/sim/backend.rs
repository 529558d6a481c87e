//! One simulated core's way to its world: the back-end behind its executor.

use super::{handle::SimDoorbell, state::State};
use crate::{
    backend::{Backend, BackendKind, Doorbell, Wait},
    file::File,
    net::{ListenOptions, Listener, SocketInner, SpareDescriptor},
    op::{Completion, Op, Token},
    time::Instant,
};
use bytes::{Bytes, BytesMut};
use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, sync::Arc};

pub(super) struct SimBackend {
    pub(super) state: Rc<RefCell<State>>,
    pub(super) core: u32,
}

impl SimBackend {
    /// The state and this core's node; an error after the core has died (its destructors may still
    /// try).
    fn alive<T>(&self, work: impl FnOnce(&mut State, usize) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.borrow_mut();
        let core = &state.cores[self.core as usize];
        let node = core.node as usize;
        if core.alive {
            work(&mut state, node)
        } else {
            Err(io::Error::from_raw_os_error(libc::EBADF))
        }
    }
}

impl Backend for SimBackend {
    fn kind(&self) -> BackendKind {
        BackendKind::Simulated
    }

    fn submit(&mut self, token: Token, op: Op) {
        self.state.borrow_mut().submit(self.core, token, op);
    }

    fn cancel(&mut self, token: Token) {
        self.state.borrow_mut().cancel(self.core, token.0);
    }

    /// Never waits: the world gives this core no turn before it has something to do.
    fn poll(&mut self, _wait: Wait, completions: &mut Vec<Completion>) {
        let core = &mut self.state.borrow_mut().cores[self.core as usize];
        assert!(core.alive, "core {} has ended, and asks for completions", self.core);
        completions.append(&mut core.completions);
    }

    fn now(&self) -> Instant {
        Instant(self.state.borrow_mut().read_clock(self.core))
    }

    /// Costs no virtual time.
    fn coarse_now(&self) -> Instant {
        Instant(self.state.borrow().now)
    }

    fn wall_clock_ms(&self) -> i64 {
        let state = self.state.borrow();
        state.wall_clock_ms(state.cores[self.core as usize].node)
    }

    fn random_u64(&mut self) -> u64 {
        self.state.borrow_mut().cores[self.core as usize].random.next()
    }

    fn doorbell(&self) -> Doorbell {
        let signals = Arc::clone(&self.state.borrow().signals);
        Doorbell { inner: Arc::new(SimDoorbell { core: self.core, signals }) }
    }

    fn listen(&mut self, addr: SocketAddr, options: ListenOptions) -> io::Result<Listener> {
        self.alive(|state, _| state.listen(self.core, addr, options))
    }

    /// A socket belongs to its node, and only operations under way to a core: there is nothing to
    /// forget.
    fn release(&mut self, socket: &SocketInner) {
        let SocketInner::Sim(handle) = socket else {
            panic!("a socket of another back-end in the simulated world")
        };
        let node = self.state.borrow().cores[self.core as usize].node;
        assert_eq!(handle.node, node, "a stream leaves a core of its own machine");
    }

    fn adopt(&mut self, socket: &SocketInner) -> io::Result<()> {
        self.alive(|_, node| {
            let SocketInner::Sim(handle) = socket else {
                panic!("a socket of another back-end in the simulated world")
            };
            assert_eq!(handle.node as usize, node, "a stream stays on its machine");
            Ok(())
        })
    }

    fn write_now(&mut self, file: &File, bufs: &[Bytes], offset: u64) -> io::Result<()> {
        self.alive(|state, node| {
            let disk = &mut state.nodes[node].disk;
            assert!(
                !disk.hangs_file(file),
                "a write that waits for nothing stops its core where a disk hangs"
            );
            disk.write(file, bufs, offset)
        })
    }

    fn read_now(
        &mut self,
        file: &File,
        buf: &mut BytesMut,
        max: usize,
        offset: u64,
    ) -> io::Result<usize> {
        self.alive(|state, node| state.nodes[node].disk.read(file, buf, max, offset))
    }

    /// Simulated descriptors are not counted.
    fn spare(&mut self) -> io::Result<SpareDescriptor> {
        Ok(SpareDescriptor { _descriptor: None })
    }

    fn taken_by_peer(&mut self, socket: &SocketInner) -> u64 {
        self.state.borrow_mut().taken_by_peer(socket)
    }

    fn shutdown(&mut self, socket: &SocketInner) {
        let mut state = self.state.borrow_mut();
        // What a core drops when its node has died does not reach the network.
        if state.cores[self.core as usize].alive {
            state.shutdown(socket);
        }
    }
}
