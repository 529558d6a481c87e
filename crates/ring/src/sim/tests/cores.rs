//! Time, turns, doorbells and the ends of processes.

use super::*;
use std::{cell::Cell, collections::VecDeque};

#[test]
fn an_hour_passes_at_once_and_timers_fire_in_order() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        let order = Rc::new(RefCell::new(Vec::new()));
        for (index, seconds) in [3600_u64, 1, 60, 61].into_iter().enumerate() {
            let order = order.clone();
            world.start_core(node, index, move |ring| async move {
                let began = ring.now();
                ring.sleep(Duration::from_secs(seconds)).await;
                let slept = ring.now() - began;
                assert!(slept >= Duration::from_secs(seconds), "woke early: {slept:?}");
                assert!(
                    slept < Duration::from_secs(seconds) + Duration::from_millis(5),
                    "woke late: {slept:?}"
                );
                order.borrow_mut().push(seconds);
            });
        }
        world.run_for(Duration::from_secs(3601));
        assert_eq!(*order.borrow(), [1, 60, 61, 3600]);
    }
}

#[test]
fn run_for_ends_on_time_without_events() {
    let (world, _) = calm(1);
    let began = world.now();
    world.run_for(Duration::from_millis(1500));
    assert_eq!(world.now() - began, Duration::from_millis(1500));
}

#[test]
fn a_doorbell_wakes_a_parked_core() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        let mailbox = Rc::new(RefCell::new(VecDeque::new()));
        let (inbox, received) = (mailbox.clone(), Rc::new(RefCell::new(Vec::<u64>::new())));
        let (seen, bell) = (received.clone(), Rc::new(RefCell::new(None)));
        let bell_of_receiver = bell.clone();
        world.start_core(node, 0, |ring| async move {
            *bell_of_receiver.borrow_mut() = Some(ring.doorbell());
            ring.set_inbox(Box::new(move || {
                let messages: Vec<u64> = inbox.borrow_mut().drain(..).collect();
                seen.borrow_mut().extend(&messages);
                !messages.is_empty()
            }));
        });
        world.run_for(Duration::from_secs(1));
        world.start_core(node, 1, |ring| async move {
            for message in 0..10_u64 {
                mailbox.borrow_mut().push_back(message);
                bell.borrow().as_ref().expect("the receiver has started").ring();
                ring.sleep(Duration::from_millis(ring.random_u64() % 3)).await;
            }
        });
        world.run_for(Duration::from_millis(100));
        assert_eq!(*received.borrow(), (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn the_scheduler_picks_who_runs_first() {
    let first_of = |seed| {
        let (world, node) = calm(seed);
        let order = Rc::new(RefCell::new(Vec::new()));
        for index in 0..3 {
            let order = order.clone();
            world.start_core(node, index, move |_| async move { order.borrow_mut().push(index) });
        }
        world.run_for(Duration::from_millis(1));
        order.take()
    };
    let orders: std::collections::BTreeSet<_> = SEEDS.map(first_of).collect();
    assert_eq!(orders.len(), 6, "all orders of three cores occur");
}

#[test]
#[should_panic(expected = "seed 5")]
fn a_task_that_never_waits_names_the_seed() {
    let (world, node) = calm(5);
    world.start_core(node, 0, |ring| async move {
        loop {
            ring.spawn(async {}).await;
        }
    });
    world.run_for(Duration::from_secs(10));
}

#[test]
#[should_panic(expected = "seed 6")]
fn a_loop_within_one_turn_that_looks_at_the_clock_names_the_seed() {
    let (world, node) = calm(6);
    world.start_core(node, 0, |ring| async move { while ring.precise_now().0 > 0 {} });
    world.run_for(Duration::from_secs(10));
}

#[test]
fn spinning_on_the_clock_lets_time_pass() {
    let (world, node) = calm(1);
    let waited = on(&world, node, |ring| async move {
        let began = ring.precise_now();
        while ring.precise_now() - began < Duration::from_micros(50) {}
        ring.precise_now() - began
    });
    assert!(waited >= Duration::from_micros(50) && waited < Duration::from_micros(51));
}

struct SetOnDrop(Rc<Cell<bool>>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn crash_and_kill_drop_tasks_and_a_node_may_end_itself() {
    for (power_cut, own) in [(false, false), (true, false), (false, true), (true, true)] {
        let (world, node) = calm(2);
        let (dropped, never) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let (guard, reached, inside) = (SetOnDrop(dropped.clone()), never.clone(), world.clone());
        world.start_core(node, 0, move |ring| async move {
            let _guard = guard;
            ring.sleep(Duration::from_millis(10)).await;
            if own {
                if power_cut { inside.crash(node) } else { inside.kill(node) }
            }
            ring.sleep(Duration::from_millis(10)).await;
            reached.set(true);
        });
        world.run_for(Duration::from_millis(15));
        if !own {
            if power_cut { world.crash(node) } else { world.kill(node) }
        }
        world.run_for(Duration::from_millis(100));
        assert!(dropped.get() && !never.get() && !world.is_running(node));
        on(&world, node, |ring| async move { ring.sleep(Duration::from_millis(1)).await });
        assert!(world.is_running(node));
        world.close();
    }
}

#[test]
fn a_paused_node_wakes_up_late() {
    let (world, node) = calm(3);
    let woke = start(&world, node, |ring| async move {
        ring.sleep(Duration::from_secs(1)).await;
        ring.now()
    });
    let began = world.now();
    world.run_for(Duration::from_millis(500));
    world.pause(node);
    world.run_for(Duration::from_secs(9));
    assert!(woke.borrow().is_none());
    world.unpause(node);
    world.run_for(Duration::from_millis(10));
    let slept = woke.take().expect("it runs again") - began;
    assert!(slept >= Duration::from_millis(9500), "{slept:?}");
}

#[test]
fn wall_clocks_drift_and_jump() {
    let mut options = SimOptions::calm();
    options.clocks.offset_ms = 60_000;
    options.clocks.drift_per_million = 1_000;
    let mut clocks = std::collections::BTreeSet::new();
    for seed in SEEDS {
        let world = World::new(seed, options);
        let node = world.node("a");
        let before = on(&world, node, |ring| async move { ring.wall_clock_ms() });
        assert!(
            (before - 1_767_225_600_000).abs() <= 60_001,
            "2026-01-01, give or take a minute: {before}"
        );
        world.run_for(Duration::from_secs(1_000));
        let after = on(&world, node, |ring| async move { ring.wall_clock_ms() });
        assert!((after - before - 1_000_000).abs() <= 1_001, "a thousandth off at most");
        world.jump_wall_clock(node, -5_000_000);
        assert!(on(&world, node, |ring| async move { ring.wall_clock_ms() }) < before);
        clocks.insert(before);
    }
    assert!(clocks.len() > 30);
}

#[test]
fn a_waker_works_across_cores() {
    let (world, node) = calm(4);
    let waker = Rc::new(RefCell::new(None::<std::task::Waker>));
    let (place, rung) = (waker.clone(), Rc::new(Cell::new(false)));
    let flag = rung.clone();
    let waiting = start(&world, node, |_| {
        std::future::poll_fn(move |context| {
            *place.borrow_mut() = Some(context.waker().clone());
            if flag.get() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
    });
    world.run_for(Duration::from_millis(10));
    on(&world, node, move |_| async move {
        rung.set(true);
        waker.borrow().as_ref().expect("it has been polled").wake_by_ref();
    });
    world.run_for(Duration::from_millis(1));
    assert!(waiting.borrow().is_some());
}

#[test]
fn who_holds_a_core_up_is_named() {
    let (world, node) = calm(1);
    let stalls = on(&world, node, |ring| async move {
        let busy = ring.clone();
        ring.spawn_named("busy", async move {
            // Virtual time passes by looking at the clock.
            let end = busy.precise_now() + Duration::from_millis(6);
            while busy.precise_now() < end {}
        })
        .await;
        ring.sleep(Duration::from_millis(1)).await;
        ring.stalls()
    });
    let causes: Vec<_> = stalls.iter().map(|stalls| (stalls.cause, stalls.count)).collect();
    assert_eq!(causes, [(crate::Cause { task: "busy", operation: None }, 1)]);
}
