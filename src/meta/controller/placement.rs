//! Where the replicas of new partitions go: striped over racks and over the brokers of each rack.

use crate::meta::image::MetadataImage;

/// Chooses brokers for `partitions` new partitions with `replication_factor` replicas each, the
/// leader first. Leaders are unfenced; fenced brokers get replicas only where their rack has no
/// other left. Err: why it cannot be done, in Kafka's words (`StripedReplicaPlacer`).
pub fn place(
    image: &MetadataImage,
    partitions: usize,
    replication_factor: usize,
    random: &mut dyn FnMut() -> u64,
) -> Result<Vec<Vec<i32>>, String> {
    let racks = racks(image);
    let total: usize = racks.iter().map(Rack::len).sum();
    if racks.iter().all(|rack| rack.unfenced.is_empty()) {
        return Err(
            "All brokers are currently fenced, or have all their log directories cordoned."
                .to_owned(),
        );
    }
    if replication_factor > total {
        return Err(format!(
            "The target replication factor of {replication_factor} cannot be reached because only \
             {total} broker(s) are \
             registered or some brokers have all their log directories cordoned."
        ));
    }
    // A random start spreads the leaders of many small topics.
    let start = random() as usize % total;
    Ok((start..start + partitions).map(|turn| stripe(&racks, turn, replication_factor)).collect())
}

#[derive(Default)]
struct Rack {
    unfenced: Vec<i32>,
    fenced: Vec<i32>,
}

impl Rack {
    fn len(&self) -> usize {
        self.unfenced.len() + self.fenced.len()
    }

    /// The broker that comes `rank`-th in this rack on the given turn of the rack.
    fn broker(&self, turn: usize, rank: usize) -> Option<(i32, bool)> {
        let rotated = |brokers: &[i32], rank: usize| brokers[(turn + rank) % brokers.len()];
        match rank.checked_sub(self.unfenced.len()) {
            None => Some((rotated(&self.unfenced, rank), true)),
            Some(rank) => (rank < self.fenced.len()).then(|| (rotated(&self.fenced, rank), false)),
        }
    }
}

fn racks(image: &MetadataImage) -> Vec<Rack> {
    let mut racks = std::collections::BTreeMap::<Option<&str>, Rack>::new();
    for broker in image.brokers.values().filter(|broker| broker.has_uncordoned_directory()) {
        let rack = racks.entry(broker.0.rack.as_deref()).or_default();
        let brokers = if broker.0.fenced { &mut rack.fenced } else { &mut rack.unfenced };
        brokers.push(broker.0.broker_id);
    }
    racks.into_values().collect()
}

/// One partition's brokers: racks take turns, beginning with another one on each turn, and each
/// rack begins with another broker once all racks have begun.
fn stripe(racks: &[Rack], turn: usize, replication_factor: usize) -> Vec<i32> {
    let ranks = racks.iter().map(Rack::len).max().unwrap_or(0);
    let order = (0..ranks).flat_map(|rank| {
        (0..racks.len()).filter_map(move |rack| {
            let rack = &racks[(turn + rack) % racks.len()];
            rack.broker(turn / racks.len(), rank)
        })
    });
    let order: Vec<(i32, bool)> = order.collect();
    let (leader, _) =
        *order.iter().find(|(_, unfenced)| *unfenced).expect("some broker is unfenced");
    let others = order.iter().map(|(broker, _)| *broker).filter(|broker| *broker != leader);
    std::iter::once(leader).chain(others).take(replication_factor).collect()
}
