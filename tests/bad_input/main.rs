//! Inputs that must not hurt: what a client may send by mistake or by malice, and what the broker answers. The answers
//! are Apache Kafka's; where a broker may choose between an error and the end of the connection, the tests allow both.
//! After each input a neighbour on another connection must still be served, and memory must not have grown by what was
//! only promised.

#[path = "../support/mod.rs"]
mod support;

mod batches;
mod connections;
mod frames;
mod groups;
mod names;
mod pipelines;
mod producers;

use support::{Broker, Client, unique};

/// What memory may grow by while bad input is refused: buffers, caches and allocator slack, but nothing that a client
/// only promised.
const MEMORY_GROWTH_MAX: usize = 256 << 20;

/// Someone who does nothing wrong, on a connection from before the trouble.
struct Neighbour {
    client: Client,
    topic: String,
    produced: i64,
    resident_before: Option<usize>,
}

impl Neighbour {
    fn of(broker: &Broker) -> Neighbour {
        let mut client = Client::connect(broker.address);
        let topic = unique("neighbour");
        client.create_topic(&topic, 1, &[]);
        let mut neighbour = Neighbour { client, topic, produced: 0, resident_before: broker.resident_bytes() };
        neighbour.is_served();
        neighbour
    }

    /// Writes a record and reads it back.
    #[track_caller]
    fn is_served(&mut self) {
        let value = format!("record {}", self.produced);
        let offset = self.client.produce_value(&self.topic, 0, value.as_bytes());
        assert_eq!(offset, self.produced, "nobody else writes to this topic");
        self.produced += 1;
        let data = self.client.fetch(&self.topic, 0, offset);
        let (values, _) = support::batch::values(&data.records.unwrap_or_default(), offset);
        assert_eq!(values, [value.into_bytes()]);
    }

    /// As before the trouble: served, by the same process, which has not grown.
    #[track_caller]
    fn is_unharmed(&mut self, broker: &mut Broker, growth_max: usize) {
        assert!(broker.is_running());
        let Some(before) = self.resident_before else { return self.is_served() };
        // An allocator gives memory back in its own time.
        support::eventually("memory is as it was", || {
            self.is_served();
            let now = broker.resident_bytes().unwrap_or(before);
            let grown = now.saturating_sub(before);
            if grown >= growth_max {
                eprintln!("memory has grown by {} MiB, from {} MiB", grown >> 20, before >> 20);
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            grown < growth_max
        });
    }
}

/// Runs `trouble` with every broker, with a neighbour watching.
fn with_neighbour(trouble: impl Fn(&mut Broker)) {
    with_neighbour_within(MEMORY_GROWTH_MAX, trouble);
}

fn with_neighbour_within(growth_max: usize, trouble: impl Fn(&mut Broker)) {
    support::on_each_backend(|broker| {
        let mut neighbour = Neighbour::of(broker);
        trouble(broker);
        neighbour.is_unharmed(broker, growth_max);
    });
}
