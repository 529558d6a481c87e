//! The quotas of the clients of one core: what they use is counted, told to the other cores, and
//! paid for with a pause.
//!
//! Owns: this core's accounts, and which kinds of quotas are set at all; on the controller's core
//! also the buckets of those who change the metadata. Lives on: every core. Never: holds a reply
//! back, or costs a request more than a branch where no quota is set.
//!
//! The reply to a request that was too much leaves at once and says how long the client is to wait;
//! for that time nothing more is read from its connection (KIP-219), whatever the version of the
//! request: `net/conn.rs` looks at `Replies::muted_until`.
//!
//! Not counted: what other cores do for a request, and the sending and receiving of its bytes, in
//! the time that a request takes; topics that the broker makes of its own accord.

mod exchange;
mod mutations;
#[cfg(test)]
mod tests;

pub use exchange::run as exchange;
pub use mutations::Mutator;

use super::{Shard, view::ClusterView};
use crate::{
    config::BrokerConfig,
    meta::{Changes, image::MetadataImage},
    pace::TurnBudget,
    quota::{ANONYMOUS, Accounts, Buckets, Found, Kind, Name, Windows, entity},
    request::Client,
};
use protocol::Text;
use ring::{Instant, sync::Notify};
use rustc_hash::FxHashMap;
use std::{
    cell::{Cell, RefCell},
    future::{self, Future},
    net::IpAddr,
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

/// New connections per second from addresses.
#[derive(Default)]
pub struct AddressRates {
    of: FxHashMap<IpAddr, f64>,
    default: Option<f64>,
}

impl AddressRates {
    pub fn of(&self, address: IpAddr) -> Option<f64> {
        self.of.get(&address.to_canonical()).copied().or(self.default)
    }

    fn is_empty(&self) -> bool {
        self.of.is_empty() && self.default.is_none()
    }
}

pub struct Quotas {
    /// Which kinds have a quota anywhere.
    set: Cell<[bool; Kind::ALL.len()]>,
    is_any_set: Cell<bool>,
    accounts: RefCell<Accounts>,
    /// On the controller's core.
    buckets: RefCell<Buckets>,
    windows: Windows,
    /// An account has something that the other cores are to be told.
    counted: Notify,
    /// `None`: no address has a quota.
    address_rates: RefCell<Option<Rc<AddressRates>>>,
    throttled: Cell<u64>,
    throttle_time: Cell<Duration>,
    /// Connections that came too fast.
    pub refused_connections: Cell<u64>,
}

impl Quotas {
    pub fn new(config: &BrokerConfig, cores: usize) -> Quotas {
        let config = &config.quotas;
        let windows = Windows::new(config.window_num, config.window_size_seconds);
        let of_controller =
            Windows::new(config.controller_window_num, config.controller_window_size_seconds);
        Quotas {
            set: Cell::default(),
            is_any_set: Cell::default(),
            accounts: RefCell::new(Accounts::new(windows, cores > 1)),
            buckets: RefCell::new(Buckets::new(of_controller)),
            windows,
            counted: Notify::default(),
            address_rates: RefCell::default(),
            throttled: Cell::default(),
            throttle_time: Cell::default(),
            refused_connections: Cell::default(),
        }
    }

    fn is_set(&self, kind: Kind) -> bool {
        self.set.get()[kind as usize]
    }

    /// The rates of new connections, where any address has one.
    pub fn address_rates(&self) -> Option<Rc<AddressRates>> {
        self.address_rates.borrow().clone()
    }

    pub fn windows(&self) -> Windows {
        self.windows
    }

    /// Accounts and buckets that this core keeps.
    pub fn kept(&self) -> usize {
        self.accounts.borrow().len() + self.buckets.borrow().len()
    }

    /// Requests whose clients had to wait, and for how long together.
    pub fn throttled(&self) -> (u64, Duration) {
        (self.throttled.get(), self.throttle_time.get())
    }

    /// Forgets what was not used for long.
    pub fn expire(&self, now_ms: u64) {
        self.accounts.borrow_mut().expire(now_ms);
        self.buckets.borrow_mut().expire(now_ms);
    }

    /// From now on the quotas are those of the view that this core has applied.
    pub fn renew(&self, set: Set) {
        let negative = set.address_rates.of.values().find(|rate| **rate < 0.0);
        assert!(negative.is_none(), "an address may open {negative:?} connections per second");
        self.is_any_set.set(set.kinds.contains(&true));
        self.set.set(set.kinds);
        let rates = (!set.address_rates.is_empty()).then(|| Rc::new(set.address_rates));
        self.address_rates.replace(rates);
        self.accounts.borrow_mut().renew();
    }
}

/// What of a view's quotas a core keeps at hand.
pub struct Set {
    kinds: [bool; Kind::ALL.len()],
    address_rates: AddressRates,
}

/// Looks through the quotas of a view that is about to be applied, if they have changed.
pub async fn changed(shard: &Shard, view: &ClusterView, changes: &Changes) -> Option<Set> {
    if !changes.client_quotas && !changes.is_all_new {
        return None;
    }
    let mut set = Set { kinds: Default::default(), address_rates: AddressRates::default() };
    let mut budget = TurnBudget::of_items(&shard.ring);
    for (entity, quotas) in view.image.client_quotas.iter() {
        budget.item_done().await;
        match entity.as_slice() {
            [(kind, address)] if kind == entity::IP => {
                let Some(rate) = quotas.get(entity::CONNECTION_RATE).copied() else { continue };
                match address {
                    None => set.address_rates.default = Some(rate),
                    // Kafka also has names of hosts here: see docs/compat.md.
                    Some(address) => {
                        let address = address.parse().ok().map(|ip: IpAddr| ip.to_canonical());
                        set.address_rates.of.extend(address.map(|address| (address, rate)));
                    }
                }
            }
            _ => {
                for kind in Kind::ALL {
                    set.kinds[kind as usize] |= quotas.contains_key(kind.config());
                }
            }
        }
    }
    Some(set)
}

/// The quota of this kind that a client is under.
fn find(image: &MetadataImage, kind: Kind, client_id: &str) -> Option<Found> {
    entity::find(ANONYMOUS, client_id, |user, client_id| {
        let named = [(entity::CLIENT_ID, client_id), (entity::USER, user)].into_iter();
        let entity: Vec<(String, Option<String>)> = named
            .filter_map(|(entity_type, name)| {
                let name = match name? {
                    Name::Exact(name) => Some(name.to_owned()),
                    Name::Default => None,
                };
                Some((entity_type.to_owned(), name))
            })
            .collect();
        image.client_quotas.get(&entity)?.get(kind.config()).copied()
    })
}

impl Shard {
    fn now_ms(&self) -> u64 {
        self.ring.now().as_millis()
    }

    /// Takes note of who sends the request that is worked on now.
    pub fn identify(&self, client: &Client, client_id: Option<Text<'_>>) {
        if !self.quotas.is_any_set.get() {
            return;
        }
        let client_id = client_id.unwrap_or_default().decode();
        let mut known = client.accounts.borrow_mut();
        let mut accounts = self.quotas.accounts.borrow_mut();
        if !known.is_of(&client_id, &accounts) {
            let image = self.control.image();
            *known =
                accounts.look_up(&client_id, self.now_ms(), |kind| find(&image, kind, &client_id));
        }
    }

    /// What the client of the request that is worked on has of this kind: its account, where it has
    /// a quota.
    fn with_account<T>(
        &self,
        client: &Client,
        kind: Kind,
        act: impl FnOnce(&mut Accounts, u32) -> T,
    ) -> Option<T> {
        if !self.quotas.is_set(kind) {
            return None;
        }
        let mut known = client.accounts.borrow_mut();
        let mut accounts = self.quotas.accounts.borrow_mut();
        if !known.is_of(known.client_id(), &accounts) {
            // Quotas have changed since it was identified.
            let client_id = known.client_id().to_owned();
            let image = self.control.image();
            *known =
                accounts.look_up(&client_id, self.now_ms(), |kind| find(&image, kind, &client_id));
        }
        let done = act(&mut accounts, known.slot(kind)?);
        if accounts.has_untold() {
            self.quotas.counted.notify();
        }
        Some(done)
    }

    /// Counts what a client uses, and says how long it has to wait for that.
    pub fn charge(&self, client: &Client, kind: Kind, amount: f64) -> Duration {
        assert!(amount >= 0.0, "a client uses {amount} of its quota");
        assert!(amount.is_finite() && amount >= 0.0, "a client has used {amount}");
        let now_ms = self.now_ms();
        let wait_ms =
            self.with_account(client, kind, |accounts, slot| accounts.record(slot, amount, now_ms));
        // The time of requests is paid for with one window at most.
        let most_ms = match kind {
            Kind::Request => self.quotas.windows.window_ms(),
            // What a response can say.
            _ => i32::MAX as u64,
        };
        Duration::from_millis(wait_ms.unwrap_or(0).min(most_ms))
    }

    /// Counts bytes that are sent to a client, unless it has to wait: those are not sent, then.
    pub fn charge_unless_it_waits(&self, client: &Client, bytes: u64, time: Duration) -> Duration {
        let for_time = self.charge_time(client, time);
        let for_bytes = self.charge(client, Kind::Fetch, bytes as f64);
        let wait = for_time.max(for_bytes);
        let most = Duration::from_millis(i32::MAX as u64);
        assert!(wait <= most, "a response cannot say {wait:?}");
        if !wait.is_zero() {
            let now_ms = self.now_ms();
            self.with_account(client, Kind::Fetch, |accounts, slot| {
                accounts.unrecord(slot, bytes as f64, now_ms)
            });
        }
        wait
    }

    /// Counts the time that a request has taken, in percent of a core.
    pub fn charge_time(&self, client: &Client, time: Duration) -> Duration {
        self.charge(client, Kind::Request, time.as_secs_f64() * 100.0)
    }

    /// The most bytes of records that a fetch may ask for: more would have it wait in any case.
    pub fn most_to_fetch(&self, client: &Client) -> usize {
        let most =
            self.with_account(client, Kind::Fetch, |accounts, slot| accounts.most_at_once(slot));
        most.map_or(usize::MAX, |most| most as usize)
    }

    /// Has a client wait: from now on nothing is read from its connection for so long.
    pub fn throttle(&self, client: &Client, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        let (quotas, most) = (&self.quotas, Duration::from_millis(i32::MAX as u64));
        assert!(wait <= most, "a client waits for {wait:?}, a response can say {most:?}");
        quotas.throttled.set(quotas.throttled.get() + 1);
        quotas.throttle_time.set(quotas.throttle_time.get() + wait);
        let until = self.ring.now() + wait;
        client.replies.mute(until);
        assert!(until <= client.replies.muted_until(), "a client waits until {until:?} at least");
    }

    /// When work begins that takes no turns, where time is limited at all.
    pub fn begin_timing(&self) -> Option<Instant> {
        self.quotas.is_set(Kind::Request).then(|| self.ring.precise_now())
    }

    /// Counts the time since then.
    pub fn end_timing(&self, client: &Client, began: Option<Instant>) {
        if let Some(began) = began {
            let time = self.ring.precise_now().since(began);
            self.throttle(client, self.charge_time(client, time));
        }
    }

    /// How long the work on a request keeps this core: its steps, without the waits in between. Not
    /// looked at where no time is limited. `work` is pinned by its caller: moved in here, it would
    /// take its room twice in each connection.
    pub async fn timed<T>(&self, mut work: Pin<&mut impl Future<Output = T>>) -> (T, Duration) {
        let mut time = Duration::ZERO;
        let done = future::poll_fn(|context| {
            if !self.quotas.is_set(Kind::Request) {
                return work.as_mut().poll(context);
            }
            let began = self.ring.precise_now();
            let polled: Poll<T> = work.as_mut().poll(context);
            time += self.ring.precise_now().since(began);
            polled
        })
        .await;
        (done, time)
    }
}

/// What a response says of a wait.
pub fn to_wire_ms(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}
