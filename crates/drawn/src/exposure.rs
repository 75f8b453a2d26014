//! What the camera makes of a scene: light from a side, a cast, blur and noise.

use aumenta_imgproc::Image;
use aumenta_seed::Rng;
use rand::RngExt as _;

/// Lights, blurs and roughens a picture in place.
pub(crate) fn expose(image: &mut Image, rng: &mut Rng) {
    if rng.random_bool(0.25) {
        blur(image);
    }
    let gain: [f32; 3] = {
        let all = rng.random_range(0.6..1.15);
        std::array::from_fn(|_| all * rng.random_range(0.92..1.08))
    };
    let slope = (rng.random_range(-0.35..0.35), rng.random_range(-0.35..0.35));
    let noise: f32 = rng.random_range(2.0..14.0);
    let (width, height) = (image.width(), image.height());
    let rows = image.pixels_mut().chunks_exact_mut(width * 3).enumerate();
    for (y, row) in rows {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let light = 1.0 + slope.0 * (x as f32 / width as f32 - 0.5) + slope.1 * (y as f32 / height as f32 - 0.5);
            // Two uniform numbers make a triangular distribution, near enough to the bell of a sensor's noise.
            let grain = noise * (rng.random_range(-1.0..1.0f32) + rng.random_range(-1.0..1.0f32));
            for (value, gain) in pixel.iter_mut().zip(gain) {
                *value = (f32::from(*value) * gain * light + grain).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// The binomial blur (1, 2, 1) / 4 in both directions; pixels beyond the edge equal those at the edge.
fn blur(image: &mut Image) {
    let source = image.clone();
    let (width, height) = (image.width(), image.height());
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
        for x in 0..width {
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            let mut sum = [8u32; 3];
            for (row, row_weight) in rows.into_iter().zip([1, 2, 1]) {
                for (column, column_weight) in columns.into_iter().zip([1, 2, 1]) {
                    for (sum, value) in sum.iter_mut().zip(source.get(column, row)) {
                        *sum += u32::from(value) * row_weight * column_weight;
                    }
                }
            }
            image.set(x, y, sum.map(|sum| (sum / 16) as u8));
        }
    }
}
