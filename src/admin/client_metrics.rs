//! What clients have pushed of their own metrics (KIP-714), for `/metrics`.
//!
//! Owns: the last numbers of each client instance, within bounds: clients, series, and what one
//! series takes. Lives on: the control thread, and threads that work for it. Never: on a core;
//! trusts a name or a number of a client's.
//!
//! Clients push changes since their last push; what is shown are their sums. A gauge is shown until
//! the next push of its client, and everything of a client until it has pushed nothing for as long
//! as Kafka remembers it.

use super::otlp::{self, Kind, Point};
use crate::{limits, stats::ClientPush};
use protocol::{Uuid, compression};
use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// What every metric of a client is called behind. The broker's own begin otherwise.
const PREFIX: &str = "kafka_client_";

/// What Kafka's own metrics begin with, and is left out.
const KAFKA_PREFIX: &str = "org.apache.kafka.";

/// The labels that say whose a series is: none of a client's own may have their names.
const OWN_LABELS: [&str; 2] = ["client_id", "client_instance_id"];

#[derive(Default)]
pub struct ClientMetrics(Mutex<Clients>);

/// One series as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Without `_total`.
    pub name: String,
    pub is_counter: bool,
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// Who pushes.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownClient {
    pub instance_id: Uuid,
    pub client_id: String,
    pub software_name: String,
    pub software_version: String,
    pub source_address: String,
}

/// All that is shown at one time.
#[derive(Clone, Debug, Default)]
pub struct ClientMetricsSnapshot {
    /// Those of one name together.
    pub series: Vec<Shown>,
    pub clients: Vec<ShownClient>,
    pub pushes: u64,
    pub refused: u64,
    pub left_out: u64,
}

#[derive(Default)]
struct Clients {
    by_id: BTreeMap<Uuid, Client>,
    /// Of all clients.
    series: usize,
    /// Since the start, as the two below it.
    pushes: u64,
    refused: u64,
    /// Numbers that found no room or that no series can have.
    left_out: u64,
}

struct Client {
    shown: ShownClient,
    series: BTreeMap<Key, f64>,
    pushed: Instant,
    shown_for: Duration,
}

/// What tells a series of a client from its others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    is_counter: bool,
    /// Sorted by name, without the client's own.
    labels: Vec<(String, String)>,
}

/// A number of a push.
struct Sample {
    key: Key,
    value: f64,
    /// It is added to what there is.
    is_delta: bool,
}

impl ClientMetrics {
    /// Takes a push in. Err: why it cannot be read; nothing of it is shown then.
    pub fn take(&self, push: ClientPush) -> Result<(), String> {
        self.take_at(push, Instant::now())
    }

    pub fn snapshot(&self) -> ClientMetricsSnapshot {
        self.snapshot_at(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.0.lock().expect("no thread panics while it has the lock")
    }

    fn take_at(&self, push: ClientPush, now: Instant) -> Result<(), String> {
        let read = read(&push);
        let mut clients = self.lock();
        match read {
            Ok((samples, left_out)) => {
                clients.pushes += 1;
                clients.left_out += left_out;
                clients.take(push, samples, now);
                Ok(())
            }
            Err(why) => {
                clients.refused += 1;
                Err(why)
            }
        }
    }

    fn snapshot_at(&self, now: Instant) -> ClientMetricsSnapshot {
        let mut clients = self.lock();
        clients.forget_silent(now);
        clients.snapshot()
    }
}

/// The numbers of a push that a series can have, and how many there are besides.
fn read(push: &ClientPush) -> Result<(Vec<Sample>, u64), String> {
    let codec = compression::Compression::from_id(push.compression_type)
        .ok_or_else(|| format!("no codec has the id {}", push.compression_type))?;
    let unpacked = match codec {
        compression::Compression::None => Cow::from(&push.metrics),
        codec => {
            let limit_bytes = limits::CLIENT_PUSH_UNPACKED_MAX_BYTES;
            let unpacked = compression::decompress(codec, &push.metrics, limit_bytes);
            unpacked.map_err(|error| error.to_string())?.into()
        }
    };
    let (mut samples, mut left_out) = (Vec::new(), 0);
    let max = limits::CLIENT_METRICS_SERIES_PER_CLIENT_MAX;
    otlp::read(&unpacked, |point| {
        match sample(&point, &push.client_id).filter(|_| samples.len() < max) {
            Some(sample) => samples.push(sample),
            None => left_out += 1,
        }
    })
    .map_err(|error| error.to_string())?;
    Ok((samples, left_out))
}

/// `None`: it has no number, no name, or takes too much room.
fn sample(point: &Point<'_>, client_id: &str) -> Option<Sample> {
    let (is_delta, is_counter) = match point.kind {
        Kind::Gauge => (false, false),
        Kind::Sum { is_delta, is_monotonic } => (is_delta, is_monotonic),
    };
    // A change of what may fall is of no use without all the others.
    let is_number =
        point.value.is_finite() && if is_counter { point.value >= 0.0 } else { !is_delta };
    if !is_number || point.metric.is_empty() {
        return None;
    }
    let texts = point.labels.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    let bytes = PREFIX.len() + point.metric.len() + texts + client_id.len();
    if bytes > limits::CLIENT_METRICS_SERIES_BYTES_MAX {
        return None;
    }
    let mut labels = BTreeMap::new();
    for (key, value) in &point.labels {
        let key = label_name(key);
        if !OWN_LABELS.contains(&&*key) {
            labels.entry(key).or_insert_with(|| value.clone().into_owned());
        }
    }
    let key = Key {
        name: metric_name(point.metric, is_counter),
        is_counter,
        labels: labels.into_iter().collect(),
    };
    Some(Sample { key, value: point.value, is_delta })
}

fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
}

/// As Prometheus has names. That of a counter gets its `_total` where it is written.
fn metric_name(metric: &str, is_counter: bool) -> String {
    let own = metric.strip_prefix(KAFKA_PREFIX).unwrap_or(metric);
    let name: String = PREFIX.chars().chain(plain(own)).collect();
    match name.strip_suffix("_total") {
        Some(before) if is_counter => before.to_owned(),
        _ => name,
    }
}

fn label_name(key: &str) -> String {
    let name: String = plain(key).collect();
    let name = name.trim_start_matches('_');
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => name.to_owned(),
        _ => format!("label_{name}"),
    }
}

impl Clients {
    fn take(&mut self, push: ClientPush, samples: Vec<Sample>, now: Instant) {
        self.forget_silent(now);
        if !self.by_id.contains_key(&push.instance_id) {
            self.make_room();
        }
        let shown = ShownClient {
            instance_id: push.instance_id,
            client_id: cut(push.client_id),
            software_name: push.software_name,
            software_version: push.software_version,
            source_address: push.source_address,
        };
        let mut known = match self.by_id.remove(&push.instance_id) {
            Some(known) => known.series,
            None => BTreeMap::new(),
        };
        self.series -= known.len();
        known.retain(|key, _| key.is_counter);
        let max = limits::CLIENT_METRICS_SERIES_PER_CLIENT_MAX;
        let room = (limits::CLIENT_METRICS_SERIES_MAX - self.series).min(max);
        for Sample { key, value, is_delta } in samples {
            let has_room = known.len() < room;
            match known.entry(key) {
                Entry::Occupied(mut before) if is_delta => *before.get_mut() += value,
                Entry::Occupied(mut before) => *before.get_mut() = value,
                Entry::Vacant(place) if has_room => {
                    place.insert(value);
                }
                Entry::Vacant(_) => self.left_out += 1,
            }
        }
        self.series += known.len();
        assert!(self.series <= limits::CLIENT_METRICS_SERIES_MAX, "{} series", self.series);
        let client = Client { shown, series: known, pushed: now, shown_for: push.shown_for };
        self.by_id.insert(client.shown.instance_id, client);
        assert!(self.by_id.len() <= limits::CLIENT_METRICS_CLIENTS_MAX);
    }

    /// One more client takes the place of the one that was silent for longest.
    fn make_room(&mut self) {
        if self.by_id.len() < limits::CLIENT_METRICS_CLIENTS_MAX {
            return;
        }
        let longest = self.by_id.iter().min_by_key(|(_, client)| client.pushed);
        let id = *longest.expect("there are as many as may be").0;
        self.forget(id);
    }

    fn forget(&mut self, id: Uuid) {
        let client = self.by_id.remove(&id).expect("a client that is known");
        self.series -= client.series.len();
    }

    fn forget_silent(&mut self, now: Instant) {
        let is_silent =
            |client: &Client| now.saturating_duration_since(client.pushed) > client.shown_for;
        let silent = self.by_id.iter().filter(|(_, client)| is_silent(client));
        let silent: Vec<Uuid> = silent.map(|(id, _)| *id).collect();
        silent.into_iter().for_each(|id| self.forget(id));
    }

    /// A name is a counter's or a gauge's, whatever clients say: the first one's word counts.
    fn snapshot(&self) -> ClientMetricsSnapshot {
        let mut families = BTreeMap::<String, (bool, Vec<Shown>)>::new();
        let mut left_out = self.left_out;
        for (id, client) in &self.by_id {
            for (key, value) in &client.series {
                let sample_name = match key.is_counter {
                    true => format!("{}_total", key.name),
                    false => key.name.clone(),
                };
                let (is_counter, series) =
                    families.entry(sample_name).or_insert((key.is_counter, Vec::new()));
                if *is_counter != key.is_counter {
                    left_out += 1;
                    continue;
                }
                let own = [client.shown.client_id.clone(), id.to_string()];
                let own = OWN_LABELS.iter().map(|name| (*name).to_owned()).zip(own);
                series.push(Shown {
                    name: key.name.clone(),
                    is_counter: key.is_counter,
                    labels: own.chain(key.labels.iter().cloned()).collect(),
                    value: *value,
                });
            }
        }
        ClientMetricsSnapshot {
            series: families.into_values().flat_map(|(_, series)| series).collect(),
            clients: self.by_id.values().map(|client| client.shown.clone()).collect(),
            pushes: self.pushes,
            refused: self.refused,
            left_out,
        }
    }
}

/// A client id as a label.
fn cut(mut client_id: String) -> String {
    let end = client_id.floor_char_boundary(limits::CLIENT_METRICS_SERIES_BYTES_MAX);
    client_id.truncate(end);
    client_id.shrink_to_fit();
    client_id
}

#[cfg(test)]
mod tests {
    use super::super::otlp::writing::*;
    use super::*;
    use protocol::compression::Compression;

    fn of(id: u128, metrics: Vec<u8>) -> ClientPush {
        ClientPush {
            instance_id: Uuid::from_u128(id),
            client_id: format!("client {id}"),
            software_name: "librdkafka".to_owned(),
            software_version: "2.8".to_owned(),
            source_address: "10.0.0.1".to_owned(),
            shown_for: Duration::from_secs(60),
            compression_type: 0,
            metrics,
        }
    }

    fn sent(is_delta: bool, value: f64) -> Vec<u8> {
        let points = [point(value, &[("node.id", "1"), ("client_id", "mine")])];
        push(&[], &[sum("org.apache.kafka.producer.sent.total", is_delta, &points)])
    }

    fn age(value: f64) -> Vec<u8> {
        push(&[("group_id", "g")], &[gauge("org.apache.kafka.consumer.age", &[point(value, &[])])])
    }

    /// The name, the labels besides those of the client, and the value of each series.
    fn series(metrics: &ClientMetrics, now: Instant) -> Vec<(String, String, f64)> {
        let shown = |one: Shown| {
            let labels = one.labels[OWN_LABELS.len()..].iter();
            let labels: Vec<String> =
                labels.map(|(name, value)| format!("{name}={value}")).collect();
            (one.name, labels.join(","), one.value)
        };
        metrics.snapshot_at(now).series.into_iter().map(shown).collect()
    }

    #[test]
    fn changes_are_summed_and_gauges_are_those_of_the_last_push() {
        let (metrics, now) = (ClientMetrics::default(), Instant::now());
        for push in [sent(true, 2.0), age(7.0), sent(true, 3.0)] {
            metrics.take_at(of(1, push), now).unwrap();
        }
        let sent_name = "kafka_client_producer_sent".to_owned();
        let labels = "node_id=1".to_owned();
        assert_eq!(series(&metrics, now), [(sent_name.clone(), labels.clone(), 5.0)]);
        metrics.take_at(of(1, sent(false, 4.0)), now).unwrap();
        metrics.take_at(of(2, age(8.0)), now).unwrap();
        let age_name = "kafka_client_consumer_age".to_owned();
        assert_eq!(
            series(&metrics, now),
            [(age_name, "group_id=g".to_owned(), 8.0), (sent_name, labels, 4.0)]
        );
        let snapshot = metrics.snapshot_at(now);
        assert_eq!((snapshot.pushes, snapshot.refused, snapshot.left_out), (5, 0, 0));
        assert_eq!(snapshot.clients.len(), 2);
        let owner = [
            ("client_id".to_owned(), "client 1".to_owned()),
            ("client_instance_id".to_owned(), Uuid::from_u128(1).to_string()),
        ];
        assert_eq!(snapshot.series[1].labels[..2], owner);
    }

    #[test]
    fn a_client_that_is_silent_is_forgotten() {
        let (metrics, now) = (ClientMetrics::default(), Instant::now());
        metrics.take_at(of(1, age(1.0)), now).unwrap();
        let later = now + Duration::from_secs(60);
        metrics.take_at(of(2, age(2.0)), later).unwrap();
        assert_eq!(series(&metrics, later).len(), 2);
        let after = later + Duration::from_secs(1);
        assert_eq!(series(&metrics, after).len(), 1);
        assert_eq!(metrics.lock().series, 1);
        assert_eq!(metrics.snapshot_at(after).clients[0].instance_id, Uuid::from_u128(2));
    }

    #[test]
    fn packed_pushes_are_unpacked_within_bounds() {
        let (metrics, now) = (ClientMetrics::default(), Instant::now());
        for codec in Compression::ALL {
            let packed = match codec {
                Compression::None => age(1.0),
                codec => compression::compress(codec, None, &age(1.0)),
            };
            let compression_type = codec.id();
            metrics.take_at(ClientPush { compression_type, ..of(1, packed) }, now).unwrap();
        }
        let limit_bytes = limits::CLIENT_PUSH_UNPACKED_MAX_BYTES;
        let bomb = compression::compress(Compression::Zstd, None, &vec![0; limit_bytes + 1]);
        for (compression_type, metrics_of) in
            [(4, bomb), (1, age(1.0)), (9, age(1.0)), (0, vec![0xff; 20])]
        {
            let push = ClientPush { compression_type, ..of(1, metrics_of) };
            assert!(metrics.take_at(push, now).is_err(), "{compression_type}");
        }
        let snapshot = metrics.snapshot_at(now);
        assert_eq!((snapshot.pushes, snapshot.refused), (5, 4));
    }

    #[test]
    fn clients_and_series_have_a_bound() {
        let (metrics, now) = (ClientMetrics::default(), Instant::now());
        let many = limits::CLIENT_METRICS_SERIES_PER_CLIENT_MAX + 10;
        let named: Vec<Vec<u8>> =
            (0..many).map(|nth| gauge(&format!("m{nth}"), &[point(1.0, &[])])).collect();
        let large = push(&[], &named);
        for id in 0..20 {
            metrics.take_at(of(id, large.clone()), now).unwrap();
        }
        let snapshot = metrics.snapshot_at(now);
        assert_eq!(snapshot.series.len(), limits::CLIENT_METRICS_SERIES_MAX);
        assert_eq!(snapshot.left_out as usize, 20 * many - limits::CLIENT_METRICS_SERIES_MAX);
        let max = limits::CLIENT_METRICS_CLIENTS_MAX as u128;
        for id in 0..=max {
            let later = now + Duration::from_millis(1 + id as u64);
            metrics.take_at(of(100 + id, age(1.0)), later).unwrap();
        }
        let clients = metrics.snapshot_at(now).clients;
        assert_eq!(clients.len() as u128, max);
        assert_eq!(clients[0].instance_id, Uuid::from_u128(101), "the first has made room");
    }

    #[test]
    fn odd_names_and_numbers_do_no_harm() {
        let (metrics, now) = (ClientMetrics::default(), Instant::now());
        let labels = [("9a", "x"), ("__name__", "y"), ("a\"b", "z"), ("a b", "again"), ("", "e")];
        let long = "x".repeat(limits::CLIENT_METRICS_SERIES_BYTES_MAX);
        let odd = [
            gauge("a.b-ü", &[point(1.0, &labels)]),
            gauge("nan", &[point(f64::NAN, &[])]),
            gauge("inf", &[point(f64::INFINITY, &[])]),
            sum("falls", true, &[point(-1.0, &[])]),
            gauge("", &[point(1.0, &[])]),
            gauge(&long, &[point(1.0, &[])]),
        ];
        metrics.take_at(of(1, push(&[], &odd)), now).unwrap();
        let expected = "a_b=z,label_=e,label_9a=x,name__=y".to_owned();
        assert_eq!(series(&metrics, now), [("kafka_client_a_b__".to_owned(), expected, 1.0)]);
        assert_eq!(metrics.snapshot_at(now).left_out, 5);
        // A gauge that is named as a counter's samples are.
        metrics.take_at(of(2, push(&[], &[sum("c", true, &[point(1.0, &[])])])), now).unwrap();
        metrics.take_at(of(3, push(&[], &[gauge("c_total", &[point(1.0, &[])])])), now).unwrap();
        let shown = series(&metrics, now);
        assert_eq!(shown.len(), 2);
        assert_eq!(metrics.snapshot_at(now).left_out, 6);
    }
}
