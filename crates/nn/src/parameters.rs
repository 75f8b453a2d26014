//! Named parameters in a fixed order: what an optimizer steps and a checkpoint saves.

use candle_core::{Tensor, Var};

use crate::error::NnError;
use crate::tensor_file::{NamedTensor, find};

/// A trainable tensor and its name, such as `conv1.weight`.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Unique within a network.
    pub name: String,
    /// The values.
    pub var: Var,
    /// How it is regularized.
    pub penalty: Penalty,
    /// What an optimizer's learning rate is multiplied by for it, at least 0; 1 unless
    /// [`Sequential::scale_rates`](crate::Sequential::scale_rates) says otherwise.
    pub rate_scale: f32,
}

impl Parameter {
    fn new(name: String, var: Var, penalty: Penalty) -> Self {
        Self { name, var, penalty, rate_scale: 1.0 }
    }
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
/// are saved and loaded with the parameters, but no optimizer moves them and they count as none. The parameters of frozen
/// layers stand before all others; they too are saved and loaded, and nothing moves them.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    trained: Vec<Parameter>,
    statistics: Vec<Parameter>,
    /// How many of the first of `trained` and of `statistics` are frozen.
    frozen: [usize; 2],
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
        self.trained.push(Parameter::new(name, var, penalty));
    }

    /// Adds a running statistic at the end.
    ///
    /// # Panics
    /// As [`Parameters::push`].
    pub fn push_statistic(&mut self, name: String, var: Var) {
        self.check_new(&name, &var);
        self.statistics.push(Parameter::new(name, var, Penalty::default()));
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

    /// The parameters, frozen ones too, then the statistics.
    pub fn all(&self) -> impl Iterator<Item = &Parameter> {
        self.trained.iter().chain(&self.statistics)
    }

    /// The parameters in order, but for the frozen ones.
    pub fn iter(&self) -> std::slice::Iter<'_, Parameter> {
        self.trained[self.frozen[0]..].iter()
    }

    /// The parameters of frozen layers, then their statistics.
    pub fn frozen(&self) -> impl Iterator<Item = &Parameter> {
        let [parameters, statistics] = self.frozen;
        self.trained[..parameters].iter().chain(&self.statistics[..statistics])
    }

    /// Freezes so many of the first parameters and statistics, and no others.
    pub(crate) fn freeze(&mut self, parameters: usize, statistics: usize) {
        self.frozen = [parameters, statistics];
    }

    /// Sets the factor of the learning rate of each parameter, frozen ones too, in their order.
    pub(crate) fn scale_rates(&mut self, scales: impl Iterator<Item = f32>) {
        for (parameter, scale) in self.trained.iter_mut().zip(scales) {
            parameter.rate_scale = scale;
        }
    }

    /// The variable of the parameter or statistic named `name`.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.all().find(|parameter| parameter.name == name).map(|parameter| &parameter.var)
    }

    /// The place among [`Parameters::statistics`] of a layer's statistic of a kind such as `running_mean`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where there is no such statistic.
    pub(crate) fn statistic_index(&self, layer: &str, kind: &str) -> Result<usize, NnError> {
        Self::find(self.statistics.iter(), layer, kind)
    }

    /// The place in [`Parameters::iter`] of a layer's parameter of a kind such as `weight`.
    ///
    /// # Errors
    /// [`NnError::Layer`] where there is no such parameter.
    pub(crate) fn index(&self, layer: &str, kind: &str) -> Result<usize, NnError> {
        Self::find(self.iter(), layer, kind)
    }

    /// The place in [`Parameters::all`] of a layer's parameter or statistic.
    ///
    /// # Errors
    /// [`NnError::Layer`] where there is none.
    pub(crate) fn index_of_all(&self, layer: &str, kind: &str) -> Result<usize, NnError> {
        Self::find(self.all(), layer, kind)
    }

    fn find<'a>(
        mut parameters: impl Iterator<Item = &'a Parameter>,
        layer: &str,
        kind: &str,
    ) -> Result<usize, NnError> {
        let name = format!("{layer}.{kind}");
        let found = parameters.position(|parameter| parameter.name == name);
        found.ok_or_else(|| NnError::Layer { layer: layer.to_string(), reason: format!("has no {kind}") })
    }

    /// How many numbers all parameters hold together, frozen ones too.
    pub fn element_count(&self) -> usize {
        self.trained.iter().map(|parameter| parameter.var.elem_count()).sum()
    }

    /// The values of all parameters and statistics.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a parameter is not f32.
    pub fn tensors(&self) -> Result<Vec<NamedTensor>, NnError> {
        let tensors = self.all().map(|Parameter { name, var, .. }| {
            let values = var.flatten_all()?.to_vec1()?;
            Ok(NamedTensor { name: name.clone(), shape: var.dims().to_vec(), values })
        });
        tensors.collect()
    }

    /// Replaces all values by those of `tensors`, or none where an error is returned.
    ///
    /// # Errors
    /// [`NnError::Weights`] where a tensor is missing, unknown or of another shape.
    pub fn set_tensors(&self, tensors: &[NamedTensor]) -> Result<(), NnError> {
        let fail = |reason| NnError::Weights { reason };
        if let Some(unknown) = tensors.iter().find(|tensor| self.get(&tensor.name).is_none()) {
            return Err(fail(format!("`{}` is no parameter of it", unknown.name)));
        }
        let found = self.all().map(|Parameter { name, var, .. }| find(tensors, name, var.dims()).map_err(fail));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        for (Parameter { var, .. }, tensor) in self.all().zip(found) {
            var.set(&Tensor::from_slice(&tensor.values, var.shape(), var.device())?)?;
        }
        Ok(())
    }
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
    use candle_core::{DType, Device};

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
    fn values_come_back() {
        let saved = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        let loaded = parameters(&[("b.weight", 3), ("a.bias", 2)]);
        loaded.get("b.weight").unwrap().set(&Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap()).unwrap();
        loaded.set_tensors(&saved.tensors().unwrap()).unwrap();
        assert_eq!(values(&loaded, "b.weight"), [8.0, 9.0, 10.0]);
    }

    #[track_caller]
    fn assert_refused(saved: &[(&str, usize)], reason: &str) {
        let tensors = parameters(saved).tensors().unwrap();
        let target = parameters(&[("a", 2), ("b", 3)]);
        let before = values(&target, "a");
        let error = target.set_tensors(&tensors).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(values(&target, "a"), before, "refused tensors must change nothing");
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        assert_refused(&[("a", 2)], "`b` is missing");
        assert_refused(&[("a", 2), ("b", 4)], "`b` is [4] instead of [3]");
        assert_refused(&[("a", 2), ("b", 3), ("c", 1)], "`c` is no parameter of it");
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
