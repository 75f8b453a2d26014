//! Writes a sheet of drawings to look at, cats above dogs: `cargo run -p aumenta-drawn --example sheet -- sheet.png`.

use std::error::Error;

use aumenta_drawn::{Animal, draw};
use aumenta_imgproc::{Image, encode_png};
use aumenta_seed::Seed;

const SIDE: usize = 96;
const COLUMNS: usize = 12;
const ROWS_EACH: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give the name of the PNG file to write")?;
    let mut sheet = Image::filled(COLUMNS * SIDE, 2 * ROWS_EACH * SIDE, [0; 3]);
    for (half, animal) in Animal::ALL.into_iter().enumerate() {
        for index in 0..COLUMNS * ROWS_EACH {
            let drawing = draw(animal, Seed::new(1), index as u64, SIDE);
            paste(&mut sheet, &drawing, index % COLUMNS * SIDE, (half * ROWS_EACH + index / COLUMNS) * SIDE);
        }
    }
    fs_err::write(path, encode_png(&sheet)?)?;
    Ok(())
}

fn paste(sheet: &mut Image, drawing: &Image, left: usize, top: usize) {
    for y in 0..drawing.height() {
        for x in 0..drawing.width() {
            sheet.set(left + x, top + y, drawing.get(x, y));
        }
    }
}
