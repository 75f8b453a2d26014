//! A file that a stranger made: at any scale and in any window it becomes a picture within the limits, or an error, and
//! nothing panics.

#![no_main]

use aumenta_imgproc::{Decoder, Image, Limits, Scale, View, Window, probe};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: ([u8; 4], &[u8])| {
    let ([left, top, width, height], bytes) = input;
    let [left, top, width, height] = [left, top, width, height].map(usize::from);
    let window = Window { left, top, right: left + width, bottom: top + height };
    let limits = Limits { max_pixels: 1 << 16, ..Limits::default() };
    let (mut decoder, mut image) = (Decoder::default(), Image::default());
    for scale in Scale::ALL {
        for window in [None, Some(window)] {
            if decoder.decode(bytes, &limits, &View { scale, window }, &mut image).is_ok() {
                let full = probe(bytes, &limits).expect("what is decoded can be probed").size;
                assert!(full.width * full.height <= 1 << 16);
                assert_eq!(image.size(), scale.of(full));
            }
        }
    }
});
