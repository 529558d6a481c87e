//! Who may connect: how many connections there may be, and how fast new ones may come (`ConnectionQuotas`).
//!
//! Owns: the counts of open connections and the pace of new ones, for all cores together. Lives on: every core, behind a
//! lock that is taken twice in a connection's life. Never: waits, reads a clock, or ends a connection; `listener.rs` does.

use crate::config::{Layers, layers::Values, listeners::Listener};
use ring::Instant;
use rustc_hash::FxHashMap;
use std::{net::IpAddr, sync::Mutex, time::Duration};

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
    /// The listener between brokers is not held to the broker's limits when clients have one of their own: they must not
    /// be able to keep the brokers apart.
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
        let number = |name: &str| values.get(&format!("{prefix}{name}"))?.trim().parse::<i64>().ok();
        Limits {
            max: number("max.connections").map_or(UNLIMITED.max, |max| max.max(0) as usize),
            creation_rate: number("max.connection.creation.rate")
                .map_or(UNLIMITED.creation_rate, |rate| rate.clamp(0, UNLIMITED.creation_rate.into()) as u32),
        }
    }
}

impl ConnectionLimits {
    /// Of configs that were validated before.
    pub fn read(layers: &Layers, listeners: &[Listener], inter_broker_listener: &str) -> ConnectionLimits {
        let values = layers.merged();
        let per_address_max = values.get("max.connections.per.ip").and_then(|max| max.trim().parse::<i32>().ok());
        let overrides = values.get("max.connections.per.ip.overrides").map_or("", String::as_str).split(',');
        let of_address = |one: &str| {
            let (host, max) = one.trim().rsplit_once(':')?;
            Some((host.trim_matches(['[', ']']).parse().ok()?, max.trim().parse().ok()?))
        };
        let of_listener = |listener: &Listener| ListenerLimits {
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
#[derive(Default)]
pub struct OpenConnections {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    all: usize,
    by_address: FxHashMap<IpAddr, usize>,
    by_listener: Vec<usize>,
    pace: Pace,
    pace_of_listener: Vec<Pace>,
}

/// When the next connection is due, if those that came had been spread evenly.
#[derive(Clone, Copy, Default)]
struct Pace {
    due: Instant,
}

impl Pace {
    /// Counts one more at `now`; how long it has to wait. A rate of 0 is taken for 1.
    fn wait_for(&mut self, rate: u32, now: Instant) -> Duration {
        self.due = self.due.max(now) + Duration::from_secs(1) / rate.max(1);
        self.due.since(now).saturating_sub(BURST)
    }
}

impl OpenConnections {
    fn with<T>(&self, limits: &ConnectionLimits, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().expect("nobody panics while counting");
        state.by_listener.resize(limits.listeners.len(), 0);
        state.pace_of_listener.resize_with(limits.listeners.len(), Pace::default);
        act(&mut state)
    }

    /// How long a connection that came in by `listener` at `now` has to wait, so that no more come than may.
    pub fn wait_for(&self, listener: usize, limits: &ConnectionLimits, now: Instant) -> Duration {
        let ListenerLimits { own, is_protected } = &limits.listeners[listener];
        self.with(limits, |state| {
            let mine = state.pace_of_listener[listener].wait_for(own.creation_rate, now);
            if *is_protected { mine } else { mine.max(state.pace.wait_for(limits.broker.creation_rate, now)) }
        })
    }

    /// Counts one more, or says which limit forbids it.
    pub fn enter(&self, listener: usize, address: IpAddr, limits: &ConnectionLimits) -> Result<(), String> {
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
            Ok(())
        })
    }

    /// One that had entered has ended.
    pub fn leave(&self, listener: usize, address: IpAddr) {
        let mut state = self.state.lock().expect("nobody panics while counting");
        state.all -= 1;
        state.by_listener[listener] -= 1;
        let here = state.by_address.get_mut(&address).expect("who leaves has entered");
        *here -= 1;
        if *here == 0 {
            state.by_address.remove(&address);
        }
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
        let values = configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let listener = |name: &str| Listener {
            name: name.to_owned(),
            host: String::new(),
            port: 9092,
            security_protocol: SecurityProtocol::Plaintext,
        };
        let layers = Layers { static_values: values, ..Layers::default() };
        ConnectionLimits::read(&layers, &["CLIENTS", "BROKERS"].map(listener), "BROKERS")
    }

    fn entered(open: &OpenConnections, listener: usize, address: IpAddr, limits: &ConnectionLimits) -> usize {
        (0..10).filter(|_| open.enter(listener, address, limits).is_ok()).count()
    }

    #[test]
    fn brokers_find_room_when_clients_have_taken_all_of_it() {
        let (open, limits) = (OpenConnections::default(), limits(&[("max.connections", "3")]));
        assert_eq!(entered(&open, CLIENTS, HERE, &limits), 3);
        assert_eq!(entered(&open, BROKERS, THERE, &limits), 10);
        open.leave(CLIENTS, HERE);
        assert_eq!(entered(&open, CLIENTS, HERE, &limits), 0, "the brokers' connections count");
    }

    #[test]
    fn listeners_and_addresses_have_limits_of_their_own() {
        let configs = [
            ("listener.name.clients.max.connections", "6"),
            ("max.connections.per.ip", "4"),
            ("max.connections.per.ip.overrides", "10.0.0.1:1,[::1]:9"),
        ];
        let (open, limits) = (OpenConnections::default(), limits(&configs));
        assert_eq!(entered(&open, CLIENTS, HERE, &limits), 4);
        assert_eq!(entered(&open, CLIENTS, THERE, &limits), 1);
        let six = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
        assert_eq!(entered(&open, CLIENTS, six, &limits), 1, "the listener's sixth");
        assert_eq!(entered(&open, BROKERS, six, &limits), 8, "the address's ninth");
        open.leave(CLIENTS, HERE);
        assert_eq!(entered(&open, CLIENTS, HERE, &limits), 1);
    }

    #[test]
    fn new_connections_come_at_once_for_a_second_and_then_evenly() {
        let (open, limits) = (OpenConnections::default(), limits(&[("max.connection.creation.rate", "10")]));
        let start = Instant(5_000_000_000);
        let waits: Vec<u128> = (0..12).map(|_| open.wait_for(CLIENTS, &limits, start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
        assert_eq!(open.wait_for(BROKERS, &limits, start), Duration::ZERO, "brokers do not wait for clients");
        let later = start + Duration::from_millis(500);
        assert!(open.wait_for(CLIENTS, &limits, later).is_zero(), "five more have become due");
        assert_eq!(open.wait_for(CLIENTS, &limits, start + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn a_listener_has_a_pace_of_its_own_and_a_rate_of_none_is_slow() {
        let (open, limits) =
            (OpenConnections::default(), limits(&[("listener.name.brokers.max.connection.creation.rate", "0")]));
        let waits = [BROKERS, BROKERS, CLIENTS].map(|listener| open.wait_for(listener, &limits, Instant(1)).as_secs());
        assert_eq!(waits, [0, 1, 0]);
        let (open, unlimited) = (OpenConnections::default(), self::limits(&[]));
        assert!((0..100_000).all(|_| open.wait_for(CLIENTS, &unlimited, Instant(1)).is_zero()));
    }
}
