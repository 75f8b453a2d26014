//! Pictures of many soft spots, of which a part can be seen, mirrored or turned.

use super::Motion;
use crate::Image;

/// A picture of 240x180 pixels.
pub(super) struct Scene {
    pub(super) seed: u32,
    /// Where its points lie in the picture of the same seed that is not moved.
    pub(super) motion: Motion,
}

impl Scene {
    pub(super) fn new(seed: u32) -> Self {
        Self { seed, motion: Motion::IDENTITY }
    }
}

/// The picture. Beyond the borders of the one that is not moved its spots go on.
pub(super) fn render(scene: &Scene) -> Image {
    let mut state = scene.seed.wrapping_mul(2_654_435_761).wrapping_add(97);
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 65536.0
    };
    let spots: Vec<[f32; 4]> = (0..60)
        .map(|_| {
            [random() * 2.4 - 1.2, random() * 2.4 - 1.2, 0.04 + 0.3 * random() * random(), random() * 160.0 - 80.0]
        })
        .collect();
    let (width, height) = (240, 180);
    let pixels = (0..width * height).flat_map(|at| {
        let place = |index: usize, side: usize| (2 * index + 1) as f32 / side as f32 - 1.0;
        let (x, y) = scene.motion.apply(place(at % width, width), place(at / width, height));
        let light = |&[left, top, size, light]: &[f32; 4]| {
            light / (1.0 + ((x - left).powi(2) + (y - top).powi(2)) / (size * size)).powi(2)
        };
        let value: f32 = spots.iter().map(light).sum();
        [(128.0 + value).clamp(0.0, 255.0) as u8; 3]
    });
    Image::from_pixels(width, height, pixels.collect())
}
