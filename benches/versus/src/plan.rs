//! How long a turn lasts. Pure.

/// The clock of /proc ticks every 10 ms; figures on less processor time than this are grainy.
pub const CPU_MIN_S: f64 = 2.0;
/// Turns differ, and the first one is all that is known when the others are planned.
const CPU_AIM_S: f64 = 2.4;
/// What a workload may take in all, beginnings and endings of its turns left aside.
pub const WORKLOAD_MAX_S: f64 = 105.0;
const TURN_MIN_S: f64 = 2.0;
const TURN_MAX_S: f64 = 30.0;

/// The seconds of every turn behind the first one, for each contender: as many as its figure needs
/// to stand on [`CPU_AIM_S`] of the broker's processor time over all rounds, within `budget_s` for
/// all turns to come.
pub fn turns_s(
    first_s: f64,
    cpu_s_of_first: &[f64],
    rounds_left: usize,
    budget_s: f64,
) -> Vec<f64> {
    let rounds = rounds_left.max(1) as f64;
    let wanted: Vec<f64> = cpu_s_of_first
        .iter()
        .map(|cpu_s| {
            let per_s = (cpu_s / first_s).max(1e-6);
            ((CPU_AIM_S - cpu_s).max(0.0) / per_s / rounds).clamp(TURN_MIN_S, TURN_MAX_S)
        })
        .collect();
    // Workloads that want little get it; the others share the rest.
    let (mut share, mut left, mut sorted) = (TURN_MAX_S, budget_s / rounds, wanted.clone());
    sorted.sort_by(f64::total_cmp);
    for (index, want) in sorted.iter().enumerate() {
        let fair = left / (sorted.len() - index) as f64;
        if *want > fair {
            share = fair;
            break;
        }
        left -= want;
    }
    wanted.into_iter().map(|want| want.min(share).max(TURN_MIN_S)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_as_long_as_their_figures_need() {
        // Half a processor: 2.8 s more in 4 turns would do.
        assert_eq!(turns_s(2.0, &[1.0], 4, 100.0), [TURN_MIN_S]);
        // A quarter of a processor: 7.6 s more, in 2 turns.
        assert_eq!(turns_s(2.0, &[0.5], 2, 100.0), [3.8]);
    }

    #[test]
    fn who_wants_little_gets_it_and_the_others_share_the_rest() {
        let turns = turns_s(2.0, &[1.0, 0.01, 0.001], 4, 80.0);
        assert_eq!(turns, [2.0, 9.0, 9.0]);
        assert!(turns.iter().sum::<f64>() * 4.0 <= 80.0);
    }
}
