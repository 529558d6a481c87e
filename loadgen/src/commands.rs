//! The commands of a workload: each is run when its time has come, and what became of it is kept.
//!
//! Owns: the processes that it started, which it leaves alone. Lives on: the generator's thread.
//! Never: waits for a command; the load goes on.

use crate::{report::CommandOutcome, run::Run, say, workload::Command};
use std::{
    io,
    process::{Child, Stdio},
    rc::Rc,
    time::Duration,
};

/// How often it is looked whether a command has ended.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

pub fn spawn_all(run: &Rc<Run>) {
    let outcomes = run.workload.commands.iter().map(CommandOutcome::of);
    run.commands.borrow_mut().extend(outcomes);
    for place in 0..run.workload.commands.len() {
        run.ring.spawn(at_its_time(run.clone(), place));
    }
}

async fn at_its_time(run: Rc<Run>, place: usize) {
    let command = &run.workload.commands[place];
    let times = run.times();
    // Where the run ends early, it is not run at all.
    let time = run.ring.sleep_until(times.measure_from + command.at);
    if run.unless_over(time).await.is_none() {
        return;
    }
    let began = run.ring.precise_now();
    let at = began.since(times.measure_from);
    if !run.options.quiet {
        say::note(&format!("loadgen: second {:.1}: {}", at.as_secs_f64(), command.name));
    }
    let started = start(command);
    let set = |change: &dyn Fn(&mut CommandOutcome)| {
        if let Some(outcome) = run.commands.borrow_mut().get_mut(place) {
            change(outcome);
        }
    };
    set(&|outcome| outcome.at = Some(at));
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return set(&|outcome| outcome.error = Some(error.to_string())),
    };
    loop {
        match child.try_wait() {
            Ok(None) => run.ring.sleep(LOOK_PAUSE).await,
            Ok(Some(status)) => {
                let took = run.ring.precise_now().since(began);
                return set(&|outcome| {
                    outcome.took = Some(took);
                    outcome.exit_code = status.code();
                    outcome.error = (!status.success()).then(|| status.to_string());
                });
            }
            Err(error) => return set(&|outcome| outcome.error = Some(error.to_string())),
        }
    }
}

/// Its output goes to the notes, beside the result.
fn start(command: &Command) -> io::Result<Child> {
    std::process::Command::new("sh")
        .args(["-c", &command.run])
        .stdin(Stdio::null())
        .stdout(Stdio::from(io::stderr()))
        .spawn()
}
