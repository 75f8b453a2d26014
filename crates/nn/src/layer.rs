//! Layers as data: what each does to a shape, and which parameters it has.

use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::kernel::conv2d::Geometry;
use crate::kernel::pool2d;
use crate::op::activation::Activation;
use crate::op::conv2d::{Conv2dOptions, geometry, same_padding};
use crate::op::pool2d::Pool2dOptions;

/// A layer's kind and settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// A convolution; [`crate::conv2d`].
    Conv2d(Conv2dLayer),
    /// The largest element of each window; [`crate::max_pool2d`].
    MaxPool2d(Pool2dLayer),
    /// The mean of each window without its padding; [`crate::avg_pool2d`].
    AvgPool2d(Pool2dLayer),
    /// The mean of each channel over all pixels; [`crate::global_avg_pool2d`].
    GlobalAvgPool2d {},
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
    /// A fully connected layer; [`crate::dense`].
    Dense {
        /// Outputs.
        units: usize,
        /// Applied to the output.
        #[serde(default)]
        activation: Activation,
    },
    /// Adds what the layers compute to their input (He et al. 2016).
    Residual {
        /// Applied one after the other; their output has the shape of their input.
        layers: Vec<NamedLayer>,
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

/// A layer and its name, which begins the names of its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedLayer {
    /// Unique within a network.
    pub name: String,
    /// What the layer does.
    #[serde(flatten)]
    pub spec: LayerSpec,
}

/// A parameter that a layer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterShape {
    /// Such as `conv1.weight`.
    pub name: String,
    /// As PyTorch keeps it.
    pub shape: Vec<usize>,
}

impl NamedLayer {
    /// A layer named `name`.
    pub fn new(name: &str, spec: LayerSpec) -> Self {
        Self { name: name.to_string(), spec }
    }

    /// The shape of one output sample for one input sample of shape `input`: `[height, width, channels]` or
    /// `[features]`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where the layer cannot take such an input.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>, NnError> {
        match (&self.spec, input) {
            (LayerSpec::Conv2d(conv), [_, _, _]) => Ok(self.conv2d(conv, input)?.1.output.to_vec()),
            (LayerSpec::MaxPool2d(pool) | LayerSpec::AvgPool2d(pool), [_, _, _]) => {
                Ok(self.pool2d(pool, input)?.1.output().to_vec())
            }
            (LayerSpec::GlobalAvgPool2d {}, &[_, _, channels]) => Ok(vec![channels]),
            (LayerSpec::Activation { .. }, _) => Ok(input.to_vec()),
            (LayerSpec::Flatten {}, _) => Ok(vec![input.iter().product()]),
            (LayerSpec::Dropout { rate }, _) => {
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
            (LayerSpec::Residual { layers }, _) => {
                let output = layers.iter().try_fold(input.to_vec(), |shape, layer| layer.output_shape(&shape))?;
                if output != input {
                    return self.wrong(format!("its layers make {output:?} of {input:?}, and the two cannot be added"));
                }
                Ok(output)
            }
            (spec, _) => self.wrong(format!("{} cannot take an input of {input:?}", spec.type_name())),
        }
    }

    fn wrong<T>(&self, reason: String) -> Result<T, NnError> {
        Err(NnError::Layer { layer: self.name.clone(), reason })
    }

    /// The options and sizes of a convolution of images of shape `input`.
    pub(crate) fn conv2d(&self, conv: &Conv2dLayer, input: &[usize]) -> Result<(Conv2dOptions, Geometry), NnError> {
        let &Conv2dLayer { filters, kernel, stride, dilation, groups, .. } = conv;
        let fits = kernel > 0 && stride > 0 && dilation > 0 && groups > 0;
        let padding = if fits { conv.padding.of_image(input, kernel, stride, dilation) } else { [0; 4] };
        let options = Conv2dOptions {
            stride: [stride; 2],
            padding,
            dilation: [dilation; 2],
            groups,
            activation: conv.activation,
        };
        let batch: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
        let weight = [filters, input.last().copied().unwrap_or(0) / groups.max(1), kernel, kernel];
        match geometry(&batch, &weight, None, &options) {
            Ok(geometry) => Ok((options, geometry)),
            Err(error) => {
                self.wrong(format!("{filters} windows of {kernel}x{kernel} do not fit an input of {input:?}: {error}"))
            }
        }
    }

    /// The options and sizes of a pooling of images of shape `input`.
    pub(crate) fn pool2d(
        &self,
        pool: &Pool2dLayer,
        input: &[usize],
    ) -> Result<(Pool2dOptions, pool2d::Geometry), NnError> {
        let (window, stride) = (pool.window, pool.stride.unwrap_or(pool.window));
        let padding = if window * stride > 0 { pool.padding.of_image(input, window, stride, 1) } else { [0; 4] };
        let options = Pool2dOptions { window: [window; 2], stride: [stride; 2], padding };
        let batch: Vec<usize> = std::iter::once(1).chain(input.iter().copied()).collect();
        match options.geometry("pool2d", &batch) {
            Ok(geometry) => Ok((options, geometry)),
            Err(error) => {
                self.wrong(format!("a window of {window}x{window} does not fit an input of {input:?}: {error}"))
            }
        }
    }

    /// The layer's parameters for an input sample of shape `input`, which it can take.
    pub fn parameter_shapes(&self, input: &[usize]) -> Vec<ParameterShape> {
        let parameter = |kind: &str, shape: Vec<usize>| ParameterShape { name: format!("{}.{kind}", self.name), shape };
        match &self.spec {
            LayerSpec::Conv2d(conv) => {
                let inputs = input[input.len() - 1] / conv.groups;
                let weight = parameter("weight", vec![conv.filters, inputs, conv.kernel, conv.kernel]);
                std::iter::once(weight).chain(conv.bias.then(|| parameter("bias", vec![conv.filters]))).collect()
            }
            LayerSpec::Dense { units, .. } => {
                vec![parameter("weight", vec![*units, input.iter().product()]), parameter("bias", vec![*units])]
            }
            LayerSpec::Residual { layers } => {
                let mut shape = input.to_vec();
                let mut parameters = Vec::new();
                for layer in layers {
                    parameters.extend(layer.parameter_shapes(&shape));
                    // A layer that cannot take its input has no parameters for it either.
                    shape = layer.output_shape(&shape).unwrap_or_default();
                }
                parameters
            }
            LayerSpec::MaxPool2d(_)
            | LayerSpec::AvgPool2d(_)
            | LayerSpec::GlobalAvgPool2d {}
            | LayerSpec::Activation { .. }
            | LayerSpec::Flatten {}
            | LayerSpec::Dropout { .. } => Vec::new(),
        }
    }
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

    /// The kind's name, as tables print it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "Conv2d",
            Self::MaxPool2d(_) => "MaxPool2d",
            Self::AvgPool2d(_) => "AvgPool2d",
            Self::GlobalAvgPool2d {} => "GlobalAvgPool2d",
            Self::Activation { .. } => "Activation",
            Self::Flatten {} => "Flatten",
            Self::Dropout { .. } => "Dropout",
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

impl Padding {
    /// The padding at the top, bottom, left and right of an image `[height, width, channels]`.
    fn of_image(self, input: &[usize], kernel: usize, stride: usize, dilation: usize) -> [usize; 4] {
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
    }

    #[test]
    fn a_residual_keeps_its_shape_and_has_its_layers_parameters() {
        let same = Conv2dLayer { padding: Padding::Same, bias: false, ..Conv2dLayer::new(8, 3) };
        let layers = vec![NamedLayer::new("block.conv1", LayerSpec::Conv2d(same))];
        let block = NamedLayer::new("block", LayerSpec::Residual { layers });
        assert_eq!(block.output_shape(&[9, 9, 8]).unwrap(), [9, 9, 8]);
        let parameters = block.parameter_shapes(&[9, 9, 8]);
        assert_eq!(parameters, [ParameterShape { name: "block.conv1.weight".to_string(), shape: vec![8, 8, 3, 3] }]);
        let error = block.output_shape(&[9, 9, 4]).unwrap_err().to_string();
        assert!(error.contains("its layers make [9, 9, 8] of [9, 9, 4]"), "{error}");
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
        assert_refused(LayerSpec::Conv2d(Conv2dLayer { groups: 2, ..Conv2dLayer::new(8, 3) }), &[9, 9, 3], "groups");
        assert_refused(LayerSpec::Conv2d(Conv2dLayer { stride: 0, ..Conv2dLayer::new(8, 3) }), &[9, 9, 3], "stride");
        assert_refused(LayerSpec::max_pool2d(2), &[1, 9, 1], "2x2 does not fit");
        assert_refused(LayerSpec::max_pool2d(0), &[1, 9, 1], "0x0 does not fit");
        assert_refused(LayerSpec::Dropout { rate: 1.0 }, &[9], "below 1, got 1");
        assert_refused(LayerSpec::Dense { units: 4, activation: RELU }, &[3, 3, 1], "Dense cannot take");
        assert_refused(LayerSpec::Dense { units: 0, activation: RELU }, &[3], "at least one unit");
    }
}
