//! The dialects against Keras itself: `fixtures/reference/keras.safetensors`, which the program beside it writes.

use std::convert::Infallible;
use std::fmt::Write as _;

use aumenta_imgproc::Image;
use rand::TryRng;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::normalize::reference::{fitted, normalized};
use crate::{Augmentation, Canvas, KerasConfig, Plan, Scratch};

const STORED: &[u8] = include_bytes!("../../../../fixtures/reference/keras.safetensors");

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    normalizations: Vec<NormalizationCase>,
}

#[derive(Deserialize)]
struct NormalizationCase {
    dialect: String,
    name: String,
    arguments: Map<String, Value>,
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

fn reference() -> (SafeTensors<'static>, Reference) {
    let (_, metadata) = SafeTensors::read_metadata(STORED).unwrap();
    let header = metadata.metadata().clone().unwrap();
    (SafeTensors::deserialize(STORED).unwrap(), serde_json::from_str(&header["reference"]).unwrap())
}

fn image(stored: &SafeTensors<'_>, name: &str) -> Image {
    let tensor = stored.tensor(name).unwrap();
    Image::from_pixels(tensor.shape()[1], tensor.shape()[0], tensor.data().to_vec())
}

/// The settings of a configuration.
fn config(dialect: &str, arguments: &Map<String, Value>) -> KerasConfig {
    let mut settings = arguments.clone();
    settings.insert("dialect".to_string(), dialect.into());
    serde_json::from_value(Value::Object(settings)).unwrap()
}

impl Case {
    /// The plan that the case's numbers give, all of which are drawn.
    fn plan(&self, source: &Image) -> Plan {
        let config = config(&self.dialect, &self.arguments);
        let mut units = Units(self.units.iter());
        let plan = config.build().unwrap().draw(Canvas::of(source.size()), &mut units);
        let neutral = config.is_neutral();
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
    let (stored, Reference { cases, .. }) = reference();
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
fn normalized_values_are_those_of_keras() {
    let (stored, Reference { normalizations, .. }) = reference();
    let images = stored.tensor("images").unwrap();
    let mut report = String::new();
    for NormalizationCase { dialect, name, arguments } in normalizations {
        let expected = stored.tensor(&format!("{dialect}.normalized.{name}")).unwrap();
        let images: Vec<Vec<u8>> = images.data().chunks(18).take(expected.shape()[0]).map(<[u8]>::to_vec).collect();
        let expected: Vec<f32> = expected.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let config = Augmentation::from(config(&dialect, &arguments)).normalization(None).unwrap();
        let normalization = fitted(&config, &images);
        let values: Vec<f32> = images.iter().flat_map(|image| normalized(&normalization, image)).collect();
        // Keras computes in single precision.
        let is_close = |(value, expected): (&f32, &f32)| (value - expected).abs() <= 2e-5 * expected.abs().max(1.0);
        if !values.iter().zip(&expected).all(is_close) {
            writeln!(report, "{dialect} {name}: {values:?} instead of {expected:?}").unwrap();
        }
    }
    assert_eq!(report, "");
}

#[test]
fn a_plan_of_a_dialect_survives_being_written_down() {
    let (stored, Reference { cases, .. }) = reference();
    for case in cases {
        let plan = case.plan(&image(&stored, &format!("image.{}", case.image)));
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan, "{json}");
    }
}
