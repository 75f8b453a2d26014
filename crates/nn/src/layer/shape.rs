//! What layers make of a shape, and the sizes of their operations.

use super::{BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, LayerSpec, NamedLayer, Pool2dLayer};
use crate::error::NnError;
use crate::init::Initializer;
use crate::kernel::conv2d::Geometry;
use crate::kernel::{depthwise_conv2d, pool2d};
use crate::op::conv2d::{Conv2dOptions, geometry};
use crate::op::depthwise_conv2d::DepthwiseConv2dOptions;
use crate::op::pool2d::Pool2dOptions;
use crate::precision::Precision;
use crate::setting;

/// What a sample or a parameter may have: 4 GiB of f32 numbers.
const MOST_ELEMENTS: usize = 1 << 30;

impl NamedLayer {
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
}
