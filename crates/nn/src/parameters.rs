//! Named parameters in a fixed order: what an optimizer steps and a checkpoint saves.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde_json::Value;

use crate::error::NnError;

/// A trainable tensor and its name, such as `conv1.weight`.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Unique within a network.
    pub name: String,
    /// The values.
    pub var: Var,
    /// How it is regularized.
    pub penalty: Penalty,
}

/// What the size of a parameter's values `p` adds to the loss that is minimized: the sum of `l1 * |p| + l2 * p^2`, as Keras'
/// `L1L2(l1, l2)` does.
///
/// An [`Optimizer`](crate::Optimizer) adds its gradient, `l1 * sign(p) + 2 * l2 * p`, to that of the loss, after clipping. So it
/// is coupled in every optimizer, also where weight decay is not. The losses that a network reports are those of the data alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Penalty {
    /// The weight of absolute values, at least 0.
    pub l1: f32,
    /// The weight of squares, at least 0.
    pub l2: f32,
}

/// All parameters of a network, in the order of its layers, and the running statistics of its batch normalizations.
///
/// Names and shapes follow PyTorch's: `weight` of a convolution is OIHW, of a dense layer `[outputs, inputs]`. Statistics
/// are saved and loaded with the parameters, but no optimizer moves them and they count as none.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    trained: Vec<Parameter>,
    statistics: Vec<Parameter>,
}

impl Parameters {
    /// Adds a parameter without a penalty at the end.
    ///
    /// # Panics
    /// Where the name is taken, or the variable has another name already: an optimizer would step it twice.
    pub fn push(&mut self, name: String, var: Var) {
        self.push_penalized(name, var, Penalty::default());
    }

    /// Adds a parameter at the end.
    ///
    /// # Panics
    /// As [`Parameters::push`].
    pub fn push_penalized(&mut self, name: String, var: Var, penalty: Penalty) {
        self.check_new(&name, &var);
        self.trained.push(Parameter { name, var, penalty });
    }

    /// Adds a running statistic at the end.
    ///
    /// # Panics
    /// As [`Parameters::push`].
    pub fn push_statistic(&mut self, name: String, var: Var) {
        self.check_new(&name, &var);
        self.statistics.push(Parameter { name, var, penalty: Penalty::default() });
    }

    fn check_new(&self, name: &str, var: &Var) {
        assert!(self.get(name).is_none(), "two parameters are named `{name}`");
        if let Some(other) = self.all().find(|other| other.var.id() == var.id()) {
            panic!("`{name}` and `{}` are one variable", other.name);
        }
    }

    /// The running statistics in order.
    pub fn statistics(&self) -> std::slice::Iter<'_, Parameter> {
        self.statistics.iter()
    }

    /// The parameters, then the statistics.
    fn all(&self) -> impl Iterator<Item = &Parameter> {
        self.trained.iter().chain(&self.statistics)
    }

    /// The parameters in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Parameter> {
        self.trained.iter()
    }

    /// The variable of the parameter or statistic named `name`.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.all().find(|parameter| parameter.name == name).map(|parameter| &parameter.var)
    }

    /// The place among the statistics of a layer's.
    ///
    /// # Errors
    /// [`NnError::Layer`] where there is no such statistic.
    pub(crate) fn statistic_index(&self, layer: &str, kind: &str) -> Result<usize, NnError> {
        Self::find(&self.statistics, layer, kind)
    }

    /// The place in the order of a layer's parameter of a kind such as `weight`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where there is no such parameter.
    pub(crate) fn index(&self, layer: &str, kind: &str) -> Result<usize, NnError> {
        Self::find(&self.trained, layer, kind)
    }

    fn find(parameters: &[Parameter], layer: &str, kind: &str) -> Result<usize, NnError> {
        let name = format!("{layer}.{kind}");
        let found = parameters.iter().position(|parameter| parameter.name == name);
        found.ok_or_else(|| NnError::Layer { layer: layer.to_string(), reason: format!("has no {kind}") })
    }

    /// How many numbers all parameters hold together.
    pub fn element_count(&self) -> usize {
        self.trained.iter().map(|parameter| parameter.var.elem_count()).sum()
    }

    /// The parameters as a safetensors file with `metadata` in its header. The same values give the same bytes.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a parameter is not f32.
    pub fn to_safetensors(&self, metadata: &[(&str, String)]) -> Result<Vec<u8>, NnError> {
        let tensors = self.all().map(|Parameter { name, var, .. }| {
            let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Ok((name.clone(), var.dims().to_vec(), bytes))
        });
        serialize(&tensors.collect::<Result<Vec<_>, NnError>>()?, metadata)
    }

    /// Replaces all values by those of a safetensors file, or none where an error is returned.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where `bytes` is no such file, [`NnError::Weights`] where a tensor is missing, unknown, of
    /// another shape or not f32.
    pub fn load_safetensors(&self, bytes: &[u8]) -> Result<(), NnError> {
        let file = SafeTensors::deserialize(bytes)?;
        let fail = |reason| Err(NnError::Weights { reason });
        if let Some(unknown) = file.names().into_iter().find(|name| self.get(name).is_none()) {
            return fail(format!("`{unknown}` is no parameter of it"));
        }
        let mut loaded = Vec::with_capacity(self.trained.len() + self.statistics.len());
        for Parameter { name, var, .. } in self.all() {
            let Ok(view) = file.tensor(name) else { return fail(format!("`{name}` is missing")) };
            if view.dtype() != Dtype::F32 || view.shape() != var.dims() {
                let (shape, dtype) = (view.shape(), view.dtype());
                return fail(format!("`{name}` is {dtype:?} {shape:?} instead of F32 {:?}", var.dims()));
            }
            loaded.push(Tensor::from_raw_buffer(view.data(), DType::F32, view.shape(), &Device::Cpu)?);
        }
        for (Parameter { var, .. }, tensor) in self.all().zip(&loaded) {
            var.set(&tensor.to_device(var.device())?)?;
        }
        Ok(())
    }
}

/// A safetensors file of f32 tensors, each with its name, shape and little-endian bytes.
pub(crate) fn serialize(
    tensors: &[(String, Vec<usize>, Vec<u8>)],
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, NnError> {
    let views =
        tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, NnError>>()?;
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect();
    let several = metadata.len() > 1;
    let mut file = safetensors::serialize(views, Some(metadata))?;
    if several {
        sort_header(&mut file)?;
    }
    Ok(file)
}

/// Puts the keys of a file's header in order: the library writes metadata in one that changes from call to call.
fn sort_header(file: &mut [u8]) -> Result<(), NnError> {
    let invalid = |error| NnError::Safetensors(SafeTensorError::InvalidHeaderDeserialization(error));
    let Some((len, rest)) = file.split_first_chunk_mut::<8>() else { return Ok(()) };
    let header = &mut rest[..u64::from_le_bytes(*len) as usize];
    let entries: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(header).map_err(invalid)?;
    let sorted = serde_json::to_vec(&entries).map_err(invalid)?;
    // Spaces at the end align what follows.
    header.fill(b' ');
    header[..sorted.len()].copy_from_slice(&sorted);
    Ok(())
}

/// The metadata in a safetensors header: the strings that [`Parameters::to_safetensors`] was given.
///
/// # Errors
/// [`NnError::Safetensors`] where `bytes` is no such file.
pub fn safetensors_metadata(bytes: &[u8]) -> Result<HashMap<String, String>, NnError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    Ok(header.metadata().clone().unwrap_or_default())
}

impl<'a> IntoIterator for &'a Parameters {
    type Item = &'a Parameter;
    type IntoIter = std::slice::Iter<'a, Parameter>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(shapes: &[(&str, usize)]) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, len) in shapes {
            let values: Vec<f32> = (0..*len).map(|i| i as f32 + name.len() as f32).collect();
            parameters.push((*name).to_string(), Var::from_vec(values, *len, &Device::Cpu).unwrap());
        }
        parameters
    }

    fn values(parameters: &Parameters, name: &str) -> Vec<f32> {
        parameters.get(name).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn saved_values_come_back() {
        let saved = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        let bytes = saved.to_safetensors(&[("classes", "cat,dog".to_string())]).unwrap();
        assert_eq!(bytes, saved.to_safetensors(&[("classes", "cat,dog".to_string())]).unwrap());

        let loaded = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        loaded.get("b.weight").unwrap().set(&Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap()).unwrap();
        loaded.load_safetensors(&bytes).unwrap();
        assert_eq!(values(&loaded, "b.weight"), [8.0, 9.0, 10.0]);
        assert_eq!(safetensors_metadata(&bytes).unwrap()["classes"], "cat,dog");
    }

    #[test]
    fn the_order_of_several_entries_of_metadata_is_always_the_same() {
        let saved = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        let entries = ["model", "classes", "width", "epoch", "a \"quoted\" one"].map(|key| (key, format!("the {key}")));
        let first = saved.to_safetensors(&entries).unwrap();
        for _ in 0..8 {
            assert_eq!(saved.to_safetensors(&entries).unwrap(), first);
        }
        let metadata = safetensors_metadata(&first).unwrap();
        assert!(entries.iter().all(|(key, value)| metadata[*key] == *value));
        let loaded = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        loaded.load_safetensors(&first).unwrap();
    }

    #[track_caller]
    fn assert_refused(saved: &[(&str, usize)], reason: &str) {
        let bytes = parameters(saved).to_safetensors(&[]).unwrap();
        let target = parameters(&[("a", 2), ("b", 3)]);
        let before = values(&target, "a");
        let error = target.load_safetensors(&bytes).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(values(&target, "a"), before, "a refused file must change nothing");
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        assert_refused(&[("a", 2)], "`b` is missing");
        assert_refused(&[("a", 2), ("b", 4)], "`b` is F32 [4] instead of F32 [3]");
        assert_refused(&[("a", 2), ("b", 3), ("c", 1)], "`c` is no parameter of it");
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let bytes = parameters(&[("a", 200)]).to_safetensors(&[]).unwrap();
        let error = parameters(&[("a", 200)]).load_safetensors(&bytes[..bytes.len() / 2]).unwrap_err();
        assert!(matches!(error, NnError::Safetensors(_)));
    }

    #[test]
    #[should_panic(expected = "`b` and `a` are one variable")]
    fn a_variable_has_one_name() {
        let mut parameters = parameters(&[("a", 2)]);
        let var = parameters.get("a").unwrap().clone();
        parameters.push("b".to_string(), var);
    }

    #[test]
    #[should_panic(expected = "two parameters are named `a`")]
    fn a_name_is_given_once() {
        parameters(&[("a", 2), ("a", 3)]);
    }
}
