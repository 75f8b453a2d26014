//! Which learning rate to begin with: the range test of Smith (2017, "Cyclical Learning Rates for Training Neural Networks",
//! section 3.3), with the rates spaced evenly on a logarithmic scale as fastai's.

use aumenta_models::Model;
use serde::Serialize;

use crate::error::TrainError;
use crate::feed::Images;
use crate::fit::Fit;
use crate::observer::{Observer, Progress, StepProgress};
use crate::stepper::Stepper;
use crate::tensors::Crossing;

/// Which rates are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSearchConfig {
    /// The first, above 0. Default 1e-7.
    pub from: f32,
    /// The last, above the first. Default 10.
    pub to: f32,
    /// How many steps are taken, at least 10. Default 100.
    pub steps: u64,
}

impl Default for RateSearchConfig {
    fn default() -> Self {
        Self { from: 1e-7, to: 10.0, steps: 100 }
    }
}

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RatePoint {
    /// The rate of the step.
    pub rate: f32,
    /// The mean loss of its batch.
    pub loss: f64,
    /// The losses up to here, averaged with weights that fall by [`SMOOTHING`] a step.
    pub smoothed: f64,
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RateSearch {
    /// A point a step, with growing rates; fewer than asked for where the loss ran away.
    pub points: Vec<RatePoint>,
    /// The rate at which the smoothed loss fell fastest over the logarithm of the rate; `None` where it never fell.
    pub steepest: Option<f32>,
    /// A tenth of the rate with the smallest smoothed loss, a more cautious choice; `None` as above.
    pub tenth_of_minimum: Option<f32>,
}

/// The weight of what was before in a smoothed loss.
pub const SMOOTHING: f64 = 0.9;

/// How many times the smallest smoothed loss a batch's loss ends a search.
const RUNAWAY: f64 = 4.0;

/// Takes optimizer steps at growing rates and looks at the loss. The weights of `model` are of no use afterwards. Everything
/// else is as `fit` says: data, augmentation, loss, batches a step.
///
/// # Errors
/// [`TrainError::Setting`] where the rates are not a range; as [`fit`](crate::fit) otherwise, but a loss that is not finite
/// ends the search and is none.
pub fn search_rate(
    model: &mut dyn Model,
    fit: &Fit<'_>,
    classes: usize,
    config: RateSearchConfig,
    observer: &mut dyn Observer,
) -> Result<RateSearch, TrainError> {
    config.check()?;
    fit.config.check(classes)?;
    let mut stepper = Stepper::new(model, fit, classes, fit.config.freezing.phase(0))?;
    let mut points: Vec<RatePoint> = Vec::new();
    let mut losses = Smoothed::default();
    let mut of_step = Vec::new();
    let (an_epoch, crossing) = (fit.train.batch_count(), Crossing::to(fit.device)?);
    for epoch in 0.. {
        let mut images = Images::new(fit.train.epoch(epoch), fit.train.preprocessing(), classes, &crossing)?;
        while let Some(examples) = images.next() {
            let examples = examples?;
            let rate = config.rate(points.len() as u64);
            stepper.optimizer.set_learning_rate(rate)?;
            let ends_step = fit.config.ends_step(images.cursor().batch, an_epoch);
            let number = epoch * an_epoch as u64 + examples.index as u64;
            let step = stepper.train(&examples, number, ends_step)?;
            let Ok(trained) = step.trained else { return Ok(RateSearch::of(points)) };
            of_step.extend(trained.losses.iter().map(|loss| f64::from(*loss)));
            if !ends_step {
                continue;
            }
            let loss = of_step.iter().sum::<f64>() / of_step.len() as f64;
            of_step.clear();
            points.push(RatePoint { rate, loss, smoothed: losses.add(loss) });
            tell(observer, &points, config.steps, images.loading().data_wait_share);
            let smallest = points.iter().map(|point| point.smoothed).fold(f64::INFINITY, f64::min);
            if points.len() as u64 == config.steps || loss > RUNAWAY * smallest {
                return Ok(RateSearch::of(points));
            }
        }
    }
    unreachable!("epochs are counted without end")
}

fn tell(observer: &mut dyn Observer, points: &[RatePoint], steps: u64, data_wait_share: f64) {
    let Some(RatePoint { rate, loss, smoothed }) = points.last().copied() else { return };
    let (done, accuracy) = (points.len() as u64, f64::NAN);
    let progress =
        Progress { epoch: 0, images: done, total: steps, loss: smoothed, accuracy, images_per_second: f64::NAN };
    observer.trained(&progress, &StepProgress { step: done, loss, learning_rate: rate, data_wait_share });
}

impl RateSearchConfig {
    fn check(&self) -> Result<(), TrainError> {
        let Self { from, to, steps } = *self;
        if !(from > 0.0 && to > from && to.is_finite()) {
            let reason = format!("must lead from a rate above 0 to a larger one, got {from} to {to}");
            return Err(TrainError::Setting { setting: "rates", reason });
        }
        if steps < 10 {
            return Err(TrainError::Setting { setting: "steps", reason: format!("must be at least 10, got {steps}") });
        }
        Ok(())
    }

    /// The rate of step `step`, counted from 0.
    fn rate(&self, step: u64) -> f32 {
        let share = step as f64 / (self.steps - 1) as f64;
        let (from, to) = (f64::from(self.from).ln(), f64::from(self.to).ln());
        (from + share * (to - from)).exp() as f32
    }
}

/// An exponential average without the bias of its beginning, as Adam's.
#[derive(Default)]
struct Smoothed {
    sum: f64,
    weight: f64,
}

impl Smoothed {
    fn add(&mut self, value: f64) -> f64 {
        self.sum = SMOOTHING * self.sum + (1.0 - SMOOTHING) * value;
        self.weight = SMOOTHING * self.weight + (1.0 - SMOOTHING);
        self.value()
    }

    fn value(&self) -> f64 {
        self.sum / self.weight
    }
}

impl RateSearch {
    fn of(points: Vec<RatePoint>) -> Self {
        let log = |point: &RatePoint| f64::from(point.rate).ln();
        let slope = |a: &RatePoint, b: &RatePoint| (b.smoothed - a.smoothed) / (log(b) - log(a));
        let smallest = (0..points.len()).min_by(|a, b| points[*a].smoothed.total_cmp(&points[*b].smoothed));
        // What falls behind the minimum falls from a height that a rate too large has made.
        let before = &points[..smallest.map_or(0, |at| at + 1)];
        let slopes = before.windows(3).map(|three| (slope(&three[0], &three[2]), three[1].rate));
        let steepest =
            slopes.min_by(|a, b| a.0.total_cmp(&b.0)).filter(|(slope, _)| *slope < 0.0).map(|(_, rate)| rate);
        let minimum = before.last().map(|point| point.rate);
        let tenth_of_minimum = minimum.filter(|_| steepest.is_some()).map(|rate| rate / 10.0);
        Self { points, steepest, tenth_of_minimum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(loss: impl Fn(f64) -> f64) -> RateSearch {
        let config = RateSearchConfig { from: 1e-6, to: 1.0, steps: 61 };
        let points = (0..61).map(|step| {
            let rate = config.rate(step);
            let loss = loss(f64::from(rate).log10());
            RatePoint { rate, loss, smoothed: loss }
        });
        RateSearch::of(points.collect())
    }

    #[test]
    fn rates_grow_by_the_same_factor() {
        let config = RateSearchConfig { from: 1e-4, to: 1.0, steps: 5 };
        let rates: Vec<f32> = (0..5).map(|step| config.rate(step)).collect();
        for (rate, expected) in rates.iter().zip([1e-4, 1e-3, 1e-2, 1e-1, 1.0]) {
            assert!((rate / expected - 1.0).abs() < 1e-5, "{rates:?}");
        }
    }

    #[test]
    fn the_steepest_fall_and_a_tenth_of_the_minimum_are_proposed() {
        // A sigmoid that falls around 1e-3, then a parabola that climbs from 1e-1 on.
        let found = search(|log| 1.0 / (1.0 + (4.0 * (log + 3.0)).exp()) + (log + 1.0).max(0.0).powi(2));
        assert!((found.steepest.unwrap().log10() + 3.0).abs() < 0.06, "{found:?}");
        assert!((found.tenth_of_minimum.unwrap().log10() + 2.0).abs() < 0.11, "{found:?}");
    }

    #[test]
    fn a_fall_after_the_loss_ran_away_is_no_proposal() {
        let found = search(|log| if log < -1.0 { 0.7 - 0.1 * (log + 6.0) } else { 9.0 - 8.0 * (log + 1.0) });
        assert!(found.steepest.unwrap() < 0.1 && found.tenth_of_minimum.unwrap() < 0.02, "{found:?}");
    }

    #[test]
    fn a_loss_that_never_falls_proposes_nothing() {
        let found = search(|log| log);
        assert_eq!((found.steepest, found.tenth_of_minimum), (None, None));
    }

    #[test]
    fn a_smoothed_loss_begins_at_the_first() {
        let mut losses = Smoothed::default();
        assert!((losses.add(2.0) - 2.0).abs() < 1e-12);
        let second = losses.add(1.0);
        assert!((second - (0.9 * 0.2 + 0.1) / 0.19).abs() < 1e-12, "{second}");
    }

    #[test]
    fn rates_that_are_no_range_are_refused() {
        let error = RateSearchConfig { from: 1.0, to: 0.1, steps: 100 }.check().unwrap_err().to_string();
        assert_eq!(error, "`rates` must lead from a rate above 0 to a larger one, got 1 to 0.1");
        assert!(RateSearchConfig { steps: 3, ..RateSearchConfig::default() }.check().is_err());
    }
}
