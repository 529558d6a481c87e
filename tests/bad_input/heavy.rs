//! Requests that are much work: they take their own place, and no other request's.

use super::with_neighbour;
use crate::support::{
    Client, batch,
    client::{self, PRODUCE_VERSION},
    unique,
};
use protocol::{
    compression::Compression,
    messages::{
        DescribeQuorumRequest, InitProducerIdRequest, ProduceRequest,
        describe_quorum_request::{PartitionData, TopicData},
    },
    records::BatchBuilder,
};
use std::collections::BTreeSet;

const UNPACKED_BYTES: usize = 20 << 20;

/// A record that packs to next to nothing.
fn heavy(codec: Compression, producer_id: i64, sequence: i32) -> bytes::Bytes {
    let mut builder =
        BatchBuilder::new(0).compression(codec, None).producer(producer_id, 0, sequence);
    builder.append(batch::now_ms(), None, Some(&vec![0; UNPACKED_BYTES]), &[]);
    builder.build()
}

fn small(producer_id: i64, sequence: i32) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(0).producer(producer_id, 0, sequence);
    builder.append(batch::now_ms(), None, Some(b"small"), &[]);
    builder.build()
}

fn producer_id(client: &mut Client) -> i64 {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let response = client.call(&request, 4);
    assert_eq!(response.error_code, 0);
    response.producer_id
}

/// A small batch that was sent behind a heavy one must not overtake it: the second sequence number
/// would come first.
#[test]
fn batches_behind_a_heavy_one_keep_their_order() {
    with_neighbour(|broker| {
        for topic_codec in ["producer", "gzip"] {
            let mut client = Client::connect(broker.address);
            let topic = unique("heavy");
            client.create_topic(&topic, 2, &[("compression.type", topic_codec)]);
            let id = producer_id(&mut client);
            let codecs =
                [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
            for partition in 0..2 {
                let mut sent = Vec::new();
                for (at, codec) in codecs.iter().enumerate() {
                    for records in [heavy(*codec, id, 2 * at as i32), small(id, 2 * at as i32 + 1)]
                    {
                        let request = client::produce_request(&topic, partition, records, -1);
                        sent.push(client.send(&request, PRODUCE_VERSION).unwrap());
                    }
                }
                for (offset, correlation_id) in sent.into_iter().enumerate() {
                    let response =
                        client.receive::<ProduceRequest>(correlation_id, PRODUCE_VERSION).unwrap();
                    let answer = &response.responses[0].partition_responses[0];
                    let said = (answer.error_code, answer.base_offset);
                    assert_eq!(
                        said,
                        (0, offset as i64),
                        "{topic_codec}: {:?}",
                        answer.error_message
                    );
                }
            }
        }
    });
}

/// Others write to the same partition while a heavy batch for it is being worked on.
#[test]
fn a_heavy_batch_holds_up_its_own_connection_alone() {
    with_neighbour(|broker| {
        let (mut sender, mut other) =
            (Client::connect(broker.address), Client::connect(broker.address));
        let topic = unique("shared");
        sender.create_topic(&topic, 1, &[("compression.type", "gzip")]);
        let mut sent = Vec::new();
        for _ in 0..3 {
            let request = client::produce_request(&topic, 0, heavy(Compression::Zstd, -1, -1), -1);
            sent.push(sender.send(&request, PRODUCE_VERSION).unwrap());
        }
        let mut offsets: BTreeSet<i64> =
            (0..100).map(|_| other.produce_value(&topic, 0, b"small")).collect();
        for correlation_id in sent {
            let response =
                sender.receive::<ProduceRequest>(correlation_id, PRODUCE_VERSION).unwrap();
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
            offsets.insert(answer.base_offset);
        }
        assert_eq!(offsets, (0..103).collect(), "each has a place of its own");
    });
}

/// The next offset of the metadata log.
fn metadata_end(client: &mut Client) -> i64 {
    let partitions = vec![PartitionData { partition_index: 0, ..Default::default() }];
    let topic =
        TopicData { topic_name: "__cluster_metadata".to_owned(), partitions, ..Default::default() };
    let request = DescribeQuorumRequest { topics: vec![topic], ..Default::default() };
    client.call(&request, 1).topics[0].partitions[0].high_watermark
}

/// Each of the requests that found no ids asked the controller for a thousand.
#[test]
fn producers_that_come_at_once_share_a_block_of_ids() {
    const PRODUCERS: usize = 300;
    with_neighbour(|broker| {
        let mut clients: Vec<Client> =
            (0..PRODUCERS).map(|_| Client::connect(broker.address)).collect();
        let before = metadata_end(&mut clients[0]);
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        let sent: Vec<i32> =
            clients.iter_mut().map(|client| client.send(&request, 4).unwrap()).collect();
        let mut ids = BTreeSet::new();
        for (client, correlation_id) in clients.iter_mut().zip(sent) {
            let response = client.receive::<InitProducerIdRequest>(correlation_id, 4).unwrap();
            assert_eq!(response.error_code, 0);
            assert!(ids.insert(response.producer_id), "{} was given twice", response.producer_id);
        }
        if !broker.is_peer() {
            let blocks = metadata_end(&mut clients[0]) - before;
            assert!(
                blocks <= broker.setup.shards as i64,
                "{blocks} records for {} cores",
                broker.setup.shards
            );
        }
    });
}
