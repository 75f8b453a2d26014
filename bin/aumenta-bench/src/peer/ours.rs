//! Aumenta's networks and training step.

use anyhow::Result;
use aumenta_models::{Model, ModelConfig};
use aumenta_nn::{Loss, Optimizer, OptimizerConfig, RmsPropConfig};
use aumenta_seed::Seed;
use candle_core::{Device, Tensor};

use super::{Images, LEARNING_RATE, Peer};
use crate::network::Network;

struct Training {
    model: Box<dyn Model>,
    optimizer: Optimizer,
    images: Tensor,
    classes: Tensor,
    step: u64,
}

pub fn build(network: Network, images: &Images) -> Result<Box<dyn Peer>> {
    let name = match network {
        Network::Mnist => "mnist-convnet",
        Network::CatsDogs => "cats-dogs-convnet",
        Network::Vgg16 => "vgg16",
        Network::EfficientnetLite0 | Network::Lite0Head | Network::Lite0LastStages | Network::Lite0Whole => {
            "efficientnet-lite0"
        }
    };
    let architecture = ModelConfig::named(name)?.for_classes(network.outputs().max(2)).architecture()?;
    let mut model = architecture.build(Seed::new(7), &Device::Cpu)?;
    match network {
        Network::Lite0Head => model.freeze(architecture.layers_before("head")?)?,
        Network::Lite0LastStages => model.freeze(architecture.layers_before("blocks.5")?)?,
        _ => {}
    }
    let config = RmsPropConfig { learning_rate: LEARNING_RATE, ..RmsPropConfig::default() };
    let optimizer = Optimizer::new(OptimizerConfig::Rmsprop(config), model.parameters())?;
    let [height, width, channels] = network.image();
    let shape = (images.count, height, width, channels);
    let tensor = Tensor::from_slice(&images.pixels, shape, &Device::Cpu)?;
    if !network.is_trained() {
        return Ok(Box::new(Prediction { model, images: tensor }));
    }
    Ok(Box::new(Training {
        model,
        optimizer,
        images: tensor,
        classes: Tensor::new(&images.classes[..], &Device::Cpu)?,
        step: 0,
    }))
}

impl Peer for Training {
    fn parameters(&self) -> usize {
        self.model.parameters().element_count()
    }

    fn step(&mut self) -> Result<f32> {
        let classes = &self.classes;
        let mut loss = |logits: &Tensor| Loss::for_outputs(logits.dims()[1]).of_each(logits, classes);
        let parameters = self.model.parameters().clone();
        let x = self.model.frozen_output(&self.images)?;
        let step = self.model.gradients(&x, self.step, &mut loss)?;
        self.optimizer.step(&parameters, &step.gradients)?;
        let loss = step.losses.mean_all()?;
        self.step += 1;
        Ok(loss.to_scalar()?)
    }
}

struct Prediction {
    model: Box<dyn Model>,
    images: Tensor,
}

impl Peer for Prediction {
    fn parameters(&self) -> usize {
        self.model.parameters().element_count()
    }

    fn step(&mut self) -> Result<f32> {
        Ok(self.model.predict(&self.images)?.mean_all()?.to_scalar()?)
    }
}
