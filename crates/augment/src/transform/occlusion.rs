//! [`RandomErasing`], [`Cutout`] and [`RandomGridMask`]: parts of a picture that the network has to do without.

use aumenta_imgproc::{Paint, Size};
use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

use super::{Transform, in_range, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// What is painted over a part of a picture, as a configuration says it: `"noise"` or `{ color = [r, g, b] }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cover {
    /// Uniform random colors, of a seed that is drawn for each picture.
    Noise,
    /// One color.
    Color([u8; 3]),
}

impl Cover {
    fn draw(self, rng: &mut dyn Rng) -> Paint {
        match self {
            Self::Noise => Paint::Noise { seed: rng.random() },
            Self::Color(rgb) => Paint::Color(rgb),
        }
    }
}

/// Paints over a rectangle of random area, shape and place (Zhong et al. 2017, "Random erasing data augmentation").
///
/// Its share of the picture is drawn uniformly, the ratio of its height to its width (in pixels of the output) uniformly
/// in its logarithm, as torchvision does it, and its place uniformly from those where it lies within. A rectangle that
/// is not smaller than the picture in both directions is drawn again, up to ten times; then nothing is erased.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomErasing {
    areas: [f64; 2],
    aspect_ratios: [f64; 2],
    cover: Cover,
}

impl RandomErasing {
    /// The smallest and largest share of the picture's area (0.02 and 0.33 in torchvision) and ratio of height to width
    /// (0.3 and 3.3 there). The paper has a probability of 0.5 and noise.
    ///
    /// # Errors
    /// Where an area is not in `[0, 1]`, a ratio not in `[0.01, 100]`, or a first number above its second.
    pub fn new(areas: [f64; 2], aspect_ratios: [f64; 2], cover: Cover) -> Result<Self, AugmentError> {
        let areas = range_within("areas", areas, 0.0, 1.0, "shares from 0 to 1")?;
        let aspect_ratios = range_within("aspect-ratios", aspect_ratios, 0.01, 100.0, "ratios from 0.01 to 100")?;
        Ok(Self { areas, aspect_ratios, cover })
    }

    /// Width and height, in those of the output.
    fn draw_size(&self, output: Size, rng: &mut dyn Rng) -> (f64, f64) {
        let area = uniform(self.areas, rng);
        let ratio = libm::exp(uniform(self.aspect_ratios.map(libm::log), rng));
        // The ratio of the fractions, which a picture that is not square has to make up for.
        let ratio = ratio * output.width.max(1) as f64 / output.height.max(1) as f64;
        (libm::sqrt(area / ratio), libm::sqrt(area * ratio))
    }
}

impl Transform for RandomErasing {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        for _ in 0..10 {
            let (width_fraction, height_fraction) = self.draw_size(canvas.output, rng);
            if width_fraction < 1.0 && height_fraction < 1.0 {
                plan.ops.push(Op::Erase {
                    left_fraction: rng.random_range(0.0..=1.0 - width_fraction),
                    top_fraction: rng.random_range(0.0..=1.0 - height_fraction),
                    width_fraction,
                    height_fraction,
                    paint: self.cover.draw(rng),
                });
                return;
            }
        }
    }
}

/// Paints over a square whose centre lies anywhere in the picture (DeVries and Taylor 2017, "Improved regularization of
/// convolutional neural networks with cutout"). Part of it may lie outside, as in the paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cutout {
    side_fraction: f64,
    cover: Cover,
}

impl Cutout {
    /// A square of a side of `side_fraction` of the output's shorter side: a half for CIFAR-10 in the paper, a quarter for
    /// CIFAR-100.
    ///
    /// # Errors
    /// Where `side_fraction` is not in `[0, 2]`.
    pub fn new(side_fraction: f64, cover: Cover) -> Result<Self, AugmentError> {
        let side_fraction = in_range("side-fraction", side_fraction, 0.0, 2.0, "a fraction from 0 to 2")?;
        Ok(Self { side_fraction, cover })
    }
}

impl Transform for Cutout {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let [width, height] = [canvas.output.width, canvas.output.height].map(|side| side.max(1) as f64);
        let side = self.side_fraction * width.min(height);
        let (width_fraction, height_fraction) = (side / width, side / height);
        plan.ops.push(Op::Erase {
            left_fraction: rng.random_range(0.0..1.0) - width_fraction / 2.0,
            top_fraction: rng.random_range(0.0..1.0) - height_fraction / 2.0,
            width_fraction,
            height_fraction,
            paint: self.cover.draw(rng),
        });
    }
}

/// Paints over a grid of squares, which may be turned about the center (Chen et al. 2020, "GridMask data augmentation").
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomGridMask {
    units: [f64; 2],
    keep_fraction: f64,
    max_rotation_degrees: f64,
    cover: Cover,
}

impl RandomGridMask {
    /// The smallest and largest unit, in shorter sides of the output (96 to 224 of 224 pixels in the paper, 0.43 to 1), the
    /// part of a unit's side that is kept (0.6 there), the largest turn of the grid either way, and what hides the rest. The
    /// grid's offset and turn are drawn uniformly.
    ///
    /// # Errors
    /// Where a unit is not in `[0.01, 1]`, the first is above the second, `keep_fraction` is not in `[0, 1]`, or
    /// `max_rotation_degrees` not in `[0, 180]`.
    pub fn new(
        units: [f64; 2],
        keep_fraction: f64,
        max_rotation_degrees: f64,
        cover: Cover,
    ) -> Result<Self, AugmentError> {
        let units = range_within("unit-fractions", units, 0.01, 1.0, "fractions from 0.01 to 1")?;
        let keep_fraction = in_range("keep-fraction", keep_fraction, 0.0, 1.0, "a fraction from 0 to 1")?;
        in_range("max-rotation-degrees", max_rotation_degrees, 0.0, 180.0, "an angle from 0 to 180")?;
        Ok(Self { units, keep_fraction, max_rotation_degrees, cover })
    }
}

impl Transform for RandomGridMask {
    fn draw(&self, _: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        plan.ops.push(Op::GridMask {
            unit_fraction: uniform(self.units, rng),
            keep_fraction: self.keep_fraction,
            x_offset_units: rng.random_range(0.0..1.0),
            y_offset_units: rng.random_range(0.0..1.0),
            paint: self.cover.draw(rng),
            rotation_degrees: uniform([-self.max_rotation_degrees, self.max_rotation_degrees], rng),
        });
    }
}
