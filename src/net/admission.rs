//! Who may connect, and to which core: how many connections there may be, how fast new ones may
//! come, in all and from one address (`ConnectionQuotas`), and which core has the fewest.
//!
//! Owns: the counts of open connections and the pace of new ones, for all cores together. Lives on:
//! every core, behind a lock that is taken twice in a connection's life. Never: waits, reads a
//! clock, or ends a connection; `listener.rs` does.

use crate::{
    config::{Layers, layers::Values, listeners::ListenerConfig},
    descriptors::FileShares,
    limits::{MAX_SHARDS, QUOTA_ADDRESSES_MAX},
    quota::{Rate, Windows},
};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

/// Connections that may come at once after a pause: those of this long at the permitted rate.
const BURST: Duration = Duration::from_secs(1);

/// What the operator allows, as the configs of this moment say; negative numbers allow nothing.
pub struct ConnectionLimits {
    /// All listeners together.
    broker: Limits,
    /// In the order of the listeners. One without limits of its own has none.
    listeners: Vec<ListenerLimits>,
    /// `max.connections.per.ip`
    per_address_max: usize,
    /// `max.connections.per.ip.overrides`
    of_addresses: FxHashMap<IpAddr, usize>,
}

struct ListenerLimits {
    own: Limits,
    /// The listener between brokers is not held to the broker's limits when clients have one of
    /// their own: they must not be able to keep the brokers apart.
    is_protected: bool,
}

struct Limits {
    /// `max.connections`
    max: usize,
    /// `max.connection.creation.rate`, per second.
    creation_rate: u32,
}

const UNLIMITED: Limits = Limits { max: usize::MAX, creation_rate: u32::MAX };

impl Limits {
    /// Those of the configs with this prefix, where they are set.
    fn read(values: &Values, prefix: &str) -> Limits {
        let number =
            |name: &str| values.get(&format!("{prefix}{name}"))?.trim().parse::<i64>().ok();
        Limits {
            max: number("max.connections").map_or(UNLIMITED.max, |max| max.max(0) as usize),
            creation_rate: number("max.connection.creation.rate")
                .map_or(UNLIMITED.creation_rate, |rate| {
                    rate.clamp(0, UNLIMITED.creation_rate.into()) as u32
                }),
        }
    }
}

impl ConnectionLimits {
    /// Of configs that were validated before.
    pub fn read(
        layers: &Layers,
        listeners: &[ListenerConfig],
        inter_broker_listener: &str,
    ) -> ConnectionLimits {
        let values = layers.merged();
        let per_address_max =
            values.get("max.connections.per.ip").and_then(|max| max.trim().parse::<i32>().ok());
        let overrides =
            values.get("max.connections.per.ip.overrides").map_or("", String::as_str).split(',');
        let of_address = |one: &str| {
            let (host, max) = one.trim().rsplit_once(':')?;
            Some((host.trim_matches(['[', ']']).parse().ok()?, max.trim().parse().ok()?))
        };
        let of_listener = |listener: &ListenerConfig| ListenerLimits {
            own: Limits::read(&values, &format!("listener.name.{}.", listener.name.to_lowercase())),
            is_protected: listeners.len() > 1 && listener.name == inter_broker_listener,
        };
        ConnectionLimits {
            broker: Limits::read(&values, ""),
            listeners: listeners.iter().map(of_listener).collect(),
            per_address_max: per_address_max.map_or(usize::MAX, |max| max.max(0) as usize),
            of_addresses: overrides.filter_map(of_address).collect(),
        }
    }

    fn max_from(&self, address: IpAddr) -> usize {
        self.of_addresses.get(&address).copied().unwrap_or(self.per_address_max)
    }
}

/// The open connections of all cores, and when the next may come.
pub struct OpenConnections {
    state: Mutex<State>,
    /// What the limit of open files leaves for them.
    files: FileShares,
}

impl Default for OpenConnections {
    fn default() -> Self {
        OpenConnections::within(FileShares::UNLIMITED)
    }
}

/// A connection's place among the open ones, whether it is served, on its way to its core or
/// refused there. Dropping it makes room again, so that no message that is never read can leave it
/// taken.
pub struct Place {
    open: Arc<OpenConnections>,
    core: usize,
    listener: usize,
    address: IpAddr,
}

impl Place {
    /// The core that the connection is for.
    pub fn core(&self) -> usize {
        self.core
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.leave(self);
    }
}

#[derive(Default)]
struct State {
    all: usize,
    by_address: FxHashMap<IpAddr, usize>,
    by_listener: Vec<usize>,
    /// `None`: the core does not take connections yet.
    by_core: Vec<Option<usize>>,
    pace: Pace,
    pace_of_listener: Vec<Pace>,
    rates: AddressRates,
}

/// When the next connection is due, if those that came had been spread evenly.
#[derive(Clone, Copy, Default)]
struct Pace {
    due: Instant,
}

impl Pace {
    /// Counts one more at `now`; how long it has to wait. A rate of 0 is taken for 1.
    fn wait_for(&mut self, rate: u32, now: Instant) -> Duration {
        let before = self.due;
        self.due = self.due.max(now) + Duration::from_secs(1) / rate.max(1);
        assert!(
            self.due >= now && self.due >= before,
            "the next is due at {:?}, it is {now:?}, and the last was due at {before:?}",
            self.due
        );
        self.due.since(now).saturating_sub(BURST)
    }
}

/// How fast each address with a quota has opened connections lately.
#[derive(Default)]
struct AddressRates {
    of: FxHashMap<IpAddr, Rate>,
    /// Not before then are those looked for that no longer count.
    swept_next: Instant,
}

impl AddressRates {
    /// The rate of an address. Those beyond the bound share one: it holds new addresses off rather
    /// than let them through uncounted.
    fn of(&mut self, address: IpAddr, windows: Windows, now: Instant) -> &mut Rate {
        let is_known = self.of.contains_key(&address);
        if !is_known && self.of.len() >= QUOTA_ADDRESSES_MAX && now >= self.swept_next {
            self.swept_next = now + Duration::from_millis(windows.window_ms());
            self.of.retain(|_, rate| rate.per_second(windows, now.as_millis()) > 0.0);
        }
        let is_full = self.of.len() >= QUOTA_ADDRESSES_MAX && !is_known;
        let address = if is_full { Ipv6Addr::UNSPECIFIED.into() } else { address };
        let (kept, most) = (self.of.len(), QUOTA_ADDRESSES_MAX + 1);
        assert!(kept <= most, "the rates of {kept} addresses are kept, at most {most} may be");
        self.of.entry(address).or_default()
    }
}

impl State {
    /// The core with the fewest connections; of several the one that accepted, which then keeps it,
    /// or else the first.
    fn choose_core(&self, accepting: usize) -> usize {
        let open =
            self.by_core.iter().enumerate().filter_map(|(core, open)| Some((core, (*open)?)));
        let least = open.min_by_key(|(core, open)| (*open, *core != accepting));
        let (core, open) = least.expect("a core that accepts takes connections");
        assert!(open <= self.all, "core {core} has {open} connections, all have {}", self.all);
        core
    }

    fn of_core(&mut self, core: usize) -> &mut usize {
        let cores = self.by_core.len();
        assert!(core < cores, "core {core} of {cores} that take connections");
        self.by_core[core].as_mut().expect("a core that takes connections")
    }

    /// Each way of counting counts every connection once.
    fn check(&self, core: usize, listener: usize, address: IpAddr) {
        let all = self.all;
        let of_listener = self.by_listener[listener];
        assert!(of_listener <= all, "listener {listener} has {of_listener} connections of {all}");
        let of_core = self.by_core[core].unwrap_or_default();
        assert!(of_core <= all, "core {core} has {of_core} connections of {all}");
        let here = self.by_address.get(&address).copied().unwrap_or_default();
        assert!(here <= all, "{address} has {here} connections of {all}");
        let addresses = self.by_address.len();
        assert!(addresses <= all, "{all} connections come from {addresses} addresses");
    }
}

impl OpenConnections {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no core panics while counting")
    }

    fn with<T>(&self, limits: &ConnectionLimits, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        state.by_listener.resize(limits.listeners.len(), 0);
        state.pace_of_listener.resize_with(limits.listeners.len(), Pace::default);
        act(&mut state)
    }

    pub fn within(files: FileShares) -> OpenConnections {
        OpenConnections { state: Mutex::default(), files }
    }

    pub fn files(&self) -> FileShares {
        self.files
    }

    /// Whether there are as many as the limit of open files leaves room for.
    pub fn are_out_of_files(&self) -> bool {
        self.lock().all >= self.files.connections
    }

    /// From now on `core` takes connections.
    pub fn take_part(&self, core: usize) {
        assert!(core < MAX_SHARDS, "core {core} of at most {MAX_SHARDS}");
        let mut state = self.lock();
        let cores = state.by_core.len().max(core + 1);
        state.by_core.resize(cores, None);
        state.by_core[core].get_or_insert(0);
    }

    /// How long a connection that came in by `listener` at `now` has to wait, so that no more come
    /// than may.
    pub fn wait_for(&self, listener: usize, limits: &ConnectionLimits, now: Instant) -> Duration {
        let ListenerLimits { own, is_protected } = &limits.listeners[listener];
        self.with(limits, |state| {
            let mine = state.pace_of_listener[listener].wait_for(own.creation_rate, now);
            if *is_protected {
                mine
            } else {
                mine.max(state.pace.wait_for(limits.broker.creation_rate, now))
            }
        })
    }

    /// How long an address is to be held off that has opened one more connection, if it opens more
    /// than `limit` per second: for one window at most, and that one does not count, then.
    pub fn wait_of_address(
        &self,
        address: IpAddr,
        limit: f64,
        windows: Windows,
        now: Instant,
    ) -> Duration {
        assert!(limit > 0.0, "{address} may open {limit} connections per second");
        let mut state = self.lock();
        let (rate, now_ms) = (state.rates.of(address, windows, now), now.as_millis());
        rate.record(windows, 1.0, now_ms);
        let wait_ms = rate.wait_ms(windows, limit, now_ms).min(windows.window_ms());
        if wait_ms > 0 {
            rate.record(windows, -1.0, now_ms);
        }
        Duration::from_millis(wait_ms)
    }

    /// Counts one more that core `accepting` has accepted, for the core that it is for, or says
    /// which limit forbids it. It is counted at once: others that are accepted at the same moment
    /// go elsewhere.
    pub fn enter(
        self: &Arc<Self>,
        accepting: usize,
        listener: usize,
        address: IpAddr,
        limits: &ConnectionLimits,
    ) -> Result<Place, String> {
        let listeners = limits.listeners.len();
        assert!(listener < listeners, "listener {listener} of {listeners}");
        let ListenerLimits { own, is_protected } = &limits.listeners[listener];
        let max_here = limits.max_from(address);
        self.with(limits, |state| {
            if !is_protected && state.all >= limits.broker.max {
                return Err(format!("max.connections={} reached", limits.broker.max));
            }
            if state.by_listener[listener] >= own.max {
                return Err(format!("max.connections={} of its listener reached", own.max));
            }
            let here = state.by_address.entry(address).or_default();
            if *here >= max_here {
                let reason = format!("max.connections.per.ip={max_here} reached");
                if *here == 0 {
                    state.by_address.remove(&address);
                }
                return Err(reason);
            }
            *here += 1;
            state.all += 1;
            state.by_listener[listener] += 1;
            let core = state.choose_core(accepting);
            *state.of_core(core) += 1;
            state.check(core, listener, address);
            Ok(Place { open: self.clone(), core, listener, address })
        })
    }

    /// One that had entered has ended.
    fn leave(&self, place: &Place) {
        let mut state = self.lock();
        let state = &mut *state;
        assert!(state.all > 0, "a connection leaves, and {} are open", state.all);
        state.all -= 1;
        let of_listener = &mut state.by_listener[place.listener];
        assert!(*of_listener > 0, "listener {} has {of_listener} to leave", place.listener);
        *of_listener -= 1;
        let of_core = state.of_core(place.core);
        assert!(*of_core > 0, "core {} has {of_core} to leave", place.core);
        *of_core -= 1;
        let here = state.by_address.get_mut(&place.address).expect("a place is of an open one");
        assert!(*here > 0, "{} has {here} to leave", place.address);
        *here -= 1;
        if *here == 0 {
            state.by_address.remove(&place.address);
        }
        state.check(place.core, place.listener, place.address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::listeners::SecurityProtocol;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const CLIENTS: usize = 0;
    const BROKERS: usize = 1;

    /// With a listener for clients, and one between brokers.
    fn limits(configs: &[(&str, &str)]) -> ConnectionLimits {
        let values =
            configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let listener = |name: &str| ListenerConfig {
            name: name.to_owned(),
            host: String::new(),
            port: 9092,
            security_protocol: SecurityProtocol::Plaintext,
        };
        let layers = Layers { static_values: values, ..Layers::default() };
        ConnectionLimits::read(&layers, &["CLIENTS", "BROKERS"].map(listener), "BROKERS")
    }

    fn open(cores: usize) -> Arc<OpenConnections> {
        let open: Arc<OpenConnections> = Arc::default();
        (0..cores).for_each(|core| open.take_part(core));
        open
    }

    /// As many as may enter, at most ten.
    fn entered(
        open: &Arc<OpenConnections>,
        listener: usize,
        address: IpAddr,
        limits: &ConnectionLimits,
    ) -> Vec<Place> {
        (0..10).filter_map(|_| open.enter(0, listener, address, limits).ok()).collect()
    }

    /// The places of connections that these cores accept, one after the other.
    fn accepted_by(
        open: &Arc<OpenConnections>,
        cores: impl IntoIterator<Item = usize>,
    ) -> Vec<Place> {
        let enter =
            |core| open.enter(core, CLIENTS, HERE, &limits(&[])).expect("there is no limit");
        cores.into_iter().map(enter).collect()
    }

    fn cores(places: &[Place]) -> Vec<usize> {
        places.iter().map(Place::core).collect()
    }

    #[test]
    fn one_core_keeps_what_it_accepts() {
        assert_eq!(cores(&accepted_by(&open(1), [0; 5])), [0; 5]);
    }

    #[test]
    fn connections_go_to_the_core_with_the_fewest_and_rather_stay() {
        let open = open(4);
        let first = accepted_by(&open, [2, 2, 2, 2]);
        assert_eq!(
            cores(&first),
            [2, 0, 1, 3],
            "who accepted is the first of equals, then the lowest number"
        );
        let second = accepted_by(&open, [3, 1, 1, 3]);
        assert_eq!(cores(&second), [3, 1, 0, 2]);
        let mut many = accepted_by(&open, (0..400).map(|nth| nth * nth % 4));
        let count =
            |places: &[Place], core| places.iter().filter(|place| place.core() == core).count();
        assert_eq!([0, 1, 2, 3].map(|core| count(&many, core)), [100; 4]);
        many.retain(|place| place.core() != 1);
        assert_eq!(
            cores(&accepted_by(&open, 0..20)),
            [1; 20],
            "who has left makes room on its core"
        );
    }

    #[test]
    fn a_core_that_does_not_accept_yet_gets_none() {
        let open: Arc<OpenConnections> = Arc::default();
        open.take_part(2);
        let early = accepted_by(&open, [2, 2]);
        assert_eq!(cores(&early), [2, 2]);
        open.take_part(0);
        assert_eq!(cores(&accepted_by(&open, [2, 2, 2, 0])), [0, 0, 2, 0]);
    }

    #[test]
    fn a_refused_connection_takes_no_place() {
        let (open, limits) = (open(2), limits(&[("max.connections", "2")]));
        let mut places = entered(&open, CLIENTS, HERE, &limits);
        assert_eq!(cores(&places), [0, 1]);
        places.truncate(1);
        assert_eq!(cores(&entered(&open, CLIENTS, HERE, &limits)), [1]);
    }

    #[test]
    fn connections_leave_descriptors_to_the_logs() {
        let open =
            Arc::new(OpenConnections::within(FileShares { connections: 2, logs_per_core: 2 }));
        open.take_part(0);
        let limits = limits(&[]);
        let mut places = Vec::new();
        while !open.are_out_of_files() {
            places.push(open.enter(0, CLIENTS, HERE, &limits).expect("there is no other limit"));
        }
        assert_eq!(places.len(), 2);
        places.pop();
        assert!(!open.are_out_of_files());
    }

    #[test]
    fn brokers_find_room_when_clients_have_taken_all_of_it() {
        let (open, limits) = (open(1), limits(&[("max.connections", "3")]));
        let mut clients = entered(&open, CLIENTS, HERE, &limits);
        assert_eq!(clients.len(), 3);
        let brokers = entered(&open, BROKERS, THERE, &limits);
        assert_eq!(brokers.len(), 10);
        clients.pop();
        assert!(
            entered(&open, CLIENTS, HERE, &limits).is_empty(),
            "the brokers' connections count"
        );
    }

    #[test]
    fn listeners_and_addresses_have_limits_of_their_own() {
        let configs = [
            ("listener.name.clients.max.connections", "6"),
            ("max.connections.per.ip", "4"),
            ("max.connections.per.ip.overrides", "10.0.0.1:1,[::1]:9"),
        ];
        let (open, limits) = (open(3), limits(&configs));
        let mut clients = entered(&open, CLIENTS, HERE, &limits);
        assert_eq!(clients.len(), 4);
        clients.extend(entered(&open, CLIENTS, THERE, &limits));
        assert_eq!(clients.len(), 5);
        let six = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
        let last = entered(&open, CLIENTS, six, &limits);
        assert_eq!(last.len(), 1, "the listener's sixth");
        assert_eq!(entered(&open, BROKERS, six, &limits).len(), 8, "the address's ninth");
        clients.remove(0);
        assert_eq!(entered(&open, CLIENTS, HERE, &limits).len(), 1);
    }

    #[test]
    fn new_connections_come_at_once_for_a_second_and_then_evenly() {
        let (open, limits) =
            (OpenConnections::default(), limits(&[("max.connection.creation.rate", "10")]));
        let start = Instant(5_000_000_000);
        let waits: Vec<u128> =
            (0..12).map(|_| open.wait_for(CLIENTS, &limits, start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
        assert_eq!(
            open.wait_for(BROKERS, &limits, start),
            Duration::ZERO,
            "brokers do not wait for clients"
        );
        let later = start + Duration::from_millis(500);
        assert!(open.wait_for(CLIENTS, &limits, later).is_zero(), "five more have become due");
        assert_eq!(
            open.wait_for(CLIENTS, &limits, start + Duration::from_secs(60)),
            Duration::ZERO
        );
    }

    #[test]
    fn an_address_is_held_off_while_it_comes_faster_than_its_quota() {
        let (open, windows) = (OpenConnections::default(), Windows::new(11, 1));
        let at = |ms: u64| Instant(5_000_000_000) + Duration::from_millis(ms);
        let wait = |address, ms| open.wait_of_address(address, 2.0, windows, at(ms)).as_millis();
        let burst: Vec<u128> = (0..22).map(|_| wait(HERE, 0)).collect();
        assert_eq!(burst[..20], [0; 20], "those of ten windows");
        assert_eq!(burst[20..], [500; 2], "they do not count");
        assert_eq!(wait(THERE, 0), 0, "each address has its own");
        assert_eq!(wait(HERE, 500), 0);
        assert_eq!(wait(HERE, 500), 500);
        assert_eq!(open.wait_of_address(HERE, 0.5, windows, at(500)).as_millis(), 1000, "at most");
        assert_eq!(wait(HERE, 60_000), 0);
    }

    #[test]
    fn addresses_beyond_the_bound_share_a_rate_until_others_are_over() {
        let (open, windows) = (OpenConnections::default(), Windows::new(11, 1));
        let wait = |number: usize, s: u64| {
            let address = IpAddr::from((number as u32).to_be_bytes());
            open.wait_of_address(address, 0.1, windows, Instant(s * 1_000_000_000))
        };
        assert!((0..QUOTA_ADDRESSES_MAX).all(|number| wait(number, 100).is_zero()));
        assert!(wait(QUOTA_ADDRESSES_MAX, 100).is_zero());
        assert!(!wait(QUOTA_ADDRESSES_MAX + 1, 100).is_zero(), "they have one together");
        assert!((0..3).all(|number| wait(QUOTA_ADDRESSES_MAX + number, 200).is_zero()));
    }

    #[test]
    fn a_listener_has_a_pace_of_its_own_and_a_rate_of_none_is_slow() {
        let (open, limits) = (
            OpenConnections::default(),
            limits(&[("listener.name.brokers.max.connection.creation.rate", "0")]),
        );
        let waits = [BROKERS, BROKERS, CLIENTS]
            .map(|listener| open.wait_for(listener, &limits, Instant(1)).as_secs());
        assert_eq!(waits, [0, 1, 0]);
        let (open, unlimited) = (OpenConnections::default(), self::limits(&[]));
        assert!((0..100_000).all(|_| open.wait_for(CLIENTS, &unlimited, Instant(1)).is_zero()));
    }
}
