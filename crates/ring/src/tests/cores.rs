//! Cores beside one another: doorbells, sleep, the choice of the back-end.

use super::*;
use crate::{Doorbell, spawn_core};
use std::{
    cell::{Cell, RefCell},
    future,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
};

/// Waits until the inbox has found at least `expected` in `arrived`.
async fn all_arrived(ring: &Ring, arrived: Arc<AtomicU64>, expected: u64) {
    let waiter: Rc<RefCell<Option<Waker>>> = Rc::default();
    let seen = Rc::new(Cell::new(0));
    let (inbox_waiter, inbox_seen) = (waiter.clone(), seen.clone());
    ring.set_inbox(Box::new(move || {
        let new = arrived.load(Ordering::Acquire);
        if inbox_seen.replace(new) == new {
            return false;
        }
        let woken = inbox_waiter.borrow_mut().take();
        woken.into_iter().for_each(Waker::wake);
        true
    }));
    future::poll_fn(|context| {
        if seen.get() >= expected {
            return Poll::Ready(());
        }
        *waiter.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    })
    .await;
}

#[test]
fn no_ring_of_the_doorbell_is_lost() {
    const RINGERS: u64 = 3;
    const RINGS: u64 = 20_000;
    for (kind, spin) in kinds()
        .into_iter()
        .flat_map(|kind| [(kind, Duration::ZERO), (kind, Duration::from_micros(20))])
    {
        let arrived = Arc::new(AtomicU64::new(0));
        let (sender, bells) = mpsc::channel::<Doorbell>();
        let counter = arrived.clone();
        let core = spawn_core(CoreOptions { spin, ..options(kind) }, move |ring| async move {
            sender.send(ring.doorbell()).expect("the test waits for it");
            ring.timeout(HANGS_AFTER, all_arrived(&ring, counter, RINGERS * RINGS)).await
        });
        let bell = bells.recv().expect("the core starts");
        let ringers: Vec<_> = (0..RINGERS)
            .map(|ringer| {
                let (bell, arrived) = (bell.clone(), arrived.clone());
                thread::spawn(move || {
                    for nth in 0..RINGS {
                        arrived.fetch_add(1, Ordering::Release);
                        bell.ring();
                        if (nth + ringer) % 64 == 0 {
                            // Lets the core fall asleep now and then.
                            thread::sleep(Duration::from_micros(20));
                        }
                    }
                })
            })
            .collect();
        for ringer in ringers {
            ringer.join().expect("it only rings");
        }
        let ended =
            core.expect("the core starts").join().expect("the core ends").expect("the core runs");
        assert!(ended.is_some(), "a ring was lost on {kind:?}");
    }
}

#[test]
fn a_sleeping_core_takes_no_turns() {
    on_each(|ring| async move {
        let listener = ring
            .listen("127.0.0.1:0".parse().expect("valid"), Default::default())
            .expect("a free port");
        let waiting = ring.clone();
        ring.spawn(async move { waiting.accept(&listener).await });
        ring.sleep(Duration::from_millis(1)).await;
        let before = ring.turns().turns;
        ring.sleep(Duration::from_millis(500)).await;
        // One to fall asleep, one to wake, and one where the timer moves down a level of its wheel.
        assert!(ring.turns().turns - before <= 6, "{} turns", ring.turns().turns - before);
    });
}

#[test]
fn files_and_doorbells_may_cross_cores() {
    fn crosses<T: Send + Sync>(_: &T) {}
    let path = std::env::current_exe().expect("this test is a file");
    for kind in kinds() {
        let open = path.clone();
        let opened = spawn_core(options(kind), move |ring| async move {
            (ring.open(open, crate::OpenOptions::read()).await.expect("opens"), ring.doorbell())
        });
        let (file, doorbell) = opened.expect("starts").join().expect("ends").expect("runs");
        crosses(&(&file, &doorbell));
        doorbell.ring();
        let size_bytes =
            run(options(kind), |ring| async move { ring.size(&file).await }).expect("runs");
        let expected = std::fs::metadata(&path).expect("it exists").len();
        assert_eq!(size_bytes.expect("the file outlives its core"), expected);
    }
}

#[test]
fn time_and_chance() {
    on_each(|ring| async move {
        let cached = ring.now();
        assert!(ring.precise_now() >= cached);
        assert_eq!(ring.now(), cached);
        assert!(ring.wall_clock_ms() > 1_700_000_000_000);
        let drawn: std::collections::HashSet<u64> = (0..100).map(|_| ring.random_u64()).collect();
        assert_eq!(drawn.len(), 100);
    });
}

#[test]
fn the_choice_of_the_back_end() {
    let epoll = select(BackendChoice::Epoll).expect("epoll is everywhere");
    assert_eq!(epoll.kind, BackendKind::Epoll);
    let auto = select(BackendChoice::Auto).expect("something is always there");
    assert_eq!(auto.kind == BackendKind::IoUring, kinds().len() == 2, "{}", auto.reason);
    assert!(!crate::allowed_cpus().is_empty());
    println!("{}", auto.reason);
}

/// From now on, the call of this number fails with this error on the calling thread, as under a
/// container's profile.
pub(super) fn forbid(call: libc::c_long, errno: i32) {
    let instruction =
        |code: u32, yes, no, k| libc::sock_filter { code: code as u16, jt: yes, jf: no, k };
    let mut program = [
        // The number of the call lies at the start of the data that the filter sees.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, call as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: a plain call with numbers.
    let no_new_privileges = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: the program and its instructions live across the call; the kernel copies them.
    let filtered =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!((no_new_privileges, filtered), (0, 0), "{}", std::io::Error::last_os_error());
}

#[test]
fn where_io_uring_is_forbidden_epoll_runs_and_says_why() {
    for (errno, hint) in [
        (libc::EPERM, "seccomp profile"),
        (libc::ENOMEM, "RLIMIT_MEMLOCK"),
        (libc::ENOSYS, "CONFIG_IO_URING"),
        (libc::EIO, "cannot be set up"),
    ] {
        // A filter holds for its thread and those that it starts.
        let core = thread::spawn(move || {
            forbid(libc::SYS_io_uring_setup, errno);
            let auto = select(BackendChoice::Auto).expect("epoll is left");
            assert_eq!(auto.kind, BackendKind::Epoll);
            assert!(
                auto.reason.starts_with("epoll, because ") && auto.reason.contains(hint),
                "{}",
                auto.reason
            );
            let error =
                select(BackendChoice::IoUring).expect_err("what was asked for is not to be had");
            assert!(error.to_string().contains(hint), "{error}");
            run(
                options(auto.kind),
                |ring| async move { ring.sleep(Duration::from_millis(1)).await },
            )
        });
        core.join().expect("the assertions hold").expect("the core runs");
    }
}
