//! [`HeatMap`]: a number for each place of an image.

use candle_core::Tensor;

use crate::error::ExplainError;

/// How much each place of an image matters, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl HeatMap {
    /// A map of `height` rows.
    ///
    /// # Panics
    /// Where `values` are not `height * width` numbers.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), height * width, "a map of {height}x{width}");
        Self { height, width, values }
    }

    /// A tensor of `[height, width]`.
    pub(crate) fn from_tensor(map: &Tensor) -> Result<Self, ExplainError> {
        let (height, width) = map.dims2()?;
        Ok(Self::new(height, width, map.flatten_all()?.to_vec1()?))
    }

    /// How many rows there are.
    pub fn height(&self) -> usize {
        self.height
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The smallest and the largest number.
    pub fn range(&self) -> [f32; 2] {
        let least = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        let largest = self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [least, largest]
    }

    /// At another size, by bilinear interpolation between the places' centers, as images are resized.
    ///
    /// ```
    /// use aumenta_explain::HeatMap;
    ///
    /// let map = HeatMap::new(1, 2, vec![0.0, 1.0]).resized(1, 4);
    /// assert_eq!(map.values(), [0.0, 0.25, 0.75, 1.0]);
    /// ```
    #[must_use]
    pub fn resized(&self, height: usize, width: usize) -> Self {
        let (rows, columns) = (places(self.height, height), places(self.width, width));
        let at = |row: usize, column: usize| self.values[row * self.width + column];
        let value = |(top, bottom, down): (usize, usize, f32), (left, right, across): (usize, usize, f32)| {
            let above = at(top, left) * (1.0 - across) + at(top, right) * across;
            let below = at(bottom, left) * (1.0 - across) + at(bottom, right) * across;
            above * (1.0 - down) + below * down
        };
        let values = rows.iter().flat_map(|row| columns.iter().map(|column| value(*row, *column))).collect();
        Self { height, width, values }
    }

    /// The share of the sum of all numbers above 0 that lies in a rectangle of the map: rows from `top` to before `bottom`, columns
    /// from `left` to before `right`. 0 for a map without any.
    pub fn share_within(&self, [top, bottom, left, right]: [usize; 4]) -> f64 {
        let (mut inside, mut all) = (0.0, 0.0);
        for (at, value) in self.values.iter().enumerate() {
            let (row, column, value) = (at / self.width, at % self.width, f64::from(value.max(0.0)));
            all += value;
            if (top..bottom).contains(&row) && (left..right).contains(&column) {
                inside += value;
            }
        }
        if all > 0.0 { inside / all } else { 0.0 }
    }
}

/// For each of `count` places the two of `source` that it lies between, and how far it is from the first.
fn places(source: usize, count: usize) -> Vec<(usize, usize, f32)> {
    let place = |at: usize| {
        let center = ((at as f64 + 0.5) * source as f64 / count as f64 - 0.5).clamp(0.0, source as f64 - 1.0);
        let first = center as usize;
        (first, (first + 1).min(source - 1), (center - first as f64) as f32)
    };
    (0..count).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_is_the_same_map_and_a_plain_one_stays_plain() {
        let map = HeatMap::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(map.resized(2, 3), map);
        assert_eq!(HeatMap::new(1, 1, vec![0.5]).resized(3, 4).values(), [0.5; 12]);
        assert_eq!(map.range(), [1.0, 6.0]);
    }

    #[test]
    fn the_share_of_a_rectangle_counts_what_is_above_zero() {
        let map = HeatMap::new(2, 2, vec![3.0, -5.0, 1.0, 0.0]);
        assert_eq!(map.share_within([0, 1, 0, 2]), 0.75);
        assert_eq!(map.share_within([0, 2, 0, 2]), 1.0);
        assert_eq!(HeatMap::new(1, 2, vec![0.0, -1.0]).share_within([0, 1, 0, 2]), 0.0);
    }
}
