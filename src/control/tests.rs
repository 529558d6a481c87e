use super::*;
use crate::{
    config::loggers::{Level, LevelChange, Levels},
    log::tests::{on_each_backend, simulated::run_in},
    shard::{
        jobs::{JobRefused, Jobs},
        mailbox::{Mailbox, MeshEnd, Message, mesh_with_control},
    },
};
use client::{ConnectError, Resolver};
use ring::{
    Doorbell, Ring,
    sim::{SimOptions, World},
    sync::Notify,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

/// A core and the control thread's end of its jobs.
fn ends() -> (MeshEnd, JobsEnd) {
    let mut ends = mesh_with_control(1);
    let mut control = ends.pop().expect("two");
    (ends.pop().expect("one more"), control.take_jobs())
}

/// Makes this core one that has jobs done, woken and answered as a shard is. The signal tells that
/// something has come back.
fn core(ring: &Ring, end: MeshEnd, control: Doorbell) -> (Rc<Jobs>, Rc<Notify>) {
    let mailbox = Mailbox::new(end, vec![ring.doorbell(), control]);
    let (jobs, came) = (mailbox.jobs.clone(), Rc::new(Notify::default()));
    let (of_inbox, told) = (jobs.clone(), came.clone());
    let mut messages = Vec::new();
    ring.set_inbox(Box::new(move || {
        let any = mailbox.take(&mut messages, usize::MAX);
        for (_, message) in messages.drain(..) {
            let Message::JobDone(done) = message else { panic!("something else was sent") };
            of_inbox.done(*done);
            told.notify();
        }
        any
    }));
    (jobs, came)
}

/// The control thread, for as long as the runtime is not dropped.
fn control_thread(jobs: JobsEnd) -> (Doorbell, std::sync::mpsc::Sender<()>) {
    let (bell, rings) = ThreadBell::new().unwrap();
    let doorbell = bell.doorbell();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = stopped.recv();
            drop(end);
        });
        let nowhere: Show = Arc::new(|_| Ok(()));
        runtime.block_on(async move {
            tokio::select! {
                served = serve(bell, rings, jobs, loggers(), nowhere) => {
                    panic!("it ends by itself: {served:?}")
                }
                _ = ended => {}
            }
        });
    });
    (doorbell, stop)
}

/// Levels that filter nothing; `ring` can be set to none.
fn loggers() -> Loggers {
    let apply = |directives: &str| match directives.contains("ring=off") {
        true => Err("no such filter".to_owned()),
        false => Ok(()),
    };
    Loggers::new(Levels::from_directives("info"), Box::new(apply))
}

#[test]
fn the_control_thread_changes_the_levels_of_log_lines_or_none() {
    on_each_backend(|ring, _| async move {
        let (end, jobs) = ends();
        let (doorbell, _stop) = control_thread(jobs);
        let (jobs, _) = core(&ring, end, doorbell);
        let ask = async |job| match jobs.ask(job).unwrap().await {
            Some(JobAnswer::LogLevels(levels)) => levels,
            other => panic!("{other:?}"),
        };
        let set = |logger: &str, level| {
            let logger = logger.to_owned();
            Job::SetLogLevels { changes: vec![LevelChange { logger, level: Some(level) }] }
        };
        let levels = ask(set("millstream::log", Level::Debug)).await.unwrap();
        assert_eq!(levels.all()["millstream::log"], Level::Debug);
        assert_eq!(ask(Job::LogLevels).await, Ok(levels.clone()));
        assert_eq!(ask(set("ring", Level::Fatal)).await, Err("no such filter".to_owned()));
        assert_eq!(ask(Job::LogLevels).await, Ok(levels));
    });
}

fn resolve(name: &str) -> Job {
    Job::Resolve { host_port: name.to_owned() }
}

#[test]
fn the_control_thread_resolves_names_for_a_core() {
    on_each_backend(|ring, _| async move {
        let (end, jobs) = ends();
        let (doorbell, _stop) = control_thread(jobs);
        let (jobs, _) = core(&ring, end, doorbell);
        let resolver: Resolver = jobs.resolver();
        for port in [1, 9092, 65535] {
            let found = resolver.resolve(&format!("localhost:{port}")).await.unwrap();
            assert!(!found.is_empty());
            assert!(
                found.iter().all(|one| one.ip().is_loopback() && one.port() == port),
                "{found:?}"
            );
        }
        let wrong = resolver.resolve("localhost:no-port").await;
        assert!(matches!(wrong, Err(ConnectError::Resolve { .. })), "{wrong:?}");
        // More at once than the control thread has threads, in whatever order they end.
        let asked: Vec<_> = (0..limits::CONTROL_JOBS_MAX)
            .map(|nth| jobs.ask(resolve(&format!("localhost:{nth}"))).unwrap())
            .collect();
        for (nth, answer) in asked.into_iter().enumerate() {
            let JobAnswer::Resolved(found) = answer.await.expect("it is answered") else {
                panic!("something else was asked for")
            };
            assert!(found.unwrap().iter().all(|one| usize::from(one.port()) == nth));
        }
        assert_eq!(jobs.under_way(), 0);
    });
}

#[test]
fn a_job_too_many_is_refused_until_one_is_answered() {
    on_each_backend(|ring, _| async move {
        let (end, mut control) = ends();
        let (bell, _rings) = ThreadBell::new().unwrap();
        let (jobs, came) = core(&ring, end, bell.doorbell());
        let max = limits::CONTROL_JOBS_MAX;
        let asked: Vec<_> =
            (0..max).map(|nth| jobs.ask(resolve(&nth.to_string())).unwrap()).collect();
        assert_eq!(jobs.ask(resolve("more")).err(), Some(JobRefused::Full { max }));
        // Taken is not answered, and a caller that has gone does not make it so.
        let mut tickets: Vec<_> = std::iter::from_fn(|| control.take()).collect();
        let names: Vec<Job> = (0..max).map(|nth| resolve(&nth.to_string())).collect();
        assert!(tickets.iter().map(|(job, _)| job).eq(&names), "in the order of their calls");
        drop(asked);
        assert_eq!(jobs.ask(resolve("more")).err(), Some(JobRefused::Full { max }));
        let (_, ticket) = tickets.pop().expect("all of them");
        ticket.answer(JobAnswer::Resolved(Ok(Vec::new())));
        came.wait_until(|| jobs.under_way() < max).await;
        let answer = jobs.ask(resolve("one more")).unwrap();
        assert_eq!(jobs.ask(resolve("more")).err(), Some(JobRefused::Full { max }));
        // A ticket that is lost is an answer, too.
        let (job, ticket) = control.take().expect("the last one");
        assert_eq!(job, resolve("one more"));
        drop(ticket);
        assert!(answer.await.is_none());
        drop(tickets);
        came.wait_until(|| jobs.under_way() == 0).await;
    });
}

#[test]
fn a_stop_answers_who_waits_and_takes_no_more() {
    on_each_backend(|ring, _| async move {
        let (end, mut control) = ends();
        let (bell, _rings) = ThreadBell::new().unwrap();
        let (jobs, came) = core(&ring, end, bell.doorbell());
        let resolver = jobs.resolver();
        let ended = Rc::new(RefCell::new(Vec::new()));
        for nth in 0..2 {
            let (resolver, ended) = (resolver.clone(), ended.clone());
            drop(ring.spawn(async move {
                let error = resolver.resolve("somewhere:9092").await.unwrap_err();
                ended.borrow_mut().push((nth, error.to_string()));
            }));
        }
        ring.end_of_turn().await;
        assert_eq!(jobs.under_way(), 2);
        let (_, under_way) = control.take().expect("the first of them");
        assert!(ended.borrow().is_empty());
        jobs.stop();
        ring.end_of_turn().await;
        let told = ended.take();
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|(_, error)| error.contains("the broker stops")), "{told:?}");
        assert_eq!(jobs.ask(resolve("late")).err(), Some(JobRefused::Stopping));
        // What comes afterwards finds no caller.
        under_way.answer(JobAnswer::Resolved(Ok(Vec::new())));
        drop(control.take().expect("the second"));
        came.wait_until(|| jobs.under_way() == 0).await;
    });
}

#[test]
fn without_a_control_thread_a_job_is_refused() {
    on_each_backend(|ring, _| async move {
        let (end, _) = ends();
        let mailbox = Mailbox::new(end, vec![ring.doorbell()]);
        assert_eq!(mailbox.jobs.ask(resolve("a")).err(), Some(JobRefused::NoControlThread));
    });
}

#[test]
fn the_simulated_world_answers_in_virtual_time() {
    let world = World::new(1, SimOptions::calm());
    let node = world.node("a");
    let address = SocketAddr::from(([10, 0, 0, 7], 9092));
    let (end, jobs) = ends();
    let bell: Rc<RefCell<Option<Doorbell>>> = Rc::default();
    let posted = bell.clone();
    let names = BTreeMap::from([("node-7:9092".to_owned(), vec![address])]);
    let stand_in = StandIn::new(names, Duration::from_millis(70));
    world.start_core(node, 1, move |ring| async move {
        *posted.borrow_mut() = Some(ring.doorbell());
        stand_in.serve(&ring, jobs);
        std::future::pending::<()>().await;
    });
    assert!(world.run_until(Duration::from_secs(1), || bell.borrow().is_some()));
    run_in(&world, node, move |ring| async move {
        let doorbell = bell.take().expect("posted above");
        let (jobs, _) = core(&ring, end, doorbell);
        let (resolver, began) = (jobs.resolver(), ring.now());
        assert_eq!(resolver.resolve("node-7:9092").await.unwrap(), [address]);
        let took = ring.now().since(began).as_millis();
        assert!((70..80).contains(&took), "{took} ms of virtual time");
        assert!(resolver.resolve("node-8:9092").await.is_err());
        assert_eq!(jobs.under_way(), 0);
    });
    world.close();
}
