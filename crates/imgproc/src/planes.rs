//! [`Planes`]: a few neighbouring pixels on their way to a slot, channel by channel.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

/// Pixels of which red, green and blue lie apart, so that a loop over a channel is a loop over vectors.
///
/// Loops run over all [`PIXELS`](Self::PIXELS) whatever is in them, since a length that the compiler knows is what makes
/// vectors of them.
pub(crate) struct Planes {
    pub red: [u8; Self::PIXELS],
    pub green: [u8; Self::PIXELS],
    pub blue: [u8; Self::PIXELS],
}

impl Planes {
    /// How many pixels there are.
    pub const PIXELS: usize = 64;

    /// Black.
    pub const BLACK: Self = Self { red: [0; Self::PIXELS], green: [0; Self::PIXELS], blue: [0; Self::PIXELS] };

    /// The pixels in their usual order.
    #[inline(always)]
    pub fn from_pixels(pixels: &[[u8; 3]; Self::PIXELS]) -> Self {
        let mut planes = Self::BLACK;
        for (at, &[red, green, blue]) in pixels.iter().enumerate() {
            (planes.red[at], planes.green[at], planes.blue[at]) = (red, green, blue);
        }
        planes
    }

    /// At most as many pixels, behind which there is black.
    #[inline(always)]
    pub fn from_few_pixels(pixels: &[[u8; 3]]) -> Self {
        let mut all = [[0; 3]; Self::PIXELS];
        all[..pixels.len()].copy_from_slice(pixels);
        Self::from_pixels(&all)
    }

    /// The first of at least as many packed colours: red in the lowest byte, then green and blue; the highest byte is ignored.
    #[inline(always)]
    pub fn from_packed(colors: &[u32]) -> Self {
        let mut planes = Self::BLACK;
        for (at, &color) in colors[..Self::PIXELS].iter().enumerate() {
            planes.red[at] = color as u8;
            planes.green[at] = (color >> 8) as u8;
            planes.blue[at] = (color >> 16) as u8;
        }
        planes
    }

    /// Back in their usual order.
    #[inline(always)]
    pub fn to_pixels(&self) -> [[u8; 3]; Self::PIXELS] {
        let mut pixels = [[0; 3]; Self::PIXELS];
        for (at, pixel) in pixels.iter_mut().enumerate() {
            *pixel = [self.red[at], self.green[at], self.blue[at]];
        }
        pixels
    }

    /// Changes every pixel by itself.
    #[inline(always)]
    pub fn change(&mut self, change: impl Fn([u8; 3]) -> [u8; 3]) {
        for at in 0..Self::PIXELS {
            [self.red[at], self.green[at], self.blue[at]] = change([self.red[at], self.green[at], self.blue[at]]);
        }
    }

    /// Makes each channel's value of a pixel by that channel's rule, plane by plane, which the compiler makes vectors of
    /// where [`change`](Self::change) stays a loop over pixels. A rule for all channels is followed once.
    #[inline(always)]
    pub fn change_by<R: PartialEq>(&mut self, rules: &[R; 3], value: impl Fn(&R, [u8; 3]) -> u8) {
        let Self { red, green, blue } = *self;
        if rules[0] == rules[1] && rules[0] == rules[2] {
            for (at, new) in self.red.iter_mut().enumerate() {
                *new = value(&rules[0], [red[at], green[at], blue[at]]);
            }
            (self.green, self.blue) = (self.red, self.red);
            return;
        }
        for (plane, rule) in [&mut self.red, &mut self.green, &mut self.blue].into_iter().zip(rules) {
            for (at, new) in plane.iter_mut().enumerate() {
                *new = value(rule, [red[at], green[at], blue[at]]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_holds_the_same_pixels() {
        let pixels: [[u8; 3]; Planes::PIXELS] = std::array::from_fn(|at| [at as u8, 255 - at as u8, 3 * at as u8]);
        let packed = pixels.map(|[red, green, blue]| u32::from_le_bytes([red, green, blue, 77]));
        assert_eq!(Planes::from_pixels(&pixels).to_pixels(), pixels);
        assert_eq!(Planes::from_packed(&packed).to_pixels(), pixels);
        let few = Planes::from_few_pixels(&pixels[..5]).to_pixels();
        assert_eq!((&few[..5], &few[5..]), (&pixels[..5], &[[0; 3]; Planes::PIXELS - 5][..]));
    }

    #[test]
    fn pixels_change_one_by_one() {
        let mut planes = Planes::from_few_pixels(&[[1, 2, 3], [4, 5, 6]]);
        planes.change(|[red, green, blue]| [blue, red, green + 100]);
        assert_eq!(planes.to_pixels()[..3], [[3, 1, 102], [6, 4, 105], [0, 0, 100]]);
        planes.change_by(&[1, 2, 3], |factor, [red, _, blue]| factor * (red + (blue & 1)));
        assert_eq!(planes.to_pixels()[..3], [[3, 6, 9], [7, 14, 21], [0, 0, 0]]);
        planes.change_by(&[2; 3], |factor, [red, green, _]| factor * (red + green));
        assert_eq!(planes.to_pixels()[..2], [[18; 3], [42; 3]]);
    }
}
