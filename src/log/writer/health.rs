//! Whether writes succeed: what passes is waited for, what does not ends the log's appends.
//!
//! Owns: the state of health of a log. Lives on the core of the log. Never: calls a log good again
//! whose disk has failed.

use super::Writer;
use crate::log::{Log, files, segment::Segment};
use std::{io, rc::Rc, time::Duration};

/// How long to wait before something is tried again that may have passed.
pub(in crate::log) const RETRY_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    /// Something is missing that may come: room, descriptors, memory. What could not be written
    /// waits.
    Waiting(Rc<str>),
    /// Final.
    Failed(Rc<str>),
}

impl Writer {
    /// Why the log takes no appends.
    pub fn refusal(&self) -> Option<String> {
        match &*self.health.borrow() {
            Health::Good => self.closing.get().then(|| "it is being closed".to_owned()),
            Health::Waiting(why) | Health::Failed(why) => Some(why.to_string()),
        }
    }

    /// The same as an error, which passes where nothing is broken.
    pub(super) fn refusal_error(&self) -> Option<io::Error> {
        match &*self.health.borrow() {
            Health::Good => None,
            Health::Waiting(why) => Some(ring::passing(&**why)),
            Health::Failed(why) => Some(io::Error::other(why.to_string())),
        }
    }

    pub fn failure(&self) -> io::Result<()> {
        match &*self.health.borrow() {
            Health::Failed(why) => Err(io::Error::other(why.to_string())),
            _ => Ok(()),
        }
    }

    pub fn is_waiting(&self) -> bool {
        matches!(*self.health.borrow(), Health::Waiting(_))
    }

    pub fn has_failed(&self) -> bool {
        matches!(*self.health.borrow(), Health::Failed(_)) && !self.ended.get()
    }
}

impl Log {
    pub(in crate::log) fn set_good(&self) {
        let mut health = self.0.writer.health.borrow_mut();
        if let Health::Waiting(_) = *health {
            match self.0.writer.want.take() {
                Some(want) => want.healed(),
                None => {
                    tracing::info!(dir = %self.dir().display(), "what was missing is there again: \
                        appends go on");
                }
            }
            *health = Health::Good;
        }
    }

    pub(super) fn write_failed(&self, error: &io::Error, segment: &Segment) {
        let path = files::path(&self.dir(), segment.base_offset, files::LOG);
        if !ring::passes(error) {
            return self.fail("writing", &path, error);
        }
        let mut health = self.0.writer.health.borrow_mut();
        if *health == Health::Good {
            let before = self.0.writer.want.replace(self.lacks("appends are refused", error));
            assert!(before.is_none(), "a log that was good lacked something");
            *health =
                Health::Waiting(format!("cannot write {} for now: {error}", path.display()).into());
        }
    }

    /// Why the log takes no appends at present.
    pub fn refusal(&self) -> Option<String> {
        self.0.writer.refusal()
    }

    /// Tries again for as long as what is missing may still come, once it is no use to go back:
    /// until the log is closed. `what` is so meanwhile.
    pub(in crate::log) async fn patiently<T>(
        &self,
        what: &'static str,
        mut attempt: impl AsyncFnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut want = None;
        loop {
            match attempt().await {
                Err(error)
                    if ring::passes(&error)
                        && !self.0.writer.closing.get()
                        && !self.has_ended() =>
                {
                    want.get_or_insert_with(|| self.lacks(what, &error));
                    self.0.ring.sleep(RETRY_INTERVAL).await;
                }
                other => {
                    if let Some(want) = want.flatten().filter(|_| other.is_ok()) {
                        want.healed();
                    }
                    return other;
                }
            }
        }
    }

    /// Final: nothing is appended any more.
    pub(in crate::log) fn fail(&self, what: &str, path: &std::path::Path, error: &io::Error) {
        let mut health = self.0.writer.health.borrow_mut();
        if !matches!(*health, Health::Failed(_)) {
            tracing::error!(
                path = %path.display(), %error,
                "{what} failed: the partition takes no more appends; check the disk, then restart \
                 the broker to recover"
            );
            *health = Health::Failed(format!("{what} {} failed: {error}", path.display()).into());
            self.0.writer.want.take();
        }
        drop(health);
        self.0.writer.wake();
    }
}
