//! The kinds of layers and their settings, as model files write them.

use serde::{Deserialize, Serialize};

use super::NamedLayer;
use crate::op::activation::Activation;
use crate::op::conv2d::same_padding;

/// A layer's kind and settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// A convolution; [`crate::conv2d`].
    Conv2d(Conv2dLayer),
    /// A convolution of each channel on its own; [`crate::depthwise_conv2d`].
    DepthwiseConv2d(DepthwiseConv2dLayer),
    /// The largest element of each window; [`crate::max_pool2d`].
    MaxPool2d(Pool2dLayer),
    /// The mean of each window without its padding; [`crate::avg_pool2d`].
    AvgPool2d(Pool2dLayer),
    /// The mean of each channel over all pixels; [`crate::global_avg_pool2d`].
    GlobalAvgPool2d {},
    /// Each channel normalized by its batch's statistics in training and by running ones in evaluation;
    /// [`crate::batch_norm_train`].
    BatchNorm(BatchNormLayer),
    /// An activation on its own; [`crate::activate`].
    Activation {
        /// The function.
        activation: Activation,
    },
    /// Turns an image into a vector, channel by channel as PyTorch does, so that weights behind it are
    /// exchangeable.
    Flatten {},
    /// Sets a share of the elements to zero while training; [`crate::dropout`].
    Dropout {
        /// The share, in `[0, 1)`.
        rate: f32,
    },
    /// Sets a share of the channels of each image to zero while training; [`crate::spatial_dropout`].
    SpatialDropout {
        /// The share, in `[0, 1)`.
        rate: f32,
    },
    /// A fully connected layer; [`crate::dense`].
    Dense {
        /// Outputs.
        units: usize,
        /// Applied to the output.
        #[serde(default)]
        activation: Activation,
    },
    /// Adds what the layers compute to their input, or to what a shortcut makes of it (He et al. 2016):
    /// `y = activation(layers(x) + shortcut(x))`.
    Residual {
        /// Applied one after the other.
        layers: Vec<NamedLayer>,
        /// Applied to the input one after the other, and added; where there is none, the input itself is. Its output has the
        /// shape of the layers' output.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shortcut: Vec<NamedLayer>,
        /// Applied to the sum.
        #[serde(default)]
        activation: Activation,
    },
}

/// Square windows over an image, one for each filter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Conv2dLayer {
    /// Output channels.
    pub filters: usize,
    /// Window side in pixels.
    pub kernel: usize,
    /// The step between windows.
    #[serde(default = "one")]
    pub stride: usize,
    /// The zeros around the image.
    #[serde(default)]
    pub padding: Padding,
    /// The step between the elements of a window.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Into how many groups the channels are divided.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether a bias is added.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Applied to the output.
    #[serde(default)]
    pub activation: Activation,
}

/// Square windows over an image, one or some for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DepthwiseConv2dLayer {
    /// Window side in pixels.
    pub kernel: usize,
    /// Output channels for each input channel.
    #[serde(default = "one")]
    pub multiplier: usize,
    /// The step between windows.
    #[serde(default = "one")]
    pub stride: usize,
    /// The zeros around the image.
    #[serde(default)]
    pub padding: Padding,
    /// The step between the elements of a window.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Whether a bias is added.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Applied to the output.
    #[serde(default)]
    pub activation: Activation,
}

/// Statistics of each channel over a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BatchNormLayer {
    /// Added to the variance, above 0. Default 1e-5, as PyTorch; TensorFlow's networks have 1e-3.
    pub epsilon: f32,
    /// The weight of a batch in the running statistics, in `[0, 1]`. Default 0.1, as PyTorch; Keras calls `1 - momentum` the
    /// momentum.
    pub momentum: f32,
    /// Applied to the output.
    pub activation: Activation,
    /// Whether training too normalizes by the running statistics, and leaves them as they are: what a layer needs whose
    /// statistics come from a large data set and whose batches now are small. Scale and shift are trained. Default no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fixed_statistics: bool,
}

impl Default for BatchNormLayer {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, activation: Activation::Linear, fixed_statistics: false }
    }
}

/// Square windows over an image, each channel on its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pool2dLayer {
    /// Window side in pixels.
    pub window: usize,
    /// The step between windows; the window's side where it is not given.
    #[serde(default)]
    pub stride: Option<usize>,
    /// What is added around the image.
    #[serde(default)]
    pub padding: Padding,
}

/// The rows and columns around an image that windows reach into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// None.
    #[default]
    Valid,
    /// As many as give `size / stride` windows, rounded up, as TensorFlow does; [`same_padding`].
    Same,
    /// So many on each side, as PyTorch's layers do.
    Zeros(usize),
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

impl LayerSpec {
    /// A convolution without strides and padding.
    pub fn conv2d(filters: usize, kernel: usize, activation: Activation) -> Self {
        Self::Conv2d(Conv2dLayer { activation, ..Conv2dLayer::new(filters, kernel) })
    }

    /// Max pooling with square windows that do not overlap.
    pub fn max_pool2d(window: usize) -> Self {
        Self::MaxPool2d(Pool2dLayer { window, stride: None, padding: Padding::Valid })
    }

    /// A residual block that adds its input itself.
    pub fn residual(layers: Vec<NamedLayer>) -> Self {
        Self::Residual { layers, shortcut: Vec::new(), activation: Activation::Linear }
    }

    /// Whether it is 2x2 max pooling without overlap and padding, which a convolution before it can do on its way.
    pub(crate) fn is_pooling_of_pairs(&self) -> bool {
        matches!(self, Self::MaxPool2d(Pool2dLayer { window: 2, stride: None | Some(2), padding: Padding::Valid }))
    }

    /// The kind's name, as tables print it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "Conv2d",
            Self::DepthwiseConv2d(_) => "DepthwiseConv2d",
            Self::MaxPool2d(_) => "MaxPool2d",
            Self::AvgPool2d(_) => "AvgPool2d",
            Self::GlobalAvgPool2d {} => "GlobalAvgPool2d",
            Self::BatchNorm(_) => "BatchNorm",
            Self::Activation { .. } => "Activation",
            Self::Flatten {} => "Flatten",
            Self::Dropout { .. } => "Dropout",
            Self::SpatialDropout { .. } => "SpatialDropout",
            Self::Dense { .. } => "Dense",
            Self::Residual { .. } => "Residual",
        }
    }
}

impl Conv2dLayer {
    /// A convolution without strides and padding, with a bias and no activation.
    pub fn new(filters: usize, kernel: usize) -> Self {
        Self {
            filters,
            kernel,
            stride: 1,
            padding: Padding::Valid,
            dilation: 1,
            groups: 1,
            bias: true,
            activation: Activation::Linear,
        }
    }
}

impl DepthwiseConv2dLayer {
    /// One window for each channel, without strides and padding, with a bias and no activation.
    pub fn new(kernel: usize) -> Self {
        Self {
            kernel,
            multiplier: 1,
            stride: 1,
            padding: Padding::Valid,
            dilation: 1,
            bias: true,
            activation: Activation::Linear,
        }
    }
}

impl Padding {
    /// The rows and columns at the top, bottom, left and right of an image `[height, width, channels]`, of which windows of
    /// `kernel` by `kernel` elements, `dilation` apart, are taken `stride` by `stride`.
    ///
    /// ```
    /// use aumenta_nn::Padding;
    ///
    /// assert_eq!(Padding::Same.around(&[9, 8, 3], 3, 2, 1), [1, 1, 0, 1]);
    /// assert_eq!(Padding::Zeros(2).around(&[9, 8, 3], 3, 2, 1), [2; 4]);
    /// ```
    ///
    /// # Panics
    /// Where `kernel` or `stride` is 0, or the image has no two axes.
    pub fn around(self, input: &[usize], kernel: usize, stride: usize, dilation: usize) -> [usize; 4] {
        match self {
            Self::Valid => [0; 4],
            Self::Zeros(count) => [count; 4],
            Self::Same => {
                let [top, bottom] = same_padding(input[0], kernel, stride, dilation);
                let [left, right] = same_padding(input[1], kernel, stride, dilation);
                [top, bottom, left, right]
            }
        }
    }
}
