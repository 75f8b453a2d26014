//! A network as an ONNX file, which other programs run.

mod graph;
mod proto;

use std::collections::BTreeMap;

use aumenta_nn::{NnError, Parameters};
use prost::Message as _;

use crate::architecture::Architecture;
use crate::error::ModelError;
use graph::{IMAGES, LOGITS, PROBABILITIES, Parts};
use proto::{Graph, Model, OperatorSet, Property, ValueInfo};

/// The version of the format, which every runtime since 2022 reads.
const IR_VERSION: i64 = 8;

/// The version of the operators.
const OPSET: i64 = 17;

/// The largest message of protocol buffers.
const MOST_BYTES: usize = i32::MAX as usize;

impl Architecture {
    /// The network with the weights `parameters` as an ONNX file (IR version 8, operators of version 17), in evaluation: what
    /// acts in training alone is left out.
    ///
    /// - The input `images` is f32 `[batch, channels, height, width]`, as PyTorch exports it; values are those that the network
    ///   was trained on, normalized.
    /// - The output `probabilities` is f32 `[batch, classes]`, the softmax of the logits; for a network with one logit, whose
    ///   sigmoid `p` is the probability of the second class, it is `[1 - p, p]`.
    /// - The output `logits` is f32 `[batch, outputs]`.
    ///
    /// Weights have the names of the parameters. `metadata` goes to the file's properties. The same arguments give the same
    /// bytes.
    ///
    /// # Errors
    /// [`ModelError::Layers`] where a parameter is missing, or the file would have more than 2 GiB.
    pub fn to_onnx(&self, parameters: &Parameters, metadata: &[(&str, String)]) -> Result<Vec<u8>, ModelError> {
        let refuse = |source| ModelError::layers(self.name(), source);
        let parts = Parts::of(self, parameters).map_err(refuse)?;
        let [height, width, channels] = self.input();
        let graph = Graph {
            node: parts.nodes,
            name: Some(self.name().to_string()),
            initializer: parts.initializers,
            input: vec![ValueInfo::batch(IMAGES, &[channels, height, width])],
            output: vec![
                ValueInfo::batch(PROBABILITIES, &[self.classes()]),
                ValueInfo::batch(LOGITS, &[self.outputs()]),
            ],
        };
        let model = Model {
            ir_version: Some(IR_VERSION),
            producer_name: Some("aumenta".to_string()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
            graph: Some(graph),
            opset_import: vec![OperatorSet { domain: Some(String::new()), version: Some(OPSET) }],
            metadata_props: metadata.iter().map(|(key, value)| property(key, value)).collect(),
        };
        let len = model.encoded_len();
        if len > MOST_BYTES {
            let reason = format!("the file would have {len} bytes, and an ONNX file has at most {MOST_BYTES}");
            let layer = self.layers().last().map_or_else(String::new, |layer| layer.name.clone());
            return Err(refuse(NnError::Layer { layer, reason }));
        }
        Ok(model.encode_to_vec())
    }
}

/// The metadata of an ONNX file: the properties that [`Architecture::to_onnx`] was given. `None` where `bytes` is no such file.
pub fn onnx_metadata(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let model = Model::decode(bytes).ok().filter(|model| model.ir_version.is_some() && model.graph.is_some())?;
    let pairs = model.metadata_props.into_iter();
    Some(pairs.map(|property| (property.key.unwrap_or_default(), property.value.unwrap_or_default())).collect())
}

fn property(key: &str, value: &str) -> Property {
    Property { key: Some(key.to_string()), value: Some(value.to_string()) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use aumenta_seed::Seed;
    use candle_core::Device;

    use super::*;
    use crate::config::ModelConfig;
    use crate::sequential::SequentialConfig;

    const DIVERSE: &str = r#"
        input = [9, 8, 3]
        layers = [
            { type = "conv2d", filters = 4, kernel = 3, stride = 2, padding = "same", activation = "relu6" },
            { type = "residual", activation = "sigmoid", layers = [
                { type = "depthwise-conv2d", kernel = 3, multiplier = 2, padding = { zeros = 1 }, bias = false },
                { type = "batch-norm", activation = "relu" },
            ], shortcut = [{ type = "conv2d", filters = 8, kernel = 1, groups = 2 }] },
            { type = "residual", layers = [{ type = "dropout", rate = 0.5 }] },
            { type = "max-pool2d", window = 3, stride = 1, padding = "same" },
            { type = "avg-pool2d", window = 2, stride = 1, padding = { zeros = 1 } },
            { type = "spatial-dropout", rate = 0.5 },
            { type = "flatten" },
            { type = "flatten" },
            { type = "batch-norm" },
            { type = "dense", units = 6, activation = "relu" },
            { type = "dropout", rate = 0.5 },
            { type = "dense", units = 3 },
        ]
    "#;

    fn exported(architecture: &Architecture) -> Model {
        let model = architecture.build(Seed::new(7), &Device::Cpu).unwrap();
        let bytes = architecture.to_onnx(model.parameters(), &[("classes", "[\"a\"]".to_string())]).unwrap();
        assert_eq!(bytes, architecture.to_onnx(model.parameters(), &[("classes", "[\"a\"]".to_string())]).unwrap());
        Model::decode(&bytes[..]).unwrap()
    }

    fn diverse() -> Architecture {
        toml::from_str::<SequentialConfig>(DIVERSE).unwrap().architecture().unwrap()
    }

    fn ints(graph: &Graph, node: &str, attribute: &str) -> Vec<i64> {
        let node = graph.node.iter().find(|found| found.name.as_deref() == Some(node)).unwrap();
        let found = node.attribute.iter().find(|found| found.name.as_deref() == Some(attribute)).unwrap();
        if found.ints.is_empty() { vec![found.i.unwrap()] } else { found.ints.clone() }
    }

    #[test]
    fn every_value_is_made_before_it_is_used_and_every_weight_is_there() {
        let models =
            ["mnist-convnet", "cats-dogs-convnet", "resnet-small", "efficientnet-lite0", "mobilenet-v2", "resnet18"];
        let built_in = models.map(|name| ModelConfig::named(name).unwrap().architecture().unwrap());
        for architecture in built_in.into_iter().chain([diverse()]) {
            let model = architecture.build(Seed::new(7), &Device::Cpu).unwrap();
            let graph = exported(&architecture).graph.unwrap();
            let mut known: HashSet<String> =
                graph.initializer.iter().map(|tensor| tensor.name.clone().unwrap()).collect();
            for parameter in model.parameters().iter().chain(model.parameters().statistics()) {
                assert!(known.contains(&parameter.name), "{} is missing", parameter.name);
            }
            assert!(known.insert("images".to_string()));
            for node in &graph.node {
                for input in &node.input {
                    assert!(known.contains(input), "{node:?} takes {input}");
                }
                for output in &node.output {
                    assert!(known.insert(output.clone()), "{output} is made twice");
                }
            }
            assert!(known.contains("logits") && known.contains("probabilities"));
        }
    }

    #[test]
    fn layers_become_the_operators_of_onnx() {
        let graph = exported(&diverse()).graph.unwrap();
        let operators: Vec<&str> = graph.node.iter().map(proto::Node::op_type).collect();
        assert_eq!(
            operators,
            [
                "Conv",
                "Clip",
                "Conv",
                "BatchNormalization",
                "Relu",
                "Conv",
                "Add",
                "Sigmoid",
                "Add",
                "MaxPool",
                "AveragePool",
                "Flatten",
                "BatchNormalization",
                "Gemm",
                "Relu",
                "Gemm",
                "Identity",
                "Softmax",
            ]
        );
        // TensorFlow's padding of 8 columns by a window of 3 and a stride of 2 lies at the right alone.
        assert_eq!(ints(&graph, "conv2d1", "pads"), [1, 0, 1, 1]);
        assert_eq!(ints(&graph, "conv2d1", "strides"), [2, 2]);
        assert_eq!(ints(&graph, "residual1.depthwise_conv2d1", "group"), [4]);
        assert_eq!(ints(&graph, "residual1.shortcut.conv2d1", "group"), [2]);
        assert_eq!(ints(&graph, "avg_pool2d1", "count_include_pad"), [0]);
        let weight = graph.initializer.iter().find(|tensor| tensor.name() == "dense2.weight").unwrap();
        assert_eq!((&weight.dims[..], weight.raw_data().len()), (&[3, 6][..], 72));
        let shape = |value: &ValueInfo| -> Vec<String> {
            let shape = value.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
            let size = |dim: &proto::Dimension| {
                dim.dim_param.clone().unwrap_or_else(|| dim.dim_value.unwrap_or_default().to_string())
            };
            shape.dim.iter().map(size).collect()
        };
        assert_eq!(shape(&graph.input[0]), ["batch", "3", "9", "8"]);
        assert_eq!(shape(&graph.output[0]), ["batch", "3"]);
    }

    #[test]
    fn one_logit_becomes_two_probabilities() {
        let config = ModelConfig::CatsDogsConvnet { image_size: 64, dropout: 0.5 };
        let model = exported(&config.architecture().unwrap());
        let graph = model.graph.clone().unwrap();
        let last: Vec<&str> = graph.node.iter().map(proto::Node::op_type).collect();
        assert_eq!(last[last.len() - 5..], ["Identity", "Neg", "Sigmoid", "Sigmoid", "Concat"]);
        assert!(!last.contains(&"Dropout"));
        assert_eq!(onnx_metadata(&model.encode_to_vec()).unwrap()["classes"], "[\"a\"]");
        assert_eq!(onnx_metadata(b"not a model"), None);
        assert_eq!((model.ir_version(), model.opset_import[0].version()), (8, 17));
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let architecture = diverse();
        let other = ModelConfig::MnistConvnet {}.architecture().unwrap().build(Seed::new(7), &Device::Cpu).unwrap();
        let error = architecture.to_onnx(other.parameters(), &[]).unwrap_err();
        let ModelError::Layers { source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), "layer `conv2d1`: has no `conv2d1.weight`");
    }
}
