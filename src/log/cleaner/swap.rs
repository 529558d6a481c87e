//! A new segment takes the place of those that it was made of (`UnifiedLog.replaceSegments`).
//!
//! On the disk, each step behind the sync of the one before: the new files are `.cleaned`; they are
//! `.swap`; the old ones are `.deleted`; the new `.log` has its name; its indexes have theirs. A
//! start that finds a `.swap` finishes, and else removes what is half done (`recovery/plan.rs`). In
//! memory the list changes in one step, when all of the new is `.swap` on the disk.
//!
//! Owns: the order of these steps. Lives on the core of the log. Never: leaves a `.swap` behind in
//! a log that goes on: a later start would put it in the place of what came after it.

use super::{
    CleanError,
    output::{discard, path},
};
use crate::log::{
    Log,
    files::{self, remove_if_there},
    segment::{Segment, SegmentFile},
};
use ring::File;
use std::{collections::VecDeque, io, path::PathBuf, rc::Rc};

impl Log {
    /// Puts `new`, whose files are on the disk as `.cleaned`, in the place of `old`, which end at
    /// `end`. `false`: the log has them no longer, or was cut since the pass began (`truncations`),
    /// and nothing was done.
    pub(super) async fn replace_segments(
        &self,
        old: &[Rc<Segment>],
        new: &Rc<Segment>,
        end: i64,
        truncations: u64,
    ) -> Result<bool, CleanError> {
        let guard = self.0.files_lock.lock().await;
        if self.has_ended() || self.place_of(old).is_none() {
            return Ok(false);
        }
        self.0.writer.failure()?;
        if self.0.writer.truncations() != truncations {
            return Ok(false);
        }
        // A start that found the disk full may owe a snapshot of what is replaced.
        self.finish_rolled().await?;
        self.check_replaceable(old, new, end);
        let held = match self.offer(new).await {
            Ok(held) => held,
            Err(error) => {
                // Nothing is on the disk for certain, and nothing must be.
                self.withdraw(new).await?;
                drop(guard);
                discard(self, new.base_offset).await;
                return Err(error.into());
            }
        };
        // From here on there is no way back: a start would finish it.
        let at = self.place_of(old).expect("retention has the lock of the files for what it takes");
        self.0.segments.borrow_mut().splice(at..at + old.len(), [new.clone()]);
        self.0.replaced_to.set(self.0.replaced_to.get().max(end));
        for one in old {
            // An open of it by its name might get one of the new files from now on.
            one.end_opening().await;
            one.close_files();
        }
        let mut steps = self.steps(old, new);
        let removed: Vec<PathBuf> = steps.iter().filter_map(Step::leaves).collect();
        let swap = async || self.take_steps(&mut steps).await;
        let swapped = self.patiently("replacing segments by compacted ones waits", swap).await;
        if let Err(error) = &swapped {
            self.fail("replacing compacted segments in", &self.dir(), error);
        }
        drop(held);
        self.remove_later(removed, None);
        swapped?;
        // They are about places that are within one segment now.
        let is_within = |at| old[1..].iter().any(|one| one.base_offset == at);
        if let Err(error) = self.remove_snapshots(is_within).await {
            tracing::warn!(dir = %self.dir().display(), %error, "producer snapshots within a \
                compacted segment could not be removed");
        }
        Ok(true)
    }

    /// Where in the list these segments stand.
    fn place_of(&self, old: &[Rc<Segment>]) -> Option<usize> {
        let segments = self.0.segments.borrow();
        let at = segments.iter().position(|one| Rc::ptr_eq(one, &old[0]))?;
        let there = segments.get(at..at + old.len())?;
        there.iter().zip(old).all(|(a, b)| Rc::ptr_eq(a, b)).then_some(at)
    }

    fn check_replaceable(&self, old: &[Rc<Segment>], new: &Segment, end: i64) {
        assert_eq!(new.base_offset, old[0].base_offset, "{new} begins where the old ones do");
        let (kept, active) = (self.0.kept_recovery_point.get(), self.active().base_offset);
        assert!(end <= active, "{new} reaches {end}, and the active segment begins at {active}");
        assert!(end <= kept, "{new} reaches {end}, and a recovery may begin at {kept}");
        let stable = self.last_stable_offset();
        assert!(end <= stable, "{new} reaches {end}, beyond the last stable offset {stable}");
        let owed = self.0.unfinished.borrow().iter().any(|one| one.segment.base_offset < end);
        assert!(!owed, "{new} takes the place of segments that are still being written");
        new.check_synced();
    }

    /// Makes the new files `.swap`, on the disk; they are open then, so that readers need no name.
    async fn offer(&self, new: &Segment) -> io::Result<Vec<File>> {
        let (ring, dir) = (&self.0.ring, self.dir());
        self.remove_left(new.base_offset).await?;
        // A name that gets lost on its way to `.swap` must be `.cleaned` again, so that a start
        // does not believe the others.
        ring.sync_dir(&dir).await?;
        for part in parts_of(new) {
            let from = path(&dir, new.base_offset, part, files::CLEANED_SUFFIX);
            ring.rename(from, path(&dir, new.base_offset, part, files::SWAP_SUFFIX)).await?;
        }
        let mut held = Vec::new();
        for part in parts_of(new) {
            let path = path(&dir, new.base_offset, part, files::SWAP_SUFFIX);
            held.push(new.open_as(ring, &path, part).await?);
        }
        ring.sync_dir(&dir).await?;
        Ok(held)
    }

    /// Removes what earlier passes have left: a start would take what is `.swap` behind it for a
    /// part of that.
    async fn remove_left(&self, but_base: i64) -> io::Result<()> {
        let (ring, dir) = (&self.0.ring, self.dir());
        self.check_files_locked();
        for entry in ring.read_dir(&dir).await? {
            let base = files::parse(&entry.name).map(|(base, _)| base);
            if entry.name.ends_with(files::CLEANED_SUFFIX) && base != Some(but_base) {
                remove_if_there(ring, &dir.join(&entry.name)).await?;
            }
        }
        Ok(())
    }

    /// Takes the `.swap` files away again, on the disk. A failure is final: were one of them to
    /// stay, a later start would bring it back.
    async fn withdraw(&self, new: &Segment) -> io::Result<()> {
        let (ring, dir) = (&self.0.ring, self.dir());
        let taken = async || {
            for part in parts_of(new) {
                let path = path(&dir, new.base_offset, part, files::SWAP_SUFFIX);
                remove_if_there(ring, &path).await?;
            }
            ring.sync_dir(&dir).await
        };
        let taken = self.patiently("removing what a cleaner has begun waits", taken).await;
        if let Err(error) = &taken {
            self.fail("taking back compacted segments in", &dir, error);
        }
        taken
    }

    /// What is left to do when all of the new is on the disk, in this order.
    fn steps(&self, old: &[Rc<Segment>], new: &Segment) -> VecDeque<Step> {
        let dir = self.dir();
        let mut steps = VecDeque::new();
        for one in old {
            for part in SegmentFile::ALL.into_iter().filter(|part| one.exists(*part)) {
                let from = files::path(&dir, one.base_offset, part.extension());
                let mut to = from.clone().into_os_string();
                to.push(files::DELETED_SUFFIX);
                steps.push_back(Step::GiveUp { from, to: to.into() });
            }
        }
        steps.push_back(Step::Sync);
        for part in parts_of(new) {
            let from = path(&dir, new.base_offset, part, files::SWAP_SUFFIX);
            let to = files::path(&dir, new.base_offset, part.extension());
            steps.push_back(Step::Name { from, to });
            if part == SegmentFile::Log {
                // While it is `.swap`, a start takes the indexes with its name for the old ones'.
                steps.push_back(Step::Sync);
            }
        }
        steps.push_back(Step::Sync);
        steps
    }

    /// Goes on where an earlier call has ended with an error.
    async fn take_steps(&self, steps: &mut VecDeque<Step>) -> io::Result<()> {
        let ring = &self.0.ring;
        self.check_files_locked();
        while let Some(step) = steps.front() {
            match step {
                Step::GiveUp { from, to } => match ring.rename(from, to).await {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    // A longer name may need room.
                    Err(error) if ring::passes(&error) => remove_if_there(ring, from).await?,
                    renamed => renamed?,
                },
                Step::Name { from, to } => ring.rename(from, to).await?,
                Step::Sync => ring.sync_dir(self.dir()).await?,
            }
            steps.pop_front();
        }
        Ok(())
    }
}

enum Step {
    /// A file of an old segment; it is removed when reads of it have ended.
    GiveUp {
        from: PathBuf,
        to: PathBuf,
    },
    Name {
        from: PathBuf,
        to: PathBuf,
    },
    Sync,
}

impl Step {
    fn leaves(&self) -> Option<PathBuf> {
        match self {
            Step::GiveUp { to, .. } => Some(to.clone()),
            Step::Name { .. } | Step::Sync => None,
        }
    }
}

/// The files that a segment has.
fn parts_of(segment: &Segment) -> impl Iterator<Item = SegmentFile> {
    SegmentFile::ALL.into_iter().filter(|part| segment.exists(*part))
}
