//! How long the steps take, and how long a message takes from a thread to another and back.

use criterion::{Criterion, criterion_group, criterion_main};
use millstream::shard::mailbox::{self, Mailbox, Message};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

fn steps(criterion: &mut Criterion) {
    for mut step in micro::steps() {
        criterion.bench_function(step.name, |bencher| bencher.iter(&mut step.run));
    }
}

/// Both sides look all the time, as cores with traffic do. It needs two processors.
fn round_trip(criterion: &mut Criterion) {
    let bells = micro::doorbells();
    let mut ends = mailbox::mesh(2);
    let (there, here) = (ends.pop().expect("two ends"), ends.pop().expect("two ends"));
    let is_over = Arc::new(AtomicBool::new(false));
    let (over, their_bells) = (is_over.clone(), bells.clone());
    let echo = thread::spawn(move || {
        let mailbox = Mailbox::new(there, their_bells);
        let mut arrived = Vec::new();
        while !over.load(Ordering::Relaxed) {
            mailbox.take(&mut arrived, 1);
            arrived.drain(..).for_each(|(from, message)| mailbox.send(from, message));
        }
    });
    let mailbox = Mailbox::new(here, bells);
    let mut arrived = Vec::new();
    criterion.bench_function("mailbox-round-trip-between-threads", |bencher| {
        bencher.iter(|| {
            mailbox.send(1, Message::Moved { watch: 7 });
            while !mailbox.take(&mut arrived, 1) {
                std::hint::spin_loop();
            }
            arrived.clear();
        });
    });
    is_over.store(true, Ordering::Relaxed);
    echo.join().expect("no panic");
}

criterion_group!(times, steps, round_trip);
criterion_main!(times);
