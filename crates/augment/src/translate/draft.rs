//! [`Draft`]: a translation while a table writes it.

use aumenta_imgproc::{Fill, Interpolation};

use super::{Fidelity, Note, Translation};
use crate::{AugmentConfig, Step, TransformConfig};

/// Our settings so far, and what was said about them.
#[derive(Default)]
pub(super) struct Draft {
    pub config: AugmentConfig,
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

    /// Adds a transform that is drawn for this share of pictures.
    pub fn push(&mut self, transform: TransformConfig, probability: f64) {
        let usual = probability == transform.default_probability();
        self.config.transforms.push(Step { transform, probability: (!usual).then_some(probability) });
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
