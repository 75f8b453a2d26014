//! Layers as data: what each does to a shape, and which parameters it has.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::init::Initializer;
use crate::kernel::conv2d::Geometry;
use crate::kernel::{depthwise_conv2d, pool2d};
use crate::op::activation::Activation;
use crate::op::conv2d::{Conv2dOptions, geometry, same_padding};
use crate::op::depthwise_conv2d::DepthwiseConv2dOptions;
use crate::op::pool2d::Pool2dOptions;
use crate::parameters::Penalty;
use crate::precision::Precision;
use crate::setting;

/// What a sample or a parameter may have: 4 GiB of f32 numbers.
const MOST_ELEMENTS: usize = 1 << 30;

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

/// A layer and its name, which begins the names of its parameters; and what is particular about its weight.
///
/// ```
/// use aumenta_nn::{Activation, Initializer, LayerSpec, NamedLayer};
///
/// let dense = LayerSpec::Dense { units: 10, activation: Activation::Relu };
/// let layer = NamedLayer { initializer: Some(Initializer::HeNormal), l2: 1e-4, ..NamedLayer::new("dense1", dense) };
/// let [weight, bias] = &layer.parameter_shapes(&[64])[..] else { panic!("a dense layer has two parameters") };
/// assert_eq!((weight.name.as_str(), weight.penalty.l2), ("dense1.weight", 1e-4));
/// assert_eq!((bias.name.as_str(), bias.penalty.l2), ("dense1.bias", 0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedLayer {
    /// Unique within a network, and not empty there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What the layer does.
    #[serde(flatten)]
    pub spec: LayerSpec,
    /// How the weight of a convolution or a dense layer is filled; Glorot-uniform where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// L1 regularization of the weight, at least 0; see [`Penalty`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub l1: f32,
    /// L2 regularization of the weight, at least 0; see [`Penalty`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub l2: f32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

/// A parameter that a layer has.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterShape {
    /// Such as `conv1.weight`.
    pub name: String,
    /// As PyTorch keeps it.
    pub shape: Vec<usize>,
    /// What it is in its layer.
    pub role: Role,
    /// How it is filled at first.
    pub initializer: Initializer,
    /// How it is regularized.
    pub penalty: Penalty,
}

/// What a parameter is in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Multiplies inputs: the windows of a convolution, the matrix of a dense layer.
    Weight,
    /// Is added to sums.
    Bias,
    /// Multiplies normalized channels.
    Scale,
    /// Is added to normalized channels.
    Shift,
    /// The mean of a channel over past batches, which no gradient reaches.
    RunningMean,
    /// The variance of a channel over past batches, which no gradient reaches.
    RunningVariance,
}

impl Role {
    /// Whether an optimizer moves it.
    pub fn is_trained(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }
}

impl NamedLayer {
    /// A layer named `name`.
    pub fn new(name: &str, spec: LayerSpec) -> Self {
        Self { name: name.to_string(), spec, initializer: None, l1: 0.0, l2: 0.0 }
    }

    /// Whether all `layers`, with those within others, have names of their own.
    ///
    /// # Errors
    /// [`NnError::Layer`] where one has none, or that of another.
    pub fn check_names(layers: &[Self]) -> Result<(), NnError> {
        check_names(&mut layers.iter(), &mut HashSet::new())
    }

    /// The layers within it: those of a residual block, then those of its shortcut.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        let (layers, shortcut): (&[Self], &[Self]) = match &self.spec {
            LayerSpec::Residual { layers, shortcut, .. } => (layers, shortcut),
            _ => (&[], &[]),
        };
        layers.iter().chain(shortcut)
    }

    /// Lets its batch normalizations, and those within it, keep their running statistics in training.
    pub(crate) fn fix_statistics(&mut self) {
        match &mut self.spec {
            LayerSpec::BatchNorm(norm) => norm.fixed_statistics = true,
            LayerSpec::Residual { layers, shortcut, .. } => {
                layers.iter_mut().chain(shortcut).for_each(Self::fix_statistics);
            }
            _ => {}
        }
    }

    /// The activation that its output has gone through.
    pub fn activation(&self) -> Activation {
        match &self.spec {
            LayerSpec::Conv2d(conv) => conv.activation,
            LayerSpec::DepthwiseConv2d(conv) => conv.activation,
            LayerSpec::BatchNorm(norm) => norm.activation,
            LayerSpec::Activation { activation }
            | LayerSpec::Dense { activation, .. }
            | LayerSpec::Residual { activation, .. } => *activation,
            LayerSpec::MaxPool2d(_)
            | LayerSpec::AvgPool2d(_)
            | LayerSpec::GlobalAvgPool2d {}
            | LayerSpec::Flatten {}
            | LayerSpec::Dropout { .. }
            | LayerSpec::SpatialDropout { .. } => Activation::Linear,
        }
    }

    /// The shape of one output sample for one input sample of shape `input`: `[height, width, channels]` or
    /// `[features]`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where the layer cannot take such an input.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, NnError> {
        self.check_size("an input", input)?;
        let output = self.shape_of_output(input)?;
        self.check_size("an output", &output)?;
        self.check_weight()?;
        // The layers within a block have checked theirs.
        if self.inner().next().is_none() {
            for parameter in self.parameter_shapes(input) {
                self.check_size("a parameter", &parameter.shape)?;
            }
        }
        Ok(output)
    }

    /// Whether what is particular about the weight lies in its range, and there is a weight.
    fn check_weight(&self) -> Result<(), NnError> {
        let has_weight =
            matches!(self.spec, LayerSpec::Conv2d(_) | LayerSpec::DepthwiseConv2d(_) | LayerSpec::Dense { .. });
        let settings = [("initializer", self.initializer.is_some()), ("l1", self.l1 != 0.0), ("l2", self.l2 != 0.0)];
        if let Some((setting, _)) = settings.into_iter().find(|(_, given)| *given && !has_weight) {
            let kind = self.spec.type_name();
            return self
                .wrong(format!("{kind} has no weight that `{setting}` could be of; give it to a layer with one"));
        }
        let checked = setting::at_least_zero("l1", self.l1)
            .and_then(|()| setting::at_least_zero("l2", self.l2))
            .and_then(|()| self.initializer.map_or(Ok(()), Initializer::check));
        checked.or_else(|error| self.wrong(error.to_string()))
    }

    /// Whether a tensor of `shape` has elements, and no more than can be counted on.
    fn check_size(&self, what: &str, shape: &[usize]) -> Result<(), NnError> {
        let count = shape.iter().try_fold(1, |count: usize, size| count.checked_mul(*size));
        match count {
            Some(0) => self.wrong(format!("{what} of shape {shape:?} has no elements")),
            Some(count) if count <= MOST_ELEMENTS => Ok(()),
            _ => self.wrong(format!("{what} of shape {shape:?} has more than {MOST_ELEMENTS} elements")),
        }
    }

    fn shape_of_output(&self, input: &[usize]) -> Result<Vec<usize>, NnError> {
        match (&self.spec, input) {
            (LayerSpec::Conv2d(conv), [_, _, _]) => Ok(self.conv2d(conv, input)?.1.output.to_vec()),
            (LayerSpec::DepthwiseConv2d(conv), [_, _, _]) => Ok(self.depthwise_conv2d(conv, input)?.1.output.to_vec()),
            (LayerSpec::BatchNorm(norm), [_] | [_, _, _]) => {
                if !(norm.epsilon > 0.0 && norm.epsilon.is_finite() && (0.0..=1.0).contains(&norm.momentum)) {
                    let BatchNormLayer { epsilon, momentum, .. } = norm;
                    return self.wrong(format!(
                        "epsilon must be above 0 and momentum in [0, 1], got {epsilon} and {momentum}"
                    ));
                }
                Ok(input.to_vec())
            }
            (LayerSpec::MaxPool2d(pool) | LayerSpec::AvgPool2d(pool), [_, _, _]) => {
                Ok(self.pool2d(pool, input)?.1.output().to_vec())
            }
            (LayerSpec::GlobalAvgPool2d {}, &[_, _, channels]) => Ok(vec![channels]),
            (LayerSpec::Activation { .. }, _) => Ok(input.to_vec()),
            (LayerSpec::Flatten {}, _) => Ok(vec![input.iter().product()]),
            (LayerSpec::Dropout { rate }, _) | (LayerSpec::SpatialDropout { rate }, [_, _, _]) => {
                if !(0.0..1.0).contains(rate) {
                    return self.wrong(format!("the dropout rate must be at least 0 and below 1, got {rate}"));
                }
                Ok(input.to_vec())
            }
            (LayerSpec::Dense { units, .. }, &[_]) => {
                if *units == 0 {
                    return self.wrong("a dense layer needs at least one unit".to_string());
                }
                Ok(vec![*units])
            }
            (LayerSpec::Residual { layers, shortcut, .. }, _) => {
                if layers.is_empty() {
                    return self.wrong("it has no layers".to_string());
                }
                let output_of =
                    |layers: &[Self]| layers.iter().try_fold(input.to_vec(), |shape, layer| layer.output_shape(&shape));
                let (output, added) = (output_of(layers)?, output_of(shortcut)?);
                if output != added {
                    let makes = format!("its layers make {output:?} of {input:?}");
                    return self.wrong(if shortcut.is_empty() {
                        format!("{makes}, and the two cannot be added: give it a `shortcut`, such as a 1x1 convolution")
                    } else {
                        format!("{makes} and its shortcut makes {added:?}, and the two cannot be added")
                    });
                }
                Ok(output)
            }
            (spec, _) => self.wrong(format!("{} cannot take an input of {input:?}", spec.type_name())),
        }
    }

    /// Whether a sample is `[height, width, channels]`.
    fn check_image(&self, input: &[usize]) -> Result<(), NnError> {
        match input {
            [_, _, _] => Ok(()),
            _ => self.wrong(format!("{} cannot take an input of {input:?}", self.spec.type_name())),
        }
    }

    fn wrong<T>(&self, reason: String) -> Result<T, NnError> {
        Err(NnError::Layer { layer: self.name.clone(), reason })
    }

    /// The options and sizes of a convolution of images of shape `input`.
    pub(crate) fn conv2d(&self, conv: &Conv2dLayer, input: &[usize]) -> Result<(Conv2dOptions, Geometry), NnError> {
        let &Conv2dLayer { filters, kernel, stride, dilation, groups, .. } = conv;
        self.check_image(input)?;
        let fits = kernel > 0 && stride > 0 && dilation > 0 && groups > 0;
        let padding = if fits { conv.padding.around(input, kernel, stride, dilation) } else { [0; 4] };
        let options = Conv2dOptions {
            stride: [stride; 2],
            padding,
            dilation: [dilation; 2],
            groups,
            activation: conv.activation,
            precision: Precision::default(),
        };
        let batch: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
        let weight = [filters, input[2] / groups.max(1), kernel, kernel];
        match geometry(&batch, &weight, None, &options) {
            Ok(geometry) => Ok((options, geometry)),
            Err(error) => {
                self.wrong(format!("{filters} windows of {kernel}x{kernel} do not fit an input of {input:?}: {error}"))
            }
        }
    }

    /// The options and sizes of a depthwise convolution of images of shape `input`.
    pub(crate) fn depthwise_conv2d(
        &self,
        conv: &DepthwiseConv2dLayer,
        input: &[usize],
    ) -> Result<(DepthwiseConv2dOptions, depthwise_conv2d::Geometry), NnError> {
        let &DepthwiseConv2dLayer { kernel, multiplier, stride, dilation, .. } = conv;
        self.check_image(input)?;
        let fits = kernel > 0 && stride > 0 && dilation > 0;
        let padding = if fits { conv.padding.around(input, kernel, stride, dilation) } else { [0; 4] };
        let options = DepthwiseConv2dOptions {
            stride: [stride; 2],
            padding,
            dilation: [dilation; 2],
            activation: conv.activation,
            precision: Precision::default(),
        };
        let batch: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
        let channels = input[2].saturating_mul(multiplier);
        match options.geometry(&batch, &[channels, 1, kernel, kernel], &[channels]) {
            Ok(geometry) => Ok((options, geometry)),
            Err(error) => self.wrong(format!("windows of {kernel}x{kernel} do not fit an input of {input:?}: {error}")),
        }
    }

    /// The options and sizes of a pooling of images of shape `input`.
    pub(crate) fn pool2d(
        &self,
        pool: &Pool2dLayer,
        input: &[usize],
    ) -> Result<(Pool2dOptions, pool2d::Geometry), NnError> {
        self.check_image(input)?;
        let (window, stride) = (pool.window, pool.stride.unwrap_or(pool.window));
        let padding = if window > 0 && stride > 0 { pool.padding.around(input, window, stride, 1) } else { [0; 4] };
        let options = Pool2dOptions { window: [window; 2], stride: [stride; 2], padding };
        let batch: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
        match options.geometry("pool2d", &batch) {
            Ok(geometry) => Ok((options, geometry)),
            Err(_) if stride == 0 => self.wrong("the stride must be at least 1".to_string()),
            Err(_) => self.wrong(format!("a window of {window}x{window} does not fit an input of {input:?}")),
        }
    }

    /// The layer's parameters for an input sample of shape `input`, which it can take.
    pub fn parameter_shapes(&self, input: &[usize]) -> Vec<ParameterShape> {
        let parameter = |kind: &str, role: Role, shape: Vec<usize>| ParameterShape {
            name: format!("{}.{kind}", self.name),
            shape,
            role,
            initializer: self.initializer_of(role),
            penalty: if role == Role::Weight { Penalty { l1: self.l1, l2: self.l2 } } else { Penalty::default() },
        };
        let weight = |shape| parameter("weight", Role::Weight, shape);
        let bias = |len| parameter("bias", Role::Bias, vec![len]);
        match &self.spec {
            LayerSpec::Conv2d(conv) => {
                let inputs = input[input.len() - 1] / conv.groups;
                let weight = weight(vec![conv.filters, inputs, conv.kernel, conv.kernel]);
                std::iter::once(weight).chain(conv.bias.then(|| bias(conv.filters))).collect()
            }
            LayerSpec::DepthwiseConv2d(conv) => {
                let channels = input[input.len() - 1].saturating_mul(conv.multiplier);
                let weight = weight(vec![channels, 1, conv.kernel, conv.kernel]);
                std::iter::once(weight).chain(conv.bias.then(|| bias(channels))).collect()
            }
            LayerSpec::BatchNorm(_) => {
                let kinds = [
                    ("weight", Role::Scale),
                    ("bias", Role::Shift),
                    ("running_mean", Role::RunningMean),
                    ("running_var", Role::RunningVariance),
                ];
                kinds.map(|(kind, role)| parameter(kind, role, vec![input[input.len() - 1]])).to_vec()
            }
            LayerSpec::Dense { units, .. } => vec![weight(vec![*units, input.iter().product()]), bias(*units)],
            LayerSpec::Residual { layers, shortcut, .. } => {
                let mut parameters = Vec::new();
                for layers in [layers, shortcut] {
                    let mut shape = input.to_vec();
                    for layer in layers {
                        parameters.extend(layer.parameter_shapes(&shape));
                        // A layer that cannot take its input has no parameters for it either.
                        shape = layer.output_shape(&shape).unwrap_or_default();
                    }
                }
                parameters
            }
            LayerSpec::MaxPool2d(_)
            | LayerSpec::AvgPool2d(_)
            | LayerSpec::GlobalAvgPool2d {}
            | LayerSpec::Activation { .. }
            | LayerSpec::Flatten {}
            | LayerSpec::Dropout { .. }
            | LayerSpec::SpatialDropout { .. } => Vec::new(),
        }
    }

    fn initializer_of(&self, role: Role) -> Initializer {
        match role {
            Role::Weight => self.initializer.unwrap_or(Initializer::GlorotUniform),
            Role::Bias | Role::Shift | Role::RunningMean => Initializer::Zeros,
            Role::Scale | Role::RunningVariance => Initializer::Ones,
        }
    }
}

fn check_names<'a>(
    layers: &mut dyn Iterator<Item = &'a NamedLayer>,
    names: &mut HashSet<&'a str>,
) -> Result<(), NnError> {
    for layer in layers {
        if layer.name.is_empty() {
            return layer.wrong("a layer has no name".to_string());
        }
        if !names.insert(&layer.name) {
            return layer.wrong("another layer has the same name".to_string());
        }
        check_names(&mut layer.inner(), names)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    const RELU: Activation = Activation::Relu;

    #[track_caller]
    fn check(spec: LayerSpec, input: &[usize], expected: &[usize]) {
        assert_eq!(NamedLayer::new("layer", spec).output_shape(input).unwrap(), expected);
    }

    #[test]
    fn shapes_follow_the_textbook() {
        check(LayerSpec::conv2d(32, 3, RELU), &[150, 150, 3], &[148, 148, 32]);
        check(LayerSpec::max_pool2d(2), &[17, 17, 128], &[8, 8, 128]);
        check(LayerSpec::Flatten {}, &[7, 7, 128], &[6272]);
        check(LayerSpec::Dropout { rate: 0.5 }, &[6272], &[6272]);
        check(LayerSpec::Dense { units: 512, activation: RELU }, &[6272], &[512]);
        check(LayerSpec::GlobalAvgPool2d {}, &[7, 7, 1280], &[1280]);
        let same = Conv2dLayer { stride: 2, padding: Padding::Same, ..Conv2dLayer::new(32, 3) };
        check(LayerSpec::Conv2d(same), &[224, 223, 3], &[112, 112, 32]);
        let stem = Conv2dLayer { stride: 2, padding: Padding::Zeros(3), ..Conv2dLayer::new(64, 7) };
        check(LayerSpec::Conv2d(stem), &[224, 224, 3], &[112, 112, 64]);
        let pool = Pool2dLayer { window: 3, stride: Some(2), padding: Padding::Zeros(1) };
        check(LayerSpec::MaxPool2d(pool), &[112, 112, 64], &[56, 56, 64]);
        check(LayerSpec::AvgPool2d(pool), &[8, 8, 4], &[4, 4, 4]);
        let depthwise = DepthwiseConv2dLayer { multiplier: 2, padding: Padding::Same, ..DepthwiseConv2dLayer::new(5) };
        check(LayerSpec::DepthwiseConv2d(depthwise), &[9, 8, 6], &[9, 8, 12]);
        check(LayerSpec::BatchNorm(BatchNormLayer::default()), &[9, 8, 6], &[9, 8, 6]);
    }

    #[test]
    fn a_residual_keeps_its_shape_and_has_its_layers_parameters() {
        let same = Conv2dLayer { padding: Padding::Same, bias: false, ..Conv2dLayer::new(8, 3) };
        let layers = vec![NamedLayer::new("block.conv1", LayerSpec::Conv2d(same))];
        let block = NamedLayer::new("block", LayerSpec::residual(layers));
        assert_eq!(block.output_shape(&[9, 9, 8]).unwrap(), [9, 9, 8]);
        let parameters = block.parameter_shapes(&[9, 9, 8]);
        let weight = ParameterShape {
            name: "block.conv1.weight".to_string(),
            shape: vec![8, 8, 3, 3],
            role: Role::Weight,
            initializer: Initializer::GlorotUniform,
            penalty: Penalty::default(),
        };
        assert_eq!(parameters, [weight]);
        let error = block.output_shape(&[9, 9, 4]).unwrap_err().to_string();
        assert!(error.contains("its layers make [9, 9, 8] of [9, 9, 4]"), "{error}");
    }

    #[test]
    fn a_shortcut_takes_the_input_to_the_shape_of_the_layers_output() {
        let strided = |name: &str, kernel| {
            let conv = Conv2dLayer { stride: 2, padding: Padding::Same, bias: false, ..Conv2dLayer::new(16, kernel) };
            NamedLayer::new(name, LayerSpec::Conv2d(conv))
        };
        let residual = |shortcut: Vec<NamedLayer>| {
            let layers = vec![strided("block.conv1", 3)];
            NamedLayer::new("block", LayerSpec::Residual { layers, shortcut, activation: RELU })
        };
        let block = residual(vec![strided("block.shortcut", 1)]);
        assert_eq!(block.output_shape(&[9, 9, 8]).unwrap(), [5, 5, 16]);
        let names: Vec<String> = block.parameter_shapes(&[9, 9, 8]).into_iter().map(|p| p.name).collect();
        assert_eq!(names, ["block.conv1.weight", "block.shortcut.weight"]);
        let error = residual(Vec::new()).output_shape(&[9, 9, 8]).unwrap_err().to_string();
        assert!(error.contains("give it a `shortcut`"), "{error}");
        let pool = NamedLayer::new("pool", LayerSpec::max_pool2d(2));
        let error = residual(vec![pool]).output_shape(&[9, 9, 8]).unwrap_err().to_string();
        assert!(error.contains("make [5, 5, 16] of [9, 9, 8] and its shortcut makes [4, 4, 8]"), "{error}");
    }

    #[test]
    fn what_is_particular_about_a_weight_is_read_and_checked() {
        let parse = |text: &str| serde_json::from_str::<NamedLayer>(text);
        let layer = parse(r#"{"type": "dense", "units": 4, "l1": 0.5, "l2": 1, "initializer": "he-normal"}"#).unwrap();
        assert_eq!((layer.l1, layer.l2, layer.initializer), (0.5, 1.0, Some(Initializer::HeNormal)));
        assert_eq!(parse(&serde_json::to_string(&layer).unwrap()).unwrap(), layer);
        let parameters = layer.parameter_shapes(&[3]);
        assert_eq!([parameters[0].penalty.l1, parameters[1].penalty.l1], [0.5, 0.0]);
        assert_eq!(parameters[1].initializer, Initializer::Zeros);
        for (text, reason) in [
            (r#"{"type": "dense", "units": 4, "l2": -1}"#, "`l2` must be at least 0, got -1"),
            (r#"{"type": "dense", "units": 4, "initializer": {"normal": {"deviation": -1}}}"#, "`deviation` must be"),
            (r#"{"type": "flatten", "l1": 0.5}"#, "Flatten has no weight that `l1` could be of"),
        ] {
            let error = parse(text).unwrap().output_shape(&[3]).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let error = parse(r#"{"type": "dense", "units": 4, "L2": 1}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `L2`"), "{error}");
    }

    #[track_caller]
    fn assert_refused(spec: LayerSpec, input: &[usize], reason: &str) {
        let error = NamedLayer::new("layer", spec).output_shape(input).unwrap_err().to_string();
        assert!(error.starts_with("layer `layer`: ") && error.contains(reason), "{error}");
    }

    #[test]
    fn inputs_that_do_not_fit_name_the_layer() {
        let conv = |filters, kernel| LayerSpec::conv2d(filters, kernel, RELU);
        assert_refused(conv(8, 3), &[2, 9, 1], "3x3 do not fit an input of [2, 9, 1]");
        assert_refused(conv(0, 3), &[9, 9, 1], "0 windows");
        assert_refused(conv(8, 0), &[9, 9, 1], "a dimension is empty");
        assert_refused(conv(8, 3), &[9], "Conv2d cannot take an input of [9]");
        assert_refused(conv(8, 3), &[9, 9, 0], "[9, 9, 0] has no elements");
        assert_refused(LayerSpec::residual(Vec::new()), &[9], "it has no layers");
        let wide = Conv2dLayer { padding: Padding::Zeros(1 << 63), ..Conv2dLayer::new(8, 3) };
        assert_refused(LayerSpec::Conv2d(wide), &[9, 9, 3], "at most 65536");
        let far = Conv2dLayer { dilation: usize::MAX, padding: Padding::Same, ..Conv2dLayer::new(8, 3) };
        assert_refused(LayerSpec::Conv2d(far), &[9, 9, 3], "at most 65536");
        let many = DepthwiseConv2dLayer { multiplier: usize::MAX, ..DepthwiseConv2dLayer::new(3) };
        assert_refused(LayerSpec::DepthwiseConv2d(many), &[9, 9, 3], "layer `layer`");
        assert_refused(LayerSpec::Conv2d(Conv2dLayer { groups: 2, ..Conv2dLayer::new(8, 3) }), &[9, 9, 3], "groups");
        assert_refused(LayerSpec::Conv2d(Conv2dLayer { stride: 0, ..Conv2dLayer::new(8, 3) }), &[9, 9, 3], "stride");
        assert_refused(LayerSpec::max_pool2d(2), &[1, 9, 1], "2x2 does not fit");
        let still = Pool2dLayer { window: 2, stride: Some(0), padding: Padding::Valid };
        assert_refused(LayerSpec::MaxPool2d(still), &[9, 9, 1], "stride must be at least 1");
        let depthwise = LayerSpec::DepthwiseConv2d(DepthwiseConv2dLayer::new(3));
        assert_refused(depthwise, &[2, 9, 4], "3x3 do not fit an input of [2, 9, 4]");
        let norm = BatchNormLayer { epsilon: 0.0, ..BatchNormLayer::default() };
        assert_refused(LayerSpec::BatchNorm(norm), &[9], "epsilon must be above 0");
        assert_refused(LayerSpec::SpatialDropout { rate: 0.1 }, &[9], "SpatialDropout cannot take");
        assert_refused(LayerSpec::Dropout { rate: 1.0 }, &[9], "below 1, got 1");
        assert_refused(LayerSpec::Dense { units: 4, activation: RELU }, &[3, 3, 1], "Dense cannot take");
        assert_refused(LayerSpec::Dense { units: 0, activation: RELU }, &[3], "at least one unit");
    }
}
