//! Systems whose knee is known, for the tests of the search and of the fit. Pure: the seed decides.

use super::search::{Outcome, Planned, Search, Settings, Trial};
use crate::random::Random;

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Nothing is late up to the knee, everything beyond it.
    Sharp,
    /// Lateness grows over some percent of the rate.
    Soft,
    /// As a soft one, with trials that differ by their luck, and stalls that come now and then.
    Noisy,
    NeverBad,
    AlwaysBad,
    /// As a sharp one, and the knee comes down by this share each second.
    Worsening(f64),
}

pub struct System {
    pub kind: Kind,
    pub knee: f64,
    /// The share of late records at the knee.
    pub late_max: f64,
    /// Of the natural logarithm of the rate.
    pub softness: f64,
    pub noise: f64,
    pub elapsed_s: f64,
    pub chance: Random,
}

/// How often a trial of a noisy system meets a stall.
const STALLS: f64 = 0.02;

impl System {
    pub fn new(kind: Kind, seed: u64) -> System {
        let mut chance = Random::new(seed, 0);
        let knee = chance.ratio(1e3, 1e6);
        let softness = chance.ratio(0.01, 0.05);
        let noise = 0.5;
        System { kind, knee, late_max: 0.01, softness, noise, elapsed_s: 0.0, chance }
    }

    pub fn knee_now(&self) -> f64 {
        match self.kind {
            Kind::Worsening(share) => self.knee * (1.0 - share).powf(self.elapsed_s),
            _ => self.knee,
        }
    }

    /// The share of late records at a rate, without luck.
    pub fn curve(&self, rate: f64) -> f64 {
        let at_knee = (self.late_max / (1.0 - self.late_max)).ln();
        1.0 / (1.0 + (-(rate / self.knee).ln() / self.softness - at_knee).exp())
    }

    pub fn try_rate(&mut self, planned: Planned) -> Trial {
        let late = match self.kind {
            Kind::NeverBad => 0.0,
            Kind::AlwaysBad => 1.0,
            Kind::Sharp | Kind::Worsening(_) if planned.rate <= self.knee_now() => 0.0,
            Kind::Sharp | Kind::Worsening(_) => 1.0,
            Kind::Soft => self.curve(planned.rate),
            Kind::Noisy => {
                let stall = if self.chance.unit() < STALLS { 0.05 } else { 0.0 };
                // The luck of a long trial is the mean of the luck of short ones.
                let luck = self.noise / (planned.duration_s / 5.0).sqrt();
                let late = self.curve(planned.rate) * (luck * self.chance.normal()).exp();
                (late + stall).min(1.0)
            }
        };
        self.elapsed_s += planned.duration_s;
        Trial { rate: planned.rate, duration_s: planned.duration_s, late: vec![late] }
    }

    pub fn search(&mut self, settings: Settings) -> (Outcome, Search) {
        let mut search = Search::new(settings, vec![self.late_max]);
        while let Some(planned) = search.next() {
            search.add(self.try_rate(planned));
        }
        (search.outcome(), search)
    }
}

pub fn settings() -> Settings {
    Settings {
        rate_min: 10.0,
        rate_max: 1e8,
        start: 1000.0,
        first_step: 4.0,
        trial_s: 5.0,
        final_trial_s: 20.0,
        sum_s: 60.0,
        width: 0.05,
        trials_max: 80,
    }
}
