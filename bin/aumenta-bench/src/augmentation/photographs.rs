//! The pictures that every contender works on, and how they reach the processes in Python.
//!
//! They are drawn, so that a run needs no data, and written to a folder as raw bytes, so that no contender decodes:
//!
//! - `large.rgb`, `small.rgb`: pictures one behind the other, uint8 HWC;
//! - `draws.json`: the sizes `[width, height]` of both, and a warp and a crop for each large picture.

use std::path::Path;

use anyhow::Result;
use aumenta_imgproc::{Image, Matrix3, Size, resize};
use aumenta_seed::Seed;
use fs_err as fs;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::photograph::{PHOTOGRAPH, photograph};

/// The size of a decoded photograph.
pub const LARGE: Size = PHOTOGRAPH;
/// The size that networks want.
pub const SMALL: Size = Size::square(150);

/// Photographs, large and small, with the numbers drawn for each.
#[derive(Debug)]
pub struct Photographs {
    /// Pictures of [`LARGE`].
    pub large: Vec<Image>,
    /// The same pictures at [`SMALL`].
    pub small: Vec<Image>,
    /// A warp from each large picture to [`SMALL`].
    pub warps: Vec<Warp>,
    /// A crop of each large picture: left, top, width, height.
    pub crops: Vec<[usize; 4]>,
}

/// A motion that every library can express: a zoom and a rotation about the center, then a shift.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Warp {
    /// Counter-clockwise.
    pub rotation_degrees: f64,
    /// To the right, in output pixels.
    pub x_pixels: f64,
    /// Down, in output pixels.
    pub y_pixels: f64,
    /// The enlargement in both directions.
    pub zoom: f64,
    /// All of it and the resize, from output pixels to source pixels.
    pub matrix: [[f64; 3]; 2],
}

/// What stands in `draws.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draws {
    large: [usize; 2],
    small: [usize; 2],
    warps: Vec<Warp>,
    crops: Vec<[usize; 4]>,
}

impl Photographs {
    /// Draws `count` photographs and their numbers.
    pub fn draw(count: usize) -> Self {
        let seed = Seed::new(7);
        let large: Vec<Image> = (0..count as u64).map(|index| photograph(seed, index)).collect();
        let small = large.iter().map(|picture| resize(picture, SMALL)).collect();
        let numbers = |index| (warp(seed, index), crop(seed, index));
        let (warps, crops) = (0..count as u64).map(numbers).unzip();
        Self { large, small, warps, crops }
    }

    /// Writes everything to `folder`.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let pixels = |pictures: &[Image]| pictures.iter().flat_map(Image::pixels).copied().collect::<Vec<u8>>();
        fs::write(folder.join("large.rgb"), pixels(&self.large))?;
        fs::write(folder.join("small.rgb"), pixels(&self.small))?;
        let draws = Draws {
            large: [LARGE.width, LARGE.height],
            small: [SMALL.width, SMALL.height],
            warps: self.warps.clone(),
            crops: self.crops.clone(),
        };
        fs::write(folder.join("draws.json"), serde_json::to_string(&draws)? + "\n")?;
        Ok(())
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let draws: Draws = serde_json::from_str(&fs::read_to_string(folder.join("draws.json"))?)?;
        let pictures = |name: &str, size: Size| -> Result<Vec<Image>> {
            let pixels = fs::read(folder.join(name))?;
            let picture = |pixels: &[u8]| Image::from_pixels(size.width, size.height, pixels.to_vec());
            Ok(pixels.chunks_exact(size.width * size.height * 3).map(picture).collect())
        };
        let (large, small) = (pictures("large.rgb", LARGE)?, pictures("small.rgb", SMALL)?);
        Ok(Self { large, small, warps: draws.warps, crops: draws.crops })
    }
}

fn warp(seed: Seed, index: u64) -> Warp {
    let mut rng = seed.rng("bench-warp", 0, index);
    let rotation_degrees = rng.random_range(-40.0..=40.0);
    let [x_pixels, y_pixels] = [0; 2].map(|_| rng.random_range(-30.0..=30.0));
    let zoom = rng.random_range(0.8..=1.2);
    let center = ((SMALL.width as f64 - 1.0) / 2.0, (SMALL.height as f64 - 1.0) / 2.0);
    let grid = Matrix3::grid(LARGE.width as f64 / SMALL.width as f64, LARGE.height as f64 / SMALL.height as f64);
    let matrix = Matrix3::shift(x_pixels, y_pixels)
        .then(&Matrix3::rotation(rotation_degrees, center))
        .then(&Matrix3::scale(zoom, zoom, center))
        .then(&grid);
    let [first, second, ..] = *matrix.rows();
    Warp { rotation_degrees, x_pixels, y_pixels, zoom, matrix: [first, second] }
}

/// A part of a large picture with 0.08 to 1 of its area and an aspect ratio from 3/4 to 4/3, as far as that fits.
fn crop(seed: Seed, index: u64) -> [usize; 4] {
    let mut rng = seed.rng("bench-crop", 0, index);
    let area = (LARGE.width * LARGE.height) as f64 * rng.random_range(0.08..=1.0);
    let ratio: f64 = rng.random_range(0.75..=4.0 / 3.0);
    let width = ((area * ratio).sqrt() as usize).clamp(1, LARGE.width);
    let height = ((area / ratio).sqrt() as usize).clamp(1, LARGE.height);
    let left = rng.random_range(0..=LARGE.width - width);
    let top = rng.random_range(0..=LARGE.height - height);
    [left, top, width, height]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_survive_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = Photographs::draw(2);
        drawn.write(folder.path()).unwrap();
        let read = Photographs::read(folder.path()).unwrap();
        assert_eq!((&read.large, &read.small), (&drawn.large, &drawn.small));
        assert_eq!((&read.warps, &read.crops), (&drawn.warps, &drawn.crops));
        assert_ne!(drawn.large[0], drawn.large[1]);
        assert_eq!((drawn.large[0].size(), drawn.small[1].size()), (LARGE, SMALL));
    }

    #[test]
    fn crops_lie_inside_their_picture() {
        for index in 0..200 {
            let [left, top, width, height] = crop(Seed::new(7), index);
            assert!(left + width <= LARGE.width && top + height <= LARGE.height && width * height > 10_000);
        }
    }
}
