//! From layers to the nodes of a graph. Values are NCHW there, in which flattening goes channel by channel by itself.

use aumenta_nn::{Activation, LayerSpec, NamedLayer, NnError, Padding, Parameters, Pool2dLayer};

use super::proto::{Attribute, Node, Tensor};
use crate::architecture::Architecture;

/// The graph's input.
pub const IMAGES: &str = "images";

/// The graph's outputs.
pub const LOGITS: &str = "logits";
pub const PROBABILITIES: &str = "probabilities";

/// The parts of a network's graph: its nodes in the order in which they run, and the numbers that they take.
///
/// A value has the name of its node behind a slash, which no parameter's name has.
pub struct Parts<'a> {
    parameters: &'a Parameters,
    pub nodes: Vec<Node>,
    pub initializers: Vec<Tensor>,
}

impl<'a> Parts<'a> {
    /// What leads from the images to both outputs.
    pub fn of(architecture: &Architecture, parameters: &'a Parameters) -> Result<Self, NnError> {
        let mut graph = Self { parameters, nodes: Vec::new(), initializers: Vec::new() };
        let last = graph.chain(architecture.layers(), IMAGES, &architecture.input())?;
        graph.push_to(LOGITS, LOGITS, "Identity", &[&last], Vec::new());
        graph.probabilities(architecture.outputs());
        Ok(graph)
    }

    fn probabilities(&mut self, outputs: usize) {
        let axis = || vec![Attribute::int("axis", 1)];
        if outputs > 1 {
            self.push_to(PROBABILITIES, PROBABILITIES, "Softmax", &[LOGITS], axis());
            return;
        }
        // A difference from 1 would lose the digits of what is close to 0.
        let negative = self.push("probabilities.negative", "Neg", &[LOGITS], Vec::new());
        let first = self.push("probabilities.first", "Sigmoid", &[&negative], Vec::new());
        let second = self.push("probabilities.second", "Sigmoid", &[LOGITS], Vec::new());
        self.push_to(PROBABILITIES, PROBABILITIES, "Concat", &[&first, &second], axis());
    }

    /// Adds layers that run one after the other on the value `x`, a batch of samples `[height, width, channels]` or
    /// `[features]`; the name of what they make.
    fn chain(&mut self, layers: &[NamedLayer], x: &str, input: &[usize]) -> Result<String, NnError> {
        let (mut x, mut shape) = (x.to_string(), input.to_vec());
        for layer in layers {
            x = self.layer(layer, x, &shape)?;
            shape = layer.output_shape(&shape)?;
        }
        Ok(x)
    }

    fn layer(&mut self, layer: &NamedLayer, x: String, input: &[usize]) -> Result<String, NnError> {
        let (name, channels) = (&layer.name, input[input.len() - 1]);
        let y = match &layer.spec {
            LayerSpec::Conv2d(conv) => {
                let window = windows(input, conv.kernel, conv.stride, conv.padding, conv.dilation);
                self.weighted(layer, "Conv", &x, input, convolution(window, conv.dilation, conv.groups))?
            }
            LayerSpec::DepthwiseConv2d(conv) => {
                let window = windows(input, conv.kernel, conv.stride, conv.padding, conv.dilation);
                self.weighted(layer, "Conv", &x, input, convolution(window, conv.dilation, channels))?
            }
            LayerSpec::BatchNorm(norm) => {
                let epsilon = vec![Attribute::float("epsilon", norm.epsilon)];
                self.weighted(layer, "BatchNormalization", &x, input, epsilon)?
            }
            LayerSpec::Dense { .. } => self.weighted(layer, "Gemm", &x, input, vec![Attribute::int("transB", 1)])?,
            LayerSpec::MaxPool2d(pool) => self.push(name, "MaxPool", &[&x], pooling(input, pool)),
            LayerSpec::AvgPool2d(pool) => {
                let uncounted = vec![Attribute::int("count_include_pad", 0)];
                self.push(name, "AveragePool", &[&x], [pooling(input, pool), uncounted].concat())
            }
            LayerSpec::GlobalAvgPool2d {} => {
                let pooled = self.push(name, "GlobalAveragePool", &[&x], Vec::new());
                self.flatten(&format!("{name}/Flatten"), &pooled)
            }
            LayerSpec::Flatten {} if input.len() > 1 => self.flatten(name, &x),
            LayerSpec::Residual { layers, shortcut, .. } => {
                let sum = self.chain(layers, &x, input)?;
                let added = self.chain(shortcut, &x, input)?;
                self.push(name, "Add", &[&sum, &added], Vec::new())
            }
            LayerSpec::Flatten {}
            | LayerSpec::Activation { .. }
            | LayerSpec::Dropout { .. }
            | LayerSpec::SpatialDropout { .. } => x,
        };
        Ok(self.activation(name, layer.activation(), y))
    }

    /// Adds the node of a layer with parameters, which are its further inputs in their order.
    fn weighted(
        &mut self,
        layer: &NamedLayer,
        operator: &str,
        x: &str,
        input: &[usize],
        attributes: Vec<Attribute>,
    ) -> Result<String, NnError> {
        let mut inputs = vec![x.to_string()];
        for parameter in layer.parameter_shapes(input) {
            let Some(var) = self.parameters.get(&parameter.name) else {
                let reason = format!("has no `{}`", parameter.name);
                return Err(NnError::Layer { layer: layer.name.clone(), reason });
            };
            let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
            self.initializers.push(Tensor::new(&parameter.name, var.dims(), &values));
            inputs.push(parameter.name);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.push(&layer.name, operator, &inputs, attributes))
    }

    fn activation(&mut self, layer: &str, activation: Activation, x: String) -> String {
        let name = |operator| format!("{layer}/{operator}");
        match activation {
            Activation::Linear => x,
            Activation::Relu => self.push(&name("Relu"), "Relu", &[&x], Vec::new()),
            Activation::Sigmoid => self.push(&name("Sigmoid"), "Sigmoid", &[&x], Vec::new()),
            Activation::Relu6 => {
                let limits = [("low", 0.0), ("high", 6.0)].map(|(limit, value)| {
                    let name = name(limit);
                    self.initializers.push(Tensor::new(&name, &[], &[value]));
                    name
                });
                self.push(&name("Clip"), "Clip", &[&x, &limits[0], &limits[1]], Vec::new())
            }
        }
    }

    fn flatten(&mut self, name: &str, x: &str) -> String {
        self.push(name, "Flatten", &[x], vec![Attribute::int("axis", 1)])
    }

    /// Adds a node named `name`; the name of its value.
    fn push(&mut self, name: &str, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let value = format!("/{name}");
        self.push_to(&value, name, operator, inputs, attributes);
        value
    }

    fn push_to(&mut self, value: &str, name: &str, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) {
        self.nodes.push(Node {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![value.to_string()],
            name: Some(name.to_string()),
            op_type: Some(operator.to_string()),
            attribute: attributes,
        });
    }
}

fn pooling(input: &[usize], pool: &Pool2dLayer) -> Vec<Attribute> {
    windows(input, pool.window, pool.stride.unwrap_or(pool.window), pool.padding, 1)
}

/// How square windows lie in an image of shape `input`.
fn windows(input: &[usize], side: usize, stride: usize, padding: Padding, dilation: usize) -> Vec<Attribute> {
    let [top, bottom, left, right] = padding.around(input, side, stride, dilation);
    vec![
        Attribute::ints("kernel_shape", &[side; 2]),
        Attribute::ints("strides", &[stride; 2]),
        Attribute::ints("pads", &[top, left, bottom, right]),
    ]
}

/// How such windows, of elements `dilation` apart, are divided into groups of channels.
fn convolution(windows: Vec<Attribute>, dilation: usize, groups: usize) -> Vec<Attribute> {
    let further = [Attribute::ints("dilations", &[dilation; 2]), Attribute::int("group", groups)];
    windows.into_iter().chain(further).collect()
}
