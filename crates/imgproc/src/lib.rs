//! Pixels: decoding and encoding under limits, colour, resizing and the fused warp.
//!
//! A file's bytes become an [`Image`] by [`decode()`] or, again and again, by a [`Decoder`], which reads the common
//! formats under [`Limits`], at a [`Scale`], and refuses what is cut short. [`warp()`] takes it from there to the size and
//! the form that a network wants, through one [`Matrix3`] and one [`ColorChain`], in one pass; where that skips pixels,
//! [`shrink()`] stands before it. [`resize()`], [`luma()`], [`encode_png`] and [`encode_jpeg`] serve reports and
//! comparisons.
//!
//! JPEGs are decoded by our own decoder or, with the feature `turbo`, by libjpeg-turbo, whose build needs cmake and nasm;
//! pixels of photographs are the same. [`jpeg_decoder_name`] says which it is.
//!
//! Whole pictures are changed in place: histograms by [`equalize`] and [`autocontrast`], neighborhoods by [`clahe()`],
//! [`sharpen`], [`gaussian_blur()`] and [`motion_blur()`], losses by [`add_gaussian_noise`] and its like,
//! [`jpeg_recompress`] and [`downscale()`], and [`erase()`] and [`grid_mask`] hide parts. Colors that one value decides
//! come from [`curve`].
//!
//! Everything here is a function of its arguments: no randomness, no files, no threads, and integer arithmetic in the
//! kernels, so that the same input gives the same bytes everywhere.
//!
//! ```
//! use aumenta_imgproc::{
//!     ColorChain, Image, Limits, Matrix3, Sampling, Size, Slot, Tone, decode, encode_png, warp,
//! };
//!
//! let bytes = encode_png(&Image::filled(40, 30, [100, 150, 200]))?;
//! let source = decode(&bytes, &Limits::default())?;
//! let turn = Matrix3::rotation(20.0, (4.5, 4.5));
//! let matrix = turn.then(&Matrix3::grid(40.0 / 10.0, 30.0 / 10.0));
//! let mut out = [0; 10 * 10 * 3];
//! let darker = ColorChain::from(Tone::brightness(0.5));
//! warp(&source, &matrix, Sampling::default(), &darker, Size::square(10), Slot::rgb(&mut out));
//! assert_eq!(out[..3], [50, 75, 100]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aligned;
mod blend;
mod border;
mod clahe;
mod color_chain;
mod color_mode;
pub mod curve;
mod decode;
mod displacement;
mod downscale;
mod encode;
mod erase;
mod format;
mod gaussian_blur;
mod hue;
mod image;
mod jpeg;
mod levels;
mod likeness;
mod luma;
mod mask;
mod matrix;
mod mean_luma;
mod motion_blur;
mod noise;
mod other_format;
mod planes;
mod recompress;
mod resize;
mod sampling;
mod sharpness;
mod shrink;
mod slot;
mod table;
#[cfg(test)]
mod test_picture;
mod tone;
mod view;
mod warp;

pub use crate::blend::blend;
pub use crate::clahe::{ClaheScratch, clahe};
pub use crate::color_chain::{ColorChain, ColorStep};
pub use crate::color_mode::ColorMode;
pub use crate::decode::{Damage, DecodeError, Decoder, Limits, Probe, RowsRead, decode, picture_end, probe};
pub use crate::displacement::Displacement;
pub use crate::downscale::{DownscaleScratch, downscale};
pub use crate::encode::{EncodeError, encode_jpeg, encode_png};
pub use crate::erase::{GridMask, Paint, Region, erase, grid_mask};
pub use crate::format::Format;
pub use crate::gaussian_blur::gaussian_blur;
pub use crate::hue::Hue;
pub use crate::image::{Image, ImageRef, Size};
pub use crate::jpeg::jpeg_decoder_name;
pub use crate::levels::{autocontrast, equalize};
pub use crate::likeness::{Fingerprint, Likeness, Miniature, Motion, Part, Query, Relief};
pub use crate::luma::luma;
pub use crate::mask::Mask;
pub use crate::matrix::Matrix3;
pub use crate::mean_luma::mean_luma;
pub use crate::motion_blur::{MotionBlurScratch, motion_blur};
pub use crate::noise::{ShotNoiseScratch, add_gaussian_noise, add_salt_and_pepper, add_shot_noise};
pub use crate::other_format::OtherFormat;
pub use crate::recompress::jpeg_recompress;
pub use crate::resize::resize;
pub use crate::sampling::{Fill, Interpolation, Sampling};
pub use crate::sharpness::sharpen;
pub use crate::shrink::shrink;
pub use crate::slot::{Channels, FloatFormat, Layout, Slot};
pub use crate::table::Table;
pub use crate::tone::Tone;
pub use crate::view::{Scale, View, Window};
pub use crate::warp::{displace, warp, write};
