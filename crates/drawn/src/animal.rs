//! [`draw`]: one picture of a cat or a dog.

use aumenta_imgproc::{Image, shrink};
use aumenta_seed::Seed;

use crate::brush::Canvas;
use crate::head::Head;
use crate::{cat, dog, exposure, scene};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Animal {
    /// A round head, pointed ears, slit pupils, a short muzzle and whiskers.
    Cat,
    /// A longer head, ears that hang or fold, round pupils, a long muzzle with a large nose, sometimes a tongue.
    Dog,
}

impl Animal {
    /// Both animals.
    pub const ALL: [Self; 2] = [Self::Cat, Self::Dog];

    /// `cat` or `dog`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cat => "cat",
            Self::Dog => "dog",
        }
    }
}

/// How many canvas pixels there are for each pixel of a picture, in each direction.
const OVERSAMPLING: usize = 2;

/// Draws picture number `index` of an `animal`, `side` pixels wide and high.
///
/// # Panics
/// Where `side` is 0.
pub fn draw(animal: Animal, seed: Seed, index: u64, side: usize) -> Image {
    let mut rng = seed.rng(animal.name(), 0, index);
    let mut canvas = Canvas::new(side * OVERSAMPLING);
    scene::background(&mut canvas, &mut rng);
    let head = Head::draw_from(&mut rng);
    head.body(&mut canvas);
    match animal {
        Animal::Cat => cat::draw(&head, &mut canvas, &mut rng),
        Animal::Dog => dog::draw(&head, &mut canvas, &mut rng),
    }
    scene::foreground(&mut canvas, &mut rng);
    let mut image = Image::default();
    shrink(&canvas.into_image(), OVERSAMPLING, OVERSAMPLING, &mut image);
    exposure::expose(&mut image, &mut rng);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_follows_from_its_arguments() {
        let drawing = draw(Animal::Dog, Seed::new(3), 5, 48);
        assert_eq!(drawing, draw(Animal::Dog, Seed::new(3), 5, 48));
        assert_ne!(drawing, draw(Animal::Dog, Seed::new(3), 6, 48));
        assert_ne!(drawing, draw(Animal::Dog, Seed::new(4), 5, 48));
        assert_ne!(drawing, draw(Animal::Cat, Seed::new(3), 5, 48));
    }

    #[test]
    fn every_side_from_one_pixel_can_be_drawn() {
        for side in [1, 2, 7, 96, 131] {
            for index in 0..20 {
                assert_eq!(draw(Animal::Cat, Seed::new(0), index, side).width(), side);
                assert_eq!(draw(Animal::Dog, Seed::new(0), index, side).height(), side);
            }
        }
    }

    #[test]
    fn mean_brightness_and_color_do_not_give_the_class_away() {
        let means = Animal::ALL.map(|animal| {
            let drawings = (0..300).map(|index| draw(animal, Seed::new(11), index, 32));
            let mut sum = [0.0; 3];
            for drawing in drawings {
                for pixel in drawing.pixels().chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            }
            sum.map(|sum| sum / f64::from(300 * 32 * 32))
        });
        for (cats, dogs) in means[0].into_iter().zip(means[1]) {
            // One picture's mean varies by about 35, so that of 300 by about 2.
            assert!((cats - dogs).abs() < 8.0, "{means:?}");
        }
    }
}
