//! A lower bound for a covering core: Lagrangian relaxation by subgradients.
//!
//! Give every row i a price u_i ≥ 0. Then Σ u_i + Σ_j min(0, 1 − Σ_{i in column j} u_i) is at most the
//! size of any answer, whatever the prices. Prices start as a feasible dual (no column is worth more
//! than 1) and follow the subgradient: up where a row is not covered by the columns worth their
//! price, down where it is covered twice. All numbers are integers in units of 1/[`ONE`].

use crate::budget::{Budget, Stop};
use crate::covering::reduce::rows_of;

/// The cost of one column.
pub(crate) const ONE: i64 = 1 << 20;

/// A core with its columns numbered from 0.
pub(crate) struct Matrix {
    /// The column of the problem behind each number.
    pub(crate) names: Vec<u32>,
    pub(crate) rows: Vec<Vec<u32>>,
    pub(crate) columns: Vec<Vec<u32>>,
}

impl Matrix {
    pub(crate) fn new(rows: &[Vec<u32>]) -> Matrix {
        let mut names: Vec<u32> = rows.iter().flatten().copied().collect();
        names.sort_unstable();
        names.dedup();
        let place = |c: &u32| names.binary_search(c).expect("every column is listed") as u32;
        let rows: Vec<Vec<u32>> = rows.iter().map(|row| row.iter().map(place).collect()).collect();
        let columns = rows_of(&rows, names.len());
        Matrix { names, rows, columns }
    }
}

/// What a relaxation found.
pub(crate) struct Relaxed {
    /// The bound in units of 1/`ONE`.
    pub(crate) value: i64,
    /// Cost of each column less the prices of its rows.
    pub(crate) reduced: Vec<i64>,
}

impl Relaxed {
    /// No answer has fewer columns.
    pub(crate) fn columns_least(&self) -> usize {
        usize::try_from((self.value + ONE - 1).div_euclid(ONE)).unwrap_or(0)
    }
}

/// Raises the bound for at most `rounds` rounds; ends early when it reaches `upper`.
pub(crate) fn relax(
    matrix: &Matrix,
    upper: usize,
    rounds: u32,
    budget: &Budget,
) -> Result<Relaxed, Stop> {
    let Matrix { rows, columns, .. } = matrix;
    let mut prices: Vec<i64> = rows
        .iter()
        .map(|row| row.iter().map(|&c| ONE / columns[c as usize].len() as i64).min().unwrap_or(0))
        .collect();
    lift(matrix, &mut prices);
    let upper_cost = upper as i64 * ONE;
    let mut best = Relaxed { value: i64::MIN, reduced: Vec::new() };
    let mut reduced = vec![0i64; columns.len()];
    let mut slack = vec![0i64; rows.len()];
    let mut best_prices = prices.clone();
    // The length of a step, in 1/1024, halved when the bound has not risen for a while.
    let (mut length, mut idle) = (2048i64, 0);
    for _ in 0..rounds {
        budget.look()?;
        let mut value: i64 = prices.iter().sum();
        slack.fill(1);
        for (column, list) in columns.iter().enumerate() {
            let worth: i64 = list.iter().map(|&r| prices[r as usize]).sum();
            reduced[column] = ONE - worth;
            if worth > ONE {
                value += ONE - worth;
                for &row in list {
                    slack[row as usize] -= 1;
                }
            }
        }
        if value > best.value {
            if value > best.value + ONE / 1024 {
                idle = 0;
            }
            best.value = value;
            best.reduced.clone_from(&reduced);
            best_prices.clone_from(&prices);
            if best.columns_least() >= upper {
                return Ok(best);
            }
        }
        idle += 1;
        if idle > 12 {
            idle = 0;
            length /= 2;
            prices.clone_from(&best_prices);
            if length < 8 {
                return Ok(best);
            }
            continue;
        }
        let norm: i64 =
            slack.iter().zip(&prices).map(|(&s, &p)| if s < 0 && p == 0 { 0 } else { s * s }).sum();
        if norm == 0 {
            return Ok(best);
        }
        let gap = (upper_cost - value).max(ONE / 4);
        let step = i64::try_from(i128::from(length) * i128::from(gap) / (1024 * i128::from(norm)))
            .unwrap_or(ONE);
        for (price, &slack) in prices.iter_mut().zip(&slack) {
            *price = (*price + step * slack).max(0);
        }
    }
    Ok(best)
}

/// Raises each price as far as its columns leave room.
fn lift(matrix: &Matrix, prices: &mut [i64]) {
    let mut room: Vec<i64> = matrix
        .columns
        .iter()
        .map(|list| ONE - list.iter().map(|&r| prices[r as usize]).sum::<i64>())
        .collect();
    let mut order: Vec<usize> = (0..prices.len()).collect();
    order.sort_by_key(|&r| matrix.rows[r].len());
    for row in order {
        let more = matrix.rows[row].iter().map(|&c| room[c as usize]).min().unwrap_or(0);
        if more > 0 {
            prices[row] += more;
            for &column in &matrix.rows[row] {
                room[column as usize] -= more;
            }
        }
    }
}
