//! [`Sampling`]: which images an epoch draws, and in which order.

use aumenta_seed::Seed;
use rand::RngExt as _;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::error::StreamError;

/// Which images an epoch draws. The whole epoch is known before it starts: it is a function of the classes of the
/// images, the seed and the epoch's number.
///
/// ```
/// use aumenta_seed::Seed;
/// use aumenta_stream::{Draw, Order, Sampling};
///
/// let classes = [0, 0, 0, 1];
/// let draws = |sampling: Sampling, epoch| sampling.draws(&classes, epoch, Seed::new(7)).unwrap();
/// let shuffled = draws(Sampling::default(), 0);
/// assert_ne!(shuffled, draws(Sampling::default(), 1));
///
/// // Both classes come equally often on average, and an image that comes twice has two views.
/// let balanced = Sampling { order: Order::Balanced, samples: Some(1000), ..Sampling::default() };
/// let draws = draws(balanced, 0);
/// let rare = draws.iter().filter(|draw| draw.position == 3).count();
/// assert!((400..600).contains(&rare));
/// assert_eq!(draws.iter().filter(|draw| **draw == Draw { position: 3, view: 1 }).count(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sampling {
    /// The order in which images come.
    pub order: Order,
    /// How many views of each drawn image follow each other, each augmented anew: 1, or more for repeated augmentation
    /// (Hoffer et al., "Augment Your Batch", 2020).
    pub views: u32,
    /// How many samples an epoch has, views included. Where it is not set, every image is drawn once, in the orders that
    /// draw with replacement as many as there are. An order without replacement cannot give more than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
}

/// The order in which an epoch's images come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As in the manifest.
    Sequential,
    /// In a new random order each epoch, without replacement.
    #[default]
    Shuffled,
    /// With replacement, every class equally often on average, and every image of a class.
    Balanced,
    /// With replacement, a class as often as its weight says, and every image of a class equally often. One weight for each
    /// class, in the manifest's order; their sum is of no matter.
    Weighted(Vec<f64>),
}

/// One sample of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    /// The image's place in its split.
    pub position: usize,
    /// How many times the image has come in this epoch before. Another view is augmented by other random numbers.
    pub view: u32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { order: Order::default(), views: 1, samples: None }
    }
}

impl Sampling {
    /// Every image once, as in the manifest.
    pub const SEQUENTIAL: Self = Self { order: Order::Sequential, views: 1, samples: None };

    /// The samples of epoch `epoch`, counted from 0, of images that have these classes.
    ///
    /// # Errors
    /// [`StreamError::Zero`] where `views` or `samples` is 0; [`StreamError::Sampling`] where there are too few images
    /// or where weights do not fit the classes.
    pub fn draws(&self, classes: &[u32], epoch: u64, seed: Seed) -> Result<Vec<Draw>, StreamError> {
        let views = self.views as usize;
        if views == 0 || self.samples == Some(0) {
            let field = if views == 0 { "sampling.views" } else { "sampling.samples" };
            return Err(StreamError::Zero { field });
        }
        let samples = self.samples.unwrap_or(classes.len() * views);
        let mut rng = seed.rng("shuffle", epoch, 0);
        let mut positions: Vec<usize> = (0..classes.len()).collect();
        let images = samples.div_ceil(views);
        match &self.order {
            Order::Sequential | Order::Shuffled if images > classes.len() => {
                let reason = format!("{samples} samples need {images} images, and there are {}", classes.len());
                return Err(StreamError::Sampling { reason });
            }
            Order::Sequential => {}
            Order::Shuffled => positions.shuffle(&mut rng),
            Order::Balanced => positions = drawn(classes, None, images, &mut rng)?,
            Order::Weighted(weights) => positions = drawn(classes, Some(weights), images, &mut rng)?,
        }
        let mut views_so_far = vec![0; classes.len()];
        let next_view = |position: usize| {
            let view = views_so_far[position];
            views_so_far[position] += 1;
            Draw { position, view }
        };
        let repeated = positions.into_iter().flat_map(|position| std::iter::repeat_n(position, views));
        Ok(repeated.take(samples).map(next_view).collect())
    }
}

/// `count` positions with replacement: a class by its weight, then any of its images.
fn drawn(
    classes: &[u32],
    weights: Option<&[f64]>,
    count: usize,
    rng: &mut aumenta_seed::Rng,
) -> Result<Vec<usize>, StreamError> {
    let refused = |reason: String| StreamError::Sampling { reason };
    let largest = classes.iter().max().map_or(0, |class| *class as usize + 1);
    let class_count = weights.map_or(largest, <[f64]>::len);
    if class_count < largest {
        return Err(refused(format!("{class_count} weights are too few for {largest} classes")));
    }
    let mut members = vec![Vec::new(); class_count];
    for (position, class) in classes.iter().enumerate() {
        members[*class as usize].push(position);
    }
    let weight = |(class, members): (usize, &Vec<usize>)| match weights {
        Some(weights) => weights[class],
        None => f64::from(u8::from(!members.is_empty())),
    };
    let all: Vec<f64> = members.iter().enumerate().map(weight).collect();
    if let Some(class) = (0..class_count).find(|class| all[*class] > 0.0 && members[*class].is_empty()) {
        return Err(refused(format!("class {class} has a weight and no images")));
    }
    let classes = WeightedIndex::new(&all).map_err(|error| refused(format!("the weights are no weights: {error}")))?;
    Ok((0..count)
        .map(|_| {
            let members = &members[classes.sample(rng)];
            members[rng.random_range(0..members.len())]
        })
        .collect())
}

/// A share of the batches, for one of several processes that train together: of `count` shards, shard `index` delivers
/// batches `index`, `index + count`, and so on.
///
/// A batch is the same whichever shard delivers it, mixes included, so that all shards together give what one process
/// gives alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shard {
    /// Which shard, counted from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl Shard {
    /// All batches.
    pub const WHOLE: Self = Self { index: 0, count: 1 };
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: Seed = Seed::new(7);

    fn positions(sampling: &Sampling, classes: &[u32], epoch: u64) -> Vec<usize> {
        sampling.draws(classes, epoch, SEED).unwrap().iter().map(|draw| draw.position).collect()
    }

    #[test]
    fn sequential_is_the_manifest_and_shuffled_is_all_of_it() {
        assert_eq!(positions(&Sampling::SEQUENTIAL, &[0; 4], 3), [0, 1, 2, 3]);
        let mut shuffled = positions(&Sampling::default(), &[0; 40], 3);
        assert_ne!(shuffled, positions(&Sampling::default(), &[0; 40], 4));
        shuffled.sort_unstable();
        assert_eq!(shuffled, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn views_of_an_image_follow_each_other_and_are_counted() {
        let repeated = Sampling { views: 3, samples: Some(7), ..Sampling::SEQUENTIAL };
        let draws = repeated.draws(&[0; 4], 0, SEED).unwrap();
        let pairs: Vec<_> = draws.iter().map(|draw| (draw.position, draw.view)).collect();
        assert_eq!(pairs, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]);
        let all = Sampling { views: 2, ..Sampling::default() };
        assert_eq!(all.draws(&[0; 4], 0, SEED).unwrap().len(), 8);
    }

    #[test]
    fn classes_come_as_often_as_their_weights_say() {
        let classes: Vec<u32> = (0..100).map(|at| u32::from(at >= 90)).collect();
        let share = |order: Order| {
            let sampling = Sampling { order, samples: Some(4000), ..Sampling::default() };
            let drawn = positions(&sampling, &classes, 0);
            drawn.iter().filter(|position| **position >= 90).count() as f64 / 4000.0
        };
        assert!((share(Order::Balanced) - 0.5).abs() < 0.03);
        assert!((share(Order::Weighted(vec![3.0, 1.0])) - 0.25).abs() < 0.03);
        assert_eq!(share(Order::Weighted(vec![1.0, 0.0])), 0.0);
    }

    #[track_caller]
    fn check_refused(sampling: &Sampling, end: &str) {
        let error = sampling.draws(&[0, 0, 2], 0, SEED).unwrap_err().to_string();
        assert!(error.ends_with(end), "{error}");
    }

    #[test]
    fn what_cannot_be_drawn_is_named() {
        check_refused(&Sampling { views: 0, ..Sampling::default() }, "`sampling.views` must be at least 1");
        check_refused(&Sampling { samples: Some(0), ..Sampling::default() }, "`sampling.samples` must be at least 1");
        check_refused(&Sampling { samples: Some(4), ..Sampling::default() }, "need 4 images, and there are 3");
        let weighted = |weights: &[f64]| Sampling { order: Order::Weighted(weights.to_vec()), ..Sampling::default() };
        check_refused(&weighted(&[1.0]), "1 weights are too few for 3 classes");
        check_refused(&weighted(&[1.0, 1.0, 1.0]), "class 1 has a weight and no images");
        for weights in [[0.0; 3], [f64::NAN, 0.0, 1.0], [-1.0, 0.0, 1.0]] {
            assert!(weighted(&weights).draws(&[0, 0, 2], 0, SEED).is_err(), "{weights:?}");
        }
    }

    proptest! {
        #[test]
        fn no_sample_comes_twice(views in 1u32..4, samples in 1usize..200, balanced in any::<bool>()) {
            let order = if balanced { Order::Balanced } else { Order::Shuffled };
            let sampling = Sampling { order, views, samples: Some(samples.min(if balanced { 200 } else { 50 })) };
            let draws = sampling.draws(&[0, 1, 1, 0, 1].repeat(10), 2, SEED).unwrap();
            let unique: std::collections::HashSet<_> = draws.iter().collect();
            prop_assert_eq!(unique.len(), draws.len());
            prop_assert_eq!(Some(draws.len()), sampling.samples);
        }
    }
}
