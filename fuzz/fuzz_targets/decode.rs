//! A file that a stranger made: at any scale it becomes a picture within the limits, or an error, and nothing panics.

#![no_main]

use aumenta_imgproc::{Decoder, Image, Limits, Scale, View, probe};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_pixels: 1 << 16, ..Limits::default() };
    let (mut decoder, mut image) = (Decoder::default(), Image::default());
    for scale in Scale::ALL {
        if decoder.decode(bytes, &limits, &View { scale, window: None }, &mut image).is_ok() {
            let full = probe(bytes, &limits).expect("what is decoded can be probed").size;
            assert!(full.width * full.height <= 1 << 16);
            assert_eq!(image.size(), scale.of(full));
        }
    }
});
