//! [`Relief`]: the details of a miniature, and how like they are to another's where they are laid over each other.

use super::{Miniature, Motion};

const SIDE: usize = Miniature::SIDE;

/// A pixel loses the mean of the square of pixels up to this far around it.
const RADIUS: isize = 2;

/// Rows, and columns, of the points at which reliefs are compared.
const GRID: usize = 24;

const POINTS: usize = GRID * GRID;

/// Numbers that are summed side by side, always in the same order.
const LANES: usize = 8;

/// How often an alignment is improved.
const STEPS: usize = 8;

/// After so many steps an alignment that shows nothing is given up.
const PATIENCE: usize = 2;

/// The correlation that shows nothing.
const HOPELESS: f32 = 0.2;

/// The share of the points that must lie on the other picture.
const OVERLAP: f32 = 0.6;

/// The gray values above its surroundings at which a pixel has half of the greatest height.
const SOFTNESS: f32 = 4.0;

/// The mean square of a relief without details.
const FLAT: f32 = 0.02;

/// The details of a [`Miniature`]: what its pixels have more or less than their surroundings, with the slopes.
#[derive(Clone, Debug)]
pub struct Relief {
    heights: [f32; Miniature::BYTES],
    /// The change of height over the unit of a [`Motion`], to the right.
    slopes_right: [f32; Miniature::BYTES],
    /// The same, downwards.
    slopes_down: [f32; Miniature::BYTES],
    /// The heights at the points of comparison, each the mean of four pixels.
    points: [f32; POINTS],
}

/// How one picture lies on another, and how like they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// The correlation of the reliefs where both pictures are: 1 for the same details, about 0 for others.
    pub correlation: f32,
    /// Where the points of the one lie in the other.
    pub motion: Motion,
}

impl Likeness {
    /// Whether one is the mirror image of the other.
    pub fn is_mirrored(&self) -> bool {
        self.motion.determinant() < 0.0
    }
}

impl Relief {
    /// The relief of a miniature.
    pub fn of(miniature: &Miniature) -> Self {
        let heights = heights(miniature.pixels());
        let per_unit = SIDE as f32 / 4.0;
        let slope = |at: usize, position: usize, stride: usize| {
            let (before, after) =
                (at - stride * usize::from(position > 0), at + stride * usize::from(position + 1 < SIDE));
            (heights[after] - heights[before]) * per_unit
        };
        let slopes_right = std::array::from_fn(|at| slope(at, at % SIDE, 1));
        let slopes_down = std::array::from_fn(|at| slope(at, at / SIDE, SIDE));
        let points = std::array::from_fn(|point| {
            let corner = point / GRID * 2 * SIDE + point % GRID * 2;
            (heights[corner] + heights[corner + 1] + heights[corner + SIDE] + heights[corner + SIDE + 1]) / 4.0
        });
        Self { heights, slopes_right, slopes_down, points }
    }

    /// Whether there are no details to compare, as on a blank page: nothing can be said of its likeness.
    pub fn is_flat(&self) -> bool {
        self.points.iter().map(|height| height * height).sum::<f32>() < FLAT * POINTS as f32
    }

    /// Lays this relief over `other`, beginning with `start`, and moves it by Gauss-Newton steps until their details
    /// agree best (Baker and Matthews 2004, section 2); `None` where they do not agree at all or where the one comes to
    /// lie mostly outside of the other.
    pub fn align(&self, other: &Self, start: &Motion) -> Option<Likeness> {
        let mut motion = *start;
        let mut samples = Samples::default();
        let mut best: Option<Likeness> = None;
        for step in 0..=STEPS {
            samples.read(self, other, &motion);
            let statistics = samples.statistics()?;
            if best.is_none_or(|best| statistics.correlation > best.correlation) {
                best = Some(Likeness { correlation: statistics.correlation, motion });
            }
            let best = best?;
            if step == STEPS || step == PATIENCE && best.correlation < HOPELESS {
                break;
            }
            let Some(change) = samples.improvement(&statistics) else { break };
            for (value, change) in motion.0.iter_mut().zip(change) {
                *value += change.clamp(-0.1, 0.1);
            }
        }
        best.filter(|best| best.correlation >= HOPELESS)
    }
}

/// Each pixel less the mean around it. Beyond the border the pixels of the border go on.
fn heights(pixels: &[u8; Miniature::BYTES]) -> [f32; Miniature::BYTES] {
    let last = SIDE as isize - 1;
    let around = |at: usize| (-RADIUS..=RADIUS).map(move |step| (at as isize + step).clamp(0, last) as usize);
    let mut sums = [0i32; Miniature::BYTES];
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = around(at % SIDE).map(|x| i32::from(pixels[at / SIDE * SIDE + x])).sum();
    }
    let count = (2 * RADIUS + 1).pow(2) as i32;
    std::array::from_fn(|at| {
        let total: i32 = around(at / SIDE).map(|y| sums[y * SIDE + at % SIDE]).sum();
        let height = (count * i32::from(pixels[at]) - total) as f32 / count as f32;
        height / (height.abs() + SOFTNESS)
    })
}

/// The column (or row) in pixels of a point between -1 and 1, such that there is a pixel behind it.
pub(super) fn column(place: f32) -> f32 {
    ((place + 1.0) * (SIDE as f32 / 2.0) - 0.5).clamp(0.0, SIDE as f32 - 1.001)
}

/// The reliefs at the points of comparison; where a point is outside of the other picture, nothing.
struct Samples {
    /// 1 where the point lies on the other picture, else 0.
    weights: [f32; POINTS],
    own: [f32; POINTS],
    other: [f32; POINTS],
    slopes: [[f32; POINTS]; 2],
}

struct Statistics {
    correlation: f32,
    means: [f32; 2],
    /// Standard deviations.
    spreads: [f32; 2],
}

/// Where point `at` lies in its own square.
fn place(at: usize) -> (f32, f32) {
    let coordinate = |index: usize| (2 * index + 1) as f32 / GRID as f32 - 1.0;
    (coordinate(at % GRID), coordinate(at / GRID))
}

impl Default for Samples {
    fn default() -> Self {
        let zeros = [0.0; POINTS];
        Self { weights: zeros, own: zeros, other: zeros, slopes: [zeros; 2] }
    }
}

impl Samples {
    fn read(&mut self, own: &Relief, other: &Relief, motion: &Motion) {
        for at in 0..POINTS {
            let (x, y) = place(at);
            let (x, y) = motion.apply(x, y);
            // At the very edge a picture's relief is made of what it does not show.
            let is_inside = x.abs() < 0.98 && y.abs() < 0.98;
            let weight = if is_inside { 1.0 } else { 0.0 };
            let (x, y) = (column(x), column(y));
            let corner = y as usize * SIDE + x as usize;
            let (right, down) = (x - (x as usize) as f32, y - (y as usize) as f32);
            let mix = |values: &[f32; Miniature::BYTES]| {
                let row = |at: usize| values[at] * (1.0 - right) + values[at + 1] * right;
                (row(corner) * (1.0 - down) + row(corner + SIDE) * down) * weight
            };
            self.weights[at] = weight;
            self.own[at] = own.points[at] * weight;
            self.other[at] = mix(&other.heights);
            self.slopes[0][at] = mix(&other.slopes_right);
            self.slopes[1][at] = mix(&other.slopes_down);
        }
    }

    /// `None` where too few points lie on the other picture, or one of the reliefs is flat there.
    fn statistics(&self) -> Option<Statistics> {
        let count = total(|at| self.weights[at]);
        if count < OVERLAP * POINTS as f32 {
            return None;
        }
        let means = [total(|at| self.own[at]) / count, total(|at| self.other[at]) / count];
        let variance = |values: &[f32; POINTS], mean: f32| total(|at| values[at] * values[at]) / count - mean * mean;
        let variances = [variance(&self.own, means[0]), variance(&self.other, means[1])];
        if variances.iter().any(|&variance| variance < FLAT) {
            return None;
        }
        let spreads = variances.map(f32::sqrt);
        let covariance = total(|at| self.own[at] * self.other[at]) / count - means[0] * means[1];
        Some(Statistics { correlation: covariance / (spreads[0] * spreads[1]), means, spreads })
    }

    /// By how much the six numbers of the motion should change, so that the reliefs differ least, each in units of its
    /// own standard deviation; `None` where that is undecided.
    fn improvement(&self, statistics: &Statistics) -> Option<[f32; 6]> {
        let Statistics { means, spreads, .. } = statistics;
        let mut differences = [0.0; POINTS];
        let mut slopes = [[0.0; POINTS]; 6];
        for at in 0..POINTS {
            let (x, y) = place(at);
            let own = (self.own[at] - means[0]) / spreads[0];
            let other = (self.other[at] - means[1]) / spreads[1];
            differences[at] = (own - other) * self.weights[at];
            let [right, down] = [self.slopes[0][at] / spreads[1], self.slopes[1][at] / spreads[1]];
            for (slope, value) in slopes.iter_mut().zip([right * x, right * y, right, down * x, down * y, down]) {
                slope[at] = value;
            }
        }
        let mut equations = [[0.0; 7]; 6];
        for row in 0..6 {
            for column in 0..=row {
                let value = total(|at| slopes[row][at] * slopes[column][at]);
                equations[row][column] = value;
                equations[column][row] = value;
            }
            equations[row][6] = total(|at| slopes[row][at] * differences[at]);
            // A little damping (Levenberg) where the picture is silent about a direction.
            equations[row][row] = equations[row][row] * 1.01 + 1e-3;
        }
        solve(equations)
    }
}

/// The sum over all points, in lanes that are added up at the end.
#[inline]
fn total(value: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    for first in (0..POINTS).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += value(first + lane);
        }
    }
    lanes.iter().sum()
}

/// Solves six linear equations, each with its right side last, by Gauss' elimination with pivots.
fn solve(mut equations: [[f32; 7]; 6]) -> Option<[f32; 6]> {
    for column in 0..6 {
        let pivot = (column..6).max_by(|&a, &b| equations[a][column].abs().total_cmp(&equations[b][column].abs()))?;
        equations.swap(column, pivot);
        let pivot = equations[column];
        if pivot[column].abs() < 1e-9 {
            return None;
        }
        for row in &mut equations[column + 1..] {
            let factor = row[column] / pivot[column];
            for (value, &above) in row.iter_mut().zip(&pivot) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = [0.0; 6];
    for row in (0..6).rev() {
        let known: f32 = (row + 1..6).map(|column| equations[row][column] * solution[column]).sum();
        solution[row] = (equations[row][6] - known) / equations[row][row];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likeness::test_scene::{Scene, render};
    use crate::{Image, test_picture};

    fn relief(scene: &Scene) -> Relief {
        Relief::of(&Miniature::of(&render(scene)))
    }

    #[test]
    fn the_motion_of_a_picture_is_found_from_a_start_that_is_near() {
        let motions = [
            (Motion::part(0.9, 0.06, -0.04), Motion::part(0.9, 0.05, -0.05)),
            (Motion::part(0.93, 0.0, 0.05).mirrored(), Motion::IDENTITY.mirrored()),
            (Motion([0.996, -0.065, 0.0, 0.116, 0.996, 0.0]), Motion::IDENTITY),
        ];
        for seed in 0..10 {
            let whole = relief(&Scene::new(seed));
            for (motion, start) in motions {
                let moved = relief(&Scene { motion, ..Scene::new(seed) });
                let likeness = moved.align(&whole, &start).unwrap();
                assert!(likeness.correlation > 0.9, "{seed}: {likeness:?}");
                assert_eq!(likeness.is_mirrored(), motion.determinant() < 0.0);
                let errors = likeness.motion.0.iter().zip(motion.0).map(|(found, expected)| (found - expected).abs());
                assert!(errors.fold(0.0, f32::max) < 0.02, "{seed}: {likeness:?}");
            }
        }
    }

    #[test]
    fn brightness_and_contrast_make_no_difference() {
        let scene = render(&Scene::new(3));
        let dull = Image::from_pixels(
            scene.width(),
            scene.height(),
            scene.pixels().iter().map(|&value| value / 2 + 90).collect(),
        );
        let [one, other] = [scene, dull].map(|image| Relief::of(&Miniature::of(&image)));
        assert!(other.align(&one, &Motion::IDENTITY).unwrap().correlation > 0.95);
    }

    #[test]
    fn strangers_are_unlike_and_flat_pictures_say_nothing() {
        for seed in 0..10 {
            let likeness = relief(&Scene::new(seed)).align(&relief(&Scene::new(seed + 50)), &Motion::IDENTITY);
            assert!(likeness.is_none_or(|likeness| likeness.correlation < 0.6), "{seed}: {likeness:?}");
        }
        let flat = Relief::of(&Miniature::of(&Image::filled(60, 50, [80; 3])));
        assert!(flat.is_flat() && flat.align(&flat, &Motion::IDENTITY).is_none());
        assert!(!Relief::of(&Miniature::of(&test_picture::picture(60, 50))).is_flat());
    }

    #[test]
    fn a_picture_that_lies_outside_is_not_compared() {
        let relief = relief(&Scene::new(1));
        assert_eq!(relief.align(&relief, &Motion::part(1.0, 1.5, 0.0)), None);
    }

    #[test]
    fn equations_are_solved_and_undecided_ones_are_not() {
        let row = |index: usize, right: f32| {
            std::array::from_fn(
                |column| if column == 6 { right } else { (column == (index + 1) % 6) as u8 as f32 * 2.0 },
            )
        };
        assert_eq!(solve([0, 1, 2, 3, 4, 5].map(|at| row(at, at as f32))), Some([2.5, 0.0, 0.5, 1.0, 1.5, 2.0]));
        assert_eq!(solve([[1.0; 7]; 6]), None);
    }
}
