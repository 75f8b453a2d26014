//! Tiles: many pictures from few photographs, which show nothing twice.

use aumenta_imgproc::{ColorChain, Image, Matrix3, Sampling, Size, Slot, luma, warp};

/// The side of the smallest tile that still shows something.
const SMALLEST_TILE: usize = 32;

/// The standard deviation of the luma below which a tile shows no more than a wall or a piece of the sky.
const LEAST_DEVIATION: f64 = 12.0;

/// The side of the largest square tiles of which photographs of `sizes` hold `count`, side by side. None is more than half as
/// wide or high as its photograph, so that none shows most of it.
pub fn tile_side(sizes: &[Size], count: usize) -> Option<usize> {
    let fits =
        |side: &usize| sizes.iter().map(|size| columns_and_rows(*size, *side)).map(|(x, y)| x * y).sum::<usize>();
    let largest = sizes.iter().map(|size| size.width.min(size.height)).max()?;
    (SMALLEST_TILE..=largest).rev().find(|side| fits(side) >= count)
}

/// The square tiles of `image` with the given side that show something.
pub fn tiles(image: &Image, side: usize) -> impl Iterator<Item = Image> + '_ {
    let (columns, rows) = columns_and_rows(image.size(), side);
    let corners = (0..rows).flat_map(move |row| (0..columns).map(move |column| (column * side, row * side)));
    corners.map(move |corner| crop(image, corner, Size::square(side))).filter(shows_something)
}

/// The window of `image` of the given size whose top left pixel is `corner`.
pub fn crop(image: &Image, corner: (usize, usize), size: Size) -> Image {
    moved(image, &Matrix3::shift(-(corner.0 as f64), -(corner.1 as f64)), Sampling::default(), size)
}

/// `image` seen through `matrix`, which takes points of the result to points of the image.
pub fn moved(image: &Image, matrix: &Matrix3, sampling: Sampling, size: Size) -> Image {
    let mut out = Image::filled(size.width, size.height, [0; 3]);
    warp(image, matrix, sampling, &ColorChain::IDENTITY, size, Slot::rgb(out.pixels_mut()));
    out
}

fn columns_and_rows(size: Size, side: usize) -> (usize, usize) {
    if size.width.min(size.height) < 2 * side {
        return (0, 0);
    }
    (size.width / side, size.height / side)
}

fn shows_something(image: &Image) -> bool {
    let (mut sum, mut squares) = (0.0, 0.0);
    let pixels = image.pixels().as_chunks::<3>().0;
    for pixel in pixels {
        let value = f64::from(luma(*pixel));
        sum += value;
        squares += value * value;
    }
    let mean = sum / pixels.len() as f64;
    (squares / pixels.len() as f64 - mean * mean).max(0.0).sqrt() >= LEAST_DEVIATION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_as_large_as_their_number_allows() {
        let sizes = [Size { width: 500, height: 375 }, Size { width: 200, height: 200 }];
        assert_eq!(tile_side(&sizes, 1), Some(187));
        assert_eq!(tile_side(&sizes, 5), Some(166));
        assert_eq!(tile_side(&sizes, 13), Some(100));
        assert_eq!(tile_side(&sizes, 1_000_000), None);
        assert_eq!(tile_side(&[], 1), None);
    }

    #[test]
    fn tiles_lie_side_by_side_and_those_without_detail_are_left_out() {
        let mut image = Image::filled(7, 5, [90; 3]);
        image.set(0, 0, [250; 3]);
        image.set(3, 1, [10; 3]);
        let tiles: Vec<Image> = tiles(&image, 2).collect();
        assert_eq!(tiles.iter().map(|tile| tile.get(0, 0)[0]).collect::<Vec<_>>(), [250, 90]);
        assert_eq!(tiles[1].get(1, 1), [10; 3]);
    }
}
