//! Ctrl-C and SIGTERM: the first ends the load and lets the run report, the second ends the process
//! at once.
//!
//! Owns: a thread that waits for signals, and nothing else. Lives on: that thread, which rings the
//! generator's doorbell. Never: touches what the generator's thread owns.

use ring::{Doorbell, Ring, sync::Notify};
use std::{
    cell::Cell,
    io,
    process::exit,
    rc::Rc,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use tokio::signal::unix::{SignalKind, signal};

/// What a shell gives a program that SIGINT ended.
const INTERRUPTED_EXIT_CODE: i32 = 130;

#[derive(Default)]
struct Shared {
    interrupted: AtomicBool,
    doorbell: OnceLock<Doorbell>,
}

/// The process's end of it; goes to the generator's thread.
pub struct Signals(Arc<Shared>);

impl Signals {
    /// From now on no signal of these two ends the process unasked.
    pub fn watch() -> io::Result<Signals> {
        let shared = Arc::new(Shared::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupts, mut terminations) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let signals = Signals(shared.clone());
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async move {
                loop {
                    tokio::select! {
                        _ = interrupts.recv() => {}
                        _ = terminations.recv() => {}
                    }
                    if shared.interrupted.swap(true, Ordering::SeqCst) {
                        exit(INTERRUPTED_EXIT_CODE);
                    }
                    if let Some(doorbell) = shared.doorbell.get() {
                        doorbell.ring();
                    }
                }
            });
        })?;
        Ok(signals)
    }

    /// Has the signals delivered to this core.
    pub fn deliver_to(self, ring: &Ring) -> Rc<Interrupt> {
        let interrupt = Rc::new(Interrupt::default());
        let (shared, told) = (self.0, interrupt.clone());
        let _ = shared.doorbell.set(ring.doorbell());
        // A signal that came before there was a doorbell is seen at the first look.
        ring.set_inbox(Box::new(move || {
            let is_new = shared.interrupted.load(Ordering::SeqCst) && !told.came.replace(true);
            if is_new {
                told.signal.notify();
            }
            is_new
        }));
        interrupt
    }
}

/// Whether the user wants the run to end, as the generator's thread knows it.
#[derive(Default)]
pub struct Interrupt {
    came: Cell<bool>,
    signal: Notify,
}

impl Interrupt {
    pub fn came(&self) -> bool {
        self.came.get()
    }

    pub async fn wait(&self) {
        self.signal.wait_until(|| self.came.get()).await;
    }
}
