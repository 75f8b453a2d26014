//! Layers as data: what each does to a shape, and which parameters it has.

use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::op::activation::Activation;

/// A layer's kind and settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerSpec {
    /// `filters` square windows of side `kernel`, moved by one pixel, without padding.
    Conv2d {
        /// Output channels.
        filters: usize,
        /// Window side in pixels.
        kernel: usize,
        /// Applied to the output.
        activation: Activation,
    },
    /// The largest element of each square window; windows do not overlap.
    MaxPool2d {
        /// Window side in pixels.
        window: usize,
    },
    /// Turns an image into a vector, channel by channel as PyTorch does, so that weights behind it are
    /// exchangeable.
    Flatten {},
    /// Sets a share of the elements to zero while training.
    Dropout {
        /// The share, in `[0, 1)`.
        rate: f32,
    },
    /// A fully connected layer.
    Dense {
        /// Outputs.
        units: usize,
        /// Applied to the output.
        activation: Activation,
    },
}

/// A layer and its name, which begins the names of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedLayer {
    /// Unique within a network.
    pub name: String,
    /// What the layer does.
    pub spec: LayerSpec,
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
        let wrong = |reason: String| Err(NnError::Layer { layer: self.name.clone(), reason });
        match (&self.spec, input) {
            (LayerSpec::Conv2d { filters, kernel, .. }, &[height, width, _]) => {
                if *filters == 0 || *kernel == 0 || height < *kernel || width < *kernel {
                    return wrong(format!("{filters} windows of {kernel}x{kernel} do not fit an input of {input:?}"));
                }
                Ok(vec![height - kernel + 1, width - kernel + 1, *filters])
            }
            (LayerSpec::MaxPool2d { window }, &[height, width, channels]) => {
                if *window == 0 || height < *window || width < *window {
                    return wrong(format!("a window of {window}x{window} does not fit an input of {input:?}"));
                }
                Ok(vec![height / window, width / window, channels])
            }
            (LayerSpec::Flatten {}, _) => Ok(vec![input.iter().product()]),
            (LayerSpec::Dropout { rate }, _) => {
                if !(0.0..1.0).contains(rate) {
                    return wrong(format!("the dropout rate must be at least 0 and below 1, got {rate}"));
                }
                Ok(input.to_vec())
            }
            (LayerSpec::Dense { units, .. }, &[_]) => {
                if *units == 0 {
                    return wrong("a dense layer needs at least one unit".to_string());
                }
                Ok(vec![*units])
            }
            (spec, _) => wrong(format!("{} cannot take an input of {input:?}", spec.type_name())),
        }
    }

    /// The names and shapes of the layer's parameters for an input sample of shape `input`.
    pub fn parameter_shapes(&self, input: &[usize]) -> Vec<(String, Vec<usize>)> {
        let (weight, outputs) = match self.spec {
            LayerSpec::Conv2d { filters, kernel, .. } => {
                (vec![filters, input[input.len() - 1], kernel, kernel], filters)
            }
            LayerSpec::Dense { units, .. } => (vec![units, input.iter().product()], units),
            LayerSpec::MaxPool2d { .. } | LayerSpec::Flatten {} | LayerSpec::Dropout { .. } => return Vec::new(),
        };
        vec![(format!("{}.weight", self.name), weight), (format!("{}.bias", self.name), vec![outputs])]
    }
}

impl LayerSpec {
    /// The kind's name, as tables print it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "Conv2d",
            Self::MaxPool2d { .. } => "MaxPool2d",
            Self::Flatten {} => "Flatten",
            Self::Dropout { .. } => "Dropout",
            Self::Dense { .. } => "Dense",
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
        check(LayerSpec::Conv2d { filters: 32, kernel: 3, activation: RELU }, &[150, 150, 3], &[148, 148, 32]);
        check(LayerSpec::MaxPool2d { window: 2 }, &[17, 17, 128], &[8, 8, 128]);
        check(LayerSpec::Flatten {}, &[7, 7, 128], &[6272]);
        check(LayerSpec::Dropout { rate: 0.5 }, &[6272], &[6272]);
        check(LayerSpec::Dense { units: 512, activation: RELU }, &[6272], &[512]);
    }

    #[track_caller]
    fn assert_refused(spec: LayerSpec, input: &[usize], reason: &str) {
        let error = NamedLayer::new("layer", spec).output_shape(input).unwrap_err().to_string();
        assert!(error.starts_with("layer `layer`: ") && error.contains(reason), "{error}");
    }

    #[test]
    fn inputs_that_do_not_fit_name_the_layer() {
        let conv = |filters, kernel| LayerSpec::Conv2d { filters, kernel, activation: RELU };
        assert_refused(conv(8, 3), &[2, 9, 1], "3x3 do not fit an input of [2, 9, 1]");
        assert_refused(conv(0, 3), &[9, 9, 1], "0 windows");
        assert_refused(conv(8, 3), &[9], "Conv2d cannot take an input of [9]");
        assert_refused(LayerSpec::MaxPool2d { window: 2 }, &[1, 9, 1], "2x2 does not fit");
        assert_refused(LayerSpec::Dropout { rate: 1.0 }, &[9], "below 1, got 1");
        assert_refused(LayerSpec::Dense { units: 4, activation: RELU }, &[3, 3, 1], "Dense cannot take");
        assert_refused(LayerSpec::Dense { units: 0, activation: RELU }, &[3], "at least one unit");
    }
}
