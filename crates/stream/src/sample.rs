//! [`Sample`]: one image of an epoch, made again to be looked at.

use std::time::Instant;

use aumenta_augment::{Mix, Plan};
use aumenta_dataset::Record;
use aumenta_imgproc::{Image, Size};

use crate::error::StreamError;
use crate::layout::{Layout, Shape};
use crate::memory::Memory;
use crate::meter::Meter;
use crate::preprocessing::Color;
use crate::recipe::Recipe;
use crate::sampler::Draw;
use crate::watchdog::{Steps, Watch};
use crate::worker::{self, Worker};

/// One training image as an epoch delivers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its batch within the epoch, counted from 0.
    pub batch: usize,
    /// Its place within the batch, counted from 0.
    pub position: usize,
    /// What was done to it.
    pub plan: Plan,
    /// Its pixels as the plan leaves them; gray ones have three equal channels. As all pixels here, they are those before
    /// normalization.
    pub image: Image,
    /// What was then mixed into it, if anything.
    pub mixed: Option<Mixed>,
}

/// A mix with its partner and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The partner's place in the batch, the shares and how the pixels are mixed.
    pub mix: Mix,
    /// The partner's record in the manifest.
    pub partner_id: u32,
    /// What was done to the partner.
    pub partner_plan: Plan,
    /// The partner's pixels as its plan leaves them.
    pub partner_image: Image,
    /// The mixed pixels, rounded to bytes.
    pub image: Image,
}

impl Sample {
    /// The first sample of `record` in an epoch that delivers `draws` in batches of `batch_size`.
    pub(crate) fn of_epoch(
        recipe: &Recipe,
        epoch: u64,
        draws: &[Draw],
        batch_size: usize,
        record: &Record,
    ) -> Result<Option<Self>, StreamError> {
        let Some(place) = draws.iter().position(|draw| recipe.images.id(draw.position) == record.id) else {
            return Ok(None);
        };
        let (batch, position) = (place / batch_size, place % batch_size);
        let draws = draws.chunks(batch_size).nth(batch).unwrap_or_default();
        let size = recipe.shape(epoch, batch).size;
        let (plan, values) = made(recipe, epoch, draws[position], size)?;
        let image = to_image(&values, recipe.preprocessing.color, size);
        let mut mixes = Vec::new();
        recipe.draw_mixes(epoch, batch, draws.len(), &mut mixes);
        let mixed = mixes[position].map(|mix| mixed(recipe, epoch, values, mix, draws[mix.partner], size));
        Ok(Some(Self { batch, position, plan, image, mixed: mixed.transpose()? }))
    }

    /// The pixels that the network gets, before normalization: the mixed ones where anything is mixed in.
    pub fn delivered(&self) -> &Image {
        self.mixed.as_ref().map_or(&self.image, |mixed| &mixed.image)
    }
}

fn mixed(
    recipe: &Recipe,
    epoch: u64,
    mut own: Vec<f32>,
    mix: Mix,
    partner: Draw,
    size: Size,
) -> Result<Mixed, StreamError> {
    let (partner_plan, values) = made(recipe, epoch, partner, size)?;
    mix.apply(&mut own, &values, size, aumenta_imgproc::Layout::Hwc);
    let color = recipe.preprocessing.color;
    let (image, partner_image) = (to_image(&own, color, size), to_image(&values, color, size));
    Ok(Mixed { mix, partner_id: recipe.images.id(partner.position), partner_plan, partner_image, image })
}

/// The plan of a sample, and its values from 0 to 255, HWC.
fn made(recipe: &Recipe, epoch: u64, draw: Draw, size: Size) -> Result<(Plan, Vec<f32>), StreamError> {
    let shape = Shape { size, channels: recipe.preprocessing.color.to_channels(), layout: Layout::U8Nhwc };
    let memory = Memory::zeroed(shape.bytes());
    let mut sample = worker::Sample { epoch, draw, shape, memory, plan: Plan::identity() };
    let (meter, watch) = (Meter::default(), Watch::default());
    let mut steps = Steps::new(&meter, &watch, Instant::now());
    steps.begin(draw.position);
    Worker::default().make(recipe, &mut sample, &mut steps)?;
    let values = sample.memory.bytes().iter().map(|value| f32::from(*value)).collect();
    Ok((sample.plan, values))
}

/// Values from 0 to 255, rounded to bytes.
fn to_image(values: &[f32], color: Color, size: Size) -> Image {
    let copies = match color {
        Color::Rgb => 1,
        Color::Gray => 3,
    };
    let bytes = values.iter().flat_map(|value| std::iter::repeat_n(value.round() as u8, copies));
    Image::from_pixels(size.width, size.height, bytes.collect())
}
