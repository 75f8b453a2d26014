//! What JPEGs decode to, against libjpeg-turbo's pixels, which `fixtures/reference/generate_jpeg.py` wrote down; windows
//! against whole pictures; and damage.

#![expect(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use std::sync::LazyLock;

use aumenta_imgproc::{DecodeError, Decoder, Image, Limits, Scale, Size, View, Window};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scales: [Scaled; 4],
    file: String,
}

#[derive(Deserialize)]
struct Scaled {
    size: [usize; 2],
    hash: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let hex = &self.file;
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }
}

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../fixtures/reference/jpeg.json")).unwrap());

fn file(name: &str) -> Vec<u8> {
    REFERENCE.cases.iter().find(|case| case.name == name).unwrap().bytes()
}

fn fnv1a(bytes: &[u8]) -> String {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

fn decode(decoder: &mut Decoder, bytes: &[u8], view: &View) -> Result<Image, DecodeError> {
    let mut image = Image::filled(300, 40, [99; 3]);
    decoder.decode(bytes, &Limits::default(), view, &mut image).map(|()| image)
}

#[test]
fn pixels_are_libjpegs_at_every_scale() {
    let mut decoder = Decoder::default();
    for case in &REFERENCE.cases {
        for (scale, Scaled { size: [width, height], hash }) in Scale::ALL.into_iter().zip(&case.scales) {
            let image = decode(&mut decoder, &case.bytes(), &View { scale, window: None }).unwrap();
            assert_eq!(image.size(), Size { width: *width, height: *height }, "{} {scale:?}", case.name);
            assert_eq!(fnv1a(image.pixels()), *hash, "{} {scale:?}", case.name);
        }
    }
}

#[test]
fn an_empty_window_needs_no_pixels() {
    let view = View { scale: Scale::Half, window: Some(Window { left: 9, top: 9, right: 9, bottom: 12 }) };
    let image = decode(&mut Decoder::default(), &file("gray 37x21"), &view).unwrap();
    assert_eq!(image.size(), Size { width: 19, height: 11 });
}

/// A case and a window that touches its picture, at a scale.
fn windows() -> impl Strategy<Value = (usize, Scale, Window)> {
    let case = 0..REFERENCE.cases.len();
    (case, prop::sample::select(&Scale::ALL[..]), any::<[u16; 4]>()).prop_map(|(case, scale, [a, b, c, d])| {
        let [width, height] = REFERENCE.cases[case].scales[scale as usize].size;
        let sort = |a: u16, b: u16, side: usize| {
            let (a, b) = (usize::from(a) % side, usize::from(b) % side);
            (a.min(b), a.max(b) + 1)
        };
        let ((left, right), (top, bottom)) = (sort(a, b, width), sort(c, d, height));
        (case, scale, Window { left, top, right, bottom })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_window_holds_the_pixels_of_the_whole_picture((case, scale, window) in windows()) {
        let mut decoder = Decoder::default();
        let bytes = REFERENCE.cases[case].bytes();
        let whole = decode(&mut decoder, &bytes, &View { scale, window: None }).unwrap();
        let part = decode(&mut decoder, &bytes, &View { scale, window: Some(window) }).unwrap();
        prop_assert_eq!(part.size(), whole.size());
        for y in window.top..window.bottom {
            for x in window.left..window.right {
                prop_assert_eq!(part.get(x, y), whole.get(x, y), "{} at {}, {}", &REFERENCE.cases[case].name, x, y);
            }
        }
    }

    #[test]
    fn no_damage_panics(
        (case, scale, window) in windows(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        is_whole in any::<bool>(),
    ) {
        let mut bytes = REFERENCE.cases[case].bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let limits = Limits { max_pixels: 1 << 18, ..Limits::default() };
        let view = View { scale, window: Some(window).filter(|_| !is_whole) };
        let _ = Decoder::default().decode(&bytes, &limits, &view, &mut Image::default());
    }
}

/// What our own decoder says of damage; libjpeg-turbo says it otherwise.
#[cfg(not(feature = "turbo"))]
mod damage {
    use aumenta_imgproc::{Damage, RowsRead};

    use super::*;

    /// What is wrong with a damaged file, and what the decoder says of it.
    fn diagnosis(bytes: &[u8]) -> (Damage, String) {
        match decode(&mut Decoder::default(), bytes, &View::FULL) {
            Err(DecodeError::Damaged { damage, source, .. }) => (damage, source.to_string()),
            other => panic!("{other:?}"),
        }
    }

    fn damage(bytes: &[u8]) -> Damage {
        diagnosis(bytes).0
    }

    fn data_start(bytes: &[u8]) -> usize {
        let scan = bytes.windows(2).rposition(|pair| pair == b"\xff\xda").unwrap();
        scan + 2 + usize::from(u16::from_be_bytes([bytes[scan + 2], bytes[scan + 3]]))
    }

    #[test]
    fn a_cut_says_where_and_how_many_rows_are_there() {
        for (name, height, unit) in
            [("4:2:0 50x38, optimized", 38, 16), ("gray 37x21", 21, 8), ("4:2:0 37x21, restarts", 21, 16)]
        {
            let bytes = file(name);
            let start = data_start(&bytes);
            let mut last = 0;
            for length in start..bytes.len() - 2 {
                match damage(&bytes[..length]) {
                    Damage::Truncated { at, rows: Some(RowsRead { read, of }) } => {
                        assert!(at <= length as u64 && at + 8 >= length as u64, "{name} cut to {length}: {at}");
                        assert!(of == height && read >= last && (read % unit == 0 || read == height), "{name}: {read}");
                        last = read;
                    }
                    // The last bits fill up a byte, and a pad of ones may be missing.
                    Damage::NoEnd { at } => assert!(at == length as u64 && length + 10 > bytes.len(), "{length}"),
                    other => panic!("{name} cut to {length}: {other:?}"),
                }
            }
            assert_eq!(last, (height - 1) / unit * unit, "{name}");
            for length in 3..start {
                let found = damage(&bytes[..length]);
                let is_cut = matches!(found, Damage::Truncated { at, .. } if at == length as u64);
                assert!(is_cut, "{name} cut to {length}: {found:?}");
            }
        }
    }

    #[test]
    fn a_missing_end_is_told_from_missing_rows_whatever_is_asked_for() {
        let bytes = file("4:2:0 50x38, optimized");
        let cut = &bytes[..bytes.len() - 2];
        assert_eq!(damage(cut), Damage::NoEnd { at: cut.len() as u64 });
        let window = Some(Window { left: 0, top: 0, right: 4, bottom: 4 });
        for (cut, is_whole) in [(cut, true), (&cut[..cut.len() - 60], false)] {
            for scale in Scale::ALL {
                match decode(&mut Decoder::default(), cut, &View { scale, window }) {
                    Err(DecodeError::Damaged { damage: Damage::NoEnd { .. }, .. }) => assert!(is_whole),
                    Err(DecodeError::Damaged { damage: Damage::Truncated { rows, .. }, .. }) => {
                        assert_eq!((rows, is_whole), (Some(RowsRead { read: 32, of: 38 }), false));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn an_end_within_the_scan_is_found_though_a_marker_follows() {
        let bytes = file("4:2:0 50x38, optimized");
        for end in [bytes.len() - 3, bytes.len() - 40, bytes.len() - 400] {
            let cut = [&bytes[..end], b"\xff\xd9"].concat();
            let (damage, said) = diagnosis(&cut);
            assert!(matches!(damage, Damage::Truncated { rows: Some(_), .. }), "{damage:?}");
            assert!(said.starts_with("the scan has the end of the data in MCU ") && said.ends_with(" of 12"), "{said}");
        }
    }

    #[test]
    fn restart_markers_follow_each_other() {
        let bytes = file("4:2:0 37x21, restarts");
        let markers = |bytes: &[u8]| bytes.windows(2).rposition(|pair| pair == b"\xff\xd1").unwrap();
        let at = markers(&bytes);
        let mut other = bytes.clone();
        other[at + 1] = 0xd5;
        let said = "restart marker 5 stands where 1 should";
        assert_eq!(diagnosis(&other), (Damage::Corrupt { at: Some(at as u64) }, said.to_string()));
        let mut none = bytes.clone();
        none.drain(at..at + 2);
        assert_eq!(diagnosis(&none).1, "the scan has 2 restart intervals instead of 3");
        let mut more = bytes.clone();
        more.splice(bytes.len() - 2..bytes.len() - 2, *b"\xff\xd2");
        assert_eq!(diagnosis(&more).1, "the scan has 4 restart intervals instead of 3");
    }

    #[test]
    fn bits_that_are_no_code_are_found_where_they_stand() {
        let mut bytes = file("4:2:0 50x38, optimized");
        let at = data_start(&bytes) + 40;
        // No code of a table consists of ones alone.
        bytes.splice(at..at + 4, *b"\xff\x00\xff\x00\xff\x00\xff\x00");
        let Damage::Corrupt { at: Some(found) } = damage(&bytes) else { panic!("{:?}", damage(&bytes)) };
        assert!((at as u64..at as u64 + 12).contains(&found), "{found} instead of {at}");
    }

    #[test]
    fn data_that_nothing_asks_for_is_told_apart_from_other_damage() {
        let bytes = file("gray 37x21");
        let end = bytes.len() - 2;
        let longer = |count: usize| [&bytes[..end], &vec![0x55; count], &bytes[end..]].concat();
        assert!(decode(&mut Decoder::default(), &longer(5), &View::FULL).is_ok(), "a few bytes to fill up");
        let said = "50 bytes are left over at the end of restart interval 1".to_string();
        assert_eq!(diagnosis(&longer(50)), (Damage::LeftOver { at: end as u64, bytes: 50 }, said));
    }

    #[test]
    fn headers_that_are_not_as_they_should_be_say_where() {
        let bytes = file("gray 37x21");
        let at = bytes.windows(2).position(|pair| pair == b"\xff\xc0").unwrap();
        let mut other = bytes.clone();
        other[at + 11] = 0x77;
        assert_eq!(damage(&other), Damage::Corrupt { at: Some(at as u64) });
        let ended = [&bytes[..at], b"\xff\xd9"].concat();
        assert_eq!(damage(&ended), Damage::Corrupt { at: Some(at as u64) });
    }
}
