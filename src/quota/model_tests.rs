//! Several cores by seeds: whatever the connections, the sizes of their requests and the ways of
//! the counts between the cores, a client comes to its quota together, within 5 %.

use super::{Accounts, Count, Found, Key, Kind, Windows, accounts::Slot};
use crate::limits;

const SEEDS: u64 = 60;
const SETTLED_MS: u64 = 20_000;
/// A rate lets the amount of ten windows through at once, and again when that sample is over, as in
/// Kafka: it shows over many of them.
const MEASURED_MS: u64 = 300_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mixed = (self.0 ^ self.0 >> 33).wrapping_mul(0xff51afd7ed558ccd);
        (mixed ^ mixed >> 33) % end
    }
}

struct Core {
    accounts: Accounts,
    slot: Slot,
    /// When each of its connections may send again.
    connections: Vec<u64>,
    tells_ms: u64,
    /// What others have told, and when it comes here.
    to_hear: Vec<(u64, Count)>,
}

struct Model {
    dice: Dice,
    cores: Vec<Core>,
    limit: f64,
    request_max: u64,
    /// Between two requests of a connection that is not muted.
    pause_ms: u64,
    sent: f64,
    waits: u64,
}

impl Model {
    /// `demand`: how much of the quota all connections together want, if none waits.
    fn new(seed: u64, demand: f64) -> Model {
        let mut dice = Dice(seed);
        let cores = 1 + dice.below(8);
        let connections = 1 + dice.below(6);
        let limit = 10_f64.powi(6 + dice.below(3) as i32) * (1 + dice.below(9)) as f64;
        let pause_ms = 1 + dice.below(10);
        let senders = (cores * connections) as f64;
        let request_max = 2.0 * demand * limit * pause_ms as f64 / 1000.0 / senders;
        let key = Key { user: Box::default(), client_id: "c".into() };
        let core = |_| {
            let mut accounts = Accounts::new(Windows::new(11, 1), cores > 1);
            let found = Found { key: key.clone(), limit };
            let known =
                accounts.look_up("c", 0, |kind| (kind == Kind::Produce).then(|| found.clone()));
            let slot = known.slot(Kind::Produce).expect("there is a quota");
            let connections = vec![0; connections as usize];
            Core { accounts, slot, connections, tells_ms: 0, to_hear: Vec::new() }
        };
        let cores = (0..cores).map(core).collect();
        let request_max = request_max.max(1.0) as u64;
        Model { dice, cores, limit, request_max, pause_ms, sent: 0.0, waits: 0 }
    }

    fn step(&mut self, now_ms: u64) {
        for index in 0..self.cores.len() {
            self.hear(index, now_ms);
            self.send(index, now_ms);
            self.tell(index, now_ms);
        }
    }

    fn send(&mut self, index: usize, now_ms: u64) {
        let Core { accounts, slot, connections, .. } = &mut self.cores[index];
        for free_ms in connections.iter_mut().filter(|free_ms| **free_ms <= now_ms) {
            let amount = (1 + self.dice.below(self.request_max)) as f64;
            let wait_ms = accounts.record(*slot, amount, now_ms);
            self.waits += u64::from(wait_ms > 0);
            self.sent += amount;
            *free_ms = now_ms + self.pause_ms.max(wait_ms);
        }
    }

    fn tell(&mut self, index: usize, now_ms: u64) {
        if self.cores[index].tells_ms > now_ms || !self.cores[index].accounts.has_untold() {
            return;
        }
        self.cores[index].tells_ms = now_ms + limits::QUOTA_EXCHANGE_MS;
        let told = self.cores[index].accounts.take_untold(limits::QUOTA_COUNTS_AT_ONCE);
        for other in (0..self.cores.len()).filter(|other| *other != index) {
            let comes_ms = now_ms + self.dice.below(5);
            let heard = told.iter().map(|count| (comes_ms, count.clone()));
            self.cores[other].to_hear.extend(heard);
        }
    }

    fn hear(&mut self, index: usize, now_ms: u64) {
        let Core { accounts, to_hear, .. } = &mut self.cores[index];
        for (_, count) in to_hear.extract_if(.., |(comes_ms, _)| *comes_ms <= now_ms) {
            accounts.hear(&count, now_ms);
        }
    }

    /// What was let through per second once the accounts had settled.
    fn run(&mut self) -> f64 {
        (0..SETTLED_MS).for_each(|now_ms| self.step(now_ms));
        let before = self.sent;
        (SETTLED_MS..SETTLED_MS + MEASURED_MS).for_each(|now_ms| self.step(now_ms));
        (self.sent - before) * 1000.0 / MEASURED_MS as f64
    }
}

#[test]
fn clients_that_want_more_than_their_quota_come_to_it_on_all_cores_together() {
    for seed in 0..SEEDS {
        let demand = 1.5 + (seed % 7) as f64;
        let mut model = Model::new(seed, demand);
        let (rate, limit) = (model.run(), model.limit);
        let off = (rate - limit).abs() / limit;
        assert!(off <= 0.05, "seed {seed}: {rate} per second, the quota is {limit}");
        assert!(model.waits > 0, "seed {seed}: nothing waited");
    }
}

#[test]
fn clients_below_their_quota_never_wait() {
    for seed in 0..SEEDS / 3 {
        let mut model = Model::new(seed, 0.7);
        model.run();
        assert_eq!(model.waits, 0, "seed {seed}: {} waits", model.waits);
        assert!(model.sent > 0.0);
    }
}

#[test]
fn each_core_knows_the_whole_once_all_is_told() {
    for seed in 0..SEEDS / 4 {
        let mut model = Model::new(seed, 2.0);
        (0..5_000).for_each(|now_ms| model.step(now_ms));
        let end_ms = 5_000;
        // Twice: what was told on the way, and the last that is to be told.
        for now_ms in [end_ms + 100, end_ms + 200] {
            for index in 0..model.cores.len() {
                model.hear(index, now_ms);
                model.tell(index, now_ms);
            }
        }
        let rates: Vec<f64> = model
            .cores
            .iter_mut()
            .map(|core| {
                core.to_hear
                    .drain(..)
                    .for_each(|(_, count)| core.accounts.hear(&count, end_ms + 200));
                core.accounts.per_second(core.slot, end_ms + 200)
            })
            .collect();
        let whole = model.sent / 10.0;
        for rate in rates {
            // The core with the oldest sample divides by more.
            assert!((rate / whole - 1.0).abs() < 0.1, "seed {seed}: {rate} of {whole} per second");
        }
    }
}
