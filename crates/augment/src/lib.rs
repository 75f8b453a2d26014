//! Augmentation as data: transforms draw a plan, and a plan applies without a generator.
//!
//! An [`AugmentConfig`] is what a user writes. It builds a [`Pipeline`] of [`Transform`]s, which draws for each picture a
//! [`Plan`]: a list of [`Op`]s with numbers. The plan then applies to the decoded picture, whatever its length, in one
//! resampling. Evaluation applies [`Plan::identity`] through the same path, so that training and validation pixels
//! differ by the augmentation and by nothing else.
//!
//! ```
//! use aumenta_augment::{AugmentConfig, Canvas, Plan, Scratch};
//! use aumenta_imgproc::{Image, Size};
//! use aumenta_seed::Seed;
//!
//! let pipeline = AugmentConfig::book().build()?;
//! let photograph = Image::filled(500, 375, [90, 120, 60]);
//! let canvas = Canvas { source: photograph.size(), output: Size::square(150) };
//! let plan = pipeline.draw(canvas, &mut Seed::new(7).rng("augment", 0, 41));
//! let (mut scratch, mut augmented, mut original) = (Scratch::default(), Image::default(), Image::default());
//! plan.apply(&photograph, Size::square(150), &mut scratch, &mut augmented);
//! Plan::identity().apply(&photograph, Size::square(150), &mut scratch, &mut original);
//! assert_eq!(augmented, original, "a picture of one colour looks the same from all sides");
//! # Ok::<(), aumenta_augment::AugmentError>(())
//! ```

mod augmentation;
mod bounding_box;
mod canvas;
mod caption;
mod config;
mod effect;
mod error;
mod execute;
mod keras;
mod mix;
mod normalize;
mod op;
mod pipeline;
mod plan;
mod point_map;
mod policy;
mod prefilter;
mod source;
mod step;
mod transform;
mod translate;
mod view;

pub use crate::augmentation::Augmentation;
pub use crate::bounding_box::{BoundingBox, VisibleBox};
pub use crate::canvas::Canvas;
pub use crate::config::{AugmentConfig, ZoomRange};
pub use crate::error::AugmentError;
pub use crate::execute::Scratch;
pub use crate::keras::{
    KerasConfig, KerasDataFormat, KerasDtype, KerasFillMode, KerasNormalization, KerasShiftRange, KerasVersion,
};
pub use crate::mix::{Blend, Mix, MixConfig, Mixing};
pub use crate::normalize::{Centering, Normalization, NormalizationConfig, NormalizationFit, Whitening};
pub use crate::op::Op;
pub use crate::pipeline::Pipeline;
pub use crate::plan::Plan;
pub use crate::point_map::PointMap;
pub use crate::policy::{
    AugMix, AutoAugment, AutoAugmentPolicy, OneOf, RandAugment, Sequence, SomeOf, TrivialAugmentWide,
};
pub use crate::prefilter::Prefilter;
pub use crate::source::Source;
pub use crate::step::{CountRange, Step, TransformConfig};
pub use crate::transform::{
    Always, Cover, Cutout, RandomBrightness, RandomChannelShift, RandomClahe, RandomContrast, RandomContrastAboutMean,
    RandomCrop, RandomDownscale, RandomElastic, RandomErasing, RandomGamma, RandomGaussianBlur, RandomGaussianNoise,
    RandomGridMask, RandomHorizontalFlip, RandomHue, RandomJpeg, RandomMotionBlur, RandomPerspective, RandomPosterize,
    RandomQuarterTurns, RandomResizedCrop, RandomRotation, RandomSaltAndPepper, RandomSaturation, RandomSharpness,
    RandomShear, RandomShift, RandomShotNoise, RandomSolarize, RandomVerticalFlip, RandomVerticalShear, RandomZoom,
    Sometimes, Transform,
};
pub use crate::translate::{
    AlbumentationsVersion, Fidelity, Library, MAX_BYTES, Note, Position, TranslateError, Translation, translate,
};
