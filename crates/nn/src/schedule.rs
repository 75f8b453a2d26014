//! Learning rates that change in the course of a training.
//!
//! A schedule is a function of the step alone, so a resumed training needs no state of it. Only [`Plateau`] waits for
//! measurements, and returns what to do.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::setting;

/// How the learning rate changes.
///
/// ```
/// use aumenta_nn::ScheduleConfig;
///
/// let schedule = ScheduleConfig::Cosine { warm_up_steps: 2, final_fraction: 0.0 };
/// let rates: Vec<f32> = [0, 1, 2, 6, 10].into_iter().map(|step| schedule.rate(step, 10, 0.1)).collect();
/// assert_eq!(rates, [0.05, 0.1, 0.1, 0.05, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum ScheduleConfig {
    /// The base rate throughout.
    Constant {},
    /// `base * factor^floor(step / every)`; PyTorch's `StepLR`, whose steps are epochs.
    Step {
        /// Steps between two changes, at least 1.
        every: u64,
        /// What each change multiplies the rate by, above 0.
        factor: f32,
    },
    /// `base * factor^(step / every)`; Keras' `ExponentialDecay`, and PyTorch's `ExponentialLR` for `every = 1`.
    Exponential {
        /// The steps in which the rate is multiplied by `factor` once, at least 1.
        every: u64,
        /// Above 0.
        factor: f32,
    },
    /// Half a period of a cosine (Loshchilov and Hutter 2017, equation 5, without restarts), after a linear warm-up.
    ///
    /// With `w` warm-up steps, the rate is `base * (step + 1) / w` before step `w`. From there on it is
    /// `base * (f + (1 - f) * (1 + cos(pi * t)) / 2)`, where `f` is the final fraction and `t` goes from 0 at step `w` to 1
    /// at `total_steps`.
    Cosine {
        /// Steps before the base rate is reached. Default 0.
        #[serde(default)]
        warm_up_steps: u64,
        /// The share of the base rate that is left at the end, in `[0, 1]`. Default 0.
        #[serde(default)]
        final_fraction: f32,
    },
    /// A rise to the base rate and a longer fall far below its start.
    OneCycle(OneCycleConfig),
    /// The base rate, until a [`Plateau`] reduces it.
    ReduceOnPlateau(PlateauConfig),
}

/// The settings of the one-cycle schedule (Smith 2018; Smith and Topin 2018), as PyTorch's `OneCycleLR` with cosine annealing
/// in two phases.
///
/// The rate rises from `base / initial_divisor` to `base`, where it arrives at step `warm_up_fraction * total_steps - 1`, and
/// falls to `base / initial_divisor / final_divisor` at step `total_steps - 1`. Momentum stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct OneCycleConfig {
    /// The share of all steps in which the rate rises, in `[0, 1]`. Default 0.3.
    pub warm_up_fraction: f32,
    /// How many times the first rate is below the base rate, above 0. Default 25.
    pub initial_divisor: f32,
    /// How many times the last rate is below the first, above 0. Default 10,000.
    pub final_divisor: f32,
}

impl Default for OneCycleConfig {
    fn default() -> Self {
        Self { warm_up_fraction: 0.3, initial_divisor: 25.0, final_divisor: 1e4 }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Constant {}
    }
}

impl ScheduleConfig {
    /// Whether all settings lie in their ranges.
    ///
    /// # Errors
    /// [`NnError::Setting`], naming the setting and its range.
    pub fn check(&self) -> Result<(), NnError> {
        match *self {
            Self::Constant {} => Ok(()),
            Self::Step { every, factor } | Self::Exponential { every, factor } => {
                setting::check("every", "at least 1", every as f32, every > 0)?;
                setting::above_zero("factor", factor)
            }
            Self::Cosine { final_fraction, .. } => setting::at_most_one("final-fraction", final_fraction),
            Self::OneCycle(OneCycleConfig { warm_up_fraction, initial_divisor, final_divisor }) => {
                setting::at_most_one("warm-up-fraction", warm_up_fraction)?;
                setting::above_zero("initial-divisor", initial_divisor)?;
                setting::above_zero("final-divisor", final_divisor)
            }
            Self::ReduceOnPlateau(config) => config.check(),
        }
    }

    /// The learning rate of the step counted `step`, from 0, of `total_steps`; from `total_steps` on, that of the end.
    pub fn rate(&self, step: u64, total_steps: u64, base: f32) -> f32 {
        let (at, total, base) = (step as f64, total_steps as f64, f64::from(base));
        let rate = match *self {
            Self::Constant {} | Self::ReduceOnPlateau(_) => base,
            Self::Step { every, factor } => base * f64::from(factor).powf((step / every.max(1)) as f64),
            Self::Exponential { every, factor } => base * f64::from(factor).powf(at / every.max(1) as f64),
            Self::Cosine { warm_up_steps, .. } if step < warm_up_steps => base * (at + 1.0) / warm_up_steps as f64,
            Self::Cosine { warm_up_steps, final_fraction } => {
                let warm_up = warm_up_steps as f64;
                cosine(base, base * f64::from(final_fraction), at - warm_up, total - warm_up)
            }
            Self::OneCycle(config) => config.rate(at, total, base),
        };
        rate as f32
    }

    /// What waits for measurements and reduces the rate, where the schedule is that.
    pub fn plateau(&self) -> Option<Plateau> {
        match *self {
            Self::ReduceOnPlateau(config) => Some(Plateau::new(config)),
            _ => None,
        }
    }
}

impl OneCycleConfig {
    fn rate(&self, at: f64, total: f64, peak_rate: f64) -> f64 {
        let first = peak_rate / f64::from(self.initial_divisor);
        let peak = f64::from(self.warm_up_fraction) * total - 1.0;
        if at <= peak {
            cosine(first, peak_rate, at, peak)
        } else {
            cosine(peak_rate, first / f64::from(self.final_divisor), at - peak, total - 1.0 - peak)
        }
    }
}

/// Half a period of a cosine that leads from `from` at 0 to `to` at `length`, and stays there.
fn cosine(from: f64, to: f64, at: f64, length: f64) -> f64 {
    let progress = if at < length { at / length } else { 1.0 };
    to + (from - to) * (1.0 + libm::cos(PI * progress)) / 2.0
}

/// Whether a metric is better when smaller or when larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// Smaller is better: a loss.
    #[default]
    Minimize,
    /// Larger is better: an accuracy.
    Maximize,
}

/// The settings of [`Plateau`], with the names and defaults of Keras' `ReduceLROnPlateau`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PlateauConfig {
    /// What a reduction multiplies the rate by, above 0 and below 1. Default 0.1.
    pub factor: f32,
    /// Measurements without improvement before a reduction. Default 10.
    pub patience: u64,
    /// What a measurement must differ by to be an improvement, at least 0. Default 0.0001.
    pub min_delta: f32,
    /// Measurements after a reduction that do not count as without improvement. Default 0.
    pub cooldown: u64,
    /// The rate below which none is reduced, at least 0. Default 0.
    pub minimum: f32,
    /// Which measurements are better. Default smaller ones.
    pub goal: Goal,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self { factor: 0.1, patience: 10, min_delta: 1e-4, cooldown: 0, minimum: 0.0, goal: Goal::default() }
    }
}

impl PlateauConfig {
    fn check(&self) -> Result<(), NnError> {
        let fits = self.factor > 0.0 && self.factor < 1.0;
        setting::check("factor", "above 0 and below 1", self.factor, fits)?;
        setting::at_least_zero("min-delta", self.min_delta)?;
        setting::at_least_zero("minimum", self.minimum)
    }
}

/// What a measurement leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub enum PlateauDecision {
    /// The rate stays.
    Keep,
    /// The rate changes.
    Reduce {
        /// The rate from now on.
        rate: f32,
    },
}

/// Reduces the learning rate when a metric has stopped improving, as Keras' `ReduceLROnPlateau` does.
///
/// It can be saved and read back with serde, so that a resumed training goes on waiting where it was.
///
/// ```
/// use aumenta_nn::{PlateauConfig, PlateauDecision, ScheduleConfig};
///
/// let config = PlateauConfig { factor: 0.5, patience: 2, ..PlateauConfig::default() };
/// let mut plateau = ScheduleConfig::ReduceOnPlateau(config).plateau().expect("this schedule waits for measurements");
/// let decisions = [0.7, 0.6, 0.6, 0.6].map(|loss| plateau.observe(loss, 0.01));
/// assert_eq!(decisions[2], PlateauDecision::Keep);
/// assert_eq!(decisions[3], PlateauDecision::Reduce { rate: 0.005 });
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plateau {
    config: PlateauConfig,
    /// The best measurement, none before the first.
    best: Option<f64>,
    /// Measurements since then that count as without improvement.
    waited: u64,
    /// Measurements that will not count.
    cooldown: u64,
}

impl Plateau {
    /// One that has seen no measurement.
    fn new(config: PlateauConfig) -> Self {
        Self { config, best: None, waited: 0, cooldown: 0 }
    }

    /// What to do after the measurement `metric` under the learning rate `rate`. A NaN is no improvement.
    pub fn observe(&mut self, metric: f64, rate: f32) -> PlateauDecision {
        let PlateauConfig { factor, patience, minimum, .. } = self.config;
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.waited = 0;
        }
        if self.improves(metric) {
            self.best = Some(metric);
            self.waited = 0;
        } else if self.cooldown == 0 {
            self.waited += 1;
            if self.waited >= patience && rate > minimum {
                self.waited = 0;
                self.cooldown = self.config.cooldown;
                return PlateauDecision::Reduce { rate: (rate * factor).max(minimum) };
            }
        }
        PlateauDecision::Keep
    }

    fn improves(&self, metric: f64) -> bool {
        let min_delta = f64::from(self.config.min_delta);
        match (self.best, self.config.goal) {
            (None, _) => !metric.is_nan(),
            (Some(best), Goal::Minimize) => metric < best - min_delta,
            (Some(best), Goal::Maximize) => metric > best + min_delta,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(schedule: ScheduleConfig, total_steps: u64, table: &[(u64, f64)]) {
        schedule.check().unwrap();
        for &(step, expected) in table {
            let rate = f64::from(schedule.rate(step, total_steps, 0.5));
            assert!((rate - expected).abs() < 1e-7, "step {step}: {rate} instead of {expected}");
        }
    }

    #[test]
    fn a_constant_rate_stays() {
        check(ScheduleConfig::Constant {}, 10, &[(0, 0.5), (9, 0.5), (100, 0.5)]);
        check(ScheduleConfig::ReduceOnPlateau(PlateauConfig::default()), 10, &[(0, 0.5), (100, 0.5)]);
    }

    #[test]
    fn steps_are_stairs_and_the_exponential_is_their_slope() {
        let (every, factor) = (4, 0.25);
        check(ScheduleConfig::Step { every, factor }, 10, &[(0, 0.5), (3, 0.5), (4, 0.125), (7, 0.125), (8, 0.03125)]);
        check(ScheduleConfig::Exponential { every, factor }, 10, &[(0, 0.5), (2, 0.25), (4, 0.125), (8, 0.03125)]);
    }

    #[test]
    fn a_cosine_falls_after_its_warm_up_to_the_final_fraction() {
        let third = 0.5 * (1.0 + (PI / 3.0).cos()) / 2.0;
        let plain = ScheduleConfig::Cosine { warm_up_steps: 0, final_fraction: 0.0 };
        check(plain, 6, &[(0, 0.5), (2, third), (3, 0.25), (6, 0.0), (7, 0.0)]);
        let warm = ScheduleConfig::Cosine { warm_up_steps: 4, final_fraction: 0.2 };
        check(warm, 10, &[(0, 0.125), (1, 0.25), (3, 0.5), (4, 0.5), (7, 0.3), (10, 0.1), (50, 0.1)]);
        check(warm, 3, &[(0, 0.125), (2, 0.375), (4, 0.1)]);
        check(plain, 0, &[(0, 0.0)]);
    }

    #[test]
    fn one_cycle_rises_and_falls() {
        let config = OneCycleConfig { warm_up_fraction: 0.25, initial_divisor: 10.0, final_divisor: 5.0 };
        let table = [(0, 0.05), (2, 0.275), (4, 0.5), (19, 0.01), (30, 0.01)];
        check(ScheduleConfig::OneCycle(config), 20, &table);
        check(ScheduleConfig::OneCycle(OneCycleConfig { warm_up_fraction: 1.0, ..config }), 1, &[(0, 0.5)]);
        check(ScheduleConfig::OneCycle(OneCycleConfig { warm_up_fraction: 0.0, ..config }), 1, &[(0, 0.01)]);
    }

    /// The decisions for `metrics`, one after the other; the rate follows them, from 1.
    fn rates(config: PlateauConfig, metrics: &[f64]) -> Vec<f32> {
        let mut plateau = ScheduleConfig::ReduceOnPlateau(config).plateau().unwrap();
        let mut rate = 1.0;
        let mut rates = Vec::new();
        for metric in metrics {
            if let PlateauDecision::Reduce { rate: reduced } = plateau.observe(*metric, rate) {
                rate = reduced;
            }
            rates.push(rate);
        }
        rates
    }

    #[test]
    fn a_plateau_reduces_the_rate_after_its_patience() {
        let config = PlateauConfig { factor: 0.5, patience: 2, min_delta: 0.1, ..PlateauConfig::default() };
        for (case, config, metrics, expected) in [
            ("improving", config, [5.0, 4.0, 3.0, 2.0, 1.0, 0.0], [1.0; 6]),
            ("constant", config, [1.0; 6], [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]),
            ("too little better", config, [1.0, 0.95, 0.9, 0.85, 0.8, 0.75], [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]),
            ("not a number", config, [f64::NAN; 6], [1.0, 0.5, 0.5, 0.25, 0.25, 0.125]),
            ("cooling down", PlateauConfig { cooldown: 2, ..config }, [1.0; 6], [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]),
            ("at the minimum", PlateauConfig { minimum: 0.4, ..config }, [1.0; 6], [1.0, 1.0, 0.5, 0.5, 0.4, 0.4]),
            (
                "an accuracy",
                PlateauConfig { goal: Goal::Maximize, ..config },
                [0.5, 0.7, 0.9, 0.9, 0.3, 1.2],
                [1.0, 1.0, 1.0, 1.0, 0.5, 0.5],
            ),
        ] {
            assert_eq!(rates(config, &metrics), expected, "{case}");
        }
    }

    #[test]
    fn one_cycle_equals_pytorch_and_a_plateau_equals_keras() {
        let reference = include_str!("../../../fixtures/optimizers/reference.json");
        let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
        let numbers = |value: &serde_json::Value| serde_json::from_value::<Vec<f64>>(value.clone()).unwrap();
        for case in reference["one-cycle"].as_array().unwrap() {
            let schedule: ScheduleConfig = serde_json::from_value(case["config"].clone()).unwrap();
            let table: Vec<(u64, f64)> = (0..).zip(numbers(&case["rates"])).collect();
            check(schedule, table.len() as u64, &table);
        }
        for case in reference["plateaus"].as_array().unwrap() {
            let schedule: ScheduleConfig = serde_json::from_value(case["config"].clone()).unwrap();
            let ScheduleConfig::ReduceOnPlateau(config) = schedule else { panic!("{schedule:?}") };
            let expected: Vec<f32> = numbers(&case["rates"]).into_iter().map(|rate| rate as f32).collect();
            assert_eq!(rates(config, &numbers(&case["metrics"])), expected, "{config:?}");
        }
    }

    #[test]
    fn a_saved_plateau_goes_on_waiting() {
        let config = PlateauConfig { patience: 3, ..PlateauConfig::default() };
        let mut plateau = Plateau::new(config);
        for _ in 0..3 {
            assert_eq!(plateau.observe(1.0, 0.1), PlateauDecision::Keep);
        }
        let saved = serde_json::to_string(&plateau).unwrap();
        let mut resumed: Plateau = serde_json::from_str(&saved).unwrap();
        assert_eq!(resumed.observe(1.0, 0.5), PlateauDecision::Reduce { rate: 0.05 });
    }

    #[test]
    fn schedules_are_read_by_name_and_unknown_keys_refused() {
        let parse = |text: &str| serde_json::from_str::<ScheduleConfig>(text);
        for (text, expected) in [
            (r#"{"name": "constant"}"#, ScheduleConfig::Constant {}),
            (r#"{"name": "step", "every": 3, "factor": 0.5}"#, ScheduleConfig::Step { every: 3, factor: 0.5 }),
            (r#"{"name": "cosine"}"#, ScheduleConfig::Cosine { warm_up_steps: 0, final_fraction: 0.0 }),
            (r#"{"name": "one-cycle"}"#, ScheduleConfig::OneCycle(OneCycleConfig::default())),
            (
                r#"{"name": "reduce-on-plateau", "goal": "maximize"}"#,
                ScheduleConfig::ReduceOnPlateau(PlateauConfig { goal: Goal::Maximize, ..PlateauConfig::default() }),
            ),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
            assert_eq!(parse(&serde_json::to_string(&expected).unwrap()).unwrap(), expected);
        }
        for (text, key) in [
            (r#"{"name": "constant", "every": 3}"#, "every"),
            (r#"{"name": "cosine", "warmup": 3}"#, "warmup"),
            (r#"{"name": "one-cycle", "peak": 3}"#, "peak"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let plateau = PlateauConfig { factor: 1.0, ..PlateauConfig::default() };
        let one_cycle = OneCycleConfig { initial_divisor: 0.0, ..OneCycleConfig::default() };
        for (schedule, message) in [
            (ScheduleConfig::Step { every: 0, factor: 0.5 }, "`every` must be at least 1, got 0"),
            (ScheduleConfig::Exponential { every: 1, factor: 0.0 }, "`factor` must be above 0, got 0"),
            (
                ScheduleConfig::Cosine { warm_up_steps: 0, final_fraction: 1.5 },
                "`final-fraction` must be at least 0 and at most 1, got 1.5",
            ),
            (ScheduleConfig::OneCycle(one_cycle), "`initial-divisor` must be above 0, got 0"),
            (ScheduleConfig::ReduceOnPlateau(plateau), "`factor` must be above 0 and below 1, got 1"),
        ] {
            assert_eq!(schedule.check().unwrap_err().to_string(), message);
        }
    }
}
