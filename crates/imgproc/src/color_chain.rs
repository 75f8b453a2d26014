//! [`ColorChain`]: the changes of colour that a picture takes on its way, in order and folded together.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::tone::FixedTone;
use crate::{Hue, Table, Tone};

/// One step of a [`ColorChain`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "steps lie in one allocation that is reused from picture to picture")]
pub enum ColorStep {
    /// A 3x4 matrix, its result rounded and clipped.
    Matrix(Tone),
    /// A table for each channel.
    Table(Table),
    /// A turn of the colour wheel.
    Hue(Hue),
}

/// Changes of colour that look at one pixel at a time, in the order in which they act.
///
/// The chain folds as it grows: a matrix behind a matrix becomes one matrix, whose result is clipped **once**, and a
/// table behind a table one table. So a chain has as many steps as the kinds of change alternate. Clearing keeps the
/// memory.
///
/// ```
/// use aumenta_imgproc::{ColorChain, ColorStep, Table, Tone};
///
/// let mut chain = ColorChain::default();
/// chain.push(ColorStep::Matrix(Tone::brightness(4.0)));
/// chain.push(ColorStep::Matrix(Tone::brightness(0.25)));
/// chain.push(ColorStep::Table(Table::from_fn(|value| 255 - value)));
/// assert_eq!(chain.steps().len(), 2);
/// assert_eq!(chain.apply([200, 0, 100]), [55, 255, 155]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColorChain {
    steps: Vec<ColorStep>,
}

impl ColorChain {
    /// No step: every colour stays.
    pub const IDENTITY: Self = Self { steps: Vec::new() };

    /// Adds a step behind the others, folding it into the last one where both are of one kind.
    pub fn push(&mut self, step: ColorStep) {
        match (self.steps.last_mut(), step) {
            (Some(ColorStep::Matrix(last)), ColorStep::Matrix(tone)) => *last = last.then(&tone),
            (Some(ColorStep::Table(last)), ColorStep::Table(table)) => *last = last.then(&table),
            (_, step) => self.steps.push(step),
        }
    }

    /// Forgets all steps.
    pub fn clear(&mut self) {
        self.steps.clear();
    }

    /// The steps that are left after folding.
    pub fn steps(&self) -> &[ColorStep] {
        &self.steps
    }

    /// The chain as one table, where each channel's result follows from its own value alone.
    pub(crate) fn table(&self) -> Option<Table> {
        let mut all = Table::IDENTITY;
        for step in &self.steps {
            all = match step {
                ColorStep::Matrix(tone) => all.then(&tone.table()?),
                ColorStep::Table(table) => all.then(table),
                ColorStep::Hue(_) => return None,
            };
        }
        Some(all)
    }

    /// The changed colour.
    pub fn apply(&self, rgb: [u8; 3]) -> [u8; 3] {
        self.steps.iter().fold(rgb, |rgb, step| match step {
            ColorStep::Matrix(tone) => tone.apply(rgb),
            ColorStep::Table(table) => table.apply(rgb),
            ColorStep::Hue(hue) => hue.apply(rgb),
        })
    }

    /// Changes a run of packed colours (red in the lowest byte, then green and blue; the highest byte is ignored).
    #[inline(always)]
    pub(crate) fn apply_packed(&self, colors: &mut [u32]) {
        for step in &self.steps {
            match step {
                ColorStep::Matrix(tone) => apply_matrix(&tone.fixed(), colors),
                ColorStep::Table(table) => change(colors, |rgb| table.apply(rgb)),
                ColorStep::Hue(hue) => change(colors, |rgb| hue.apply(rgb)),
            }
        }
    }
}

/// A single tone as a chain.
impl From<Tone> for ColorChain {
    fn from(tone: Tone) -> Self {
        Self { steps: vec![ColorStep::Matrix(tone)] }
    }
}

#[inline(always)]
fn apply_matrix(tone: &FixedTone, colors: &mut [u32]) {
    if let Some(tone) = tone.narrow() {
        change(colors, |rgb| tone.apply(rgb));
    } else {
        change(colors, |rgb| tone.apply(rgb));
    }
}

#[inline(always)]
fn change(colors: &mut [u32], change: impl Fn([u8; 3]) -> [u8; 3]) {
    for color in colors {
        let [red, green, blue, _] = color.to_le_bytes();
        let [red, green, blue] = change([red, green, blue]);
        *color = u32::from_le_bytes([red, green, blue, 0]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_step() -> impl Strategy<Value = ColorStep> {
        prop_oneof![
            (-3.0..3.0f64).prop_map(|factor| ColorStep::Matrix(Tone::brightness(factor))),
            (-3.0..3.0f64).prop_map(|factor| ColorStep::Matrix(Tone::saturation(factor))),
            (-1e9..1e9f64).prop_map(|factor| ColorStep::Matrix(Tone::contrast(factor))),
            any::<u8>().prop_map(|mask| ColorStep::Table(Table::from_fn(|value| value ^ mask))),
            (-1.0..1.0f64).prop_map(|turns| ColorStep::Hue(Hue::turn(turns))),
            any::<u8>().prop_map(|edge| ColorStep::Table(Table::from_fn(|value| value.saturating_add(edge)))),
        ]
    }

    #[test]
    fn a_cleared_chain_changes_nothing() {
        let mut chain = ColorChain::from(Tone::brightness(0.5));
        assert_eq!(chain.apply([100, 0, 50]), [50, 0, 25]);
        chain.clear();
        assert_eq!(chain, ColorChain::IDENTITY);
        assert_eq!(chain.apply([100, 0, 50]), [100, 0, 50]);
    }

    #[test]
    fn kinds_that_alternate_do_not_fold() {
        let mut chain = ColorChain::default();
        for _ in 0..2 {
            chain.push(ColorStep::Matrix(Tone::brightness(2.0)));
            chain.push(ColorStep::Table(Table::from_fn(|value| value / 2)));
        }
        assert_eq!(chain.steps().len(), 4);
        assert_eq!(chain.apply([200, 100, 3]), [127, 100, 3]);
    }

    proptest! {
        #[test]
        fn packed_colors_change_as_single_ones_do(
            steps in prop::collection::vec(any_step(), 0..5),
            colors in prop::collection::vec(any::<[u8; 4]>(), 1..40),
        ) {
            let mut chain = ColorChain::default();
            for step in steps {
                chain.push(step);
            }
            let mut packed: Vec<u32> = colors.iter().map(|color| u32::from_le_bytes(*color)).collect();
            chain.apply_packed(&mut packed);
            if let Some(table) = chain.table() {
                for [red, green, blue, _] in &colors {
                    let rgb = [*red, *green, *blue];
                    prop_assert_eq!(table.apply(rgb), chain.apply(rgb));
                }
            }
            for (packed, [red, green, blue, _]) in packed.iter().zip(colors) {
                prop_assert_eq!(packed.to_le_bytes()[..3].to_vec(), chain.apply([red, green, blue]).to_vec());
            }
        }
    }
}
