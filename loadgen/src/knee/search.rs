//! The search for the highest rate that holds: MLRsearch (RFC 9971). Pure: results of trials go
//! in, the next trial comes out.
//!
//! Owns: the trials of one search. Never: knows a latency, a clock or a broker. A trial is bad for
//! a goal when more of its records were late than the goal allows; "loss" in the RFC is lateness
//! here.
//!
//! A goal is searched for in levels, from short trials and a wide interval to long trials and the
//! width that was asked for. What one level found is where the next one begins.

/// This share of the seconds at a rate may not be bad: such a rate is no lower bound. The RFC takes
/// the same number for goals that allow loss, and lets half bad be good; here trials that disagree
/// evenly are bad.
const EXCEED_RATIO: f64 = 0.5;
/// Steps that look for the first bad trial are no larger.
const STEP_MAX: f64 = 4.0;
const LEVELS: usize = 3;
/// Rates are numbers that people can read: this many digits, the rest zeros.
const RATE_DIGITS: i32 = 4;

#[derive(Clone, Debug)]
pub struct Settings {
    pub rate_min: f64,
    pub rate_max: f64,
    /// The first rate.
    pub start: f64,
    /// The factor of the first step away from the start.
    pub first_step: f64,
    pub trial_s: f64,
    pub final_trial_s: f64,
    /// Seconds of trials that decide about a rate at last.
    pub sum_s: f64,
    /// The interval may be so much wider than its lower end, as a share of it.
    pub width: f64,
    /// After so many trials there is no next one.
    pub trials_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned {
    pub rate: f64,
    pub duration_s: f64,
}

/// What a trial that counts came to.
#[derive(Clone, Debug)]
pub struct Trial {
    pub rate: f64,
    pub duration_s: f64,
    /// The share of late records, for each goal.
    pub late: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Both bounds have their seconds, and are as near to each other as was asked for.
    Found { low: f64, high: f64 },
    /// The knee is not below `low`. What kept the search from going higher is a rate that the
    /// generator could not send, or --rate-max.
    Above { low: f64, generator_was_the_limit: bool },
    /// The lowest rate allowed was bad.
    Below { high: f64 },
    /// Not even the lowest rate could be sent as it should.
    Unknown,
    /// It ended before its time.
    Unfinished { low: Option<f64>, high: Option<f64> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Lower,
    Upper,
}

/// The nearest bounds, as far as they are known.
pub type Bounds = (Option<f64>, Option<f64>);

struct Level {
    duration_s: f64,
    sum_s: f64,
    /// The interval is narrow enough when its ends have no larger ratio.
    ratio: f64,
}

pub struct Search {
    settings: Settings,
    levels: [Level; LEVELS],
    /// The share of late records that each goal allows.
    goals: Vec<f64>,
    trials: Vec<Trial>,
    /// The lowest rate that the generator could not send.
    ceiling: Option<f64>,
    spent: usize,
}

impl Search {
    pub fn new(settings: Settings, late_max: Vec<f64>) -> Search {
        assert!(!late_max.is_empty(), "a search without a goal");
        assert!(settings.rate_min <= settings.rate_max && settings.rate_min > 0.0);
        let (short, long) = (settings.trial_s, settings.final_trial_s);
        let middle = (short * long).sqrt();
        let ratio = 1.0 + settings.width;
        let levels = [
            Level { duration_s: short, sum_s: short, ratio: ratio.powi(4) },
            Level { duration_s: middle, sum_s: middle, ratio: ratio.powi(2) },
            Level { duration_s: long, sum_s: settings.sum_s, ratio },
        ];
        Search { settings, levels, goals: late_max, trials: Vec::new(), ceiling: None, spent: 0 }
    }

    /// The next trial; `None`: the search is over.
    pub fn next(&self) -> Option<Planned> {
        self.wanted().filter(|_| self.spent < self.settings.trials_max)
    }

    fn wanted(&self) -> Option<Planned> {
        (0..LEVELS).find_map(|level| {
            let rate = (0..self.goals.len())
                .filter(|goal| !self.is_no_limit(*goal, level))
                .find_map(|goal| self.candidate(goal, level))?;
            Some(Planned { rate, duration_s: self.levels[level].duration_s })
        })
    }

    pub fn add(&mut self, trial: Trial) {
        assert_eq!(trial.late.len(), self.goals.len());
        self.spent += 1;
        self.trials.push(trial);
    }

    /// The generator cannot send this rate, nor a higher one.
    pub fn cannot_send(&mut self, rate: f64) {
        self.spent += 1;
        self.ceiling = Some(self.ceiling.map_or(rate, |ceiling| ceiling.min(rate)));
    }

    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// What is known at this moment, of the level that came furthest.
    pub fn bounds(&self) -> Bounds {
        let mut known = (None, None);
        for level in 0..LEVELS {
            let (low, high) = self.bounds_of_all(level);
            known = match (low, high) {
                (None, None) => known,
                (Some(low), None) => (Some(low), known.1.filter(|high| *high > low)),
                (None, Some(high)) => (known.0.filter(|low| *low < high), Some(high)),
                both => both,
            };
        }
        known
    }

    pub fn outcome(&self) -> Outcome {
        let (low, high) = self.bounds_of_all(LEVELS - 1);
        if self.wanted().is_some() {
            return Outcome::Unfinished { low, high };
        }
        let narrow = |low: f64, high: f64| high / low <= self.levels[LEVELS - 1].ratio;
        match (low, high) {
            (Some(low), Some(high)) if narrow(low, high) => Outcome::Found { low, high },
            (Some(low), _) => {
                Outcome::Above { low, generator_was_the_limit: self.ceiling.is_some() }
            }
            (None, Some(high)) if high <= self.settings.rate_min => Outcome::Below { high },
            (None, _) => Outcome::Unknown,
        }
    }

    /// All goals together hold up to the lowest of their lower bounds, and not beyond the lowest of
    /// their upper ones.
    fn bounds_of_all(&self, level: usize) -> Bounds {
        let each: Vec<Bounds> =
            (0..self.goals.len()).map(|goal| self.bounds_of(goal, level)).collect();
        let high = each.iter().filter_map(|(_, high)| *high).min_by(f64::total_cmp);
        let low = each
            .iter()
            .map(|(low, _)| *low)
            .collect::<Option<Vec<f64>>>()
            .and_then(|lows| lows.into_iter().min_by(f64::total_cmp));
        (low.filter(|low| high.is_none_or(|high| *low < high)), high)
    }

    /// Whether another goal fails before this one could: then it needs no bounds of its own.
    fn is_no_limit(&self, goal: usize, level: usize) -> bool {
        let Some(low) = self.bounds_of(goal, level).0 else { return false };
        (0..self.goals.len())
            .filter(|other| *other != goal)
            .filter_map(|other| self.bounds_of(other, level).1)
            .any(|high| low >= high)
    }

    /// The nearest bounds of one goal. Where trials disagree, the bad ones decide: a lower bound
    /// above an upper one is none.
    fn bounds_of(&self, goal: usize, level: usize) -> Bounds {
        let sides: Vec<(f64, Side)> = self
            .rates()
            .into_iter()
            .filter_map(|rate| Some((rate, self.side(rate, goal, level)?)))
            .collect();
        let high = sides.iter().find(|(_, side)| *side == Side::Upper).map(|(rate, _)| *rate);
        let low = sides
            .iter()
            .rfind(|(rate, side)| *side == Side::Lower && high.is_none_or(|high| *rate < high))
            .map(|(rate, _)| *rate);
        (low, high)
    }

    /// All rates that were tried, rising.
    fn rates(&self) -> Vec<f64> {
        let mut rates: Vec<f64> = self.trials.iter().map(|trial| trial.rate).collect();
        rates.sort_by(f64::total_cmp);
        rates.dedup();
        rates
    }

    /// What the trials at one rate say, once there are enough of them: both the best and the worst
    /// that the seconds still to be had could say agree. Short trials that were good say nothing;
    /// those that were bad count beyond what as many good ones make up for.
    fn side(&self, rate: f64, goal: usize, level: usize) -> Option<Side> {
        let level = &self.levels[level];
        let (mut long_good_s, mut long_bad_s, mut short_good_s, mut short_bad_s) =
            (0.0, 0.0, 0.0, 0.0);
        for trial in self.trials.iter().filter(|trial| trial.rate == rate) {
            let is_good = trial.late[goal] <= self.goals[goal];
            let is_long = trial.duration_s >= level.duration_s * 0.999;
            let sum = match (is_long, is_good) {
                (true, true) => &mut long_good_s,
                (true, false) => &mut long_bad_s,
                (false, true) => &mut short_good_s,
                (false, false) => &mut short_bad_s,
            };
            *sum += trial.duration_s;
        }
        let balancing_s = short_good_s * EXCEED_RATIO / (1.0 - EXCEED_RATIO);
        let bad_s: f64 = long_bad_s + f64::max(short_bad_s - balancing_s, 0.0);
        let whole_s = (long_good_s + bad_s).max(level.sum_s);
        let bearable_s = whole_s * EXCEED_RATIO;
        let may_be_lower = bad_s < bearable_s;
        let must_be_lower = whole_s - long_good_s < bearable_s;
        match (must_be_lower, may_be_lower) {
            (true, true) => Some(Side::Lower),
            (false, false) => Some(Side::Upper),
            _ => None,
        }
    }

    /// The rate that would tell most about one goal at one level; `None`: nothing is left to know.
    fn candidate(&self, goal: usize, level: usize) -> Option<f64> {
        let (low, classified) = self.bounds_of(goal, level);
        let high = [classified, self.ceiling].into_iter().flatten().min_by(f64::total_cmp);
        let low = low.filter(|low| high.is_none_or(|high| *low < high));
        let before = match level {
            0 => (None, None),
            _ => self.bounds_of(goal, level - 1),
        };
        let settings = &self.settings;
        let rate = match (low, high) {
            (Some(low), Some(high)) if high / low <= self.levels[level].ratio => return None,
            (Some(low), Some(high)) => {
                // The bounds of the level before may be right; they are tried before the middle.
                let inside = |rate: &f64| *rate > low && *rate < high;
                let again = before.0.filter(inside).or(before.1.filter(inside));
                return Some(again.unwrap_or_else(|| readable((low * high).sqrt())));
            }
            (None, None) => before.0.or(before.1).unwrap_or(settings.start),
            (Some(low), None) if low >= settings.rate_max => return None,
            (Some(low), None) => {
                before.1.filter(|rate| *rate > low).unwrap_or_else(|| self.above(low, level))
            }
            (None, Some(high)) if high <= settings.rate_min => return None,
            (None, Some(high)) => {
                before.0.filter(|rate| *rate < high).unwrap_or_else(|| self.below(high, level))
            }
        };
        Some(rate.clamp(settings.rate_min, settings.rate_max))
    }

    fn first_step(&self, level: usize) -> f64 {
        if level == 0 { self.settings.first_step } else { self.levels[level].ratio }
    }

    /// A step up, the larger the further steps have already led.
    fn above(&self, low: f64, level: usize) -> f64 {
        let nearest = self.rates().into_iter().rfind(|rate| *rate < low);
        let first = self.first_step(level);
        let step = nearest.map_or(first, |rate| (low / rate).powi(2));
        readable(low * step.clamp(first, first.max(STEP_MAX)))
    }

    fn below(&self, high: f64, level: usize) -> f64 {
        let nearest = self.rates().into_iter().find(|rate| *rate > high);
        let first = self.first_step(level);
        let step = nearest.map_or(first, |rate| (rate / high).powi(2));
        readable(high / step.clamp(first, first.max(STEP_MAX)))
    }
}

fn readable(rate: f64) -> f64 {
    let digits_dropped = rate.log10().floor() as i32 + 1 - RATE_DIGITS;
    // Divided by a power of ten in either case: one below 1 is no exact number.
    let power = 10f64.powi(digits_dropped.abs());
    if digits_dropped >= 0 {
        (rate / power).round() * power
    } else {
        (rate * power).round() / power
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
