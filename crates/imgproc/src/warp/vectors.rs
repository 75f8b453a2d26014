//! [`Vectors`]: the few steps of a warp that are written for each instruction set, because compilers do not find them.
//!
//! The AVX2 and AVX-512 forms are safe methods of `pulp`'s tokens, which exist only where the processor has the
//! instructions; only the gathers of `gather.rs` need `unsafe`. [`Portable`] is their reference and what every other
//! processor runs; on aarch64, where NEON belongs to the baseline, the compiler makes NEON code of it.

use super::source::Source;
use super::{LANES, Lanes};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod gather;

/// An instruction set.
pub trait Vectors: Copy {
    /// Blends pairs of neighbouring colours (the left one in the lowest three bytes, the right one in the next three),
    /// one pair above the other. The weights of the right and of the lower colours have [`WEIGHT`] bits.
    ///
    /// A mean along a row keeps 6 fractional bits, rounded down, and so does the mean of two such means; the result is
    /// rounded half up. All differences, shifted up as far as the weights' products are shifted down by 16, fit into 16
    /// bits.
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, right: &Lanes<u64>, down: &Lanes<u64>) -> Lanes<u32>;

    /// Reads the pairs of colours that begin at the pixels of these numbers, which lie inside of the picture; see
    /// [`Source::pair`].
    #[inline(always)]
    fn pairs(self, source: Source<'_>, indices: &Lanes<u32>) -> Lanes<u64> {
        let mut pairs = [0; LANES];
        for (pair, &index) in pairs.iter_mut().zip(indices) {
            *pair = source.pair(index);
        }
        pairs
    }

    /// Says that the pixels of these numbers will be read soon, where reads wait for each other.
    #[inline(always)]
    fn fetch(self, _source: Source<'_>, _indices: &Lanes<u32>) {}
}

/// Fractional bits of a bilinear weight.
pub const WEIGHT: u32 = 15;

/// Plain loops.
#[derive(Clone, Copy)]
pub struct Portable;

impl Vectors for Portable {
    #[inline(always)]
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, right: &Lanes<u64>, down: &Lanes<u64>) -> Lanes<u32> {
        let mut colors = [0; LANES];
        for lane in 0..LANES {
            let (right, down) = (right[lane] as i32, down[lane] as i32);
            let mut color = 0;
            for channel in 0..3 {
                let value = |pair: u64| (pair >> (8 * channel)) as i32 & 0xff;
                let upper = mean(value(upper[lane]), value(upper[lane] >> 24), right);
                let lower = mean(value(lower[lane]), value(lower[lane] >> 24), right);
                let middle = upper + (((lower - upper) * down) >> WEIGHT);
                color |= ((middle + 32) >> 6) << (8 * channel);
            }
            colors[lane] = color as u32;
        }
        colors
    }
}

/// The mean of two values from 0 to 255, in units of 2^-6.
#[inline(always)]
fn mean(left: i32, right: i32, weight: i32) -> i32 {
    (left << 6) + (((right - left) * weight) >> (WEIGHT - 6))
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use proptest::prelude::*;
    use pulp::x86::{V3, V4};

    use super::*;
    use crate::Image;

    proptest! {
        #[test]
        fn every_instruction_set_reads_alike((width, height) in (1usize..40, 1usize..9), indices in any::<Lanes<u32>>()) {
            let pixels = (0..width * height * 3).map(|at| (at * 7919 / 13) as u8).collect();
            let (image, mut small) = (Image::from_pixels(width, height, pixels), [0; 16]);
            let source = Source::new((&image).into(), &mut small);
            let indices = indices.map(|index| index % (width * height) as u32);
            // Of the last pixel there is no next one, and what lies there is left open.
            let defined = |pairs: Lanes<u64>| {
                let mask = |index| if index == (width * height) as u32 - 1 { 0xff_ffff } else { 0xffff_ffff_ffff };
                std::array::from_fn::<u64, LANES, _>(|lane| pairs[lane] & mask(indices[lane]))
            };
            let expected = defined(Portable.pairs(source, &indices));
            if let Some(avx512) = V4::try_new() {
                prop_assert_eq!(defined(avx512.pairs(source, &indices)), expected);
            }
        }

        #[test]
        fn every_instruction_set_blends_alike(
            upper in any::<Lanes<u64>>(),
            lower in any::<Lanes<u64>>(),
            right in any::<Lanes<u64>>(),
            down in any::<Lanes<u64>>(),
        ) {
            let (right, down) = (right.map(|weight| weight >> (64 - WEIGHT)), down.map(|weight| weight >> (64 - WEIGHT)));
            let expected = Portable.blend(&upper, &lower, &right, &down);
            if let Some(avx2) = V3::try_new() {
                prop_assert_eq!(avx2.blend(&upper, &lower, &right, &down), expected);
            }
            if let Some(avx512) = V4::try_new() {
                prop_assert_eq!(avx512.blend(&upper, &lower, &right, &down), expected);
            }
        }
    }
}
