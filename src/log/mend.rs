//! Cutting a damaged log to its last good point, as `millstream log repair` is asked to.
//!
//! [`plan`] decides and is pure: what was read in, what stays and what goes out.
//! [`Plan::execute`] does it. Nothing is removed: segments and index files that go get another
//! name in their folder (`NAME.aside-NUMBER`, which neither Apache Kafka nor this broker takes for
//! a part of the log), and the end of a file that is cut is copied to such a file before.
//!
//! Owns: nothing. Lives on the thread of `millstream log`. Never: runs beside a broker. After a
//! kill in the middle of it another run finds the rest to do: what goes goes from the end on, so
//! that what stays is always the beginning.

use super::{
    LogConfig, LogError, checkpoint, files,
    recovery::{Change, Truncation},
    segment::{Segment, SegmentFile},
    whole::{LogLook, SegmentLook},
};
use ring::Ring;
use std::{collections::BTreeSet, path::Path, rc::Rc};

/// What stays of a log, and what goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first offset that stays.
    pub log_start: i64,
    /// The log ends there, and its next record gets this offset.
    pub log_end: i64,
    /// Offsets that go, from and to; they may not all have been there.
    pub gone: Vec<(i64, i64)>,
    /// Base offset of the segment that is cut, its bytes before and after.
    truncation: Option<(i64, u64, u64)>,
    /// Base offsets of the segments that go as a whole.
    aside: Vec<i64>,
    /// Other files of the folder that go: indexes that contradict the batches, text files that
    /// cannot be read.
    pub files: Vec<String>,
    /// The leader epochs are written anew from the batches.
    pub epochs: Option<Vec<(i32, i64)>>,
    /// No segment stays: an empty one is made at the log's end.
    begins_anew: bool,
}

/// What is known about a log beside its batches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// What was synced reaches this offset.
    pub floor: i64,
    pub log_start: i64,
    /// The base offset of a segment that is gone.
    pub missing: Option<i64>,
    /// `cleanup.policy` has `compact`: offsets may be missing.
    pub compact: bool,
}

/// Where a damaged log is cut. A hole is a cut: what lies behind it goes. Only where nothing good
/// lies before the first hole or damage does the log begin behind it.
pub fn plan(look: &LogLook, known: Known) -> Plan {
    let segments = &look.segments;
    let is_void = |one: &SegmentLook| one.valid_bytes == 0;
    let first = segments.iter().position(|one| !is_void(one));
    let mut aside: Vec<i64> =
        segments[..first.unwrap_or(segments.len())].iter().map(|one| one.base_offset).collect();
    let Some(first) = first else { return nothing_left(look, known, aside) };
    let log_start = segments[first].base_offset;
    let mut gone = Vec::new();
    if log_start > known.log_start
        && (first > 0 || known.missing.is_some_and(|base| base < log_start))
    {
        gone.push((known.log_start, log_start));
    }
    let (mut last, mut truncation) = (first, None);
    for at in first..segments.len() {
        (last, truncation) = (at, None);
        let one = &segments[at];
        if one.damage.is_some() {
            truncation = Some((one.base_offset, one.size_bytes, one.valid_bytes));
            break;
        }
        let Some(next) = segments.get(at + 1) else { break };
        let is_missing =
            known.missing.is_some_and(|base| one.base_offset < base && base < next.base_offset);
        let has_hole = next.base_offset > one.next_offset
            && (is_missing || !(known.compact || one.is_compacted));
        if has_hole || next.base_offset < one.next_offset {
            break;
        }
    }
    aside.extend(segments[last + 1..].iter().map(|one| one.base_offset));
    let log_end = segments[last].next_offset;
    let (kept, all) = (last + 1 - first, segments.len());
    assert_eq!(aside.len() + kept, all, "each segment stays or is kept aside");
    assert!(log_start <= log_end, "a log is to begin at {log_start} and to end at {log_end}");
    let reached = segments.iter().map(|one| one.next_offset).max().unwrap_or(0).max(known.floor);
    if reached > log_end || truncation.is_some() {
        gone.push((log_end, reached.max(log_end + 1)));
    }
    Plan {
        log_start,
        log_end,
        gone,
        truncation,
        aside,
        files: Vec::new(),
        epochs: None,
        begins_anew: false,
    }
}

/// Nothing good is left. The log goes on where it had got to, so that no offset is used twice.
fn nothing_left(look: &LogLook, known: Known, aside: Vec<i64>) -> Plan {
    let bases = look.segments.iter().map(|one| one.base_offset);
    let log_end = bases.max().unwrap_or(0).max(known.floor).max(known.log_start);
    let gone = vec![(known.log_start, log_end)];
    Plan {
        log_start: log_end,
        log_end,
        gone,
        truncation: None,
        aside,
        files: Vec::new(),
        epochs: None,
        begins_anew: true,
    }
}

impl Plan {
    /// Gives the whole log up, which goes on at `offset`: a snapshot has everything before it.
    pub fn give_up(look: &LogLook, offset: i64) -> Plan {
        let known = Known { floor: offset, ..Known::default() };
        let aside = look.segments.iter().map(|one| one.base_offset).collect();
        let mut plan = nothing_left(look, known, aside);
        (plan.log_start, plan.log_end) = (offset, offset);
        let reached = look.segments.iter().map(|one| one.next_offset).max().unwrap_or(0);
        plan.gone = if reached > offset { vec![(offset, reached)] } else { Vec::new() };
        plan
    }

    /// The log as it is.
    pub fn nothing(look: &LogLook) -> Plan {
        let log_start = look.segments.first().map_or(0, |first| first.base_offset);
        let log_end = look.segments.last().map_or(log_start, |last| last.next_offset);
        Plan {
            log_start,
            log_end,
            gone: Vec::new(),
            truncation: None,
            aside: Vec::new(),
            files: Vec::new(),
            epochs: None,
            begins_anew: false,
        }
    }

    /// Nothing of it stays.
    pub fn begins_anew(&self) -> bool {
        self.begins_anew
    }

    /// Whether records go.
    pub fn truncations(&self) -> bool {
        self.truncation.is_some()
            || !self.aside.is_empty()
            || !self.gone.is_empty()
            || self.begins_anew
    }

    /// Does it, and says each change with `say`. The recovery point is the caller's to lower,
    /// afterwards.
    pub async fn execute(
        &self,
        ring: &Ring,
        dir: &Path,
        say: &dyn Fn(String),
    ) -> Result<(), LogError> {
        let entries = ring.read_dir(dir).await.map_err(LogError::io("listing", dir))?;
        let names: BTreeSet<String> = entries.into_iter().map(|entry| entry.name).collect();
        for (text, change) in self.changes(&names) {
            change.apply(ring, dir, &LogConfig::default()).await?;
            say(text);
        }
        if let Some(epochs) = &self.epochs {
            let path = dir.join(files::LEADER_EPOCHS);
            say(format!("{} is written anew from the batches", files::LEADER_EPOCHS));
            let text = checkpoint::format_epochs(epochs);
            ring.write_file_atomically(&path, text.into())
                .await
                .map_err(LogError::io("writing", path))?;
        }
        ring.sync_dir(dir).await.map_err(LogError::io("syncing", dir))
    }

    /// Each with what is said of it, from the end of the log on.
    fn changes(&self, names: &BTreeSet<String>) -> Vec<(String, Change)> {
        assert!(
            self.aside.is_sorted_by(|a, b| a < b),
            "segments go from the end on: {:?}",
            self.aside
        );
        let mut taken = names.clone();
        let mut aside = |name: &str| {
            let to = files::free_aside(name, |to| taken.contains(to));
            let is_new = taken.insert(to.clone());
            assert!(is_new, "two files are kept as {to}");
            to
        };
        let mut changes = Vec::new();
        let mut goes: Vec<String> = Vec::new();
        for base in self.aside.iter().rev() {
            for kind in [
                files::LOG,
                files::OFFSET_INDEX,
                files::TIME_INDEX,
                files::TXN_INDEX,
                files::SNAPSHOT,
            ] {
                goes.push(files::name(*base, kind));
            }
        }
        let snapshots = names.iter().filter_map(|name| files::parse(name)).filter(|(at, kind)| {
            // It describes batches that are gone, and others will take their offsets.
            *kind == files::SNAPSHOT && self.truncations() && *at > self.log_end
        });
        goes.extend(snapshots.map(|(at, kind)| files::name(at, kind)));
        if let Some((base, size_bytes, valid_bytes)) = self.truncation {
            let segment = Rc::new(Segment::new(base, 0));
            segment.set_exists(SegmentFile::Log, true);
            let (name, lost) = (files::name(base, files::LOG), size_bytes - valid_bytes);
            let kept_as = aside(&name);
            let text = format!(
                "{name} is cut to {valid_bytes} bytes; the {lost} bytes behind are kept in \
                 {kept_as}"
            );
            let truncation =
                Truncation { segment, size_bytes, valid_bytes, kept_as: Some(kept_as) };
            changes.push((text, Change::Truncation(truncation)));
            // A start builds them anew from the batches that are left.
            goes.extend(
                [files::OFFSET_INDEX, files::TIME_INDEX, files::TXN_INDEX]
                    .map(|kind| files::name(base, kind)),
            );
        }
        goes.extend(self.files.iter().cloned());
        let mut moved = BTreeSet::new();
        let goes =
            goes.into_iter().filter(|name| names.contains(name) && moved.insert(name.clone()));
        let mut all = Vec::new();
        for from in goes {
            let to = aside(&from);
            all.push((format!("{from} is kept as {to}"), Change::SetAside { from, to }));
        }
        all.append(&mut changes);
        if self.begins_anew {
            let text = format!(
                "nothing good is left: the log is empty, and goes on at offset {}",
                self.log_end
            );
            all.push((text, Change::CreateSegment(Rc::new(Segment::new(self.log_end, 0)))));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Fault;

    fn segment(base_offset: i64, next_offset: i64) -> SegmentLook {
        let bytes = (next_offset - base_offset) as u64 * 100;
        SegmentLook {
            base_offset,
            size_bytes: bytes,
            valid_bytes: bytes,
            next_offset,
            damage: None,
            is_compacted: false,
            indexes: Vec::new(),
        }
    }

    fn damaged(base_offset: i64, next_offset: i64) -> SegmentLook {
        let damage = Fault::BadBatch {
            position: 0,
            offset: next_offset,
            reason: String::new(),
            good_behind: false,
        };
        let whole = segment(base_offset, next_offset);
        SegmentLook { size_bytes: whole.size_bytes + 300, damage: Some(damage), ..whole }
    }

    fn of(segments: Vec<SegmentLook>, known: Known) -> Plan {
        plan(&LogLook { segments, ..LogLook::default() }, known)
    }

    #[test]
    fn a_log_is_cut_where_its_damage_begins() {
        let known = Known { floor: 30, ..Known::default() };
        let truncation = of(vec![segment(0, 10), damaged(10, 14), segment(20, 30)], known);
        assert_eq!((truncation.log_start, truncation.log_end), (0, 14));
        assert_eq!(
            (truncation.truncation, &truncation.aside[..], &truncation.gone[..]),
            (Some((10, 700, 400)), &[20][..], &[(14, 30)][..])
        );
        let hole = of(vec![segment(0, 10), segment(20, 30)], known);
        assert_eq!((hole.log_end, hole.truncation, &hole.aside[..]), (10, None, &[20][..]));
        let short = of(vec![segment(0, 10)], known);
        assert_eq!((short.log_end, &short.gone[..]), (10, &[(10, 30)][..]));
        let whole = of(vec![segment(0, 30)], known);
        assert!(!whole.truncations(), "{whole:?}");
    }

    #[test]
    fn holes_of_compaction_are_none() {
        let known = Known { floor: 30, compact: true, ..Known::default() };
        assert!(!of(vec![segment(0, 10), segment(20, 30)], known).truncations());
        let missing = Known { missing: Some(12), ..known };
        assert_eq!(of(vec![segment(0, 10), segment(20, 30)], missing).log_end, 10);
        let compacted = SegmentLook { is_compacted: true, ..segment(0, 10) };
        assert!(
            !of(vec![compacted, segment(20, 30)], Known { compact: false, ..known }).truncations()
        );
    }

    #[test]
    fn a_log_whose_beginning_is_gone_begins_later() {
        let known = Known { floor: 30, missing: Some(0), ..Known::default() };
        let late = of(vec![segment(20, 30)], known);
        assert_eq!((late.log_start, late.log_end, &late.gone[..]), (20, 30, &[(0, 20)][..]));
        let emptied = of(vec![segment(0, 0), segment(20, 30)], Known { missing: None, ..known });
        assert_eq!((emptied.log_start, &emptied.aside[..]), (20, &[0][..]));
    }

    #[test]
    fn where_nothing_is_left_no_offset_is_used_twice() {
        let known = Known { floor: 30, ..Known::default() };
        for segments in [vec![], vec![damaged(0, 0)], vec![segment(0, 0), damaged(20, 20)]] {
            let plan = of(segments, known);
            assert_eq!((plan.log_start, plan.log_end, plan.begins_anew), (30, 30, true));
            assert_eq!(plan.gone, [(0, 30)]);
        }
    }

    #[test]
    fn what_goes_gets_a_name_of_its_own() {
        let known = Known { floor: 30, ..Known::default() };
        let plan = of(vec![segment(0, 10), damaged(10, 14), segment(20, 30)], known);
        let names = ["log", "index"]
            .iter()
            .flat_map(|kind| [0, 10, 20].map(|base| files::name(base, kind)));
        let names = names.chain([files::name(20, "snapshot"), files::name(10, "snapshot")]);
        let names: BTreeSet<String> =
            names.chain(["00000000000000000020.log.aside-0".to_owned()]).collect();
        let said: Vec<String> = plan.changes(&names).into_iter().map(|(text, _)| text).collect();
        assert!(said[0].contains("kept as 00000000000000000020.log.aside-1"), "{said:?}");
        assert!(said.iter().any(|one| one.starts_with("00000000000000000010.index ")), "{said:?}");
        assert!(
            !said.iter().any(|one| one.starts_with("00000000000000000010.snapshot")),
            "{said:?}"
        );
        assert!(
            said.last()
                .is_some_and(|one| one.contains("is cut to 400 bytes; the 300 bytes behind")),
            "{said:?}"
        );
    }
}
