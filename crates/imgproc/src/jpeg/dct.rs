//! The cosine transforms of eight numbers that JPEG is made of, forth, back, and back to fewer.
//!
//! They are those of Loeffler, Ligtenberg and Moschytz ("Practical fast 1-D DCT algorithms with 11 multiplications",
//! 1989) with constants of 13 bits. Numbers that no picture leads to, as a damaged file may hold them, wrap.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

use std::num::Wrapping;

/// A number with fractional bits.
pub type Number = Wrapping<i32>;

/// A constant with 13 fractional bits.
const fn fixed(value: f64) -> Number {
    Wrapping((value * 8192.0 + 0.5) as i32)
}

/// A number without its fractional bits, rounded half up.
#[inline(always)]
pub fn rounded(value: Number, bits: usize) -> i32 {
    ((value + Wrapping(1 << (bits - 1))) >> bits).0
}

/// The frequencies of eight values, with 13 fractional bits; they are larger than an orthonormal transform's by the
/// square root of 8.
#[inline(always)]
pub fn frequencies(values: [i32; 8]) -> [Number; 8] {
    let v: [Number; 8] = std::array::from_fn(|at| Wrapping(values[at]));
    let sums = [v[0] + v[7], v[1] + v[6], v[2] + v[5], v[3] + v[4]];
    let [f1, f3, f5, f7] = odd_part([v[0] - v[7], v[1] - v[6], v[2] - v[5], v[3] - v[4]]);
    let (outer, inner) = (sums[0] + sums[3], sums[1] + sums[2]);
    let (outer_difference, inner_difference) = (sums[0] - sums[3], sums[1] - sums[2]);
    let turned = (inner_difference + outer_difference) * fixed(0.541_196_100);
    let f2 = turned + outer_difference * fixed(0.765_366_865);
    let f6 = turned - inner_difference * fixed(1.847_759_065);
    [(outer + inner) << 13, f1, f2, f3, (outer - inner) << 13, f5, f6, f7]
}

/// The eight values of eight frequencies, with 13 fractional bits; larger by the square root of 8 again.
#[inline(always)]
pub fn values(frequencies: [i32; 8]) -> [Number; 8] {
    let f: [Number; 8] = std::array::from_fn(|at| Wrapping(frequencies[at]));
    let turned = (f[2] + f[6]) * fixed(0.541_196_100);
    let (inner, outer) = (turned - f[6] * fixed(1.847_759_065), turned + f[2] * fixed(0.765_366_865));
    let (sum, difference) = ((f[0] + f[4]) << 13, (f[0] - f[4]) << 13);
    let [e0, e1, e2, e3] = [sum + outer, difference + inner, difference - inner, sum - outer];
    let [o0, o1, o2, o3] = odd_part([f[1], f[3], f[5], f[7]]);
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0]
}

/// The odd half of a transform, which is its own inverse: a rotation of four values, with 13 more bits.
#[inline(always)]
fn odd_part([a, b, c, d]: [Number; 4]) -> [Number; 4] {
    let both = (a + b + c + d) * fixed(1.175_875_602);
    let near = both - (d + b) * fixed(1.961_570_560);
    let far = both - (c + a) * fixed(0.390_180_644);
    let (ends, middles) = ((d + a) * fixed(0.899_976_223), (c + b) * fixed(2.562_915_447));
    [
        a * fixed(1.501_321_110) - ends + far,
        b * fixed(3.072_711_026) - middles + near,
        c * fixed(2.053_119_869) - middles + far,
        d * fixed(0.298_631_336) - ends + near,
    ]
}

/// The means of the first and second, third and fourth value and so on, of all frequencies but the fifth, which adds
/// nothing to them; with 14 fractional bits.
///
/// A mean of two values of a wave is the wave in the middle of them times a cosine, so it costs a factor and not a sum.
#[inline(always)]
pub fn four_means(frequencies: [i32; 7]) -> [Number; 4] {
    let [f0, f1, f2, f3, f5, f6, f7]: [Number; 7] = std::array::from_fn(|at| Wrapping(frequencies[at]));
    let even = f2 * fixed(1.847_759_065) - f6 * fixed(0.765_366_865);
    let (outer, inner) = ((f0 << 14) + even, (f0 << 14) - even);
    let outer_odd =
        f1 * fixed(2.562_915_447) + f3 * fixed(0.899_976_223) - f5 * fixed(0.601_344_887) - f7 * fixed(0.509_795_579);
    let inner_odd =
        f1 * fixed(1.061_594_337) - f3 * fixed(2.172_734_803) + f5 * fixed(1.451_774_981) - f7 * fixed(0.211_164_243);
    [outer + outer_odd, inner + inner_odd, inner - inner_odd, outer - outer_odd]
}

/// The means of the first four and the last four values, of the first and the odd frequencies, the only ones that they
/// depend on; with 15 fractional bits.
#[inline(always)]
pub fn two_means(frequencies: [i32; 5]) -> [Number; 2] {
    let [f0, f1, f3, f5, f7]: [Number; 5] = std::array::from_fn(|at| Wrapping(frequencies[at]));
    let odd =
        f1 * fixed(3.624_509_785) - f3 * fixed(1.272_758_580) + f5 * fixed(0.850_430_095) - f7 * fixed(0.720_959_822);
    [(f0 << 15) + odd, (f0 << 15) - odd]
}
