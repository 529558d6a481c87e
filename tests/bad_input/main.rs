//! Inputs that must not hurt: what a client may send by mistake or by malice, and what the broker
//! answers. The answers are Apache Kafka's; where a broker may choose between an error and the end
//! of the connection, the tests allow both. After each input a neighbour on another connection must
//! still be served, and memory must not have grown by what was only promised.
//!
//! The inputs that are covered, by the numbers of the list that these tests were written from
//! (security is not among them yet):
//!
//! | # | input | tests |
//! | --- | --- | --- |
//! | 1 | lengths that no request has | `frames::a_length_that_no_request_has_ends_the_connection`, `connections::a_request_above_a_smaller_limit_ends_its_connection` |
//! | 2 | bytes that never come, slow clients | `connections::thousands_of_slow_clients_get_memory_for_what_they_send_not_for_what_they_promise`, `connections::idle_connections_are_ended_and_busy_ones_are_not`, `pipelines::a_request_may_come_one_byte_at_a_time`, all of `memory` |
//! | 3 | unknown API keys | `frames::unknown_apis_and_versions_end_the_connection` |
//! | 4 | ApiVersions of an unknown version | `frames::an_unknown_version_of_api_versions_is_answered_in_version_0` |
//! | 5 | unknown versions of other APIs | `frames::unknown_apis_and_versions_end_the_connection` |
//! | 6 | lengths inside a request, overlong varints | `frames::lengths_inside_a_request_are_proven_before_they_are_believed`, `batches::batches_that_lie_about_their_records_are_invalid` |
//! | 7 | null where it must not be, trailing bytes, odd tags | `frames::lengths_inside_a_request_are_proven_before_they_are_believed`, `frames::oddities_that_may_be_let_pass_are_treated_the_same_each_time`, `frames::noise_behind_valid_headers_harms_nobody` |
//! | 8 | names | all of `names`, `frames::a_client_id_may_be_any_bytes`, `producers::an_empty_transactional_id_is_no_id` |
//! | 9 | a wrong CRC | `batches::damaged_batches_are_told_apart`, `batches::one_bad_partition_of_a_request_leaves_the_others_alone` |
//! | 10 | magic, batchLength | `batches::damaged_batches_are_told_apart` |
//! | 11 | counts and deltas that do not fit, two batches | `batches::batches_that_lie_about_their_records_are_invalid` |
//! | 12 | control and transactional batches, another producer's id | `batches::batches_that_lie_about_their_records_are_invalid`, `producers::a_producer_id_that_is_anothers_is_fenced_by_epoch_and_sequence` |
//! | 13 | packed batches that burst or do not unpack | `batches::packed_batches_that_burst_cost_bounded_memory`, `batches::packed_batches_that_do_not_unpack_are_refused` |
//! | 13 | the same, within the limit | all of `heavy` |
//! | 14 | records that are too large, or of another time | `batches::records_that_are_too_large_or_of_another_time_are_refused`, `batches::a_record_just_under_the_limit_is_taken_and_one_above_is_not` |
//! | - | what operators' tools ask, client metrics | all of `admin` |
//! | 15 | gaps, repeats, old epochs | `producers::sequences_are_kept_in_step` |
//! | - | requests that a client gets an error for and acts on it: which error, and what stands beside it | all of `answers` |
//! | 16 | what only brokers ask each other | `frames::what_brokers_ask_each_other_changes_nothing_when_a_client_asks` |
//! | 17 | fetches without bounds, others' sessions | `groups::a_fetch_of_a_million_partitions_is_bounded`, `groups::fetch_sessions_belong_to_those_who_opened_them` |
//! | 18 | groups: timeouts, sizes, metadata | `groups::members_with_impossible_wishes_are_refused`, `groups::a_group_has_a_largest_size`, `groups::a_hundred_thousand_members_that_never_join_are_bounded`, `groups::metadata_of_many_megabytes_is_taken_or_refused_within_bounds`, `groups::committed_offsets_have_small_metadata` |
//! | 23 | too many connections, too fast | `connections::connections_above_the_limit_are_turned_away_and_room_comes_back`, `connections::connections_of_one_address_have_a_limit_of_their_own`, `connections::a_listener_and_an_address_may_have_limits_that_differ`, `connections::a_creation_rate_delays_connections_but_serves_them`, `connections::limits_on_connections_may_change_at_run_time`, `connections::limits_that_lock_everybody_out_are_refused_or_undone`; the room that brokers keep: `net::admission`'s own tests |
//! | - | quotas of entities that cannot be, and filters | all of `quotas` |

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod answers;
mod batches;
mod connections;
mod frames;
mod groups;
mod heavy;
mod memory;
mod names;
mod pipelines;
mod producers;
mod quotas;

use support::{Broker, Client, unique};

/// What memory may grow by while bad input is refused: buffers, caches and allocator slack, but
/// nothing that a client only promised.
const MEMORY_GROWTH_MAX: usize = 256 << 20;

/// A client that does nothing wrong, on a connection from before the trouble.
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
        let mut neighbour =
            Neighbour { client, topic, produced: 0, resident_before: broker.resident_bytes() };
        neighbour.is_served();
        neighbour
    }

    /// Writes a record and reads it back.
    #[track_caller]
    fn is_served(&mut self) {
        let value = format!("record {}", self.produced);
        let offset = self.client.produce_value(&self.topic, 0, value.as_bytes());
        assert_eq!(offset, self.produced, "no other client writes to this topic");
        self.produced += 1;
        let data = self.client.fetch(&self.topic, 0, offset);
        let (values, _) = support::batch::values(&data.records.unwrap_or_default(), offset);
        assert_eq!(values, [value.into_bytes()]);
    }

    /// As before the trouble: served, by the same process, which has not grown.
    #[track_caller]
    fn is_unharmed(&mut self, broker: &mut Broker) {
        assert!(broker.is_running());
        let Some(before) = self.resident_before else { return self.is_served() };
        // An allocator gives memory back in its own time.
        support::eventually("memory is as it was", || {
            self.is_served();
            let now = broker.resident_bytes().unwrap_or(before);
            let grown = now.saturating_sub(before);
            if grown >= MEMORY_GROWTH_MAX {
                eprintln!("memory has grown by {} MiB, from {} MiB", grown >> 20, before >> 20);
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            grown < MEMORY_GROWTH_MAX
        });
    }
}

/// Runs `trouble` with every broker, with a neighbour watching.
fn with_neighbour(trouble: impl Fn(&mut Broker)) {
    support::on_each_backend(|broker| {
        let mut neighbour = Neighbour::of(broker);
        trouble(broker);
        neighbour.is_unharmed(broker);
    });
}
