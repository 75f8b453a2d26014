//! [`Vectors`]: the step of a warp that is written for each instruction set, because compilers do not find it.
//!
//! The AVX2 and AVX-512 forms are safe methods of `pulp`'s tokens, which exist only where the processor has the
//! instructions. [`Portable`] is their reference and what every other processor runs; on aarch64, where NEON belongs to the baseline, the compiler makes NEON code of it.

use super::{LANES, Lanes};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

/// An instruction set.
pub trait Vectors: Copy {
    /// Blends pairs of neighbouring colours (the left one in the lowest three bytes, the right one in the next three),
    /// one pair above the other. The weights of the right and of the lower colours have [`WEIGHT`] bits, and stand in the
    /// lower and in the upper half of a lane.
    ///
    /// A mean along a row keeps 6 fractional bits, rounded down, and so does the mean of two such means; the result is
    /// rounded half up. All differences, shifted up as far as the weights' products are shifted down by 16, fit into 16
    /// bits.
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, weights: &Lanes<u32>) -> Lanes<u32>;
}

/// Fractional bits of a bilinear weight.
pub const WEIGHT: u32 = 15;

/// Plain loops.
#[derive(Clone, Copy)]
pub struct Portable;

impl Vectors for Portable {
    #[inline(always)]
    fn blend(self, upper: &Lanes<u64>, lower: &Lanes<u64>, weights: &Lanes<u32>) -> Lanes<u32> {
        let mut colors = [0; LANES];
        for lane in 0..LANES {
            let (right, down) = (i32::from(weights[lane] as u16), (weights[lane] >> 16) as i32);
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

    proptest! {
        #[test]
        fn every_instruction_set_blends_alike(
            upper in any::<Lanes<u64>>(),
            lower in any::<Lanes<u64>>(),
            weights in any::<Lanes<u32>>(),
        ) {
            let weights = weights.map(|both| both & 0x7fff_7fff);
            let expected = Portable.blend(&upper, &lower, &weights);
            if let Some(avx2) = V3::try_new() {
                prop_assert_eq!(avx2.blend(&upper, &lower, &weights), expected);
            }
            if let Some(avx512) = V4::try_new() {
                prop_assert_eq!(avx512.blend(&upper, &lower, &weights), expected);
            }
        }
    }
}
