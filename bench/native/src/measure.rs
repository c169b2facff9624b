//! Clocks, percentiles, memory figures, and the lines that results are printed as.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::time::ClockId;
use serde_json::{Value, json};

use crate::store::Outcome;

/// The time each piece of work took, kept to the nanosecond.
#[derive(Default)]
pub struct Latencies {
    nanos: Vec<u32>,
}

impl Latencies {
    pub fn new() -> Latencies {
        Latencies { nanos: Vec::with_capacity(1 << 16) }
    }

    pub fn add(&mut self, time: Duration) {
        self.nanos.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }

    pub fn absorb(&mut self, other: Latencies) {
        self.nanos.extend(other.nanos);
    }

    pub fn count(&self) -> usize {
        self.nanos.len()
    }

    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos.iter().map(|&nanos| u64::from(nanos)).sum())
    }

    /// The time that `share` of all samples did not exceed, in microseconds. 0 if there are none.
    pub fn percentile_us(&mut self, share: f64) -> f64 {
        self.nanos.sort_unstable();
        let last = self.nanos.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.nanos.get(index).map_or(0.0, |&nanos| f64::from(nanos) / 1_000.0)
    }
}

/// Processor time of all threads of this process, user and system together.
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Memory of this process as the system counts it.
pub struct Memory {
    /// Pages that this process alone has and has written to. Clean pages of a mapped file are not
    /// among them: the system may drop those at any time.
    pub private_kb: u64,
    /// All pages in memory, shared libraries and mapped files included.
    pub resident_kb: u64,
}

impl Memory {
    pub fn now() -> Outcome<Memory> {
        let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
        let field = |name: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        Ok(Memory { private_kb: field("Private_Dirty:"), resident_kb: field("Rss:") })
    }
}

/// One figure: what was measured, how much, of what.
#[derive(Clone, Debug)]
pub struct Figure {
    pub metric: String,
    pub value: f64,
    pub unit: String,
}

impl Figure {
    pub fn new(metric: &str, value: f64, unit: &str) -> Figure {
        Figure { metric: metric.into(), value, unit: unit.into() }
    }

    pub fn to_json(&self) -> Value {
        json!({"metric": self.metric, "value": self.value, "unit": self.unit})
    }

    pub fn from_json(value: &Value) -> Option<Figure> {
        Some(Figure {
            metric: value["metric"].as_str()?.into(),
            value: value["value"].as_f64()?,
            unit: value["unit"].as_str()?.into(),
        })
    }
}

/// The figures of all rounds of one workload, by peer and metric, in the order they came.
#[derive(Default)]
pub struct Rounds {
    order: Vec<(String, String)>,
    figures: BTreeMap<(String, String), (Vec<f64>, String)>,
}

impl Rounds {
    pub fn add(&mut self, peer: &str, figure: Figure) {
        let key = (peer.to_owned(), figure.metric);
        if !self.figures.contains_key(&key) {
            self.order.push(key.clone());
        }
        let (values, _unit) = self.figures.entry(key).or_insert((Vec::new(), figure.unit));
        values.push(figure.value);
    }

    /// Prints one line for each peer and metric: the median of the rounds, and how far they spread.
    pub fn print(&self, workload: &str, extra: &Value) {
        let mut keys: Vec<_> = self.order.iter().collect();
        // Stable: the metrics of a peer stay in the order in which they were measured.
        let peers: Vec<&str> = crate::peers::PEERS.iter().map(|peer| peer.name()).collect();
        keys.sort_by_key(|(peer, _metric)| peers.iter().position(|name| name == peer));
        for key in keys {
            let Some((values, unit)) = self.figures.get(key) else { continue };
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let mut line = json!({
                "workload": workload,
                "peer": key.0,
                "metric": key.1,
                "value": rounded(median(&sorted)),
                "unit": unit,
                "rounds": sorted.len(),
                "low": rounded(sorted[0]),
                "high": rounded(sorted[sorted.len() - 1]),
            });
            if let (Some(line), Some(extra)) = (line.as_object_mut(), extra.as_object()) {
                line.extend(extra.clone());
            }
            println!("{line}");
        }
    }
}

/// The middle value of sorted values; between two middles, their mean.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// Four significant digits: more would pretend a precision that a shared machine does not have.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let decimals = 3 - value.abs().log10().floor() as i32;
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(0));
    text.parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut latencies = Latencies::new();
        for micros in (1..=100).rev() {
            latencies.add(Duration::from_micros(micros));
        }
        assert_eq!(latencies.percentile_us(0.5), 51.0);
        assert_eq!(latencies.percentile_us(0.99), 99.0);
        assert_eq!(Latencies::new().percentile_us(0.5), 0.0);
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middles() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), 3.0);
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
    }

    #[test]
    fn rounding_keeps_four_digits() {
        assert_eq!(rounded(12_345.6), 12_346.0);
        assert_eq!(rounded(1.234_56).to_string(), "1.235");
        assert_eq!(rounded(0.0), 0.0);
    }
}
