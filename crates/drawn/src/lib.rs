//! A data set of cats and dogs that the project draws itself.
//!
//! It needs no download and no licence, and follows from a seed: the demo and the tests train on it. A person tells the
//! two animals apart at once, by ears, muzzle and pupils; everything else (pose, fur, eyes, background, clutter, light,
//! blur and noise) varies alike in both classes and gives nothing away. A small convnet therefore learns a few hundred
//! drawings by heart long before it has understood them, which is what it takes to show over-fitting.
//!
//! ```
//! use aumenta_drawn::{Animal, draw};
//! use aumenta_seed::Seed;
//!
//! let cat = draw(Animal::Cat, Seed::new(7), 0, 64);
//! assert_eq!((cat.width(), cat.height()), (64, 64));
//! assert_eq!(cat, draw(Animal::Cat, Seed::new(7), 0, 64));
//! assert_ne!(cat, draw(Animal::Cat, Seed::new(7), 1, 64));
//! ```

mod animal;
mod archive;
mod brush;
mod cat;
mod color;
mod dog;
mod exposure;
mod head;
mod scene;

pub use crate::animal::{Animal, draw};
pub use crate::archive::{DrawnError, INNER_ARCHIVE, write_zip};
