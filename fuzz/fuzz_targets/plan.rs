//! A plan that a stranger wrote: four bytes of sizes, and JSON.
//!
//! It is read, applied to a picture and to a mask, and asked for a point and a box; nothing may panic, and a plan that was
//! read must be written as it was and read again as it is.

#![no_main]

use aumenta_augment::{BoundingBox, Canvas, Plan, Scratch};
use aumenta_imgproc::{Image, Mask, Size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((sides, json)) = bytes.split_first_chunk::<4>() else { return };
    let Ok(plan) = serde_json::from_slice::<Plan>(json) else { return };
    let [width, height, output_width, output_height] = sides.map(|side| usize::from(side % 40));
    let (source, output) = (Size { width, height }, Size { width: output_width, height: output_height });
    let pixels = (0..width * height * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
    let (mut scratch, mut out) = (Scratch::default(), Image::default());
    plan.apply(&Image::from_pixels(width, height, pixels), output, &mut scratch, &mut out);
    assert_eq!(out.size(), output);
    assert_eq!(plan.apply_to_mask(&Mask::filled(width, height, 1), output, 0, &mut scratch).size(), output);
    let map = plan.point_map(Canvas { source, output });
    map.point(1.0, 2.0);
    map.bounding_box(BoundingBox { left: 0.0, top: 0.0, right: width as f64, bottom: height as f64 });
    let written = serde_json::to_string(&plan).expect("numbers that were read can be written");
    assert_eq!(serde_json::from_str::<Plan>(&written).expect("what was written can be read"), plan);
});
