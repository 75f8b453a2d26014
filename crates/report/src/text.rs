//! Text on images: a fixed-width font drawn pixel by pixel, and lines broken to a width.

use aumenta_imgproc::Image;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Regular;
const HEIGHT: RasterHeight = RasterHeight::Size16;

/// Width of each character in pixels.
pub const CHARACTER_WIDTH: usize = get_raster_width(WEIGHT, HEIGHT);

/// Height of a line in pixels.
pub const LINE_HEIGHT: usize = 18;

/// Draws one line of text with its top left corner at column `x` and row `y`, mixed over what is there. What lies
/// outside the image is left out; a character that the font lacks becomes a question mark.
pub fn draw(image: &mut Image, text: &str, x: usize, y: usize, rgb: [u8; 3]) {
    for (at, character) in text.chars().enumerate() {
        let glyph = get_raster(character, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT));
        if let Some(glyph) = glyph {
            draw_glyph(image, &glyph, x + at * CHARACTER_WIDTH, y, rgb);
        }
    }
}

fn draw_glyph(image: &mut Image, glyph: &RasterizedChar, left: usize, top: usize, rgb: [u8; 3]) {
    let (columns, rows) = (image.width().saturating_sub(left), image.height().saturating_sub(top));
    for (y, row) in glyph.rows().enumerate().take(rows) {
        for (x, &coverage) in row.iter().enumerate().take(columns) {
            let under = image.get(left + x, top + y);
            image.set(left + x, top + y, std::array::from_fn(|channel| mix(under[channel], rgb[channel], coverage)));
        }
    }
}

fn mix(under: u8, over: u8, coverage: u8) -> u8 {
    let coverage = u32::from(coverage);
    ((u32::from(under) * (255 - coverage) + u32::from(over) * coverage + 127) / 255) as u8
}

/// The text broken between words into lines of at most `columns` characters; a longer word is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines: Vec<String> = Vec::new();
    // The number of characters that the last line can still take.
    let mut room = 0;
    for word in words(text, columns) {
        let characters: Vec<char> = word.chars().collect();
        match lines.last_mut() {
            Some(line) if characters.len() < room => {
                line.push(' ');
                line.push_str(&word);
                room -= characters.len() + 1;
            }
            _ => {
                lines.extend(characters.chunks(columns).map(String::from_iter));
                room = columns - (characters.len() - 1) % columns - 1;
            }
        }
    }
    lines
}

/// The words of a text. What is bound together is one word where it fits on a line.
fn words(text: &str, columns: usize) -> impl Iterator<Item = String> {
    let bound = text.split(|letter: char| letter.is_whitespace() && letter != NO_BREAK);
    let apart = bound.flat_map(move |word| {
        let fits = word.chars().count() <= columns;
        word.split(move |letter| letter == NO_BREAK && !fits)
    });
    apart.filter(|word| !word.is_empty()).map(|word| word.replace(NO_BREAK, " "))
}

/// The space at which no line ends, unless one line is not enough.
const NO_BREAK: char = '\u{a0}';

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_wrap(text: &str, columns: usize, expected: &[&str]) {
        assert_eq!(wrap(text, columns), expected, "{text:?} in {columns} columns");
    }

    #[test]
    fn lines_break_between_words() {
        check_wrap("rot +23° shift flip", 8, &["rot +23°", "shift", "flip"]);
        check_wrap("rot +23° shift flip", 10, &["rot +23°", "shift flip"]);
        check_wrap("rot +23° shift flip", 100, &["rot +23° shift flip"]);
        check_wrap("rot\u{a0}+23° shift flip", 10, &["rot +23°", "shift flip"]);
        check_wrap("flip rot\u{a0}+23°", 8, &["flip", "rot +23°"]);
        check_wrap("flip rot\u{a0}+23°", 7, &["flip", "rot", "+23°"]);
        check_wrap("  \n ", 8, &[]);
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut() {
        check_wrap("shift +0.10,-0.05 up", 6, &["shift", "+0.10,", "-0.05", "up"]);
        check_wrap("a 123456789 b", 4, &["a", "1234", "5678", "9 b"]);
        check_wrap("1234 5", 4, &["1234", "5"]);
        check_wrap("ab", 0, &["a", "b"]);
    }

    #[test]
    fn every_character_of_a_plan_has_a_glyph() {
        for character in "rot +23° shift -0.05,×1.12 zoom · AZ äé?".chars() {
            assert!(get_raster(character, WEIGHT, HEIGHT).is_some(), "{character:?}");
        }
    }

    #[test]
    fn text_darkens_only_its_own_box() {
        let mut image = Image::filled(100, 40, [255, 255, 255]);
        draw(&mut image, "Hi", 10, 10, [0, 0, 0]);
        let inside =
            |x: usize, y: usize| (10..10 + 2 * CHARACTER_WIDTH).contains(&x) && (10..10 + LINE_HEIGHT).contains(&y);
        let dark = |x, y| image.get(x, y)[0] < 128;
        let pixels = || (0..40).flat_map(|y| (0..100).map(move |x| (x, y)));
        assert!(pixels().all(|(x, y)| inside(x, y) || image.get(x, y) == [255; 3]));
        assert!(pixels().filter(|&(x, y)| dark(x, y)).count() > 20);
    }

    #[test]
    fn text_beyond_the_edge_is_left_out() {
        let mut image = Image::filled(12, 10, [255, 255, 255]);
        draw(&mut image, "WWW", 5, 2, [0, 0, 0]);
        draw(&mut image, "W", 500, 500, [0, 0, 0]);
        assert_ne!(image, Image::filled(12, 10, [255, 255, 255]));
    }

    #[test]
    fn an_unknown_character_is_a_question_mark() {
        let drawn = |text| {
            let mut image = Image::filled(20, 20, [0, 0, 0]);
            draw(&mut image, text, 0, 0, [255, 200, 100]);
            image
        };
        assert_eq!(drawn("猫"), drawn("?"));
    }

    #[test]
    fn mixing_reaches_both_colors() {
        assert_eq!([mix(10, 200, 0), mix(10, 200, 255), mix(0, 255, 128)], [10, 200, 128]);
    }
}
