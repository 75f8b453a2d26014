//! [`Draft`]: a translation while a table writes it.

use aumenta_imgproc::{Fill, Interpolation};

use super::{Fidelity, Note, Translation};
use crate::{AugmentConfig, Step, TransformConfig};

/// Our settings so far, and what was said about them.
#[derive(Default)]
pub(super) struct Draft {
    pub config: AugmentConfig,
    /// Width and height of the picture at this point, where a transform before has said them.
    pub size_pixels: Option<[f64; 2]>,
    notes: Vec<Note>,
    fill: Option<Fill>,
    interpolation: Option<Interpolation>,
}

impl Draft {
    /// Notes that `subject` is done here in the same way.
    pub fn exact(&mut self, subject: &str) {
        self.note(Fidelity::Exact, subject, "");
    }

    /// Notes that `subject` is done here in another way, and in which.
    pub fn approximate(&mut self, subject: &str, how: &str) {
        self.note(Fidelity::Approximate, subject, how);
    }

    /// Notes that nothing here does `subject`, and why or what does.
    pub fn no_equal(&mut self, subject: &str, why: &str) {
        self.note(Fidelity::NoEqual, subject, why);
    }

    /// Notes that `subject` belongs to `[preprocessing]`, whose `line` does the same.
    pub fn preprocessing(&mut self, subject: &str, line: &str) {
        self.note(Fidelity::Exact, subject, &format!("below [preprocessing], write {line}"));
    }

    /// Notes that the preprocessing does `subject` without being asked.
    pub fn done_anyway(&mut self, subject: &str) {
        self.note(Fidelity::Exact, subject, "batches are float32 from 0 to 1 unless [preprocessing] says otherwise");
    }

    /// Fills with `fill` all over, or notes that `subject` wants another fill than what came before it.
    pub fn fill(&mut self, subject: &str, fill: Fill) {
        if *self.fill.get_or_insert(fill) != fill {
            self.approximate(subject, "its fill differs from the one before, and all transforms share the first");
        }
    }

    /// As [`fill`](Self::fill), for the interpolation.
    pub fn interpolation(&mut self, subject: &str, interpolation: Interpolation) {
        if *self.interpolation.get_or_insert(interpolation) != interpolation {
            self.approximate(
                subject,
                "its interpolation differs from the one before, and all transforms share the first",
            );
        }
    }

    /// The translation.
    pub fn finish(self) -> Translation {
        let config = AugmentConfig {
            fill: self.fill.unwrap_or_default(),
            interpolation: self.interpolation.unwrap_or_default(),
            ..self.config
        };
        Translation { config, notes: self.notes }
    }

    fn note(&mut self, fidelity: Fidelity, subject: &str, text: &str) {
        self.notes.push(Note { fidelity, subject: subject.to_string(), text: text.to_string() });
    }
}

/// What a transform becomes: steps that are drawn together for this share of pictures, all of them or none.
pub(super) struct Group {
    steps: Vec<Step>,
    pub probability: f64,
}

impl Group {
    /// Nothing.
    pub fn none() -> Self {
        Self::certain(Vec::new())
    }

    /// These steps, for every picture.
    pub fn certain(steps: Vec<Step>) -> Self {
        Self { steps, probability: 1.0 }
    }

    /// The same for this share of pictures.
    pub fn with_probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    /// One transform.
    pub fn one(transform: TransformConfig, probability: f64) -> Self {
        Self::all(vec![transform], probability)
    }

    /// Transforms in order.
    pub fn all(transforms: Vec<TransformConfig>, probability: f64) -> Self {
        Self { steps: transforms.into_iter().map(|transform| step(transform, 1.0)).collect(), probability }
    }

    /// The steps for a list of steps.
    pub fn into_steps(self) -> Vec<Step> {
        if self.probability == 1.0 || self.steps.is_empty() { self.steps } else { vec![self.into_step()] }
    }

    /// The same as one step.
    pub fn into_step(mut self) -> Step {
        match self.steps.pop() {
            Some(Step { transform, probability }) if self.steps.is_empty() => {
                let own = probability.unwrap_or_else(|| transform.default_probability());
                step(transform, own * self.probability)
            }
            last => {
                self.steps.extend(last);
                step(TransformConfig::Sequence { steps: self.steps }, self.probability)
            }
        }
    }
}

/// A transform for this share of pictures, which is left out where it is the usual one.
fn step(transform: TransformConfig, probability: f64) -> Step {
    let usual = probability == transform.default_probability();
    Step { transform, probability: (!usual).then_some(rounded(probability)) }
}

/// The largest distance from `middle` to an end of a range, and whether both ends are as far away.
pub(super) fn around(middle: f64, (low, high): (f64, f64)) -> (f64, Symmetry) {
    let (below, above) = (middle - low, high - middle);
    let symmetry = if (below - above).abs() < 1e-9 { Symmetry::Symmetric } else { Symmetry::Lopsided };
    (rounded(below.abs().max(above.abs())), symmetry)
}

/// Whether a range lies evenly around its middle, as ours do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Symmetry {
    Symmetric,
    Lopsided,
}

/// Without the last digits that a subtraction leaves: 0.2 for 1.2 - 1.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
