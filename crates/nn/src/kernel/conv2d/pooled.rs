//! 2x2 max pooling fused with a convolution: the convolution's own output is never stored whole.
//!
//! Where the activation does not decrease, the largest of the activated sums is the activated largest sum, so the
//! activation is applied to a quarter of the elements.
#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use pulp::{Simd, WithSimd};

/// Pools pairs of rows of a convolution's output.
pub struct PoolRows<'a> {
    /// Rows of the output, HWC, two for each pooled row.
    pub rows: &'a [f32],
    /// Columns of the output.
    pub columns: usize,
    pub channels: usize,
    /// Values below the first or above the second are replaced by it.
    pub limits: [f32; 2],
    /// The pooled rows, HWC.
    pub out: &'a mut [f32],
    /// The place of the largest within its window, 0 to 3 in reading order.
    pub winners: &'a mut [u8],
}

impl WithSimd for PoolRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let (row, channels, [low, high]) = (self.columns * self.channels, self.channels, self.limits);
        let pooled_row = self.columns / 2 * channels;
        let pairs = self.rows.chunks_exact(2 * row);
        let outputs = self.out.chunks_exact_mut(pooled_row).zip(self.winners.chunks_exact_mut(pooled_row));
        for (pair, (out, winners)) in pairs.zip(outputs) {
            let (top, bottom) = pair.split_at(row);
            let windows = top.chunks_exact(2 * channels).zip(bottom.chunks_exact(2 * channels));
            let outputs = out.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
            for ((top, bottom), (out, winners)) in windows.zip(outputs) {
                let ((a, b), (c, d)) = (top.split_at(channels), bottom.split_at(channels));
                let (c, d) = (&c[..channels], &d[..channels]);
                for i in 0..channels {
                    let (upper, upper_place) = larger((a[i], 0), (b[i], 1));
                    let (lower, lower_place) = larger((c[i], 2), (d[i], 3));
                    let (largest, winner) = larger((upper, upper_place), (lower, lower_place));
                    let value = if largest < low { low } else { largest };
                    out[i] = if value > high { high } else { value };
                    winners[i] = winner;
                }
            }
        }
    }
}

/// The larger of two values with its place. Ties go to the first, and a NaN wins, so that it stays visible.
#[inline(always)]
fn larger(first: (f32, u8), second: (f32, u8)) -> (f32, u8) {
    let replaced = (second.0 > first.0) | (second.0.is_nan() & !first.0.is_nan());
    if replaced { second } else { first }
}

/// One row of the gradient to a convolution's output, from the gradient to the pooled output.
pub struct UnpoolRow<'a> {
    /// 0 for the upper row of each window, 1 for the lower.
    pub lower: u8,
    pub channels: usize,
    /// The pooled row's gradient.
    pub gradient: &'a [f32],
    /// The pooled row itself; where it is at a limit of the activation, there is no gradient.
    pub pooled: &'a [f32],
    pub limits: [f32; 2],
    pub winners: &'a [u8],
    pub out: &'a mut [f32],
}

impl WithSimd for UnpoolRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let (channels, [low, high]) = (self.channels, self.limits);
        let (left, right) = (2 * self.lower, 2 * self.lower + 1);
        let windows = self.out.chunks_exact_mut(2 * channels);
        let pooled = self.pooled.chunks_exact(channels).zip(self.gradient.chunks_exact(channels));
        for ((pooled, gradient), (winners, out)) in pooled.zip(self.winners.chunks_exact(channels).zip(windows)) {
            let (first, second) = out.split_at_mut(channels);
            for i in 0..channels {
                let outside = is_outside(pooled[i], low, high);
                let gradient = if outside { 0.0 } else { gradient[i] };
                first[i] = if winners[i] == left { gradient } else { 0.0 };
                second[i] = if winners[i] == right { gradient } else { 0.0 };
            }
        }
    }
}

/// Whether an activation with these limits cut a value off. An infinite limit cuts nothing off, not even infinity.
#[inline(always)]
fn is_outside(value: f32, low: f32, high: f32) -> bool {
    (value <= low && low > f32::NEG_INFINITY) || (value >= high && high < f32::INFINITY)
}

/// One row of the gradient to a convolution's sums, from the gradient to its activated output.
pub struct ActivationRow<'a> {
    pub gradient: &'a [f32],
    /// The output.
    pub output: &'a [f32],
    pub limits: [f32; 2],
    pub out: &'a mut [f32],
}

impl WithSimd for ActivationRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let [low, high] = self.limits;
        for ((out, gradient), y) in self.out.iter_mut().zip(self.gradient).zip(self.output) {
            let outside = is_outside(*y, low, high);
            *out = if outside { 0.0 } else { *gradient };
        }
    }
}

/// Adds a row of pixels to a sum for each channel.
pub struct AddPixels<'a> {
    pub row: &'a [f32],
    /// Room for the row's own sums.
    pub partial: &'a mut [f32],
    pub sum: &'a mut [f64],
}

impl WithSimd for AddPixels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        // A row in f32, then the rows in f64: no long chain of roundings.
        self.partial.fill(0.0);
        for pixel in self.row.chunks_exact(self.partial.len()) {
            for (partial, value) in self.partial.iter_mut().zip(pixel) {
                *partial += value;
            }
        }
        for (sum, partial) in self.sum.iter_mut().zip(&*self.partial) {
            *sum += f64::from(*partial);
        }
    }
}
