//! At last a segment's file is damaged below what the broker knows it has: one bit is flipped, its
//! end is cut off, or it is gone. A log that is too short is refused, with every file as it was;
//! what a start does not read, its readers notice. The broker never serves a log with a hole, and
//! it serves the other partitions as before.

use crate::{
    audit,
    broker::Broker,
    client::{Client, Lost},
    cluster::ClusterId,
    commits::base_partitions,
    dice::Dice,
    model::{Invariant, PartitionKey},
    plan::Fault,
    reader::{self, Cursor},
    run::Run,
};
use protocol::{
    ErrorCode,
    messages::FetchRequest,
    records::{Batch, batches},
};
use ring::{Ring, sim::DiskControl};
use std::{collections::BTreeMap, rc::Rc};

/// Fetches that bring nothing, after which the inspector believes it.
const IN_VAIN_MAX: usize = 20;

/// Says that a directory was closed cleanly.
const CLEAN: &str = ".kafka_cleanshutdown";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Harm {
    Flip,
    Cut,
    Delete,
}

/// A segment that is known to be whole.
struct Segment {
    key: PartitionKey,
    folder: String,
    path: String,
    /// Position and size of each batch.
    batches: Vec<(usize, usize)>,
    /// Retention may have taken it, as far as the next start can tell.
    may_be_gone: bool,
}

pub fn inflict(run: &Rc<Run>, node: &Broker) {
    let mut dice = Dice::new(run.plan.seed ^ 0xda3a6e);
    run.end_node(node, *dice.pick(&[Fault::CleanStop, Fault::Kill]));
    let disk = run.world.disk(node.node);
    let cluster = node.cluster;
    let segments = known_segments(run, cluster, &disk);
    if !run.is_over() && !segments.is_empty() {
        let segment = dice.pick(&segments);
        let harms = [Harm::Flip, Harm::Cut, Harm::Delete];
        let harm = *dice.pick(if segment.may_be_gone { &harms[..2] } else { &harms });
        apply(harm, segment, &mut dice, &disk);
        run.note(|| format!("{harm:?} of {}", segment.path));
        run.victim.set(Some(segment.key));
        let before = files_below(&disk, &segment.folder);
        run.start_calmly(node);
        let key = segment.key;
        run.spawn(cluster, "audit".to_owned(), move |run, ring| audit::work(run, ring, cluster));
        run.spawn(cluster, "inspector".to_owned(), move |run, ring| inspect(run, ring, key, harm));
        run.wait_for_workers();
        if harm != Harm::Flip && files_below(&disk, &segment.folder) != before {
            let detail = format!("files of {} were changed, though it was refused", segment.folder);
            run.violate(Invariant::StartsAndStops, detail);
        }
    }
}

fn apply(harm: Harm, segment: &Segment, dice: &mut Dice, disk: &DiskControl) {
    let (position, size) = *dice.pick(&segment.batches);
    let done = match harm {
        // Behind the checksum, so that it is covered.
        Harm::Flip => {
            disk.flip_bit(&segment.path, (position + 21) as u64 + dice.below((size - 21) as u64))
        }
        Harm::Cut => {
            let within = if dice.one_in(2) { 0 } else { dice.below(size as u64) };
            disk.truncate_raw(&segment.path, position as u64 + within)
        }
        Harm::Delete => disk.remove_raw(&segment.path),
    };
    done.expect("a file that was there");
}

fn files_below(disk: &DiskControl, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let names = disk.file_names().into_iter().filter(|name| name.starts_with(folder));
    names.map(|name| (name.clone(), disk.read_raw(&name).unwrap_or_default())).collect()
}

/// Segments of topics that stay which the next start knows to be whole: all after a clean shutdown,
/// and those below the recovery point after a crash.
fn known_segments(run: &Run, cluster: ClusterId, disk: &DiskControl) -> Vec<Segment> {
    let names = disk.file_names();
    let mut known = Vec::new();
    for (topic, index) in base_partitions(run, cluster) {
        let suffix = format!("/{topic}-{index}/");
        let mut logs: Vec<&String> =
            names.iter().filter(|name| name.contains(&suffix) && name.ends_with(".log")).collect();
        logs.sort_unstable();
        let key =
            run.model.borrow().live(cluster).find(|live| live.name == topic).map(|live| live.key);
        let (Some(topic_key), Some(first)) = (key, logs.first()) else { continue };
        let (dir, _) = first.split_once(&suffix).expect("it has the suffix");
        // A clean shutdown may find a directory not in order: it holds a folder that the metadata
        // does not know.
        let clean = names.iter().any(|name| *name == format!("{dir}/{CLEAN}"));
        let recovery_point =
            if clean { i64::MAX } else { recovery_point(disk, dir, &topic, index) };
        let key = PartitionKey { topic: topic_key, index };
        let deleted_to = run.model.borrow().delete_asked_to(key);
        for (at, path) in logs.iter().enumerate() {
            let content = disk.read_raw(path).expect("a file that is listed");
            let (found, first_offset, end) = batches_of(&content);
            // What lies below the start of the log may go as it is.
            if found.is_empty() || end > recovery_point || first_offset < deleted_to {
                continue;
            }
            let folder = format!("{dir}{suffix}");
            known.push(Segment {
                key,
                folder,
                path: (*path).clone(),
                batches: found,
                may_be_gone: at == 0 && !clean,
            });
        }
    }
    known
}

fn batches_of(content: &[u8]) -> (Vec<(usize, usize)>, i64, i64) {
    let (mut found, mut position, mut first, mut end) = (Vec::new(), 0, 0, 0);
    // What was set aside for more is zeros.
    for batch in batches(content).map_while(Result::ok).take_while(Batch::crc_is_valid) {
        if found.is_empty() {
            first = batch.base_offset();
        }
        found.push((position, batch.size_bytes()));
        position += batch.size_bytes();
        end = batch.next_offset();
    }
    (found, first, end)
}

/// As the checkpoint of the directory says it.
fn recovery_point(disk: &DiskControl, dir: &str, topic: &str, index: i32) -> i64 {
    let content =
        disk.read_raw(format!("{dir}/recovery-point-offset-checkpoint")).unwrap_or_default();
    let text = String::from_utf8_lossy(&content).into_owned();
    let of_partition = format!("{topic} {index} ");
    text.lines().find_map(|line| line.strip_prefix(&of_partition)?.trim().parse().ok()).unwrap_or(0)
}

/// Reads the damaged partition to its end, or to where it is refused.
async fn inspect(run: Rc<Run>, ring: Ring, key: PartitionKey, harm: Harm) {
    let mut client = Client::new(&run, &ring, key.topic.cluster, "inspector".to_owned());
    let mut cursor = Cursor::new(key);
    let (mut reached, mut in_vain) = (-1, 0);
    while !run.is_over() {
        match read_on(&mut client, &mut cursor).await {
            Ok(None) => {}
            Ok(Some(why)) => {
                client.note(|| {
                    format!("{} from {}: {why}", run.model.borrow().say(key), cursor.next)
                });
                return;
            }
            Err(Lost) => continue,
        }
        in_vain = if cursor.next == reached { in_vain + 1 } else { 0 };
        reached = cursor.next;
        if in_vain == IN_VAIN_MAX && harm == Harm::Flip {
            // A header that names another last offset: no batch is found there, and nothing behind
            // it is served.
            return client.note(|| {
                format!("{} from {}: nothing comes", run.model.borrow().say(key), cursor.next)
            });
        }
        if cursor.is_at_end() {
            if harm != Harm::Flip {
                let say = run.model.borrow().say(key);
                run.violate(
                    Invariant::ReadsRepeat,
                    format!("{say}: {harm:?}, and it is served to its end"),
                );
            }
            return;
        }
    }
}

/// One fetch; why it is refused, or cannot be used.
async fn read_on(client: &mut Client, cursor: &mut Cursor) -> Result<Option<String>, Lost> {
    let run = client.run.clone();
    let request = FetchRequest {
        replica_id: -1,
        max_bytes: 1 << 20,
        session_epoch: -1,
        topics: reader::topics(client, std::iter::once(&*cursor)),
        ..Default::default()
    };
    let leader = client.leader_of(cursor.key).await?;
    let expected = run.model.borrow().expected(cursor.key);
    let response = client.call_at(leader, reader::IDS_VERSION, &request).await?;
    let Some(answer) = reader::answer_for(&run, &response, cursor.key) else {
        reader::missing(&run, cursor.key);
        return Ok(None);
    };
    if ErrorCode::from_code(answer.error_code) == Some(ErrorCode::KafkaStorageError) {
        return Ok(Some("refused".to_owned()));
    }
    let records = answer.records.as_deref().unwrap_or_default();
    if batches(records).any(|batch| !batch.is_ok_and(|batch| batch.crc_is_valid())) {
        return Ok(Some("a checksum is wrong".to_owned()));
    }
    if reader::take(client, cursor, expected, answer) {
        reader::find_start(client, cursor).await?;
    }
    Ok(None)
}
