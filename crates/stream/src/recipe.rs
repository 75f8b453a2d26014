//! [`Recipe`]: all that decides what a stream delivers, shared by its workers.

use std::sync::Arc;

use aumenta_augment::{Canvas, Mix, Mixing, Pipeline, Plan};
use aumenta_dataset::Record;
use aumenta_imgproc::{Limits, Size};
use aumenta_seed::{Rng, Seed};
use rand::RngExt as _;

use crate::cache::Cache;
use crate::fault::OnError;
use crate::images::Images;
use crate::layout::{Layout, Shape};
use crate::preprocessing::Preprocessing;
use crate::sampler::Draw;
use crate::views::Views;

/// What all workers of a stream share.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub images: Images,
    pub preprocessing: Preprocessing,
    pub layout: Layout,
    pub on_error: OnError,
    pub limits: Limits,
    pub cache: Option<Arc<Cache>>,
    pub variation: Variation,
}

/// What makes the images differ from how they are.
#[derive(Debug)]
pub(crate) enum Variation {
    /// Nothing: evaluation.
    None,
    /// What is drawn in training.
    Training(Training),
    /// Several views of each image, whose predictions are averaged.
    Views(Views),
}

/// What is drawn in training.
#[derive(Debug)]
pub(crate) struct Training {
    pub augment: Pipeline,
    pub mix: Option<Mixing>,
    pub sizes: Vec<Size>,
    pub seed: Seed,
}

impl Training {
    /// The generator for one view of a record in one epoch.
    fn rng(&self, purpose: &str, epoch: u64, id: u32, view: u32) -> Rng {
        self.seed.rng(purpose, epoch, u64::from(view) << 32 | u64::from(id))
    }
}

impl Recipe {
    fn training(&self) -> Option<&Training> {
        match &self.variation {
            Variation::Training(training) => Some(training),
            Variation::None | Variation::Views(_) => None,
        }
    }

    /// The form of the images of batch `batch` of epoch `epoch`.
    pub fn shape(&self, epoch: u64, batch: usize) -> Shape {
        let size = match self.training() {
            Some(Training { sizes, seed, .. }) if !sizes.is_empty() => {
                sizes[seed.rng("size", epoch, batch as u64).random_range(0..sizes.len())]
            }
            _ => self.preprocessing.size(),
        };
        Shape { size, channels: self.preprocessing.color.to_channels(), layout: self.layout }
    }

    /// Writes over `plan` what epoch `epoch` does to a view of image `id` between the sizes of `canvas`: a function of these
    /// and the seed alone.
    pub fn draw_plan(&self, epoch: u64, id: u32, view: u32, canvas: Canvas, plan: &mut Plan) {
        match &self.variation {
            Variation::None => plan.set_identity(),
            Variation::Training(training) => {
                let mut rng = training.rng("augment", epoch, id, view);
                training.augment.draw_into(canvas, &mut rng, plan);
            }
            Variation::Views(views) => views.draw_plan(view, canvas, plan),
        }
    }

    /// Writes to `mixes` what is mixed into the `count` images of batch `batch` of epoch `epoch`: a function of these and
    /// the seed alone.
    pub fn draw_mixes(&self, epoch: u64, batch: usize, count: usize, mixes: &mut Vec<Option<Mix>>) {
        mixes.clear();
        match self.training() {
            Some(Training { mix: Some(mixing), seed, .. }) => {
                let mut rng = seed.rng("mix", epoch, batch as u64);
                *mixes = mixing.draw(count, self.shape(epoch, batch).size, epoch, &mut rng);
            }
            _ => mixes.resize(count, None),
        }
    }

    /// What takes the place of a sample that cannot be used, the `attempt`-th try: any other image of its class, in a view
    /// that it does not have where it comes by itself. `None` in evaluation, and where the class has no other image.
    pub fn substitute(&self, epoch: u64, draw: Draw, attempt: u32) -> Option<Draw> {
        let training = self.training()?;
        let records = self.images.records();
        let failed = &records[draw.position];
        let others: Vec<usize> = (0..records.len())
            .filter(|position| *position != draw.position && records[*position].class == failed.class)
            .collect();
        let mut rng = training.rng("replace", epoch, failed.id, draw.view);
        let mut position = None;
        for _ in 0..=attempt {
            position = others.get(rng.random_range(0..others.len().max(1))).copied();
        }
        // Views count up from 0, and ids too.
        Some(Draw { position: position?, view: !failed.id })
    }
}

/// The size of a record's image, as displayed.
pub(crate) fn full_size(record: &Record) -> Size {
    Size { width: record.width as usize, height: record.height as usize }
}
