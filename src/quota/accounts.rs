//! The accounts of one core: what each client has used, here and on the other cores.
//!
//! Owns: the accounts. Lives on: every core; each has its own of a client, and they agree by
//! telling one another what they have counted (ADR 18). Never: sends anything, or grows beyond its
//! bounds.
//!
//! Invariant: an account counts everything that its own core has counted, and what others have told
//! it; what they have not heard from it is in `untold`.

use super::{
    entity::{Found, Key, Kind},
    rate::{Rate, Windows},
};
use crate::limits;
use rustc_hash::FxHashMap;
use std::{mem, sync::Arc};

/// The kinds of quotas that are rates: all but those of changes of the metadata.
const RATES: usize = 3;

/// Where an account is.
pub type Slot = u32;

struct Account {
    of: Arc<(Kind, Key)>,
    limit: f64,
    rate: Rate,
    /// What the other cores have not been told.
    untold: f64,
    is_listed: bool,
    used_ms: u64,
}

/// What one core has counted for an account and tells the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    pub of: Arc<(Kind, Key)>,
    pub amount: f64,
}

pub struct Accounts {
    windows: Windows,
    /// Other cores are told.
    is_shared: bool,
    by_key: FxHashMap<Arc<(Kind, Key)>, Slot>,
    slots: Vec<Option<Account>>,
    free: Vec<Slot>,
    /// Those that have something untold, each once.
    listed: Vec<Slot>,
    /// Rises when what connections know of their accounts may be wrong.
    epoch: u64,
}

/// What a connection knows of its accounts: looked up once, not with each request.
#[derive(Debug, Default)]
pub struct Known {
    /// 0: nothing is known.
    epoch: u64,
    client_id: Box<str>,
    slots: [Option<Slot>; RATES],
}

impl Known {
    pub fn is_of(&self, client_id: &str, accounts: &Accounts) -> bool {
        self.epoch == accounts.epoch && *self.client_id == *client_id
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn slot(&self, kind: Kind) -> Option<Slot> {
        self.slots[kind as usize]
    }
}

impl Accounts {
    pub fn new(windows: Windows, is_shared: bool) -> Accounts {
        Accounts {
            windows,
            is_shared,
            by_key: FxHashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            listed: Vec::new(),
            epoch: 1,
        }
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub fn has_untold(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Quotas have changed: each connection looks its accounts up anew.
    pub fn renew(&mut self) {
        self.epoch += 1;
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The accounts of a client with this id. `find` shows the quota that it is under.
    pub fn look_up(
        &mut self,
        client_id: &str,
        now_ms: u64,
        find: impl Fn(Kind) -> Option<Found>,
    ) -> Known {
        let mut known =
            Known { epoch: self.epoch, client_id: client_id.into(), slots: [None; RATES] };
        for (kind, slot) in Kind::ALL.into_iter().zip(&mut known.slots) {
            *slot = find(kind).map(|found| {
                let slot = self.open((kind, found.key), now_ms);
                self.account(slot).limit = found.limit;
                slot
            });
        }
        known
    }

    /// The account of a key. Those beyond the bound share one of each kind, so that no client gains
    /// by another name.
    fn open(&mut self, of: (Kind, Key), now_ms: u64) -> Slot {
        if let Some(slot) = self.by_key.get(&of) {
            return *slot;
        }
        let of_all = Key { user: Box::default(), client_id: Box::default() };
        let of = match self.by_key.len() >= limits::QUOTA_ACCOUNTS_MAX && of.1 != of_all {
            true => return self.open((of.0, of_all), now_ms),
            false => Arc::new(of),
        };
        let account = Account {
            of: of.clone(),
            limit: f64::INFINITY,
            rate: Rate::default(),
            untold: 0.0,
            is_listed: false,
            used_ms: now_ms,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                let before = self.slots[slot as usize].replace(account);
                assert!(before.is_none(), "account {slot} is in use");
                slot
            }
            None => {
                self.slots.push(Some(account));
                self.slots.len() as Slot - 1
            }
        };
        self.by_key.insert(of, slot);
        let (accounts, most) = (self.by_key.len(), limits::QUOTA_ACCOUNTS_MAX + RATES);
        assert!(accounts <= most, "{accounts} accounts, at most {most} may be");
        slot
    }

    fn account(&mut self, slot: Slot) -> &mut Account {
        self.slots[slot as usize].as_mut().expect("a connection knows accounts of this epoch")
    }

    /// Counts what a client has used; how long nothing more may come of it.
    pub fn record(&mut self, slot: Slot, amount: f64, now_ms: u64) -> u64 {
        let windows = self.windows;
        self.count(slot, amount, now_ms);
        let account = self.account(slot);
        account.rate.wait_ms(windows, account.limit, now_ms)
    }

    /// Takes back what was recorded and does not happen.
    pub fn unrecord(&mut self, slot: Slot, amount: f64, now_ms: u64) {
        self.count(slot, -amount, now_ms);
    }

    /// More at once is more than the quota allows, whatever came before.
    pub fn most_at_once(&mut self, slot: Slot) -> f64 {
        let seconds = self.windows.whole_seconds();
        self.account(slot).limit * seconds
    }

    fn count(&mut self, slot: Slot, amount: f64, now_ms: u64) {
        let (windows, is_shared) = (self.windows, self.is_shared);
        let account = self.account(slot);
        account.rate.record(windows, amount, now_ms);
        account.used_ms = now_ms;
        if is_shared {
            account.untold += amount;
            if !mem::replace(&mut account.is_listed, true) {
                self.listed.push(slot);
            }
        }
    }

    /// What the others are to be told, of at most `max` accounts; the rest the next time.
    pub fn take_untold(&mut self, max: usize) -> Vec<Count> {
        let taken = self.listed.len().min(max);
        let slots = &mut self.slots;
        let told = self.listed.drain(..taken).map(|slot| {
            let account = slots[slot as usize].as_mut().expect("an account with news is kept");
            account.is_listed = false;
            Count { of: account.of.clone(), amount: mem::take(&mut account.untold) }
        });
        told.collect()
    }

    /// Counts what another core has counted.
    pub fn hear(&mut self, count: &Count, now_ms: u64) {
        let windows = self.windows;
        let slot = match self.by_key.get(&count.of) {
            Some(slot) => *slot,
            None => self.open((*count.of).clone(), now_ms),
        };
        let account = self.account(slot);
        account.rate.record(windows, count.amount, now_ms);
        account.used_ms = now_ms;
    }

    /// Forgets accounts that were not used for as long as Kafka keeps them.
    pub fn expire(&mut self, now_ms: u64) {
        let oldest_ms = now_ms.saturating_sub(limits::QUOTA_EXPIRY_MS);
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let is_over =
                place.as_ref().is_some_and(|one| one.used_ms <= oldest_ms && !one.is_listed);
            if let Some(account) = place.take_if(|_| is_over && oldest_ms > 0) {
                let known = self.by_key.remove(&account.of);
                assert_eq!(known, Some(slot as Slot), "an account is found by its key");
                self.free.push(slot as Slot);
                self.epoch += 1;
            }
        }
        let (kept, free) = (self.by_key.len(), self.free.len());
        assert_eq!(kept + free, self.slots.len(), "{kept} accounts are kept, {free} are free");
    }

    /// What counts for an account, per second.
    #[cfg(test)]
    pub fn per_second(&mut self, slot: Slot, now_ms: u64) -> f64 {
        let windows = self.windows;
        self.account(slot).rate.per_second(windows, now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: f64 = 100.0;

    fn accounts() -> Accounts {
        Accounts::new(Windows::new(11, 1), true)
    }

    fn found(client_id: &str) -> Option<Found> {
        let key = Key { user: Box::default(), client_id: client_id.into() };
        Some(Found { key, limit: LIMIT })
    }

    fn produce(accounts: &mut Accounts, client_id: &str, now_ms: u64) -> Slot {
        let known = accounts
            .look_up(client_id, now_ms, |kind| found(client_id).filter(|_| kind == Kind::Produce));
        assert_eq!((known.slot(Kind::Fetch), known.slot(Kind::Request)), (None, None));
        known.slot(Kind::Produce).expect("a quota is found")
    }

    #[test]
    fn what_one_core_counts_the_others_hear_once() {
        let (mut here, mut there) = (accounts(), accounts());
        let (mine, theirs) = (produce(&mut here, "a", 0), produce(&mut there, "a", 0));
        assert_eq!(here.record(mine, 1_000.0, 0), 0);
        assert_eq!(here.record(mine, 500.0, 0), 5_000);
        let told = here.take_untold(10);
        assert_eq!(told.iter().map(|count| count.amount).collect::<Vec<_>>(), [1_500.0]);
        assert!(!here.has_untold());
        told.iter().for_each(|count| there.hear(count, 0));
        assert!(!there.has_untold(), "what was heard is not told on");
        assert_eq!(there.per_second(theirs, 0), 150.0);
        assert_eq!(there.record(theirs, 100.0, 0), 6_000);
        here.unrecord(mine, 500.0, 0);
        assert_eq!(here.take_untold(10)[0].amount, -500.0);
    }

    #[test]
    fn a_change_of_quotas_and_an_expiry_have_connections_look_again() {
        let mut accounts = accounts();
        let known = accounts.look_up("a", 0, |_| found("a"));
        assert!(known.is_of("a", &accounts) && !known.is_of("b", &accounts));
        accounts.record(known.slot(Kind::Fetch).unwrap(), 1.0, 1);
        accounts.take_untold(1);
        accounts.expire(limits::QUOTA_EXPIRY_MS);
        assert_eq!(accounts.len(), 3, "an hour is not over");
        accounts.expire(limits::QUOTA_EXPIRY_MS + 1);
        assert!(accounts.is_empty() && !known.is_of("a", &accounts));
        let known = accounts.look_up("a", 0, |_| found("a"));
        accounts.renew();
        assert!(!known.is_of("a", &accounts));
    }

    #[test]
    fn accounts_beyond_the_bound_share_one() {
        let mut accounts = accounts();
        for client in 0..limits::QUOTA_ACCOUNTS_MAX {
            produce(&mut accounts, &client.to_string(), 0);
        }
        let (one, other) = (produce(&mut accounts, "x", 0), produce(&mut accounts, "y", 0));
        assert_eq!(one, other);
        assert_eq!(accounts.record(one, 2_000.0, 0), 10_000);
        assert_ne!(produce(&mut accounts, "7", 0), one);
        assert_eq!(accounts.len(), limits::QUOTA_ACCOUNTS_MAX + 1);
    }
}
