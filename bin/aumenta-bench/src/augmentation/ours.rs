//! Aumenta as a contender: plans applied to the photographs, on one thread.

use std::time::Instant;

use anyhow::{Context, Result};
use aumenta_augment::{AugmentConfig, Canvas, Op, Pipeline, Plan, Prefilter, Scratch};
use aumenta_imgproc::{Channels, ColorChain, FloatFormat, Image, Layout, Matrix3, Sampling, Slot, warp};
use aumenta_seed::Seed;
use clap::ValueEnum as _;

use super::operation::Operation;
use super::photographs::{LARGE, Photographs, SMALL};
use super::protocol::Timed;

/// Values from 0 to 1, CHW.
const UNIT_PLANES: FloatFormat =
    FloatFormat { layout: Layout::Chw, channels: Channels::Rgb, scale: [1.0 / 255.0; 3], offset: [0.0; 3] };

/// The photographs, and what is done with them.
pub struct Ours {
    photographs: Photographs,
    works: Vec<(Operation, Work)>,
    output: Output,
}

/// How an operation is done.
enum Work {
    /// The warp alone, to bytes.
    WarpToBytes(Vec<Matrix3>),
    /// The warp alone, to floating-point numbers.
    WarpToFloats(Vec<Matrix3>),
    /// A plan drawn for each picture and applied to the large one.
    Drawn(Pipeline),
    /// This plan on each large picture.
    Large(Plan),
    /// For each large picture a plan of its own.
    Cropped(Vec<Plan>),
    /// This plan on each small picture.
    Small(Plan),
}

/// The buffers that a training stream keeps from picture to picture.
#[derive(Default)]
struct Output {
    scratch: Scratch,
    plan: Plan,
    bytes: Image,
    floats: Vec<f32>,
    plans_drawn: u64,
}

impl Ours {
    /// Ready for all operations that there are.
    ///
    /// # Errors
    /// Where a plan below is not one.
    pub fn new(photographs: Photographs) -> Result<Self> {
        let mut works = Vec::new();
        for &operation in Operation::value_variants() {
            if let Some(work) = work(operation, &photographs)? {
                works.push((operation, work));
            }
        }
        let output = Output { floats: vec![0.0; SMALL.width * SMALL.height * 3], ..Output::default() };
        Ok(Self { photographs, works, output })
    }

    /// What can be asked for.
    pub fn operations(&self) -> Vec<Operation> {
        self.works.iter().map(|(operation, _)| *operation).collect()
    }

    /// Passes of `operation` over all pictures.
    ///
    /// # Errors
    /// Where it is none of [`operations`](Self::operations).
    pub fn run(&mut self, operation: Operation, passes: usize) -> Result<Timed> {
        let found = self.works.iter().find(|(other, _)| *other == operation);
        let (_, work) = found.context("there is no such operation here yet")?;
        let started = Instant::now();
        for _ in 0..passes {
            self.output.pass(work, &self.photographs);
        }
        Ok(Timed { seconds: started.elapsed().as_secs_f64(), mean_level: self.output.mean_level(work) })
    }
}

/// How `operation` is done, or `None` where there is no such operation yet.
fn work(operation: Operation, photographs: &Photographs) -> Result<Option<Work>> {
    let matrices = || photographs.warps.iter().map(|warp| Matrix3::affine(warp.matrix)).collect();
    let work = match operation {
        Operation::WarpBytes => Work::WarpToBytes(matrices()),
        Operation::WarpFloats => Work::WarpToFloats(matrices()),
        Operation::BookPipeline => Work::Drawn(AugmentConfig::book().build()?),
        Operation::BookPipelinePoints => {
            let config = AugmentConfig { prefilter: Prefilter::None, ..AugmentConfig::book() };
            Work::Drawn(config.build()?)
        }
        Operation::ResizeArea => Work::Large(Plan::identity()),
        Operation::ResizeBilinear => {
            let (columns, rows) = (LARGE.width as f64 / SMALL.width as f64, LARGE.height as f64 / SMALL.height as f64);
            Work::WarpToBytes(vec![Matrix3::grid(columns, rows); photographs.large.len()])
        }
        Operation::RandomResizedCrop => Work::Cropped(photographs.crops.iter().map(crop).collect()),
        _ => match plan(operation) {
            Some(plan) => Work::Small(serde_json::from_str(plan)?),
            None => return Ok(None),
        },
    };
    Ok(Some(work))
}

/// The plan that shows a window of a large picture: left, top, width and height in pixels.
fn crop(&[left, top, width, height]: &[usize; 4]) -> Plan {
    let (columns, rows) = (LARGE.width as f64, LARGE.height as f64);
    let window = Op::Crop {
        x_fraction: left as f64 / columns,
        y_fraction: top as f64 / rows,
        width_fraction: width as f64 / columns,
        height_fraction: height as f64 / rows,
    };
    Plan { ops: vec![window], ..Plan::identity() }
}

/// The plan of a single operation on a small picture.
fn plan(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::Rotate => r#"{"ops":[{"op":"rotate","degrees":20}],"fill":{"constant":[0,0,0]}}"#,
        Operation::Perspective => {
            r#"{"ops":[{"op":"perspective","top-left":[0.1,0.05],"top-right":[0.94,0],"bottom-right":[1,0.91],
                "bottom-left":[0.03,1]}],"fill":{"constant":[0,0,0]}}"#
        }
        Operation::Elastic => r#"{"ops":[{"op":"elastic","seed":7,"alpha-pixels":50,"sigma-pixels":5}]}"#,
        Operation::HorizontalFlip => r#"{"ops":[{"op":"horizontal-flip"}]}"#,
        Operation::Brightness => r#"{"ops":[{"op":"brightness","factor":1.3}]}"#,
        Operation::Contrast => r#"{"ops":[{"op":"contrast-about-mean","factor":1.3}]}"#,
        Operation::Saturation => r#"{"ops":[{"op":"saturation","factor":1.3}]}"#,
        Operation::Hue => r#"{"ops":[{"op":"hue","turns":0.1}]}"#,
        Operation::Gamma => r#"{"ops":[{"op":"gamma","exponent":0.8}]}"#,
        Operation::Grayscale => r#"{"ops":[{"op":"grayscale"}]}"#,
        Operation::Invert => r#"{"ops":[{"op":"invert"}]}"#,
        Operation::Posterize => r#"{"ops":[{"op":"posterize","bits":4}]}"#,
        Operation::Solarize => r#"{"ops":[{"op":"solarize","threshold-level":128}]}"#,
        Operation::Equalize => r#"{"ops":[{"op":"equalize"}]}"#,
        Operation::Autocontrast => r#"{"ops":[{"op":"autocontrast","cutoff-percent":0}]}"#,
        Operation::Sharpness => r#"{"ops":[{"op":"sharpness","factor":1.5}]}"#,
        Operation::Clahe => r#"{"ops":[{"op":"clahe","clip-limit":2,"tiles":8}]}"#,
        Operation::GaussianBlur => r#"{"ops":[{"op":"gaussian-blur","sigma-pixels":1.5}]}"#,
        Operation::MotionBlur => r#"{"ops":[{"op":"motion-blur","length-pixels":7,"angle-degrees":30}]}"#,
        Operation::GaussianNoise => r#"{"ops":[{"op":"gaussian-noise","sigma-levels":10,"seed":7}]}"#,
        Operation::SaltAndPepper => r#"{"ops":[{"op":"salt-and-pepper","fraction":0.02,"seed":7}]}"#,
        Operation::ShotNoise => r#"{"ops":[{"op":"shot-noise","photons-at-white":100,"seed":7}]}"#,
        Operation::Jpeg => r#"{"ops":[{"op":"jpeg","quality":50}]}"#,
        Operation::Erasing => {
            r#"{"ops":[{"op":"erase","left-fraction":0.3333,"top-fraction":0.4,"width-fraction":0.2667,
                "height-fraction":0.2667,"paint":{"color":[0,0,0]}}]}"#
        }
        Operation::GridMask => {
            r#"{"ops":[{"op":"grid-mask","unit-fraction":0.2,"keep-fraction":0.5,"x-offset-units":0,"y-offset-units":0,
                "paint":{"color":[0,0,0]}}]}"#
        }
        _ => return None,
    })
}

impl Output {
    fn pass(&mut self, work: &Work, photographs: &Photographs) {
        match work {
            Work::WarpToBytes(matrices) => {
                for (picture, matrix) in photographs.large.iter().zip(matrices) {
                    self.bytes.resize_buffer(SMALL.width, SMALL.height);
                    let slot = Slot::rgb(self.bytes.pixels_mut());
                    warp(picture, matrix, Sampling::default(), &ColorChain::IDENTITY, SMALL, slot);
                }
            }
            Work::WarpToFloats(matrices) => {
                for (picture, matrix) in photographs.large.iter().zip(matrices) {
                    let slot = Slot::Floats { values: &mut self.floats, format: &UNIT_PLANES };
                    warp(picture, matrix, Sampling::default(), &ColorChain::IDENTITY, SMALL, slot);
                }
            }
            Work::Drawn(pipeline) => {
                for picture in &photographs.large {
                    let canvas = Canvas { source: picture.size(), output: SMALL };
                    let mut rng = Seed::new(7).rng("augment", 0, self.plans_drawn);
                    pipeline.draw_into(canvas, &mut rng, &mut self.plan);
                    self.plans_drawn += 1;
                    let slot = Slot::Floats { values: &mut self.floats, format: &UNIT_PLANES };
                    self.plan.apply_to_slot(picture, SMALL, &mut self.scratch, slot);
                }
            }
            Work::Cropped(plans) => {
                for (picture, plan) in photographs.large.iter().zip(plans) {
                    plan.apply(picture, SMALL, &mut self.scratch, &mut self.bytes);
                }
            }
            Work::Large(plan) => {
                for picture in &photographs.large {
                    plan.apply(picture, SMALL, &mut self.scratch, &mut self.bytes);
                }
            }
            Work::Small(plan) => {
                for picture in &photographs.small {
                    plan.apply(picture, SMALL, &mut self.scratch, &mut self.bytes);
                }
            }
        }
    }

    fn mean_level(&self, work: &Work) -> f64 {
        match work {
            Work::WarpToFloats(_) | Work::Drawn(_) => {
                let sum: f64 = self.floats.iter().map(|&value| f64::from(value)).sum();
                sum * 255.0 / self.floats.len() as f64
            }
            _ => {
                let pixels = self.bytes.pixels();
                pixels.iter().map(|&value| f64::from(value)).sum::<f64>() / pixels.len() as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_is_offered_runs() {
        let mut ours = Ours::new(Photographs::draw(1)).unwrap();
        for operation in ours.operations() {
            let timed = ours.run(operation, 1).unwrap();
            assert!((1.0..254.0).contains(&timed.mean_level), "{operation:?}: {timed:?}");
        }
        assert!(ours.operations().contains(&Operation::BookPipeline));
    }

    #[test]
    fn floats_and_bytes_of_a_warp_have_the_same_level() {
        let mut ours = Ours::new(Photographs::draw(1)).unwrap();
        let [bytes, floats] =
            [Operation::WarpBytes, Operation::WarpFloats].map(|operation| ours.run(operation, 1).unwrap().mean_level);
        assert!((bytes - floats).abs() < 1e-3, "{bytes} {floats}");
    }
}
