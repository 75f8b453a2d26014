//! [`Sample`]: one image of an epoch, made again to be looked at.

use aumenta_augment::{Mix, Plan};
use aumenta_dataset::Record;
use aumenta_imgproc::{Image, Layout};

use crate::error::StreamError;
use crate::preprocessing::{Color, Preprocessing};
use crate::worker::{Buffers, Recipe};

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
    /// The image of `record` in an epoch that delivers the positions `order` in batches of `batch_size`.
    pub(crate) fn of_epoch(
        recipe: &Recipe,
        epoch: u64,
        order: &[usize],
        batch_size: usize,
        record: &Record,
    ) -> Result<Self, StreamError> {
        let place = order.iter().position(|position| recipe.records()[*position].id == record.id);
        let place = place.expect("the record is of the training split");
        let (batch, position) = (place / batch_size, place % batch_size);
        let (plan, values) = made(recipe, epoch, record)?;
        let image = to_image(&values, &recipe.preprocessing);
        let batch_positions = order.chunks(batch_size).nth(batch).unwrap_or_default();
        let mix = recipe.mixes(epoch, batch, batch_positions.len())[position];
        let mixed = mix.map(|mix| {
            let partner = &recipe.records()[batch_positions[mix.partner]];
            mixed(recipe, epoch, values, mix, partner)
        });
        Ok(Self { batch, position, plan, image, mixed: mixed.transpose()? })
    }

    /// The pixels that the network gets, before normalization: the mixed ones where anything is mixed in.
    pub fn delivered(&self) -> &Image {
        self.mixed.as_ref().map_or(&self.image, |mixed| &mixed.image)
    }
}

fn mixed(recipe: &Recipe, epoch: u64, mut own: Vec<f32>, mix: Mix, partner: &Record) -> Result<Mixed, StreamError> {
    let (partner_plan, values) = made(recipe, epoch, partner)?;
    mix.apply(&mut own, &values, recipe.preprocessing.size(), Layout::Hwc);
    let (image, partner_image) = (to_image(&own, &recipe.preprocessing), to_image(&values, &recipe.preprocessing));
    Ok(Mixed { mix, partner_id: partner.id, partner_plan, partner_image, image })
}

/// The plan of an image, and its values from 0 to 255.
fn made(recipe: &Recipe, epoch: u64, record: &Record) -> Result<(Plan, Vec<f32>), StreamError> {
    let mut values = vec![0.0; recipe.preprocessing.len()];
    let format = recipe.preprocessing.plain_format();
    let plan = Buffers::default().sample(recipe, record, epoch, &format, &mut values)?;
    Ok((plan, values))
}

/// Values from 0 to 255 in the form that the network takes, rounded to bytes.
fn to_image(values: &[f32], preprocessing: &Preprocessing) -> Image {
    let copies = match preprocessing.color {
        Color::Rgb => 1,
        Color::Gray => 3,
    };
    let bytes = values.iter().flat_map(|value| std::iter::repeat_n(value.round() as u8, copies));
    Image::from_pixels(preprocessing.width, preprocessing.height, bytes.collect())
}
