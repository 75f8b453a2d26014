//! [`RandomCrop`] and [`RandomResizedCrop`].

use aumenta_imgproc::Size;
use rand::{Rng, RngExt as _};

use super::{Transform, in_range, range_within, uniform};
use crate::{AugmentError, Canvas, Op, Plan};

/// Shows a window of every picture, drawn uniformly from all places of whole pixels.
///
/// The picture is thought of at `1 / size_fraction` times the output's size, with `padding_fraction` of that around it; the
/// window is as large as the output. For networks on 32x32 pixels it is the customary crop with a padding of 4: a size
/// fraction of 1 and a padding fraction of 0.125 move the picture by -4 to 4 pixels and keep every pixel as it is. A size
/// fraction of 0.875 cuts 224 pixels from 256. The padding shows the plan's fill.
///
/// ```
/// use aumenta_augment::{Canvas, Op, Plan, RandomCrop, Transform};
/// use aumenta_imgproc::Size;
///
/// let mut plan = Plan::identity();
/// let crop = RandomCrop::new(1.0, 0.125)?;
/// crop.draw(Canvas::of(Size::square(32)), &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// let [Op::Crop { x_fraction, width_fraction: 1.0, .. }] = plan.ops[..] else { panic!("{plan}") };
/// assert!([-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0].contains(&(x_fraction * 32.0)));
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomCrop {
    size_fraction: f64,
    padding_fraction: f64,
}

impl RandomCrop {
    /// A window of `size_fraction` of the picture's width and height, over the picture and `padding_fraction` of its width
    /// and height on each side.
    ///
    /// # Errors
    /// Where `size_fraction` is not in `[0.01, 3]` or `padding_fraction` not in `[0, 1]`, or where the window is larger than
    /// the padded picture: `size_fraction` above `1 + 2 * padding_fraction`.
    pub fn new(size_fraction: f64, padding_fraction: f64) -> Result<Self, AugmentError> {
        in_range("size-fraction", size_fraction, 0.01, 3.0, "a fraction from 0.01 to 3")?;
        in_range("padding-fraction", padding_fraction, 0.0, 1.0, "a fraction from 0 to 1")?;
        let padded = 1.0 + 2.0 * padding_fraction;
        if size_fraction > padded {
            return Err(AugmentError::CropTooLarge { size_fraction, padding_fraction, padded });
        }
        Ok(Self { size_fraction, padding_fraction })
    }

    /// Where the window starts and how long it is, in lengths of the picture.
    fn window(&self, output: usize, rng: &mut dyn Rng) -> (f64, f64) {
        let picture = (output as f64 / self.size_fraction).round().max(1.0);
        let padding = (picture * self.padding_fraction).round();
        let places = (picture + 2.0 * padding - output as f64).max(0.0) as u64;
        let place = rng.random_range(0..=places) as f64;
        ((place - padding) / picture, output as f64 / picture)
    }
}

impl Transform for RandomCrop {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let (x_fraction, width_fraction) = self.window(canvas.output.width, rng);
        let (y_fraction, height_fraction) = self.window(canvas.output.height, rng);
        plan.ops.push(Op::Crop { x_fraction, y_fraction, width_fraction, height_fraction });
    }
}

/// Shows a window of every picture, of random area and shape, on the whole canvas.
///
/// It is the crop of Szegedy et al. (*Going Deeper with Convolutions*, 2015, section 6), as torchvision's
/// `RandomResizedCrop` draws it: an area, uniformly from `areas` times the picture's, and an aspect ratio (width over height,
/// in pixels of the source), whose logarithm is uniform; then a place, uniformly from all places of whole source pixels.
/// A window that does not fit is drawn again; after ten times it is the largest one in the middle whose aspect ratio is in
/// the range. Customary are areas from 0.08 to 1 and aspect ratios from 3/4 to 4/3.
///
/// ```
/// use aumenta_augment::{Canvas, Op, Plan, RandomResizedCrop, Transform};
/// use aumenta_imgproc::Size;
///
/// let mut plan = Plan::identity();
/// let canvas = Canvas { source: Size { width: 500, height: 375 }, output: Size::square(224) };
/// let crop = RandomResizedCrop::new([0.25, 0.25], [1.0, 1.0])?;
/// crop.draw(canvas, &mut aumenta_seed::Seed::new(7).rng("augment", 0, 0), &mut plan);
/// let [Op::Crop { width_fraction, height_fraction, .. }] = plan.ops[..] else { panic!("{plan}") };
/// // A quarter of the area, as a square: 217 pixels of 500 and of 375.
/// assert_eq!((width_fraction * 500.0, height_fraction * 375.0), (217.0, 217.0));
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomResizedCrop {
    areas: [f64; 2],
    aspect_ratios: [f64; 2],
}

impl RandomResizedCrop {
    /// A window of `areas` (lower and upper end) times the picture's area, and of `aspect_ratios`, width over height.
    ///
    /// # Errors
    /// Where an area is not in `[0.0001, 1]` or an aspect ratio not in `[0.01, 100]`, or the lower end is above the upper.
    pub fn new(areas: [f64; 2], aspect_ratios: [f64; 2]) -> Result<Self, AugmentError> {
        Ok(Self {
            areas: range_within("areas", areas, 0.0001, 1.0, "fractions of the picture from 0.0001 to 1")?,
            aspect_ratios: range_within("aspect-ratios", aspect_ratios, 0.01, 100.0, "ratios from 0.01 to 100")?,
        })
    }

    /// Left and top edge, width and height of the window, in pixels of the source.
    fn window(&self, source: Size, rng: &mut dyn Rng) -> [usize; 4] {
        let logarithms = self.aspect_ratios.map(libm::log);
        for _ in 0..10 {
            let area = uniform(self.areas, rng) * (source.width * source.height) as f64;
            let aspect_ratio = libm::exp(uniform(logarithms, rng));
            let (width, height) = ((area * aspect_ratio).sqrt().round(), (area / aspect_ratio).sqrt().round());
            let (width, height) = (width as usize, height as usize);
            if (1..=source.width).contains(&width) && (1..=source.height).contains(&height) {
                let top = rng.random_range(0..=source.height - height);
                let left = rng.random_range(0..=source.width - width);
                return [left, top, width, height];
            }
        }
        self.middle(source)
    }

    fn middle(&self, source: Size) -> [usize; 4] {
        let (columns, rows) = (source.width as f64, source.height as f64);
        let aspect_ratio = (columns / rows).clamp(self.aspect_ratios[0], self.aspect_ratios[1]);
        let whole = |length: f64, side: usize| (length.round() as usize).clamp(1, side.max(1));
        let width = whole(columns.min(rows * aspect_ratio), source.width);
        let height = whole(rows.min(columns / aspect_ratio), source.height);
        [source.width.saturating_sub(width) / 2, source.height.saturating_sub(height) / 2, width, height]
    }
}

impl Transform for RandomResizedCrop {
    fn draw(&self, canvas: Canvas, rng: &mut dyn Rng, plan: &mut Plan) {
        let source = Size { width: canvas.source.width.max(1), height: canvas.source.height.max(1) };
        let [left, top, width, height] = self.window(source, rng);
        plan.ops.push(Op::Crop {
            x_fraction: left as f64 / source.width as f64,
            y_fraction: top as f64 / source.height as f64,
            width_fraction: width as f64 / source.width as f64,
            height_fraction: height as f64 / source.height as f64,
        });
    }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;

    use super::*;

    fn crops(transform: &dyn Transform, canvas: Canvas) -> Vec<[f64; 4]> {
        let mut plan = Plan::identity();
        for sample in 0..500 {
            transform.draw(canvas, &mut Seed::new(7).rng("augment", 0, sample), &mut plan);
        }
        let window = |op: &Op| match *op {
            Op::Crop { x_fraction, y_fraction, width_fraction, height_fraction } => {
                [x_fraction, y_fraction, width_fraction, height_fraction]
            }
            _ => panic!("{op} is no crop"),
        };
        plan.ops.iter().map(window).collect()
    }

    #[test]
    fn a_crop_larger_than_the_padded_picture_is_refused() {
        let error = RandomCrop::new(1.3, 0.125).unwrap_err();
        assert_eq!(
            error.to_string(),
            "size-fraction is 1.3, which is larger than the picture with its padding: 1 + 2 * 0.125 = 1.25"
        );
        assert!(RandomCrop::new(1.25, 0.125).is_ok());
        assert!(RandomCrop::new(0.0, 0.1).is_err() && RandomCrop::new(0.5, f64::NAN).is_err());
    }

    #[test]
    fn crops_reach_every_whole_pixel_and_both_edges() {
        let canvas = Canvas::of(Size { width: 28, height: 14 });
        let mut columns: Vec<i64> = Vec::new();
        for [x, y, width, height] in crops(&RandomCrop::new(0.875, 0.0).unwrap(), canvas) {
            assert_eq!((width, height), (28.0 / 32.0, 14.0 / 16.0));
            assert!((x * 32.0).fract() == 0.0 && (0.0..=2.0).contains(&(y * 16.0)));
            columns.push((x * 32.0) as i64);
        }
        columns.sort_unstable();
        columns.dedup();
        assert_eq!(columns, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn resized_crops_lie_inside_and_have_the_area_and_shape_asked_for() {
        let source = Size { width: 500, height: 375 };
        let canvas = Canvas { source, output: Size::square(64) };
        for [x, y, width, height] in crops(&RandomResizedCrop::new([0.08, 1.0], [0.75, 1.25]).unwrap(), canvas) {
            assert!(x >= 0.0 && y >= 0.0 && x + width <= 1.0 + 1e-12 && y + height <= 1.0 + 1e-12);
            assert!((0.079..=1.0).contains(&(width * height)));
            assert!((0.74..=1.27).contains(&(width * 500.0 / (height * 375.0))));
        }
    }

    #[test]
    fn a_shape_that_never_fits_is_cut_from_the_middle() {
        let canvas = Canvas { source: Size { width: 100, height: 10 }, output: Size::square(8) };
        let crop = RandomResizedCrop::new([1.0, 1.0], [0.5, 2.0]).unwrap();
        assert_eq!(crops(&crop, canvas)[0], [0.4, 0.0, 0.2, 1.0]);
        let canvas = Canvas { source: Size { width: 10, height: 100 }, output: Size::square(8) };
        assert_eq!(crops(&crop, canvas)[0], [0.0, 0.4, 1.0, 0.2]);
    }

    #[test]
    fn resized_crops_of_nonsense_are_refused() {
        assert!(RandomResizedCrop::new([0.0, 1.0], [1.0, 1.0]).is_err());
        assert!(RandomResizedCrop::new([0.5, 0.4], [1.0, 1.0]).is_err());
        assert!(RandomResizedCrop::new([0.5, 1.0], [0.75, f64::INFINITY]).is_err());
    }

    #[test]
    fn a_picture_of_nothing_is_cropped_without_trouble() {
        let canvas = Canvas::of(Size::default());
        assert_eq!(crops(&RandomResizedCrop::new([0.1, 1.0], [0.5, 2.0]).unwrap(), canvas)[0][2..], [1.0, 1.0]);
        crops(&RandomCrop::new(0.5, 0.5).unwrap(), canvas);
    }
}
