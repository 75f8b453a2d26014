//! The networks as a user of Burn writes them, on its Flex backend.

use anyhow::{Context as _, Result, bail};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{GradientsParams, ModuleOptimizer, RmsPropConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Images, LEARNING_RATE, Peer};
use crate::efficientnet_lite0::{Block, EPSILON, HEAD, STEM, blocks};
use crate::network::{self, Network};

pub fn build(network: Network, images: &Images) -> Result<Box<dyn Peer>> {
    let device = if network.convnet().is_some() { Device::flex().autodiff() } else { Device::flex() };
    let [height, width, channels] = network.image();
    let pixels = TensorData::new(images.pixels.clone(), [images.count, channels, height, width]);
    let classes = images.classes.iter().map(|&class| i64::from(class)).collect();
    let classes = Tensor::from_data(TensorData::new(classes, [images.count]), &device);
    let images = Tensor::from_data(pixels, &device);
    match network.convnet() {
        Some(layers) => Ok(Box::new(Training {
            convnet: Some(Convnet::new(&layers, network, &device)),
            optimizer: RmsPropConfig::new().with_alpha(0.9).with_momentum(0.0).with_epsilon(1e-7).init(),
            images,
            classes,
            device,
        })),
        None if network == Network::EfficientnetLite0 => {
            Ok(Box::new(Evaluation { network: EfficientNetLite0::new(&device), images }))
        }
        None => bail!("`{}` is not written with Burn's layers", network.name()),
    }
}

struct Training {
    /// Moved into the optimizer and back at each step.
    convnet: Option<Convnet>,
    optimizer: ModuleOptimizer,
    images: Tensor<4>,
    classes: Tensor<1, Int>,
    device: Device,
}

impl Peer for Training {
    fn parameters(&self) -> usize {
        self.convnet.as_ref().map_or(0, Module::num_params)
    }

    fn step(&mut self) -> Result<f32> {
        let convnet = self.convnet.take().context("the step before this one failed")?;
        let logits = convnet.forward(self.images.clone());
        let loss = if logits.dims()[1] == 1 {
            let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&self.device);
            loss.forward(logits, self.classes.clone().unsqueeze_dim(1))
        } else {
            CrossEntropyLossConfig::new().init(&self.device).forward(logits, self.classes.clone())
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &convnet);
        self.convnet = Some(self.optimizer.step(f64::from(LEARNING_RATE), convnet, gradients));
        Ok(loss.into_scalar())
    }
}

#[derive(Module, Debug)]
struct Convnet {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    pools: usize,
    dense1: Linear,
    dense2: Linear,
}

impl Convnet {
    fn new(layers: &network::Convnet, network: Network, device: &Device) -> Self {
        let [side, _, channels] = network.image();
        let inputs = [channels].into_iter().chain(layers.filters.iter().copied());
        let convolutions = inputs.zip(layers.filters);
        Self {
            convolutions: convolutions
                .map(|(inputs, &filters)| Conv2dConfig::new([inputs, filters], [3, 3]).init(device))
                .collect(),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            pools: layers.pools,
            dense1: LinearConfig::new(layers.features(side), layers.units).init(device),
            dense2: LinearConfig::new(layers.units, network.outputs()).init(device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images;
        for (index, convolution) in self.convolutions.iter().enumerate() {
            x = relu(convolution.forward(x));
            if index < self.pools {
                x = self.pool.forward(x);
            }
        }
        self.dense2.forward(relu(self.dense1.forward(x.flatten::<2>(1, 3))))
    }
}

struct Evaluation {
    network: EfficientNetLite0,
    images: Tensor<4>,
}

impl Peer for Evaluation {
    fn parameters(&self) -> usize {
        // Burn counts the running mean and variance of batch normalization as parameters.
        self.network.num_params() - 2 * self.network.normalized_channels()
    }

    fn step(&mut self) -> Result<f32> {
        Ok(self.network.forward(self.images.clone()).slice([0..1, 0..1]).into_scalar())
    }
}

/// A convolution without bias, batch normalization in evaluation mode and, where asked for, `ReLU6`.
#[derive(Module, Debug)]
struct ConvNorm {
    convolution: Conv2d,
    norm: BatchNorm,
    is_activated: bool,
}

impl ConvNorm {
    fn new(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        stride: usize,
        groups: usize,
        is_activated: bool,
        device: &Device,
    ) -> Self {
        let padding = kernel / 2;
        let convolution = Conv2dConfig::new([inputs, outputs], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
            .with_groups(groups)
            .with_bias(false);
        let norm = BatchNormConfig::new(outputs).with_epsilon(EPSILON);
        Self { convolution: convolution.init(device), norm: norm.init(device), is_activated }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.norm.forward(self.convolution.forward(x));
        if self.is_activated { y.clamp(0.0, 6.0) } else { y }
    }
}

#[derive(Module, Debug)]
struct InvertedResidual {
    layers: Vec<ConvNorm>,
    is_residual: bool,
}

impl InvertedResidual {
    fn new(block: &Block, device: &Device) -> Self {
        let Block { inputs, expanded, kernel, stride, outputs } = *block;
        let mut layers = Vec::new();
        if expanded != inputs {
            layers.push(ConvNorm::new([inputs, expanded], 1, 1, 1, true, device));
        }
        layers.push(ConvNorm::new([expanded, expanded], kernel, stride, expanded, true, device));
        layers.push(ConvNorm::new([expanded, outputs], 1, 1, 1, false, device));
        Self { layers, is_residual: block.is_residual() }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        if self.is_residual { self.chain(x.clone()) + x } else { self.chain(x) }
    }

    fn chain(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

#[derive(Module, Debug)]
struct EfficientNetLite0 {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    head: ConvNorm,
    classifier: Linear,
}

impl EfficientNetLite0 {
    fn new(device: &Device) -> Self {
        let blocks = blocks();
        let last = blocks.last().map_or(STEM, |block| block.outputs);
        Self {
            stem: ConvNorm::new([3, STEM], 3, 2, 1, true, device),
            blocks: blocks.iter().map(|block| InvertedResidual::new(block, device)).collect(),
            head: ConvNorm::new([last, HEAD], 1, 1, 1, true, device),
            classifier: LinearConfig::new(HEAD, Network::EfficientnetLite0.outputs()).init(device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(self.stem.forward(images), |x, block| block.forward(x));
        let means = self.head.forward(x).mean_dim(3).mean_dim(2);
        self.classifier.forward(means.flatten::<2>(1, 3))
    }

    fn normalized_channels(&self) -> usize {
        let inner = self.blocks.iter().flat_map(|block| &block.layers);
        [&self.stem, &self.head].into_iter().chain(inner).map(|layer| layer.norm.gamma.dims()[0]).sum()
    }
}
