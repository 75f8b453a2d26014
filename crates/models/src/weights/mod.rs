//! Weights that were trained elsewhere: where there are some, how their files are read, and which tensor is which parameter.

mod file;
mod pretrained;
mod pth;

use std::collections::BTreeMap;

use aumenta_nn::{NamedLayer, NamedTensor, NnError, ParameterShape, Parameters};
use candle_core::Tensor;

pub use self::file::read_weights;
pub use self::pretrained::{Place, Pretrained, PublishedFile};

use crate::architecture::Architecture;
use crate::error::ModelError;

/// What of a file's tensors are weights of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundWeights {
    /// All of the base's parameters and running statistics, and those of the head where they fit, under their names here.
    pub tensors: Vec<NamedTensor>,
    /// Whether the head's are among them.
    pub has_head: bool,
    /// The tensors that have no place in the network, by name: a head for other classes, or a top that it does not have.
    pub left_out: Vec<String>,
}

impl FoundWeights {
    /// Puts the weights in place of a network's own; those of a head that was left out stay.
    ///
    /// # Errors
    /// [`NnError::Weights`] where the network has no such parameter, [`NnError::Candle`] where one is of another shape.
    pub fn load(&self, parameters: &Parameters) -> Result<(), NnError> {
        for NamedTensor { name, shape, values } in &self.tensors {
            let Some(var) = parameters.get(name) else {
                return Err(NnError::Weights { reason: format!("`{name}` is no parameter of it") });
            };
            var.set(&Tensor::from_slice(values, shape.as_slice(), var.device())?)?;
        }
        Ok(())
    }
}

impl Architecture {
    /// Which of the `tensors` of a file are this network's weights: all of its base, and its head's where every one of them
    /// is there in its shape.
    ///
    /// Tensors are known by the names of this network's parameters or, for a [`Pretrained`] one, by those of other libraries.
    /// Where a library writes a dense layer as a convolution, it becomes one again.
    ///
    /// # Errors
    /// [`ModelError::OtherWeights`] where a parameter of the base is missing or of another shape.
    pub fn find_weights(&self, tensors: Vec<NamedTensor>) -> Result<FoundWeights, ModelError> {
        let mut found = self.renamed(tensors);
        let (base, head) = self.parameters();
        let faults: Vec<String> = base.iter().filter_map(|parameter| fault(&found, parameter)).collect();
        if let Some(first) = faults.first() {
            let reason = format!("{first}; {} of {} tensors of its base do not fit", faults.len(), base.len());
            return Err(ModelError::OtherWeights { model: self.name().to_string(), reason });
        }
        let has_head = head.iter().all(|parameter| fault(&found, parameter).is_none());
        let taken = base.iter().chain(head.iter().filter(|_| has_head));
        let tensors = taken
            .filter_map(|parameter| {
                found.remove(&parameter.name).map(|tensor| NamedTensor { shape: parameter.shape.clone(), ..tensor })
            })
            .collect();
        Ok(FoundWeights { tensors, has_head, left_out: found.into_keys().collect() })
    }

    /// The tensors by the names of this network's parameters, without counts of batches, which nothing here uses.
    fn renamed(&self, tensors: Vec<NamedTensor>) -> BTreeMap<String, NamedTensor> {
        let names: BTreeMap<String, String> =
            Pretrained::of(self.name()).map(Pretrained::other_names).unwrap_or_default().into_iter().collect();
        let own_name = |tensor: &NamedTensor| {
            let own =
                tensor.name.rsplit_once('.').and_then(|(layer, kind)| Some(format!("{}.{kind}", names.get(layer)?)));
            own.unwrap_or_else(|| tensor.name.clone())
        };
        let used = tensors.into_iter().filter(|tensor| !tensor.name.ends_with("num_batches_tracked"));
        used.map(|tensor| (own_name(&tensor), tensor))
            .map(|(name, tensor)| (name.clone(), NamedTensor { name, ..tensor }))
            .collect()
    }

    /// The parameters and running statistics of the base, and those of the head.
    fn parameters(&self) -> (Vec<ParameterShape>, Vec<ParameterShape>) {
        let base = &self.layers()[..self.layers().len() - self.head().len()];
        let mut shape = self.input().to_vec();
        (parameters(base, &mut shape), parameters(self.head(), &mut shape))
    }
}

/// The parameters of layers that fit an input sample of `shape`, which becomes that of their output.
fn parameters(layers: &[NamedLayer], shape: &mut Vec<usize>) -> Vec<ParameterShape> {
    let mut all = Vec::new();
    for layer in layers {
        all.extend(layer.parameter_shapes(shape));
        *shape = layer.output_shape(shape).unwrap_or_default();
    }
    all
}

/// What is wrong with the tensor of a parameter, if anything.
fn fault(found: &BTreeMap<String, NamedTensor>, parameter: &ParameterShape) -> Option<String> {
    let ParameterShape { name, shape, .. } = parameter;
    let Some(tensor) = found.get(name) else { return Some(format!("`{name}` is missing")) };
    let fits = tensor.shape == *shape || flattened(&tensor.shape).is_some_and(|flat| flat[..] == shape[..]);
    (!fits).then(|| format!("`{name}` is {:?} instead of {shape:?}", tensor.shape))
}

/// The shape of a dense layer's weight that is written as one of a convolution, whose windows are flattened channel by channel.
fn flattened(shape: &[usize]) -> Option<[usize; 2]> {
    if let [outputs, inputs, rows, columns] = *shape { Some([outputs, inputs * rows * columns]) } else { None }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;
    use candle_core::Device;

    use super::*;
    use crate::config::ModelConfig;
    use crate::vgg16::Vgg16Top;

    fn architecture(classes: usize) -> Architecture {
        ModelConfig::Resnet18 { image_size: 64, classes: Some(classes) }.architecture().unwrap()
    }

    fn weights(architecture: &Architecture) -> Vec<NamedTensor> {
        architecture.build(Seed::new(7), &Device::Cpu).unwrap().parameters().tensors().unwrap()
    }

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        NamedTensor { name: name.to_string(), shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] }
    }

    /// Zeros for all parameters of a network, named by `rename`.
    fn zeros(architecture: &Architecture, rename: impl Fn(&str) -> String) -> Vec<NamedTensor> {
        let (base, head) = architecture.parameters();
        base.iter().chain(&head).map(|parameter| tensor(&rename(&parameter.name), &parameter.shape)).collect()
    }

    #[test]
    fn the_whole_network_comes_back_and_counts_of_batches_are_no_weights() {
        let (network, mut saved) = (architecture(5), weights(&architecture(5)));
        saved.push(tensor("bn1.num_batches_tracked", &[]));
        let found = network.find_weights(saved.clone()).unwrap();
        assert!(found.has_head && found.left_out.is_empty());
        let other = network.build(Seed::new(8), &Device::Cpu).unwrap();
        found.load(other.parameters()).unwrap();
        saved.pop();
        assert!(other.parameters().tensors().unwrap() == saved);
    }

    #[test]
    fn a_head_for_other_classes_is_left_out_and_named() {
        let network = architecture(3);
        let found = network.find_weights(weights(&architecture(5))).unwrap();
        assert_eq!((found.has_head, found.left_out.join(" ")), (false, "fc.bias fc.weight".to_string()));
        let other = network.build(Seed::new(8), &Device::Cpu).unwrap();
        let head = || other.parameters().get("fc.weight").unwrap().to_vec2::<f32>().unwrap();
        let before = head();
        found.load(other.parameters()).unwrap();
        assert_eq!(head(), before);
        let conv = other.parameters().get("conv1.weight").unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(conv, found.tensors[0].values);
        let small = ModelConfig::MnistConvnet {}.architecture().unwrap().build(Seed::new(8), &Device::Cpu).unwrap();
        assert!(found.load(small.parameters()).is_err());
    }

    #[track_caller]
    fn check_refused(tensors: Vec<NamedTensor>, reason: &str) {
        let error = architecture(5).find_weights(tensors).unwrap_err().to_string();
        assert_eq!(error, format!("the weights are not those of `resnet18`: {reason}"));
    }

    #[test]
    fn weights_of_another_base_are_refused_with_the_first_tensor() {
        check_refused(Vec::new(), "`conv1.weight` is missing; 100 of 100 tensors of its base do not fit");
        let mut saved = weights(&architecture(5));
        let at = saved.iter().position(|tensor| tensor.name == "layer2.0.bn1.running_var").unwrap();
        saved[at] = tensor("layer2.0.bn1.running_var", &[64]);
        check_refused(
            saved,
            "`layer2.0.bn1.running_var` is [64] instead of [128]; 1 of 100 tensors of its base do not fit",
        );
    }

    #[test]
    fn every_layer_that_another_library_names_otherwise_is_found() {
        for pretrained in &Pretrained::ALL {
            let config = ModelConfig::named(pretrained.model).unwrap().with(Some(64), None).unwrap();
            let network = config.architecture().unwrap();
            if pretrained.model == "vgg16" {
                continue;
            }
            let theirs: BTreeMap<String, String> =
                pretrained.other_names().into_iter().map(|(theirs, ours)| (ours, theirs)).collect();
            assert_eq!(theirs.len(), pretrained.other_names().len(), "{}", pretrained.model);
            let rename = |name: &str| {
                let (layer, kind) = name.rsplit_once('.').unwrap();
                format!("{}.{kind}", theirs.get(layer).map_or(layer, String::as_str))
            };
            let found = network.find_weights(zeros(&network, rename)).unwrap();
            assert!(found.has_head && found.left_out.is_empty(), "{}: {:?}", pretrained.model, found.left_out);
            let (base, head) = network.parameters();
            let layers = |name: &str| name.rsplit_once('.').unwrap().0.to_string();
            let ours: std::collections::BTreeSet<String> =
                base.iter().chain(&head).map(|parameter| layers(&parameter.name)).collect();
            assert!(theirs.keys().all(|layer| ours.contains(layer)), "{}", pretrained.model);
        }
    }

    #[test]
    fn a_dense_layer_may_be_written_as_a_convolution() {
        let config = ModelConfig::Vgg16 { image_size: 32, classes: Some(3), top: Vgg16Top::Original };
        let network = config.architecture().unwrap();
        let (base, _) = network.parameters();
        let mut tensors: Vec<NamedTensor> =
            base.iter().map(|parameter| tensor(&parameter.name, &parameter.shape)).collect();
        tensors.extend([
            tensor("pre_logits.fc1.weight", &[4096, 512, 1, 1]),
            tensor("pre_logits.fc1.bias", &[4096]),
            tensor("pre_logits.fc2.weight", &[4096, 4096, 1, 1]),
            tensor("pre_logits.fc2.bias", &[4096]),
            tensor("head.fc.weight", &[3, 4096]),
            tensor("head.fc.bias", &[3]),
        ]);
        let found = network.find_weights(tensors).unwrap();
        assert!(found.has_head);
        let dense = found.tensors.iter().find(|tensor| tensor.name == "classifier.0.weight").unwrap();
        assert_eq!(dense.shape, [4096, 512]);
    }
}
