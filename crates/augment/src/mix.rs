//! [`Mix`]: two pictures of a batch in one, as data; [`Mixing`]: what draws it.
//!
//! A mix needs two pictures and changes what the right answer is, so it belongs to a batch and not to a
//! [`Plan`](crate::Plan).

mod beta;
mod config;

use aumenta_imgproc::{Layout, Size};
use rand::seq::SliceRandom as _;
use rand::{Rng, RngExt as _};
use serde::{Deserialize, Serialize};

use self::beta::symmetric_beta;
pub use self::config::MixConfig;

/// What is mixed into one picture of a batch.
///
/// ```
/// use aumenta_augment::{Blend, Mix};
/// use aumenta_imgproc::{Layout, Size};
///
/// let mix = Mix { partner: 3, lambda: 0.75, blend: Blend::Mixup {} };
/// let mut own = [1.0, 0.0];
/// mix.apply(&mut own, &[0.0, 0.5], Size { width: 2, height: 1 }, Layout::Hwc);
/// assert_eq!(own, [0.75, 0.125]);
/// assert_eq!(mix.shares(0, 2, 3), [0.75, 0.0, 0.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mix {
    /// The place of the other picture in the batch, counted from 0.
    pub partner: usize,
    /// The share of the picture's own class in what is right, from 0 to 1; the rest is the partner's.
    pub lambda: f64,
    /// How the pixels are mixed.
    #[serde(flatten)]
    pub blend: Blend,
}

/// How the pixels of two pictures become those of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "blend", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Blend {
    /// `lambda` of one picture and `1 - lambda` of the other at every pixel (Zhang et al., "mixup: Beyond Empirical Risk
    /// Minimization", 2018).
    Mixup {},
    /// A box of the partner in the picture, whose share of the area is `1 - lambda` (Yun et al., "`CutMix`: Regularization
    /// Strategy to Train Strong Classifiers with Localizable Features", 2019).
    Cutmix {
        /// The box's first column.
        left: usize,
        /// The box's first row.
        top: usize,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
}

impl Mix {
    /// Mixes `partner`, which no mix has changed, into `own`: pictures of `size` as values in `layout` with any number of
    /// channels. Values of mixup are rounded to f32 after each product and after the sum.
    ///
    /// # Panics
    /// Where a cutmix's box is not within `size`, or the values are not those of pictures of that size.
    pub fn apply(&self, own: &mut [f32], partner: &[f32], size: Size, layout: Layout) {
        assert_eq!(own.len(), partner.len(), "both pictures have the same form");
        match self.blend {
            Blend::Mixup {} => {
                let (ours, theirs) = (self.lambda as f32, (1.0 - self.lambda) as f32);
                for (value, other) in own.iter_mut().zip(partner) {
                    *value = *value * ours + *other * theirs;
                }
            }
            Blend::Cutmix { left, top, width, height } => {
                let channels = own.len() / (size.width * size.height).max(1);
                let (planes, values) = match layout {
                    Layout::Hwc => (1, channels),
                    Layout::Chw => (channels, 1),
                };
                let rows = (0..planes).flat_map(|plane| (top..top + height).map(move |row| plane * size.height + row));
                for row in rows {
                    let first = (row * size.width + left) * values;
                    let span = first..first + width * values;
                    own[span.clone()].copy_from_slice(&partner[span]);
                }
            }
        }
    }

    /// The share of each of `classes` classes in what is right, for a picture of class `own` with a partner of class
    /// `partner`; the shares sum to 1.
    ///
    /// # Panics
    /// Where a class is not below `classes`.
    pub fn shares(&self, own: u32, partner: u32, classes: usize) -> Vec<f32> {
        let mut shares = vec![0.0; classes];
        shares[own as usize] += self.lambda as f32;
        shares[partner as usize] += (1.0 - self.lambda) as f32;
        shares
    }

    /// The class with the larger share, the own one where they are equal.
    pub fn larger(&self, own: u32, partner: u32) -> u32 {
        if self.lambda >= 0.5 { own } else { partner }
    }
}

/// Draws the mixes of batches; built by [`MixConfig::build`].
///
/// ```
/// use aumenta_augment::MixConfig;
/// use aumenta_imgproc::Size;
/// use aumenta_seed::Seed;
///
/// let mixing = MixConfig { mixup_alpha: Some(0.2), ..MixConfig::default() }.build()?.expect("something is mixed");
/// let mixes = mixing.draw(8, Size::square(32), 0, &mut Seed::new(7).rng("mix", 0, 0));
/// assert!(mixes.iter().all(Option::is_some));
/// # Ok::<(), aumenta_augment::AugmentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixing {
    probability: f64,
    mixup_alpha: Option<f64>,
    cutmix_alpha: Option<f64>,
    cutmix_share: f64,
    /// The first epoch without mixes, counted from 0.
    off_epoch: Option<u64>,
}

impl Mixing {
    /// The mixes of a batch of `count` pictures of `size` in epoch `epoch`, counted from 0; `None` for a picture that
    /// stays as it is.
    ///
    /// Partners go around in one random circle, so that each picture is the partner of exactly one other and never its
    /// own; a picture alone in its batch stays as it is.
    pub fn draw(&self, count: usize, size: Size, epoch: u64, rng: &mut dyn Rng) -> Vec<Option<Mix>> {
        if count < 2 || self.off_epoch.is_some_and(|off| epoch >= off) {
            return vec![None; count];
        }
        let mut circle: Vec<usize> = (0..count).collect();
        circle.shuffle(rng);
        let mut mixes = vec![None; count];
        for at in 0..count {
            mixes[circle[at]] = self.draw_one(circle[(at + 1) % count], size, rng);
        }
        mixes
    }

    fn draw_one(&self, partner: usize, size: Size, rng: &mut dyn Rng) -> Option<Mix> {
        if !rng.random_bool(self.probability) {
            return None;
        }
        Some(match (self.mixup_alpha, self.cutmix_alpha) {
            (mixup, Some(alpha)) if mixup.is_none() || rng.random_bool(self.cutmix_share) => {
                cutmix(partner, symmetric_beta(alpha, rng), size, rng)
            }
            (Some(alpha), _) => Mix { partner, lambda: symmetric_beta(alpha, rng), blend: Blend::Mixup {} },
            (None, _) => return None,
        })
    }
}

/// A box of `1 - lambda` of the area around a uniform point, cut at the picture's edge; lambda becomes what is left.
fn cutmix(partner: usize, lambda: f64, size: Size, rng: &mut dyn Rng) -> Mix {
    // The square root is exact to the last bit on every machine.
    let side = (1.0 - lambda).sqrt();
    let (left, width) = span(side, size.width, rng);
    let (top, height) = span(side, size.height, rng);
    let area = (size.width * size.height).max(1) as f64;
    let lambda = 1.0 - (width * height) as f64 / area;
    Mix { partner, lambda, blend: Blend::Cutmix { left, top, width, height } }
}

/// The start and length of a span of `share * length` about a uniform point, cut at both ends.
fn span(share: f64, length: usize, rng: &mut dyn Rng) -> (usize, usize) {
    if length == 0 {
        return (0, 0);
    }
    let wanted = (share * length as f64) as usize;
    let center = rng.random_range(0..length);
    let start = center.saturating_sub(wanted / 2);
    let end = (center + wanted - wanted / 2).min(length);
    (start, end - start)
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;
    use proptest::prelude::*;

    use super::*;

    fn mixing(config: MixConfig) -> Mixing {
        config.build().unwrap().unwrap()
    }

    fn both() -> Mixing {
        mixing(MixConfig { mixup_alpha: Some(0.4), cutmix_alpha: Some(1.0), ..MixConfig::default() })
    }

    fn draw(mixing: &Mixing, count: usize, epoch: u64, batch: u64) -> Vec<Option<Mix>> {
        let size = Size { width: 40, height: 30 };
        mixing.draw(count, size, epoch, &mut Seed::new(7).rng("mix", epoch, batch))
    }

    #[test]
    fn every_picture_is_the_partner_of_one_other() {
        for count in 2..20 {
            let mut partners: Vec<usize> =
                draw(&both(), count, 0, count as u64).iter().map(|mix| mix.unwrap().partner).collect();
            assert!(partners.iter().enumerate().all(|(own, partner)| own != *partner));
            partners.sort_unstable();
            assert_eq!(partners, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(draw(&both(), 1, 0, 0), [None]);
        assert_eq!(draw(&both(), 0, 0, 0), []);
    }

    #[test]
    fn kinds_and_probabilities_come_as_often_as_asked() {
        let half = MixConfig { probability: 0.5, cutmix_share: 0.25, ..MixConfig::default() };
        let half = mixing(MixConfig { mixup_alpha: Some(1.0), cutmix_alpha: Some(1.0), ..half });
        let mixes: Vec<Mix> = (0..100).flat_map(|batch| draw(&half, 20, 0, batch)).flatten().collect();
        assert!((900..1100).contains(&mixes.len()), "{}", mixes.len());
        let boxes = mixes.iter().filter(|mix| matches!(mix.blend, Blend::Cutmix { .. })).count();
        assert!((200..300).contains(&boxes), "{boxes}");
    }

    #[test]
    fn from_the_off_epoch_on_nothing_is_mixed() {
        let until = mixing(MixConfig { mixup_alpha: Some(1.0), off_epoch: Some(3), ..MixConfig::default() });
        assert!(draw(&until, 4, 1, 0).iter().all(Option::is_some), "epoch 2 as users count");
        assert_eq!(draw(&until, 4, 2, 0), [None; 4]);
        assert_eq!(draw(&until, 4, 9, 0), [None; 4]);
    }

    #[test]
    fn a_box_by_hand() {
        let mut own: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let partner = [-1.0; 12];
        let blend = Blend::Cutmix { left: 1, top: 0, width: 1, height: 2 };
        let (mix, size) = (Mix { partner: 0, lambda: 2.0 / 3.0, blend }, Size { width: 3, height: 2 });
        let mut planes = own.clone();
        mix.apply(&mut own, &partner, size, Layout::Hwc);
        assert_eq!(own, [0.0, 1.0, -1.0, -1.0, 4.0, 5.0, 6.0, 7.0, -1.0, -1.0, 10.0, 11.0]);
        mix.apply(&mut planes, &partner, size, Layout::Chw);
        assert_eq!(planes, [0.0, -1.0, 2.0, 3.0, -1.0, 5.0, 6.0, -1.0, 8.0, 9.0, -1.0, 11.0]);
    }

    #[test]
    fn the_larger_share_decides() {
        let mix = |lambda| Mix { partner: 0, lambda, blend: Blend::Mixup {} };
        assert_eq!([mix(0.51).larger(3, 4), mix(0.5).larger(3, 4), mix(0.49).larger(3, 4)], [3, 3, 4]);
        assert_eq!(mix(0.3).shares(1, 1, 2), [0.0, 1.0], "two pictures of one class leave it as it is");
    }

    #[test]
    fn a_mix_survives_being_written_down() {
        let mix = Mix { partner: 2, lambda: 0.7, blend: Blend::Cutmix { left: 1, top: 2, width: 3, height: 4 } };
        let json = serde_json::to_string(&mix).unwrap();
        assert_eq!(json, r#"{"partner":2,"lambda":0.7,"blend":"cutmix","left":1,"top":2,"width":3,"height":4}"#);
        assert_eq!(serde_json::from_str::<Mix>(&json).unwrap(), mix);
    }

    proptest! {
        #[test]
        fn lambda_is_what_the_box_leaves_at_any_size(width in 0usize..50, height in 0usize..50, batch in 0u64..1000) {
            let only = mixing(MixConfig { cutmix_alpha: Some(1.0), ..MixConfig::default() });
            let size = Size { width, height };
            for mix in only.draw(3, size, 0, &mut Seed::new(7).rng("mix", 0, batch)).into_iter().flatten() {
                let mut own = vec![1.0; width * height];
                mix.apply(&mut own, &vec![0.0; width * height], size, Layout::Chw);
                let left = own.iter().sum::<f32>() as f64;
                prop_assert!((mix.lambda * (width * height) as f64 - left).abs() < 1e-6);
                prop_assert!((0.0..=1.0).contains(&mix.lambda));
            }
        }
    }
}
