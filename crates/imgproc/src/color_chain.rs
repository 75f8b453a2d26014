//! [`ColorChain`]: the changes of colour that a picture takes on its way, in order and folded together.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use crate::planes::Planes;
use crate::tone::FixedTone;
use crate::{Hue, Table, Tone};

/// One step of a [`ColorChain`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a step goes into a chain at once")]
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
/// assert_eq!(chain.len(), 2);
/// assert_eq!(chain.apply([200, 0, 100]), [55, 255, 155]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColorChain {
    steps: Vec<Prepared>,
}

/// A step, ready for many pixels.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "steps lie in one allocation that is reused from picture to picture")]
enum Prepared {
    Matrix(Tone, FixedTone),
    Table(Table),
    Hue(Hue),
}

impl ColorChain {
    /// No step: every colour stays.
    pub const IDENTITY: Self = Self { steps: Vec::new() };

    /// Adds a step behind the others, folding it into the last one where both are of one kind.
    pub fn push(&mut self, step: ColorStep) {
        match (self.steps.last_mut(), step) {
            (Some(Prepared::Matrix(last, fixed)), ColorStep::Matrix(tone)) => {
                *last = last.then(&tone);
                *fixed = last.fixed();
            }
            (Some(Prepared::Table(last)), ColorStep::Table(table)) => *last = last.then(&table),
            (_, ColorStep::Matrix(tone)) => self.steps.push(Prepared::Matrix(tone, tone.fixed())),
            (_, ColorStep::Table(table)) => self.steps.push(Prepared::Table(table)),
            (_, ColorStep::Hue(hue)) => self.steps.push(Prepared::Hue(hue)),
        }
    }

    /// Forgets all steps.
    pub fn clear(&mut self) {
        self.steps.clear();
    }

    /// How many steps are left after folding.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The chain as one table, where each channel's result follows from its own value alone.
    pub(crate) fn table(&self) -> Option<Table> {
        let mut tables = self.steps.iter().map(|step| match step {
            Prepared::Matrix(tone, _) => tone.table(),
            Prepared::Table(table) => Some(table.clone()),
            Prepared::Hue(_) => None,
        });
        let Some(first) = tables.next() else { return Some(Table::IDENTITY) };
        tables.try_fold(first?, |all, next| Some(all.then(&next?)))
    }

    /// The changed colour.
    pub fn apply(&self, rgb: [u8; 3]) -> [u8; 3] {
        self.steps.iter().fold(rgb, |rgb, step| match step {
            Prepared::Matrix(tone, _) => tone.apply(rgb),
            Prepared::Table(table) => table.apply(rgb),
            Prepared::Hue(hue) => hue.apply(rgb),
        })
    }

    /// Changes some pixels.
    #[inline(always)]
    pub(crate) fn apply_to_planes(&self, planes: &mut Planes) {
        for step in &self.steps {
            match step {
                Prepared::Matrix(_, fixed) => fixed.apply_to_planes(planes),
                Prepared::Table(table) => planes.change(|rgb| table.apply(rgb)),
                Prepared::Hue(hue) => hue.apply_to_planes(planes),
            }
        }
    }
}

/// A single tone as a chain.
impl From<Tone> for ColorChain {
    fn from(tone: Tone) -> Self {
        let mut chain = Self::IDENTITY;
        chain.push(ColorStep::Matrix(tone));
        chain
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
        assert_eq!(chain.len(), 4);
        assert_eq!(chain.apply([200, 100, 3]), [127, 100, 3]);
    }

    proptest! {
        #[test]
        fn many_colors_change_as_single_ones_do(
            steps in prop::collection::vec(any_step(), 0..5),
            colors in prop::collection::vec(any::<[u8; 3]>(), Planes::PIXELS),
        ) {
            let mut chain = ColorChain::default();
            for step in steps {
                chain.push(step);
            }
            let expected: Vec<[u8; 3]> = colors.iter().map(|&rgb| chain.apply(rgb)).collect();
            let mut planes = Planes::from_few_pixels(&colors);
            chain.apply_to_planes(&mut planes);
            prop_assert_eq!(&planes.to_pixels()[..], &expected);
            if let Some(table) = chain.table() {
                let looked_up: Vec<[u8; 3]> = colors.iter().map(|&rgb| table.apply(rgb)).collect();
                prop_assert_eq!(&looked_up, &expected);
            }
        }
    }
}
