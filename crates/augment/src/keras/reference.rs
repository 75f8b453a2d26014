//! The dialects against Keras itself: `fixtures/reference/keras.safetensors`, which the program beside it writes.

use std::convert::Infallible;
use std::fmt::Write as _;

use aumenta_imgproc::Image;
use rand::TryRng;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Augmentation, Canvas, Plan, Scratch};

const STORED: &[u8] = include_bytes!("../../../../fixtures/reference/keras.safetensors");

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    dialect: String,
    name: String,
    image: String,
    arguments: Map<String, Value>,
    units: Vec<u32>,
}

/// A generator of given numbers, numerators over 2^32, that ends when they do.
struct Units<'a>(std::slice::Iter<'a, u32>);

impl TryRng for Units<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("dialects draw 64 bits at a time")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(*self.0.next().expect("Keras drew no further number")) << 32)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("dialects draw 64 bits at a time")
    }
}

fn reference() -> (SafeTensors<'static>, Vec<Case>) {
    let (_, metadata) = SafeTensors::read_metadata(STORED).unwrap();
    let header = metadata.metadata().clone().unwrap();
    let reference: Reference = serde_json::from_str(&header["reference"]).unwrap();
    (SafeTensors::deserialize(STORED).unwrap(), reference.cases)
}

fn image(stored: &SafeTensors<'_>, name: &str) -> Image {
    let tensor = stored.tensor(name).unwrap();
    Image::from_pixels(tensor.shape()[1], tensor.shape()[0], tensor.data().to_vec())
}

impl Case {
    /// The plan that the case's numbers give, all of which are drawn.
    fn plan(&self, source: &Image) -> Plan {
        let mut settings = self.arguments.clone();
        settings.insert("dialect".to_string(), self.dialect.clone().into());
        let augmentation: Augmentation = serde_json::from_value(Value::Object(settings)).unwrap();
        let mut units = Units(self.units.iter());
        let plan = augmentation.build().unwrap().draw(Canvas::of(source.size()), &mut units);
        let neutral = augmentation.is_neutral();
        assert!(neutral || units.0.next().is_none(), "{} {}: Keras drew more numbers", self.dialect, self.name);
        plan
    }

    /// Whether every step is exact: the nearest pixel, no sums that are rounded.
    fn is_exact(&self) -> bool {
        let nearest = self.dialect == "keras-2.0.8" || self.arguments.get("interpolation_order") == Some(&0.into());
        let moves = self.arguments.keys().any(|name| name.ends_with("_range") && name != "brightness_range");
        (nearest || !moves) && !self.arguments.contains_key("channel_shift_range")
    }
}

#[test]
fn draws_and_pixels_are_those_of_keras() {
    let (stored, cases) = reference();
    assert!(cases.len() > 50);
    let mut report = String::new();
    for case in cases {
        let source = image(&stored, &format!("image.{}", case.image));
        let expected = image(&stored, &format!("{}.{}", case.dialect, case.name));
        let mut out = Image::default();
        let plan = case.plan(&source);
        plan.apply(&source, source.size(), &mut Scratch::default(), &mut out);
        let apart = out.pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b));
        let tolerance = u8::from(!case.is_exact());
        let wrong = apart.clone().filter(|apart| *apart > tolerance).count();
        if wrong > 0 {
            writeln!(
                report,
                "{} {}: {wrong} of {} levels are apart by more than {tolerance}, by up to {} ({plan})",
                case.dialect,
                case.name,
                expected.pixels().len(),
                apart.max().unwrap_or(0),
            )
            .unwrap();
        }
    }
    assert_eq!(report, "");
}

#[test]
fn a_plan_of_a_dialect_survives_being_written_down() {
    let (stored, cases) = reference();
    for case in cases {
        let plan = case.plan(&image(&stored, &format!("image.{}", case.image)));
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan, "{json}");
    }
}
