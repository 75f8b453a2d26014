//! A file that a stranger made: it becomes a picture within the limits, or an error, and nothing panics.

#![no_main]

use aumenta_imgproc::{Limits, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_pixels: 1 << 16, ..Limits::default() };
    if let Ok(image) = decode(bytes, &limits) {
        assert!(image.width() * image.height() <= 1 << 16);
    }
});
