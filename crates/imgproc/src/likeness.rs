//! [`Likeness`]: whether two pictures show the same, though one was re-encoded, resized, brightened, mirrored, cropped or turned
//! a little.
//!
//! It is told in three steps, each on less than the one before. A [`Miniature`] keeps of a picture what matters. Its
//! [`Fingerprint`] is a few hashes of 64 bits: near-duplicates have hashes that differ in few bits, so candidates are
//! found without a look at pixels. The [`Relief`]s of candidates are laid over each other by [`Relief::align`], and what is
//! left of their details then says whether they are the same. Hashes alone would have to allow for so many bits, to
//! recognize a crop, that strangers pass too; aligned details are as like as strangers' never are.
//!
//! All of it is integers, or floats in one fixed order of operations, so the outcome is the same on every machine.
//!
//! ```
//! use aumenta_imgproc::{Fingerprint, Image, Miniature, Relief};
//!
//! let spots = |x: usize, y: usize| (x * x / 7 + 3 * y * y / 11 + x * y / 5) as u8;
//! let pixels = |mirrored: bool| {
//!     let at = move |x, y| [spots(if mirrored { 79 - x } else { x }, y); 3];
//!     (0..60).flat_map(move |y| (0..80).flat_map(move |x| at(x, y))).collect()
//! };
//! let [one, other] = [false, true].map(|mirrored| Miniature::of(&Image::from_pixels(80, 60, pixels(mirrored))));
//!
//! // The mirrored hash of the one is the hash of the other.
//! let fingerprints = [&one, &other].map(Fingerprint::of);
//! let found = fingerprints[0].queries().min_by_key(|query| query.distance(&fingerprints[1])).expect("there are queries");
//! assert!(found.distance(&fingerprints[1]) <= 1);
//!
//! let likeness = Relief::of(&other).align(&Relief::of(&one), &found.start).expect("they can be laid over each other");
//! assert!(likeness.correlation > 0.99 && likeness.is_mirrored());
//! ```

mod fingerprint;
mod miniature;
mod motion;
mod relief;
#[cfg(test)]
mod test_scene;

pub use self::fingerprint::{Fingerprint, Part, Query};
pub use self::miniature::Miniature;
pub use self::motion::Motion;
pub use self::relief::{Likeness, Relief};
