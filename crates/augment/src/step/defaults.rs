//! Settings that a step may leave out, from the papers and libraries that the transforms name.

use crate::Cover;

pub(super) fn operations() -> u32 {
    2
}

pub(super) fn magnitude() -> u32 {
    9
}

pub(super) fn severity() -> u32 {
    3
}

pub(super) fn chains() -> u32 {
    3
}

pub(super) fn alpha() -> f64 {
    1.0
}

pub(super) fn size_fraction() -> f64 {
    1.0
}

pub(super) fn crop_areas() -> [f64; 2] {
    [0.08, 1.0]
}

pub(super) fn crop_aspect_ratios() -> [f64; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

pub(super) fn distortion() -> f64 {
    0.5
}

pub(super) fn clip_limits() -> [f64; 2] {
    [1.0, 4.0]
}

pub(super) fn tiles() -> usize {
    8
}

pub(super) fn areas() -> [f64; 2] {
    [0.02, 0.33]
}

pub(super) fn aspect_ratios() -> [f64; 2] {
    [0.3, 3.3]
}

pub(super) fn erasing_cover() -> Cover {
    Cover::Noise
}

pub(super) fn side_fraction() -> f64 {
    0.5
}

pub(super) fn unit_fractions() -> [f64; 2] {
    [0.43, 1.0]
}

pub(super) fn keep_fraction() -> f64 {
    0.6
}

pub(super) fn black() -> Cover {
    Cover::Color([0; 3])
}
