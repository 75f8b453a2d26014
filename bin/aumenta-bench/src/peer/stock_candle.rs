//! The networks as a user of Candle and candle-nn writes them: NCHW, their layers, their backward.
//!
//! It is for timing alone: the gradient of Candle 0.11.1's max pooling is too small by the window's area.

use std::sync::PoisonError;

use anyhow::{Context as _, Result, bail};
use aumenta_nn::Initializer;
use aumenta_seed::Seed;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Module, ModuleT as _, Tensor, Var};
use candle_nn::{
    BatchNorm, BatchNormConfig, Conv2d, Conv2dConfig, Linear, VarBuilder, VarMap, batch_norm, conv2d, conv2d_no_bias,
    linear, loss,
};

use super::{Images, LEARNING_RATE, Peer};
use crate::efficientnet_lite0::{Block, EPSILON, HEAD, STEM, blocks};
use crate::network::{self, Network};

pub fn build(network: Network, images: &Images) -> Result<Box<dyn Peer>> {
    let device = Device::Cpu;
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let [height, width, channels] = network.image();
    let classes = Tensor::new(&images.classes[..], &device)?;
    let images = Tensor::from_slice(&images.pixels, (images.count, channels, height, width), &device)?;
    match network.convnet() {
        Some(layers) => {
            let convnet = Convnet::new(&layers, network, &builder)?;
            seed(&variables)?;
            let optimizer = RmsProp::new(&variables)?;
            Ok(Box::new(Training { convnet, optimizer, images, classes }))
        }
        None if network == Network::EfficientnetLite0 => {
            Ok(Box::new(Evaluation { network: EfficientNetLite0::new(&builder)?, images }))
        }
        None => bail!("`{}` is not written with Candle's layers", network.name()),
    }
}

/// Gives all variables the values that ours of the same names start from: Candle's own cannot be seeded on the CPU.
fn seed(variables: &VarMap) -> Result<()> {
    let variables = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
    for (name, variable) in variables.iter() {
        let initializer = if variable.rank() > 1 { Initializer::GlorotUniform } else { Initializer::Zeros };
        variable.set(initializer.variable(name, variable.dims(), Seed::new(7), &Device::Cpu)?.as_tensor())?;
    }
    Ok(())
}

struct Training {
    convnet: Convnet,
    optimizer: RmsProp,
    images: Tensor,
    classes: Tensor,
}

impl Peer for Training {
    fn parameters(&self) -> usize {
        self.optimizer.variables.iter().map(|(variable, _)| variable.elem_count()).sum()
    }

    fn step(&mut self) -> Result<f32> {
        let logits = self.convnet.forward(&self.images)?;
        let loss = if logits.dim(1)? == 1 {
            let targets = self.classes.to_dtype(DType::F32)?.unsqueeze(1)?;
            loss::binary_cross_entropy_with_logit(&logits, &targets)?
        } else {
            loss::cross_entropy(&logits, &self.classes)?
        };
        self.optimizer.step(&loss.backward()?)?;
        Ok(loss.to_scalar()?)
    }
}

struct Convnet {
    convolutions: Vec<Conv2d>,
    pools: usize,
    dense1: Linear,
    dense2: Linear,
}

impl Convnet {
    fn new(layers: &network::Convnet, network: Network, builder: &VarBuilder<'_>) -> Result<Self> {
        let [side, _, mut inputs] = network.image();
        let mut convolutions = Vec::new();
        for (index, &filters) in layers.filters.iter().enumerate() {
            let name = format!("conv{}", index + 1);
            convolutions.push(conv2d(inputs, filters, 3, Conv2dConfig::default(), builder.pp(name))?);
            inputs = filters;
        }
        let dense1 = linear(layers.features(side), layers.units, builder.pp("dense1"))?;
        let dense2 = linear(layers.units, network.outputs(), builder.pp("dense2"))?;
        Ok(Self { convolutions, pools: layers.pools, dense1, dense2 })
    }
}

impl Module for Convnet {
    #[expect(clippy::disallowed_methods, reason = "Candle as it comes is what is measured")]
    fn forward(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = images.clone();
        for (index, convolution) in self.convolutions.iter().enumerate() {
            x = convolution.forward(&x)?.relu()?;
            if index < self.pools {
                x = x.max_pool2d(2)?;
            }
        }
        self.dense2.forward(&self.dense1.forward(&x.flatten_from(1)?)?.relu()?)
    }
}

/// RMSprop in tensor operations; candle-nn has none.
struct RmsProp {
    /// Each variable with its mean square.
    variables: Vec<(Var, Tensor)>,
}

impl RmsProp {
    #[expect(clippy::disallowed_methods, reason = "the order of the variables does not show in the time of a step")]
    fn new(variables: &VarMap) -> Result<Self> {
        let pair = |variable: Var| Ok((variable.clone(), variable.zeros_like()?));
        Ok(Self { variables: variables.all_vars().into_iter().map(pair).collect::<Result<_>>()? })
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        for (variable, mean_square) in &mut self.variables {
            let gradient = gradients.get(variable).context("a variable has no gradient")?;
            *mean_square = ((&*mean_square * 0.9)? + (gradient.sqr()? * 0.1)?)?;
            let change = (gradient / (mean_square.sqrt()? + 1e-7)?)?;
            variable.set(&(variable.as_tensor() - (change * f64::from(LEARNING_RATE))?)?)?;
        }
        Ok(())
    }
}

struct Evaluation {
    network: EfficientNetLite0,
    images: Tensor,
}

impl Peer for Evaluation {
    fn parameters(&self) -> usize {
        self.network.parameters
    }

    fn step(&mut self) -> Result<f32> {
        Ok(self.network.forward(&self.images)?.flatten_all()?.get(0)?.to_scalar()?)
    }
}

/// A convolution without bias, batch normalization in evaluation mode and, where asked for, `ReLU6`.
struct ConvNorm {
    convolution: Conv2d,
    norm: BatchNorm,
    is_activated: bool,
}

impl Module for ConvNorm {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let y = self.norm.forward_t(&self.convolution.forward(x)?, false)?;
        if self.is_activated { y.clamp(0f32, 6f32) } else { Ok(y) }
    }
}

struct EfficientNetLite0 {
    stem: ConvNorm,
    blocks: Vec<(Block, Vec<ConvNorm>)>,
    head: ConvNorm,
    classifier: Linear,
    parameters: usize,
}

impl EfficientNetLite0 {
    fn new(builder: &VarBuilder<'_>) -> Result<Self> {
        let mut layers = Layers { builder, count: 0, parameters: 0 };
        let stem = layers.conv_norm(3, STEM, 3, 2, 1, true)?;
        let blocks = blocks().into_iter().map(|block| Ok((block, layers.block(&block)?)));
        let blocks: Vec<_> = blocks.collect::<Result<_>>()?;
        let last = blocks.last().map_or(STEM, |(block, _)| block.outputs);
        let head = layers.conv_norm(last, HEAD, 1, 1, 1, true)?;
        let classes = Network::EfficientnetLite0.outputs();
        let classifier = linear(HEAD, classes, builder.pp("classifier"))?;
        let parameters = layers.parameters + (HEAD + 1) * classes;
        Ok(Self { stem, blocks, head, classifier, parameters })
    }
}

impl Module for EfficientNetLite0 {
    fn forward(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = self.stem.forward(images)?;
        for (block, layers) in &self.blocks {
            let y = layers.iter().try_fold(x.clone(), |y, layer| layer.forward(&y))?;
            x = if block.is_residual() { (x + y)? } else { y };
        }
        self.classifier.forward(&self.head.forward(&x)?.mean((2, 3))?)
    }
}

/// Makes layers with names and counts their parameters.
struct Layers<'a, 'b> {
    builder: &'a VarBuilder<'b>,
    count: usize,
    parameters: usize,
}

impl Layers<'_, '_> {
    fn block(&mut self, block: &Block) -> Result<Vec<ConvNorm>> {
        let Block { inputs, expanded, kernel, stride, outputs } = *block;
        let mut layers = Vec::new();
        if expanded != inputs {
            layers.push(self.conv_norm(inputs, expanded, 1, 1, 1, true)?);
        }
        layers.push(self.conv_norm(expanded, expanded, kernel, stride, expanded, true)?);
        layers.push(self.conv_norm(expanded, outputs, 1, 1, 1, false)?);
        Ok(layers)
    }

    fn conv_norm(
        &mut self,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        groups: usize,
        is_activated: bool,
    ) -> Result<ConvNorm> {
        self.count += 1;
        self.parameters += outputs * (inputs / groups * kernel * kernel + 2);
        let config = Conv2dConfig { padding: kernel / 2, stride, groups, ..Conv2dConfig::default() };
        let builder = self.builder.pp(self.count);
        Ok(ConvNorm {
            convolution: conv2d_no_bias(inputs, outputs, kernel, config, builder.pp("conv"))?,
            norm: batch_norm(
                outputs,
                BatchNormConfig { eps: EPSILON, ..BatchNormConfig::default() },
                builder.pp("norm"),
            )?,
            is_activated,
        })
    }
}
