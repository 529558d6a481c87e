//! What subscriptions ask of a client instance: which metrics, and how often.
//!
//! Owns: the subscriptions of an image, with their patterns compiled. Lives on: every core, one
//! each. Never: waits, or compiles a pattern again that has not changed.

use super::{INTERVAL_MS, MATCH, METRICS, SELECTORS, selector_and_pattern};
use crate::limits;
use crate::meta::image::{ConfigResource, ConfigResourceType, Configs, MetadataImage};
use protocol::Uuid;
use regex::{Regex, RegexBuilder};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// `ClientMetricsConfigs.INTERVAL_MS_DEFAULT`: no client pushes less often.
pub const INTERVAL_DEFAULT_MS: i32 = 300_000;

/// A subscription that has it asks for everything.
const ALL_METRICS: &str = "*";

/// What a client can be told from others by.
#[derive(Clone, Copy, Debug)]
pub struct ClientAttributes<'a> {
    pub instance_id: Uuid,
    pub client_id: &'a str,
    pub software_name: &'a str,
    pub software_version: &'a str,
    pub source: SocketAddr,
}

impl<'a> ClientAttributes<'a> {
    fn value(&self, selector: &str) -> Cow<'a, str> {
        match selector {
            "client_instance_id" => self.instance_id.to_string().into(),
            "client_id" => self.client_id.into(),
            "client_software_name" => self.software_name.into(),
            "client_software_version" => self.software_version.into(),
            "client_source_address" => source_address(self.source.ip()).into(),
            "client_source_port" => self.source.port().to_string().into(),
            _ => unreachable!("{selector} is none of the selectors"),
        }
    }
}

/// As Java writes it: no part of an IPv6 address is left out.
pub fn source_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|part| format!("{part:x}")).join(":"),
    }
}

/// What one client instance is to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// By prefix; sorted, each once.
    pub metrics: Vec<String>,
    pub push_interval_ms: i32,
    pub subscription_id: i32,
}

#[derive(Debug)]
struct Subscription {
    configs: Arc<Configs>,
    metrics: Vec<String>,
    interval_ms: i32,
    /// All of them must match the whole text. `None`: one of them matches nothing.
    matches: Option<BTreeMap<&'static str, Regex>>,
}

#[derive(Debug)]
pub struct Subscriptions {
    /// Of the image that they were last compared with.
    offset: i64,
    /// Rises when any of them changes.
    version: u64,
    by_name: BTreeMap<String, Subscription>,
}

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions { offset: i64::MIN, version: 0, by_name: BTreeMap::new() }
    }
}

impl Subscriptions {
    pub fn version(&self) -> u64 {
        self.version
    }

    /// From now on they are those of this image.
    pub fn follow(&mut self, image: &MetadataImage) {
        let offset = image.provenance.offset;
        if offset == self.offset {
            return;
        }
        self.offset = offset;
        let kind = ConfigResourceType::ClientMetrics;
        let from_first = image.configs.range(ConfigResource::new(kind, "")..);
        let found: Vec<_> = from_first.take_while(|(resource, _)| resource.kind == kind).collect();
        let is_same = |((name, known), (resource, configs)): (
            (&String, &Subscription),
            &(&ConfigResource, &Arc<Configs>),
        )| *name == resource.name && Arc::ptr_eq(&known.configs, configs);
        if found.len() == self.by_name.len() && self.by_name.iter().zip(&found).all(is_same) {
            return;
        }
        self.version += 1;
        let mut before = std::mem::take(&mut self.by_name);
        for (resource, configs) in found {
            let known = before.remove(&resource.name);
            let known = known.filter(|known| Arc::ptr_eq(&known.configs, configs));
            let subscription = known.unwrap_or_else(|| Subscription::of(configs));
            self.by_name.insert(resource.name.clone(), subscription);
        }
    }

    /// What all subscriptions together that match a client ask of it.
    pub fn of(&self, client: &ClientAttributes<'_>) -> Asked {
        let mut metrics = BTreeSet::<&str>::new();
        let mut push_interval_ms = INTERVAL_DEFAULT_MS;
        for subscription in self.by_name.values().filter(|one| one.is_for(client)) {
            metrics.extend(subscription.metrics.iter().map(String::as_str));
            push_interval_ms = push_interval_ms.min(subscription.interval_ms);
        }
        if metrics.contains(ALL_METRICS) {
            metrics = BTreeSet::from([ALL_METRICS]);
        }
        let metrics: Vec<String> = metrics.into_iter().map(str::to_owned).collect();
        let subscription_id = subscription_id(&metrics, push_interval_ms, client.instance_id);
        Asked { metrics, push_interval_ms, subscription_id }
    }
}

impl Subscription {
    /// Its configs were validated when they were set; what Kafka has let through and is none here
    /// (a pattern with a look-around, say) matches no client.
    fn of(configs: &Arc<Configs>) -> Subscription {
        let text = |name: &str| configs.get(name).map_or("", String::as_str);
        let list = |name| text(name).split(',').map(str::trim).filter(|part| !part.is_empty());
        let compiled = |one: &str| {
            let (selector, pattern) = selector_and_pattern(one)?;
            let selector = SELECTORS.iter().find(|known| **known == selector)?;
            Some((*selector, compile(pattern)?))
        };
        Subscription {
            metrics: list(METRICS).map(str::to_owned).collect(),
            interval_ms: text(INTERVAL_MS).trim().parse().unwrap_or(INTERVAL_DEFAULT_MS),
            // The last pattern of a selector counts.
            matches: list(MATCH).map(compiled).collect(),
            configs: configs.clone(),
        }
    }

    fn is_for(&self, client: &ClientAttributes<'_>) -> bool {
        self.matches.as_ref().is_some_and(|matches| {
            matches.iter().all(|(selector, pattern)| pattern.is_match(&client.value(selector)))
        })
    }
}

/// A pattern that a whole text has to match. None: it is none, or too large.
pub fn compile(pattern: &str) -> Option<Regex> {
    let built = |text: &str| {
        RegexBuilder::new(text).size_limit(limits::CLIENT_PATTERN_BYTES_MAX).build().ok()
    };
    // By itself first: one that closes a bracket of ours would be another.
    built(pattern)?;
    built(&format!(r"\A(?:{pattern})\z"))
}

/// The CRC-32C of what is asked, with the instance's own hash (`Uuid.hashCode`) mixed in. Kafka
/// takes the metrics in the order of a hash set; any order will do.
fn subscription_id(metrics: &[String], push_interval_ms: i32, instance_id: Uuid) -> i32 {
    let text = format!("[{}]{push_interval_ms}", metrics.join(", "));
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, text.as_bytes()) as u32;
    let id = instance_id.as_u128();
    let halves = (id >> 64) as u64 ^ id as u64;
    (crc ^ (halves >> 32) as u32 ^ halves as u32) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::metadata_records::ConfigRecord;

    fn set(image: &mut MetadataImage, subscription: &str, name: &str, value: Option<&str>) {
        let record = ConfigRecord {
            resource_type: ConfigResourceType::ClientMetrics.code(),
            resource_name: subscription.to_owned(),
            name: name.to_owned(),
            value: value.map(str::to_owned),
        };
        image.replay(&record.into()).unwrap();
        image.provenance.offset += 1;
    }

    fn client() -> ClientAttributes<'static> {
        ClientAttributes {
            instance_id: Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677),
            client_id: "billing-7",
            software_name: "apache-kafka-java",
            software_version: "4.4.0",
            source: "[::1]:4321".parse().unwrap(),
        }
    }

    #[test]
    fn all_that_match_are_summed() {
        let mut image = MetadataImage::empty("cluster");
        let mut subscriptions = Subscriptions::default();
        subscriptions.follow(&image);
        let nothing = subscriptions.of(&client());
        assert_eq!((nothing.metrics.len(), nothing.push_interval_ms), (0, INTERVAL_DEFAULT_MS));

        set(&mut image, "a", METRICS, Some("org.b, org.a"));
        set(&mut image, "a", INTERVAL_MS, Some("1000"));
        set(&mut image, "b", METRICS, Some("org.a,org.c"));
        set(&mut image, "b", MATCH, Some("client_id=billing.*, client_software_version = 4\\..*"));
        set(&mut image, "other", METRICS, Some("*"));
        set(&mut image, "other", MATCH, Some("client_id=billing"));
        subscriptions.follow(&image);
        let asked = subscriptions.of(&client());
        assert_eq!(asked.metrics, ["org.a", "org.b", "org.c"]);
        assert_eq!(asked.push_interval_ms, 1000);
        assert_ne!(asked.subscription_id, nothing.subscription_id);

        set(&mut image, "other", MATCH, Some("client_source_address=0:0:0:0:0:0:0:1"));
        subscriptions.follow(&image);
        assert_eq!(subscriptions.of(&client()).metrics, ["*"]);
        // What Kafka may have stored, and is no pattern here.
        set(&mut image, "other", MATCH, Some("client_id=(?=b).*"));
        subscriptions.follow(&image);
        assert_eq!(subscriptions.of(&client()).metrics, ["org.a", "org.b", "org.c"]);
    }

    #[test]
    fn a_version_is_one_state_of_the_subscriptions() {
        let mut image = MetadataImage::empty("cluster");
        let mut subscriptions = Subscriptions::default();
        subscriptions.follow(&image);
        let mut expect = |image: &MetadataImage, version: u64| {
            subscriptions.follow(image);
            assert_eq!(subscriptions.version(), version);
        };
        expect(&image, 0);
        set(&mut image, "a", METRICS, Some("*"));
        expect(&image, 1);
        expect(&image, 1);
        // Something else has changed.
        image.provenance.offset += 1;
        expect(&image, 1);
        set(&mut image, "b", METRICS, Some("*"));
        expect(&image, 2);
        set(&mut image, "a", METRICS, Some("x"));
        expect(&image, 3);
        set(&mut image, "b", METRICS, None);
        expect(&image, 4);
        assert_eq!(subscriptions.by_name.len(), 1);
    }

    #[test]
    fn a_pattern_matches_whole_texts() {
        let matches = |pattern: &str, text| compile(pattern).is_some_and(|one| one.is_match(text));
        assert!(matches("a|ab", "ab") && matches("4\\.4.*", "4.4.0") && matches("(?i)A", "a"));
        assert!(!matches("b", "ab") && !matches("a", "a\n"));
        for bad in ["(", "a)(b", "[", "(?=a)", "\\1", "a{100}{100}{100}"] {
            assert!(compile(bad).is_none(), "{bad}");
        }
    }

    /// Worked out by Java: `(int) crc ^ Uuid.hashCode()`, of "[*]1000" and "[]300000".
    #[test]
    fn a_subscription_id_is_what_kafka_computes() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert_eq!(subscription_id(&["*".to_owned()], 1000, id), JAVA_ALL);
        assert_eq!(subscription_id(&[], 300_000, id), JAVA_NONE);
    }
    const JAVA_ALL: i32 = -28869003;
    const JAVA_NONE: i32 = 403412754;
}
