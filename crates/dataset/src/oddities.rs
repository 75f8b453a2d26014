//! [`Norm`]: what is usual in a data set, and what of an image is not.

use crate::finding::Cause;
use crate::scan::{Facts, PixelFacts};

/// Deviations of luma below this many levels show nothing: JPEG's own errors in a flat area are as large.
const LEAST_DEVIATION: f32 = 1.0;

/// A placeholder has one color on at least this share of its pixels, and on as many times the usual share. Digits on
/// black and goods on white have such shares too, but all of them.
const PLACEHOLDER_SHARE: f32 = 0.5;
const PLACEHOLDER_TIMES: f32 = 5.0;

/// A shape is odd from this ratio of its sides on.
const ODD_ASPECT: u32 = 4;

/// A size is odd where its root of width times height is as many times the median, or less than the median by as much.
const ODD_SIZE_TIMES: f64 = 4.0;

/// What is usual in a data set: medians over its images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Norm {
    /// The root of width times height, in pixels.
    side: f64,
    /// The share of the most frequent color.
    share: f32,
}

impl Norm {
    pub(crate) fn of(facts: &[&Facts]) -> Self {
        let shares = facts.iter().filter_map(|facts| facts.pixels.as_ref());
        let mut shares: Vec<f32> = shares.map(|pixels| pixels.flatness.share).collect();
        let mut sides: Vec<f64> = facts.iter().map(|facts| side(facts)).collect();
        shares.sort_by(f32::total_cmp);
        sides.sort_by(f64::total_cmp);
        Self {
            side: sides.get(sides.len() / 2).copied().unwrap_or(0.0),
            share: shares.get(shares.len() / 2).copied().unwrap_or(0.0),
        }
    }

    /// What is odd about the image at `path`.
    pub(crate) fn oddities(&self, path: &str, facts: &Facts) -> Vec<Cause> {
        let of_pixels = facts.pixels.as_ref().map(|pixels| self.of_pixels(pixels)).unwrap_or_default();
        let of_file = [wrong_extension(path, facts), self.odd_size(facts)];
        of_pixels.into_iter().chain(of_file).flatten().collect()
    }

    fn of_pixels(&self, pixels: &PixelFacts) -> [Option<Cause>; 2] {
        let flatness = &pixels.flatness;
        let is_placeholder = flatness.share >= PLACEHOLDER_SHARE && flatness.share > PLACEHOLDER_TIMES * self.share;
        let flat = if flatness.deviation < LEAST_DEVIATION {
            Some(Cause::Blank { deviation: flatness.deviation })
        } else {
            is_placeholder.then_some(Cause::Placeholder { share: flatness.share })
        };
        [flat, pixels.trailing.map(|(at, bytes)| Cause::Trailing { at, bytes })]
    }

    fn odd_size(&self, facts: &Facts) -> Option<Cause> {
        let Facts { width, height, .. } = *facts;
        let (shorter, longer) = (width.min(height), width.max(height));
        if shorter <= 1 || longer > shorter.saturating_mul(ODD_ASPECT) {
            return Some(Cause::OddShape { width, height });
        }
        let side = side(facts);
        let is_far = side > self.side * ODD_SIZE_TIMES || side * ODD_SIZE_TIMES < self.side;
        is_far.then_some(Cause::OddSize { width, height })
    }
}

fn side(facts: &Facts) -> f64 {
    (f64::from(facts.width) * f64::from(facts.height)).sqrt()
}

fn wrong_extension(path: &str, facts: &Facts) -> Option<Cause> {
    let (_, extension) = path.rsplit_once('.')?;
    let is_its_own = facts.format.extensions().contains(&extension.to_ascii_lowercase().as_str());
    (!is_its_own).then_some(Cause::WrongExtension { format: facts.format })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Kind;
    use crate::flatness::Flatness;
    use crate::sample;

    #[track_caller]
    fn check(path: &str, facts: &Facts, expected: &[Kind]) {
        let norm = Norm { side: 100.0, share: 0.02 };
        let kinds: Vec<Kind> = norm.oddities(path, facts).iter().map(Cause::kind).collect();
        assert_eq!(kinds, expected);
    }

    fn sized(width: u32, height: u32) -> Facts {
        Facts { width, height, ..sample::facts() }
    }

    fn flat(deviation: f32, share: f32) -> Facts {
        let pixels = PixelFacts { hash: String::new(), flatness: Flatness { deviation, share }, trailing: None };
        Facts { pixels: Some(pixels), ..sized(100, 100) }
    }

    #[test]
    fn sizes_and_shapes_are_compared_with_the_usual() {
        check("a.png", &sized(100, 100), &[]);
        check("a.png", &sized(200, 50), &[]);
        check("a.png", &sized(201, 50), &[Kind::OddShape]);
        check("a.png", &sized(1, 1), &[Kind::OddShape]);
        check("a.png", &sized(400, 400), &[]);
        check("a.png", &sized(401, 400), &[Kind::OddSize]);
        check("a.png", &sized(24, 24), &[Kind::OddSize]);
    }

    #[test]
    fn flat_pictures_are_blank_or_placeholders_unless_all_are() {
        check("a.png", &flat(0.9, 0.99), &[Kind::Blank]);
        check("a.png", &flat(40.0, 0.5), &[Kind::Placeholder]);
        check("a.png", &flat(40.0, 0.49), &[]);
        let digits = Norm { side: 100.0, share: 0.8 };
        assert!(digits.oddities("a.png", &flat(40.0, 0.95)).is_empty());
    }

    #[test]
    fn an_extension_may_be_any_of_its_format() {
        check("a.PNG", &sized(100, 100), &[]);
        check("a.jpg", &sized(100, 100), &[Kind::WrongExtension]);
    }
}
