//! Least squares whose coefficients are not negative. Pure.
//!
//! Owns: the active-set method of Lawson and Hanson ("Solving Least Squares Problems", 1974,
//! chapter 23), on the normal equations as Bro and de Jong have it ("A fast non-negativity-
//! constrained least squares algorithm", J. Chemometrics 11, 1997): what a measurement adds to them
//! can be taken away again, so that leaving one out costs no new pass over all. Never: holds more
//! than [`COLUMNS_MAX`] unknowns, for which the squared condition number does no harm once columns
//! are scaled; gives a coefficient to a column that others make up.

/// Unknowns of one fit.
pub const COLUMNS_MAX: usize = 12;
/// Of a column's length: the part that the others do not make up. Less is rounding, of which normal
/// equations have the root of the machine's 2^-52.
const DEPENDENT: f64 = 1e-6;
/// A gradient of less, relative to the length of the measurements, is none.
const GRADIENT_MIN: f64 = 1e-10;
/// Lawson and Hanson's method ends by itself; rounding may make it go in circles.
const ROUNDS_MAX: usize = 10 * COLUMNS_MAX;

/// Sums over measurements from which a fit follows: A^T A, A^T y and y^T y.
#[derive(Clone, Debug)]
pub struct Normal {
    columns: usize,
    gram: Vec<f64>,
    projected: Vec<f64>,
    square: f64,
    rows: usize,
}

impl Normal {
    /// Without measurements. `columns` is at most [`COLUMNS_MAX`].
    pub fn new(columns: usize) -> Normal {
        assert!(columns <= COLUMNS_MAX, "{columns} unknowns");
        Normal {
            columns,
            gram: vec![0.0; columns * columns],
            projected: vec![0.0; columns],
            square: 0.0,
            rows: 0,
        }
    }

    /// Adds a measurement, multiplied by its weight already.
    pub fn add(&mut self, row: &[f64], value: f64) {
        self.change(row, value, 1.0);
        self.rows += 1;
    }

    /// Takes a measurement away that was added.
    pub fn remove(&mut self, row: &[f64], value: f64) {
        self.change(row, value, -1.0);
        self.rows -= 1;
    }

    fn change(&mut self, row: &[f64], value: f64, sign: f64) {
        assert_eq!(row.len(), self.columns);
        for (i, left) in row.iter().enumerate() {
            for (j, right) in row.iter().enumerate() {
                self.gram[i * self.columns + j] += sign * left * right;
            }
            self.projected[i] += sign * left * value;
        }
        self.square += sign * value * value;
    }

    fn gram(&self, i: usize, j: usize) -> f64 {
        self.gram[i * self.columns + j]
    }

    /// Plain least squares over `chosen` columns, in their order; `None` where they depend on one
    /// another. By Cholesky's factors of the scaled matrix.
    fn solve(&self, chosen: &[usize]) -> Option<Vec<f64>> {
        let scale: Vec<f64> = chosen.iter().map(|column| self.gram(*column, *column)).collect();
        if scale.iter().any(|square| !square.is_finite() || *square <= 0.0) {
            return None;
        }
        let scale: Vec<f64> = scale.into_iter().map(f64::sqrt).collect();
        let count = chosen.len();
        let mut factor = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..=i {
                let scaled = self.gram(chosen[i], chosen[j]) / (scale[i] * scale[j]);
                let known: f64 =
                    (0..j).map(|k| factor[i * count + k] * factor[j * count + k]).sum();
                let rest = scaled - known;
                if i == j && rest < DEPENDENT {
                    return None;
                }
                factor[i * count + j] =
                    if i == j { rest.sqrt() } else { rest / factor[j * count + j] };
            }
        }
        let mut solution: Vec<f64> =
            chosen.iter().zip(&scale).map(|(column, s)| self.projected[*column] / s).collect();
        for i in 0..count {
            let known: f64 = (0..i).map(|k| factor[i * count + k] * solution[k]).sum();
            solution[i] = (solution[i] - known) / factor[i * count + i];
        }
        for i in (0..count).rev() {
            let known: f64 = (i + 1..count).map(|k| factor[k * count + i] * solution[k]).sum();
            solution[i] = (solution[i] - known) / factor[i * count + i];
        }
        Some(solution.iter().zip(&scale).map(|(value, s)| value / s).collect())
    }

    /// How `column` is made up of `others`, by plain least squares, and the share of its length
    /// that is left; `None` where the others depend on one another, or the column is zero.
    pub fn made_of(&self, column: usize, others: &[usize]) -> Option<(Vec<f64>, f64)> {
        let length = self.gram(column, column);
        if length.is_nan() || length <= 0.0 {
            return None;
        }
        if others.is_empty() {
            return Some((Vec::new(), 1.0));
        }
        let projected = (0..self.columns).map(|one| self.gram(one, column)).collect();
        let target = Normal { projected, ..self.clone() };
        let parts = target.solve(others)?;
        let explained: f64 =
            parts.iter().zip(others).map(|(part, one)| part * self.gram(*one, column)).sum();
        Some((parts, ((length - explained).max(0.0) / length).sqrt()))
    }

    /// The coefficients, none below 0, that leave the least sum of squares.
    pub fn fit(&self) -> Vec<f64> {
        let mut solution = vec![0.0; self.columns];
        let mut passive: Vec<usize> = Vec::with_capacity(self.columns);
        // Columns that could not be let in since the set last changed.
        let mut refused = vec![false; self.columns];
        for _ in 0..ROUNDS_MAX {
            let Some(entering) = self.steepest(&solution, &passive, &refused) else { break };
            passive.push(entering);
            if !self.settle(&mut solution, &mut passive, entering) {
                passive.retain(|column| *column != entering);
                solution[entering] = 0.0;
                refused[entering] = true;
            } else {
                refused.fill(false);
            }
        }
        solution
    }

    /// The column whose growth would reduce the sum of squares most, per its length.
    fn steepest(&self, solution: &[f64], passive: &[usize], refused: &[bool]) -> Option<usize> {
        let is_free = |column: &usize| {
            !passive.contains(column) && !refused[*column] && self.gram(*column, *column) > 0.0
        };
        let gradient = |column: usize| {
            let fitted: f64 = (0..self.columns).map(|j| self.gram(column, j) * solution[j]).sum();
            (self.projected[column] - fitted) / self.gram(column, column).sqrt()
        };
        let steep = self.square.max(0.0).sqrt() * GRADIENT_MIN;
        (0..self.columns)
            .filter(is_free)
            .map(|column| (gradient(column), column))
            .filter(|(gradient, _)| *gradient > steep)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, column)| column)
    }

    /// Moves to the least squares of the passive columns, and puts out of them what would become
    /// negative. Returns whether `entering` could stay.
    fn settle(&self, solution: &mut [f64], passive: &mut Vec<usize>, entering: usize) -> bool {
        loop {
            let Some(target) = self.solve(passive) else { return false };
            // What enters against its gradient does so by rounding alone.
            let enters = passive.iter().position(|column| *column == entering);
            if enters.is_some_and(|place| target[place] <= 0.0) && solution[entering] == 0.0 {
                return false;
            }
            if target.iter().all(|value| *value > 0.0) {
                for (column, value) in passive.iter().zip(target) {
                    solution[*column] = value;
                }
                return true;
            }
            let step = passive
                .iter()
                .zip(&target)
                .filter(|(_, value)| **value <= 0.0)
                .map(|(column, value)| solution[*column] / (solution[*column] - value))
                .fold(1.0, f64::min);
            let mut first_out = None;
            for (column, value) in passive.iter().zip(&target) {
                let from = solution[*column];
                solution[*column] = (from + step * (value - from)).max(0.0);
                let reached = *value <= 0.0 && from / (from - value) <= step * (1.0 + 1e-12);
                if reached {
                    first_out.get_or_insert(*column);
                    solution[*column] = 0.0;
                }
            }
            if first_out.is_none() {
                return true;
            }
            passive.retain(|column| solution[*column] > 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn normal(rows: &[(&[f64], f64)]) -> Normal {
        let mut normal = Normal::new(rows[0].0.len());
        rows.iter().for_each(|(row, value)| normal.add(row, *value));
        normal
    }

    fn near(found: &[f64], known: &[f64]) {
        let is_near = found.iter().zip(known).all(|(a, b)| (a - b).abs() < 1e-6 * (1.0 + b.abs()));
        assert!(is_near && found.len() == known.len(), "{found:?} is not {known:?}");
    }

    #[test]
    fn what_is_positive_by_itself_is_plain_least_squares() {
        // A line through (0, 1), (1, 3), (2, 5) exactly.
        near(
            &normal(&[(&[1.0, 0.0], 1.0), (&[1.0, 1.0], 3.0), (&[1.0, 2.0], 5.0)]).fit(),
            &[1.0, 2.0],
        );
        // The mean of two measurements that disagree.
        near(&normal(&[(&[1.0], 2.0), (&[1.0], 4.0)]).fit(), &[3.0]);
    }

    #[test]
    fn what_would_be_negative_is_zero_and_the_others_make_up_for_it() {
        // Falling: without bounds 3 - x; with them the slope is 0, and the mean is left.
        near(
            &normal(&[(&[1.0, 0.0], 3.0), (&[1.0, 1.0], 2.0), (&[1.0, 2.0], 1.0)]).fit(),
            &[2.0, 0.0],
        );
        near(&normal(&[(&[1.0, 0.0], -1.0), (&[0.0, 1.0], -2.0)]).fit(), &[0.0, 0.0]);
        // A column that enters first and has to leave again: the example of Lawson and Hanson's
        // book has such a path; known answer by looking at all four sets of columns.
        let rows: [(&[f64], f64); 3] = [(&[1.0, 1.0], 2.0), (&[2.0, 1.9], 4.0), (&[3.0, 3.2], 5.0)];
        near(&normal(&rows).fit(), &best_of_all_sets(&normal(&rows)));
    }

    #[test]
    fn columns_that_depend_on_one_another_give_one_coefficient() {
        let same: [(&[f64], f64); 2] = [(&[1.0, 2.0], 2.0), (&[2.0, 4.0], 4.0)];
        let found = normal(&same).fit();
        assert!((found[0] + 2.0 * found[1] - 2.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.iter().filter(|value| **value > 0.0).count(), 1);
        near(&normal(&[(&[0.0, 1.0], 5.0)]).fit(), &[0.0, 5.0]);
        near(&Normal::new(3).fit(), &[0.0; 3]);
        let (parts, left) = normal(&same).made_of(1, &[0]).unwrap();
        near(&parts, &[2.0]);
        assert!(left < 1e-6, "{left}");
        assert!(normal(&same).made_of(1, &[]).unwrap().1 == 1.0);
    }

    /// By trying every set of columns.
    fn best_of_all_sets(normal: &Normal) -> Vec<f64> {
        let loss = |solution: &[f64]| {
            let mut sum = normal.square;
            for i in 0..normal.columns {
                sum -= 2.0 * solution[i] * normal.projected[i];
                for (j, other) in solution.iter().enumerate() {
                    sum += solution[i] * normal.gram(i, j) * other;
                }
            }
            sum
        };
        (0..1usize << normal.columns)
            .filter_map(|set| {
                let chosen: Vec<usize> =
                    (0..normal.columns).filter(|column| set >> column & 1 == 1).collect();
                let values = normal.solve(&chosen)?;
                let mut solution = vec![0.0; normal.columns];
                chosen.iter().zip(&values).for_each(|(column, value)| solution[*column] = *value);
                values.iter().all(|value| *value >= 0.0).then_some(solution)
            })
            .min_by(|a, b| loss(a).total_cmp(&loss(b)))
            .expect("the empty set")
    }

    #[test]
    fn of_all_sets_of_columns_the_best_is_found() {
        for seed in 0..400 {
            let mut chance = Random::new(seed, 0);
            let columns = 1 + (chance.unit() * 6.0) as usize;
            let mut normal = Normal::new(columns);
            for _ in 0..columns + 6 {
                let row: Vec<f64> = (0..columns).map(|_| chance.normal()).collect();
                normal.add(&row, chance.normal());
            }
            near(&normal.fit(), &best_of_all_sets(&normal));
        }
    }

    #[test]
    fn known_coefficients_are_recovered_over_many_magnitudes() {
        for seed in 0..200 {
            let mut chance = Random::new(seed, 0);
            let known: Vec<f64> = (0..5)
                .map(|_| if chance.unit() < 0.3 { 0.0 } else { chance.ratio(1e-9, 1e3) })
                .collect();
            let sizes: Vec<f64> = known
                .iter()
                .map(|value| if *value > 0.0 { 1.0 / value } else { chance.ratio(1e-3, 1e9) })
                .collect();
            let mut normal = Normal::new(5);
            for _ in 0..40 {
                let row: Vec<f64> = sizes.iter().map(|size| size * chance.unit()).collect();
                normal.add(&row, row.iter().zip(&known).map(|(x, c)| x * c).sum());
            }
            for (found, (value, size)) in normal.fit().iter().zip(known.iter().zip(&sizes)) {
                assert!(((found - value) * size).abs() < 1e-4, "{seed}: {found} is not {value}");
            }
        }
    }

    #[test]
    fn what_is_taken_away_was_never_there() {
        let rows: [(&[f64], f64); 3] = [(&[1.0, 0.5], 2.0), (&[0.3, 1.0], 1.0), (&[2.0, 2.0], 7.0)];
        let mut all = normal(&rows);
        all.remove(rows[2].0, rows[2].1);
        near(&all.fit(), &normal(&rows[..2]).fit());
        assert_eq!(all.rows, 2);
    }
}
