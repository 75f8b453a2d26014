//! Layers as data: what each is called, and which parameters it has.

mod shape;
mod spec;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use self::spec::{BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, LayerSpec, Padding, Pool2dLayer};
use crate::error::NnError;
use crate::init::Initializer;
use crate::op::activation::Activation;
use crate::parameters::Penalty;

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

    fn wrong<T>(&self, reason: String) -> Result<T, NnError> {
        Err(NnError::Layer { layer: self.name.clone(), reason })
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
