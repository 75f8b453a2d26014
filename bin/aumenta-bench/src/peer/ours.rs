//! Aumenta's networks and training step.

use anyhow::{Result, bail};
use aumenta_models::{Model, ModelConfig};
use aumenta_nn::{Loss, Mode, RmsProp, RmsPropConfig};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use super::{Images, LEARNING_RATE, Peer};
use crate::network::Network;

struct Training {
    model: Box<dyn Model>,
    optimizer: RmsProp,
    images: Tensor,
    classes: Tensor,
    step: u64,
}

pub fn build(network: Network, images: &Images) -> Result<Box<dyn Peer>> {
    let name = match network {
        Network::Mnist => "mnist-convnet",
        Network::CatsDogs => "cats-dogs-convnet",
        Network::EfficientnetLite0 => bail!("Aumenta has no EfficientNet-Lite0 yet"),
    };
    let model = ModelConfig::named(name)?.architecture()?.build(Seed::new(7), &Device::Cpu)?;
    let config = RmsPropConfig { learning_rate: LEARNING_RATE, ..RmsPropConfig::default() };
    let optimizer = RmsProp::new(config, model.parameters())?;
    let [height, width, channels] = network.image();
    let shape = (images.count, height, width, channels);
    Ok(Box::new(Training {
        model,
        optimizer,
        images: Tensor::from_slice(&images.pixels, shape, &Device::Cpu)?,
        classes: Tensor::new(&images.classes[..], &Device::Cpu)?,
        step: 0,
    }))
}

impl Peer for Training {
    fn parameters(&self) -> usize {
        self.model.parameters().element_count()
    }

    fn step(&mut self) -> Result<f32> {
        let logits = self.model.forward(&self.images, Mode::Train { step: self.step })?;
        let loss = Loss::for_outputs(logits.dims()[1]).of_each(&logits, &self.classes)?.mean_all()?;
        self.optimizer.step(self.model.parameters(), &loss.backward()?)?;
        self.step += 1;
        Ok(loss.to_scalar()?)
    }
}
