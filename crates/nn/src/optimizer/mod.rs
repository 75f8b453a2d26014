//! Optimizers: one step over all parameters from their gradients.
//!
//! Each optimizer's file holds its settings and its rule for one element; [`Optimizer`] checks and clips, and `sweep.rs`
//! applies the rule to all parameters in one pass.

#![allow(clippy::inline_always, reason = "an instruction set holds for what is inlined into its function")]

mod adam;
mod adamw;
mod config;
#[cfg(any(test, feature = "cuda"))]
mod formula;
mod group;
mod rmsprop;
mod sgd;
mod state;
mod sweep;

#[cfg(feature = "cuda")]
use candle_core::Device;
use candle_core::{DType, Tensor};

pub use adam::AdamConfig;
pub use adamw::AdamWConfig;
pub use config::{Decayed, OptimizerConfig, OptimizerVariant};
#[cfg(feature = "cuda")]
pub(crate) use formula::Formula;
pub use group::ParameterGroup;
pub use rmsprop::RmsPropConfig;
pub use sgd::SgdConfig;
pub use state::OptimizerState;

#[cfg(feature = "cuda")]
use crate::cuda::tensors::Tensors;
use crate::error::NnError;
use crate::gradients::{Gradients, global_norm};
use crate::parameters::{Parameters, Penalty};
use crate::setting;
use sweep::{Decay, Sweep, Terms};

/// An optimizer with what it remembers of each parameter.
///
/// A step is one pass over the memory of all parameters, divided into fixed pieces, so it gives the same bytes on any number
/// of threads; one pass over the gradients before it finds their norm. Where the parameters are on a GPU (feature `cuda`), so is
/// what is remembered of them, and a step is one launch.
///
/// ```
/// use aumenta_nn::{Gradients, Optimizer, OptimizerConfig, Parameters, SgdConfig};
/// use candle_core::{Device, Var};
///
/// let mut parameters = Parameters::default();
/// parameters.push("p".to_string(), Var::new(&[1.0f32, -2.0], &Device::Cpu)?);
/// let config = OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.25, ..SgdConfig::default() });
/// let mut optimizer = Optimizer::new(config, &parameters)?;
///
/// // The gradient of the sum of squares is twice the parameter, so each step halves it.
/// for expected in [[0.5, -1.0], [0.25, -0.5]] {
///     let loss = parameters.get("p").unwrap().sqr()?.sum_all()?;
///     optimizer.step(&parameters, &Gradients::of(&loss, &parameters)?)?;
///     assert_eq!(parameters.get("p").unwrap().to_vec1::<f32>()?, expected);
/// }
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    learning_rate: f32,
    /// Steps taken.
    steps: u64,
    /// Each parameter that is not frozen, in the parameters' order.
    members: Vec<Member>,
    /// What is remembered of all of them, where they are on a GPU.
    #[cfg(feature = "cuda")]
    on_gpu: Option<Tensors>,
}

/// A parameter that is stepped.
#[derive(Clone, Debug)]
struct Member {
    name: String,
    shape: Vec<usize>,
    /// The factor of the learning rate.
    rate_scale: f32,
    weight_decay: f32,
    l1: f32,
    /// The parameter's own, besides the optimizer's.
    penalty: Penalty,
    /// What is remembered of each element, a vector a slot of [`OptimizerConfig::slots`]; none of a parameter on a GPU.
    state: Vec<Vec<f32>>,
}

impl Member {
    /// What stands around the rule in a step.
    fn terms(&self, learning_rate: f32, decay: Decay) -> Terms {
        let rate = learning_rate * self.rate_scale;
        let (coupled, decay) = match decay {
            Decay::Coupled => (self.weight_decay, 0.0),
            Decay::Decoupled => (0.0, rate * self.weight_decay),
        };
        Terms { rate, l2: coupled + 2.0 * self.penalty.l2, l1: self.l1 + self.penalty.l1, decay }
    }
}

impl Optimizer {
    /// An optimizer for `parameters` that has seen no gradient yet.
    ///
    /// # Errors
    /// [`NnError::Setting`] where a setting is out of its range, [`NnError::Group`] where a group decides for no
    /// parameter, [`NnError::Optimizer`] where a parameter is not f32, or on a device without
    /// kernels.
    pub fn new(config: OptimizerConfig, parameters: &Parameters) -> Result<Self, NnError> {
        config.check()?;
        let common = config.common();
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let groups = group::assign(common.groups, &names)?;
        let slots = config.slots().len();
        let mut members = Vec::with_capacity(names.len());
        for (parameter, group) in parameters.iter().zip(groups) {
            check_tensor(&parameter.name, "", &parameter.var)?;
            if group.is_some_and(|group| group.frozen) {
                continue;
            }
            let is_decayed = common.decayed.covers(parameter.var.rank());
            let weight_decay = if is_decayed { common.weight_decay } else { 0.0 };
            members.push(Member {
                name: parameter.name.clone(),
                shape: parameter.var.dims().to_vec(),
                rate_scale: parameter.rate_scale * group.map_or(1.0, |group| group.learning_rate_scale),
                weight_decay: group.and_then(|group| group.weight_decay).unwrap_or(weight_decay),
                l1: group.and_then(|group| group.l1).unwrap_or(common.l1),
                penalty: parameter.penalty,
                state: if parameter.var.device().is_cpu() {
                    vec![vec![0.0; parameter.var.elem_count()]; slots]
                } else {
                    Vec::new()
                },
            });
        }
        #[cfg(feature = "cuda")]
        let on_gpu = Self::on_gpu(&members, parameters, slots)?;
        let learning_rate = common.learning_rate;
        Ok(Self {
            learning_rate,
            config,
            steps: 0,
            members,
            #[cfg(feature = "cuda")]
            on_gpu,
        })
    }

    /// The settings that it was made from.
    pub fn config(&self) -> &OptimizerConfig {
        &self.config
    }

    /// The step size of the next step, before a group scales it.
    pub fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    /// Changes the step size of the steps to come; a [schedule](crate::ScheduleConfig) says to what.
    ///
    /// # Errors
    /// [`NnError::Setting`] where it is not at least 0.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<(), NnError> {
        setting::at_least_zero("learning-rate", learning_rate)?;
        self.learning_rate = learning_rate;
        Ok(())
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether it steps the parameter named `name`: no group freezes it, and neither do its layers.
    pub fn moves(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// Moves every parameter that is not frozen by its gradient and that of its [`Penalty`].
    ///
    /// # Errors
    /// [`NnError::GradientNotFinite`] where a gradient holds NaN or an infinity; [`NnError::Optimizer`] where `parameters` are not
    /// those that the optimizer was made for, or a gradient does not fit its parameter. Nothing has moved then.
    pub fn step(&mut self, parameters: &Parameters, gradients: &Gradients<'_>) -> Result<(), NnError> {
        let tensors = self.tensors(parameters, gradients)?;
        let gradient_scale = self.gradient_scale(&tensors)?;
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &mut self.on_gpu {
            let terms = terms(&self.members, self.learning_rate, self.config.decay());
            on_gpu.step(&self.config.formula(self.steps + 1), &tensors, &terms, gradient_scale)?;
            self.steps += 1;
            return Ok(());
        }
        let Self { config, learning_rate, steps, members, .. } = self;
        let sweep = Sweep { members, tensors: &tensors, learning_rate: *learning_rate, gradient_scale };
        match config {
            OptimizerConfig::Sgd(config) => config.sweep(sweep),
            OptimizerConfig::Rmsprop(config) => config.sweep(sweep),
            OptimizerConfig::Adam(config) => config.sweep(sweep, *steps + 1),
            OptimizerConfig::AdamW(config) => config.sweep(sweep, *steps + 1),
        }?;
        *steps += 1;
        Ok(())
    }

    /// The values and the gradient of each member, checked.
    fn tensors<'a>(
        &self,
        parameters: &'a Parameters,
        gradients: &'a Gradients<'_>,
    ) -> Result<Vec<(&'a Tensor, &'a Tensor)>, NnError> {
        let mut pairs = parameters.iter().zip(gradients.tensors());
        let tensors = self.members.iter().map(|member| {
            let name = &member.name;
            let refuse = |reason| NnError::Optimizer { name: name.clone(), reason };
            // Frozen parameters stand between the members.
            let Some((parameter, gradient)) = pairs.find(|(parameter, _)| parameter.name == *name) else {
                return Err(refuse("is not among the parameters, or not in the order it had".to_string()));
            };
            for (what, tensor) in [("", parameter.var.as_tensor()), ("has a gradient that ", gradient)] {
                check_tensor(name, what, tensor)?;
                if tensor.dims() != member.shape {
                    let (shape, expected) = (tensor.dims(), &member.shape);
                    return Err(refuse(format!("{what}has the shape {shape:?} instead of {expected:?}")));
                }
            }
            Ok((parameter.var.as_tensor(), gradient))
        });
        tensors.collect()
    }

    /// What stands around the rule for each member in the next step, as kernels take it.
    #[cfg(test)]
    pub(crate) fn terms(&self) -> Vec<[f32; 4]> {
        terms(&self.members, self.learning_rate, self.config.decay())
    }

    /// What is remembered of parameters on a GPU; `None` where they are on the CPU.
    #[cfg(feature = "cuda")]
    fn on_gpu(members: &[Member], parameters: &Parameters, slots: usize) -> Result<Option<Tensors>, NnError> {
        let Some(first) = parameters.iter().next().filter(|_| !members.is_empty()) else { return Ok(None) };
        let Device::Cuda(device) = first.var.device() else { return Ok(None) };
        let lengths: Vec<usize> = members.iter().map(|member| member.shape.iter().product()).collect();
        Ok(Some(Tensors::new(device, &lengths, slots)?))
    }

    /// What clipping multiplies all gradients by.
    fn gradient_scale(&self, tensors: &[(&Tensor, &Tensor)]) -> Result<f32, NnError> {
        let gradients: Vec<&Tensor> = tensors.iter().map(|(_, gradient)| *gradient).collect();
        #[cfg(feature = "cuda")]
        let norm = match &self.on_gpu {
            Some(on_gpu) => on_gpu.norm(&gradients)?,
            None => global_norm(&gradients)?,
        };
        #[cfg(not(feature = "cuda"))]
        let norm = global_norm(&gradients)?;
        if !norm.is_finite() {
            let first = gradients.iter().map(|gradient| is_finite(gradient)).collect::<Result<Vec<_>, _>>()?;
            let first = first.iter().position(|finite| !finite).unwrap_or_default();
            return Err(NnError::GradientNotFinite { name: self.members[first].name.clone() });
        }
        let clip = |max_norm| (f64::from(max_norm) / (norm + 1e-6)).min(1.0) as f32;
        Ok(self.config.common().clip_norm.map_or(1.0, clip))
    }
}

/// What stands around the rule for each member, as kernels take it.
#[cfg(any(test, feature = "cuda"))]
fn terms(members: &[Member], learning_rate: f32, decay: Decay) -> Vec<[f32; 4]> {
    members.iter().map(|member| member.terms(learning_rate, decay).numbers()).collect()
}

/// Whether no element of a tensor is NaN or an infinity.
fn is_finite(tensor: &Tensor) -> Result<bool, NnError> {
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.iter().all(|value| value.is_finite()))
}

/// Whether `tensor`, `what` of the parameter `name`, is one that the pass over memory can take.
fn check_tensor(name: &str, what: &str, tensor: &Tensor) -> Result<(), NnError> {
    let refuse = |reason: String| Err(NnError::Optimizer { name: name.to_string(), reason: format!("{what}{reason}") });
    if tensor.dtype() != DType::F32 {
        return refuse(format!("is {:?} instead of F32", tensor.dtype()));
    }
    if !(tensor.device().is_cpu() || cfg!(feature = "cuda") && tensor.device().is_cuda()) {
        let device = tensor.device().location();
        return refuse(format!("is on {device:?}, where optimizers have no kernel: move the network to the CPU"));
    }
    if !tensor.is_contiguous() {
        return refuse("is a view whose elements do not lie in order: make it contiguous".to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use serde_json::Value;

    use super::*;

    const REFERENCE: &str = include_str!("../../../../fixtures/optimizers/reference.json");

    fn parameters(tensors: &[(&str, &[usize], Vec<f32>)]) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, shape, values) in tensors {
            parameters.push((*name).to_string(), Var::from_slice(values, *shape, &Device::Cpu).unwrap());
        }
        parameters
    }

    /// The gradients of the sum of each parameter times its numbers in `slopes`: those numbers themselves.
    fn gradients(parameters: &Parameters, slopes: &[Vec<f32>]) -> Gradients<'static> {
        let terms = parameters.iter().zip(slopes).map(|(parameter, slopes)| {
            let slopes = Tensor::from_slice(slopes, parameter.var.shape(), &Device::Cpu)?;
            (parameter.var.as_tensor() * slopes)?.sum_all()
        });
        let terms = terms.collect::<candle_core::Result<Vec<_>>>().unwrap();
        let loss = Tensor::stack(&terms, 0).unwrap().sum_all().unwrap();
        Gradients::of(&loss, parameters).unwrap()
    }

    fn values(parameters: &Parameters, name: &str) -> Vec<f32> {
        parameters.get(name).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn f32s(value: &Value) -> Vec<f32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    /// Numbers in [-1, 1) that look random.
    fn noise(len: usize, start: usize) -> Vec<f32> {
        (0..len).map(|i| ((i + start) * 7919 % 1009) as f32 / 504.5 - 1.0).collect()
    }

    fn sgd(learning_rate: f32) -> OptimizerConfig {
        OptimizerConfig::Sgd(SgdConfig { learning_rate, ..SgdConfig::default() })
    }

    #[test]
    fn twenty_steps_equal_those_of_pytorch_and_keras() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let steps = reference["gradients"].as_array().unwrap();
        for case in reference["optimizers"].as_array().unwrap() {
            let mut parameters = Parameters::default();
            for parameter in reference["parameters"].as_array().unwrap() {
                let shape: Vec<usize> = serde_json::from_value(parameter["shape"].clone()).unwrap();
                let var = Var::from_vec(f32s(&parameter["values"]), shape, &Device::Cpu).unwrap();
                let name = parameter["name"].as_str().unwrap();
                let penalty = case["penalties"].get(name).map_or_else(Penalty::default, |penalty| {
                    let [l1, l2] = ["l1", "l2"].map(|kind| penalty[kind].as_f64().unwrap() as f32);
                    Penalty { l1, l2 }
                });
                parameters.push_penalized(name.to_string(), var, penalty);
            }
            let config: OptimizerConfig = serde_json::from_value(case["config"].clone()).unwrap();
            let mut optimizer = Optimizer::new(config, &parameters).unwrap();
            for (step, slopes) in (1..).zip(steps) {
                if step == 11 {
                    optimizer.set_learning_rate(optimizer.learning_rate() / 2.0).unwrap();
                }
                let slopes: Vec<Vec<f32>> = slopes.as_array().unwrap().iter().map(f32s).collect();
                optimizer.step(&parameters, &gradients(&parameters, &slopes)).unwrap();
                let Some(expected) = case["expected"].get(step.to_string()) else { continue };
                for start in reference["parameters"].as_array().unwrap() {
                    let name = start["name"].as_str().unwrap();
                    let expected: Vec<f64> = serde_json::from_value(expected[name].clone()).unwrap();
                    let got = values(&parameters, name);
                    for ((got, expected), start) in got.into_iter().zip(expected).zip(f32s(&start["values"])) {
                        // Relative to the value or to the way it went, which may have led close to zero.
                        let bound = 1e-6 * expected.abs().max((expected - f64::from(start)).abs());
                        let (error, config) = ((f64::from(got) - expected).abs(), &case["config"]);
                        assert!(error <= bound, "{config}, step {step}, {name}: {got} instead of {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn plain_rmsprop_is_to_the_bit_what_published_results_were_made_with() {
        let len = 2 * (1 << 14) + 5;
        let mut p = noise(len, 0);
        let mut v = vec![0f32; len];
        let parameters = parameters(&[("w", &[len], p.clone()), ("b", &[1], vec![0.0])]);
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &parameters).unwrap();
        for step in 0..5 {
            let g = noise(len, 100 + step);
            optimizer.step(&parameters, &gradients(&parameters, &[g.clone(), vec![0.0]])).unwrap();
            for ((p, v), g) in p.iter_mut().zip(&mut v).zip(g) {
                *v = 0.9f32 * *v + (1.0f32 - 0.9f32) * g * g;
                *p -= 1e-3f32 * g / (v.sqrt() + 1e-8f32);
            }
            assert_eq!(values(&parameters, "w"), p, "step {step}");
        }
        assert_eq!(values(&parameters, "b"), [0.0]);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let config = AdamWConfig { clip_norm: Some(1.0), l1: 1e-3, ..AdamWConfig::default() };
        let trained = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let parameters = parameters(&[
                    ("w", &[50_000], noise(50_000, 0)),
                    ("b", &[3], vec![0.0; 3]),
                    ("empty", &[0], vec![]),
                ]);
                let mut optimizer = Optimizer::new(OptimizerConfig::AdamW(config.clone()), &parameters).unwrap();
                for step in 0..3 {
                    let slopes = [noise(50_000, step), noise(3, step), Vec::new()];
                    optimizer.step(&parameters, &gradients(&parameters, &slopes)).unwrap();
                }
                (parameters.tensors().unwrap(), optimizer.state().unwrap())
            })
        };
        let one = trained(1);
        assert!(one == trained(2) && one == trained(3));
    }

    #[test]
    fn hundreds_of_parameters_are_stepped_together() {
        let names: Vec<String> = (0..200).map(|i| format!("p{i}")).collect();
        let tensors: Vec<(&str, &[usize], Vec<f32>)> =
            names.iter().map(|name| (name.as_str(), [2].as_slice(), vec![1.0, 2.0])).collect();
        let parameters = parameters(&tensors);
        let mut optimizer = Optimizer::new(sgd(0.5), &parameters).unwrap();
        let slopes: Vec<Vec<f32>> = (0..200).map(|i| vec![i as f32, 2.0]).collect();
        optimizer.step(&parameters, &gradients(&parameters, &slopes)).unwrap();
        for (i, name) in names.iter().enumerate() {
            assert_eq!(values(&parameters, name), [1.0 - i as f32 / 2.0, 1.0]);
        }
    }

    #[test]
    fn clipping_scales_all_gradients_to_the_norm_and_leaves_small_ones() {
        let parameters = parameters(&[("a", &[1], vec![0.0]), ("b", &[1], vec![0.0])]);
        let config = SgdConfig { learning_rate: 1.0, clip_norm: Some(1.0), ..SgdConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
        optimizer.step(&parameters, &gradients(&parameters, &[vec![3.0], vec![-4.0]])).unwrap();
        let [a, b] = ["a", "b"].map(|name| values(&parameters, name)[0]);
        assert!((a + 0.6).abs() < 1e-6 && (b - 0.8).abs() < 1e-6, "{a}, {b}");
        optimizer.step(&parameters, &gradients(&parameters, &[vec![0.5], vec![0.25]])).unwrap();
        assert_eq!(values(&parameters, "a")[0], a - 0.5);
    }

    #[test]
    fn l1_does_not_move_a_zero_and_l2_follows_the_value() {
        let parameters = parameters(&[("p", &[3], vec![0.0, 2.0, -4.0])]);
        let config = SgdConfig { learning_rate: 1.0, l1: 0.25, weight_decay: 0.5, ..SgdConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
        optimizer.step(&parameters, &gradients(&parameters, &[vec![0.0; 3]])).unwrap();
        assert_eq!(values(&parameters, "p"), [0.0, 0.75, -1.75]);
    }

    #[test]
    fn weight_decay_can_spare_biases_and_normalizations() {
        for (decayed, bias) in [(Decayed::All, 0.5), (Decayed::Weights, 1.0)] {
            let parameters = parameters(&[("w", &[1, 2], vec![1.0, 1.0]), ("b", &[2], vec![1.0, 1.0])]);
            let config = SgdConfig { learning_rate: 1.0, weight_decay: 0.5, decayed, ..SgdConfig::default() };
            let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
            optimizer.step(&parameters, &gradients(&parameters, &[vec![0.0; 2], vec![0.0; 2]])).unwrap();
            assert_eq!((values(&parameters, "w"), values(&parameters, "b")), (vec![0.5; 2], vec![bias; 2]));
        }
    }

    #[test]
    fn a_penalty_is_coupled_also_where_weight_decay_is_not_and_moves_its_parameter_alone() {
        let mut parameters = Parameters::default();
        let var = || Var::new(&[2.0f32, -4.0], &Device::Cpu).unwrap();
        parameters.push_penalized("w".to_string(), var(), Penalty { l1: 0.25, l2: 0.125 });
        parameters.push("b".to_string(), var());
        let config = SgdConfig { learning_rate: 1.0, ..SgdConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
        let none = [vec![0.0; 2], vec![0.0; 2]];
        optimizer.step(&parameters, &gradients(&parameters, &none)).unwrap();
        // 2 - (0.25 * 1 + 2 * 0.125 * 2), and -4 + (0.25 + 2 * 0.125 * 4).
        assert_eq!(values(&parameters, "w"), [1.25, -2.75]);
        assert_eq!(values(&parameters, "b"), [2.0, -4.0]);
        let config = AdamWConfig { learning_rate: 1.0, weight_decay: 0.0, ..AdamWConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::AdamW(config), &parameters).unwrap();
        optimizer.step(&parameters, &gradients(&parameters, &none)).unwrap();
        // The first step of Adam has the size of the learning rate, whatever the gradient's.
        let moved = values(&parameters, "w");
        assert!((moved[0] - 0.25).abs() < 1e-5 && (moved[1] + 1.75).abs() < 1e-5, "{moved:?}");
        assert_eq!(values(&parameters, "b"), [2.0, -4.0]);
    }

    #[test]
    fn frozen_parameters_stay_and_do_not_count_in_the_norm() {
        let parameters = parameters(&[("base.w", &[1], vec![1.0]), ("head.w", &[1], vec![1.0])]);
        let groups = vec![ParameterGroup { frozen: true, ..ParameterGroup::new("base.*") }];
        let config = SgdConfig { learning_rate: 1.0, clip_norm: Some(1.0), groups, ..SgdConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
        optimizer.step(&parameters, &gradients(&parameters, &[vec![1e6], vec![0.5]])).unwrap();
        assert_eq!(values(&parameters, "base.w"), [1.0]);
        assert_eq!(values(&parameters, "head.w"), [0.5]);
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused_with_the_names_there_are() {
        let parameters = parameters(&[("conv.weight", &[1], vec![1.0])]);
        let groups = vec![ParameterGroup::new("*.bias")];
        let config = OptimizerConfig::Sgd(SgdConfig { groups, ..SgdConfig::default() });
        let error = Optimizer::new(config, &parameters).unwrap_err().to_string();
        assert_eq!(error, "parameter group `*.bias` matches no parameter; there are `conv.weight`");
    }

    #[test]
    fn a_gradient_that_is_not_finite_is_named_and_nothing_moves() {
        for clip_norm in [None, Some(1.0)] {
            let parameters = parameters(&[("a", &[1], vec![1.0]), ("b", &[2], vec![1.0; 2]), ("c", &[1], vec![1.0])]);
            let config = SgdConfig { clip_norm, momentum: 0.9, ..SgdConfig::default() };
            let mut optimizer = Optimizer::new(OptimizerConfig::Sgd(config), &parameters).unwrap();
            let before = (parameters.tensors().unwrap(), optimizer.state().unwrap());
            for bad in [f32::NAN, f32::INFINITY] {
                let slopes = [vec![1.0], vec![1.0, bad], vec![bad]];
                let error = optimizer.step(&parameters, &gradients(&parameters, &slopes)).unwrap_err().to_string();
                assert!(error.contains("gradient of parameter `b` is not finite"), "{error}");
            }
            assert_eq!(before, (parameters.tensors().unwrap(), optimizer.state().unwrap()));
        }
    }

    #[test]
    fn a_parameter_outside_the_loss_is_named() {
        let parameters = parameters(&[("p", &[1], vec![1.0]), ("unused", &[1], vec![1.0])]);
        let loss = parameters.get("p").unwrap().sqr().unwrap().sum_all().unwrap();
        let error = Gradients::of(&loss, &parameters).unwrap_err();
        assert!(error.to_string().contains("`unused` got no gradient"));
    }

    #[track_caller]
    fn assert_step_refused(made_for: &Parameters, stepped: &Parameters, message: &str) {
        let mut optimizer = Optimizer::new(sgd(1.0), made_for).unwrap();
        let slopes: Vec<Vec<f32>> = stepped.iter().map(|parameter| vec![1.0; parameter.var.elem_count()]).collect();
        let before = stepped.tensors().unwrap();
        let error = optimizer.step(stepped, &gradients(stepped, &slopes)).unwrap_err().to_string();
        assert_eq!(error, message);
        assert_eq!(stepped.tensors().unwrap(), before);
        assert_eq!(optimizer.steps(), 0);
    }

    #[test]
    fn parameters_of_another_network_are_refused_by_name_and_nothing_moves() {
        let made_for = parameters(&[("a", &[1], vec![1.0]), ("b", &[2], vec![1.0; 2])]);
        let other_shape = parameters(&[("a", &[1], vec![1.0]), ("b", &[3], vec![1.0; 3])]);
        let message = "optimizer: parameter `b` has the shape [3] instead of [2]";
        assert_step_refused(&made_for, &other_shape, message);
        let missing = parameters(&[("a", &[1], vec![1.0])]);
        let message = "optimizer: parameter `b` is not among the parameters, or not in the order it had";
        assert_step_refused(&made_for, &missing, message);
    }

    #[test]
    fn gradients_of_other_parameters_are_refused() {
        let [own, other] = [2, 3].map(|len| parameters(&[("a", &[len], vec![1.0; len])]));
        let mut optimizer = Optimizer::new(sgd(1.0), &own).unwrap();
        let error = optimizer.step(&own, &gradients(&other, &[vec![1.0; 3]])).unwrap_err().to_string();
        assert_eq!(error, "optimizer: parameter `a` has a gradient that has the shape [3] instead of [2]");
    }

    #[test]
    fn a_parameter_of_another_type_is_refused() {
        let mut parameters = Parameters::default();
        parameters.push("a".to_string(), Var::new(&[1f64], &Device::Cpu).unwrap());
        let error = Optimizer::new(sgd(1.0), &parameters).unwrap_err().to_string();
        assert_eq!(error, "optimizer: parameter `a` is F64 instead of F32");
    }

    #[test]
    fn a_learning_rate_below_zero_is_refused() {
        let parameters = parameters(&[("a", &[1], vec![1.0])]);
        let mut optimizer = Optimizer::new(sgd(1.0), &parameters).unwrap();
        let error = optimizer.set_learning_rate(f32::NAN).unwrap_err().to_string();
        assert_eq!(error, "`learning-rate` must be at least 0, got NaN");
        optimizer.set_learning_rate(0.0).unwrap();
        optimizer.step(&parameters, &gradients(&parameters, &[vec![5.0]])).unwrap();
        assert_eq!(values(&parameters, "a"), [1.0]);
    }
}
