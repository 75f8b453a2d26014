//! The contenders that are written in Rust, and what they have in common. They share this program, and so its allocator.

#[cfg(feature = "burn")]
mod burn_flex;
mod ours;
mod stock_candle;

use anyhow::{Result, bail};
use aumenta_seed::Seed;
use rand::RngExt as _;

use crate::contender::Contender;
use crate::network::Network;

/// The step size of RMSprop; its other settings are those of Keras.
const LEARNING_RATE: f32 = 1e-4;

/// A network with its batch.
pub trait Peer {
    /// How many trainable numbers the network has.
    fn parameters(&self) -> usize;

    /// Does the network's work once; the loss, or the first logit where there is no training.
    fn step(&mut self) -> Result<f32>;
}

/// The network of `contender`, with a batch of `batch` random images.
///
/// # Errors
/// Where the contender has no such network, or is not part of this build.
pub fn build(contender: Contender, network: Network, batch: usize) -> Result<Box<dyn Peer>> {
    let images = Images::random(network, batch);
    match contender {
        Contender::Ours => ours::build(network, &images),
        Contender::Candle => stock_candle::build(network, &images),
        #[cfg(feature = "burn")]
        Contender::Burn => burn_flex::build(network, &images),
        #[cfg(not(feature = "burn"))]
        Contender::Burn => bail!("this program was built without Burn: build it with `--features burn`"),
        _ => bail!("`{}` is not written in Rust", contender.name()),
    }
}

/// A batch, the same for every contender but for the order of its axes, which random numbers do not show.
struct Images {
    count: usize,
    pixels: Vec<f32>,
    classes: Vec<u32>,
}

impl Images {
    fn random(network: Network, count: usize) -> Self {
        let mut rng = Seed::new(7).rng("bench", 0, 0);
        let pixels = (0..count * network.image().iter().product::<usize>()).map(|_| rng.random()).collect();
        let classes = (0..count).map(|_| rng.random_range(0..network.outputs().max(2) as u32)).collect();
        Self { count, pixels, classes }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    /// The contenders of this build that are written in Rust.
    fn contenders() -> Vec<Contender> {
        let mut contenders = vec![Contender::Ours, Contender::Candle];
        if cfg!(feature = "burn") {
            contenders.push(Contender::Burn);
        }
        contenders
    }

    #[test]
    fn every_contender_has_the_same_networks() {
        for contender in contenders() {
            let only_ours = |network: Network| network == Network::Vgg16 || network.is_fine_tuned();
            for &network in Network::value_variants() {
                if contender != Contender::Ours && only_ours(network) {
                    assert!(build(contender, network, 1).is_err(), "{contender:?} {network:?}");
                    continue;
                }
                let peer = build(contender, network, 1).unwrap();
                assert_eq!(peer.parameters(), network.parameters(), "{contender:?} {network:?}");
            }
        }
    }

    #[test]
    fn every_contender_learns_its_batch() {
        for contender in contenders() {
            let mut peer = build(contender, Network::Mnist, 4).unwrap();
            let losses: Vec<f32> = (0..10).map(|_| peer.step().unwrap()).collect();
            assert!((1.0..5.0).contains(&losses[0]) && losses[9] < losses[0], "{contender:?}: {losses:?}");
        }
    }

    #[test]
    fn a_contender_in_python_is_not_built_here() {
        let error = build(Contender::Keras, Network::Mnist, 1).err().unwrap();
        assert_eq!(error.to_string(), "`keras` is not written in Rust");
    }
}
