//! An optimizer's state, so that a training can be interrupted.

use serde::{Deserialize, Serialize};

use super::Optimizer;
use crate::error::NnError;
use crate::setting;
use crate::tensor_file::{NamedTensor, find};

/// Everything that an optimizer's next step depends on besides the parameters and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OptimizerState {
    /// The optimizer and its variant, such as `rmsprop/pytorch`: the formula that the state belongs to.
    pub kind: String,
    /// Steps taken.
    pub steps: u64,
    /// The step size of the next step.
    pub learning_rate: f32,
    /// What is remembered of each parameter, such as `conv1.weight.mean_square`. They are too large for JSON and TOML, where
    /// they are left out.
    #[serde(skip)]
    pub tensors: Vec<NamedTensor>,
}

impl Optimizer {
    /// What the next step depends on.
    ///
    /// # Errors
    /// [`NnError::Candle`] where a GPU does not give back what it holds.
    pub fn state(&self) -> Result<OptimizerState, NnError> {
        let slots = self.config.slots();
        let tensors = self.members.iter().zip(self.remembered()?).flat_map(|(member, remembered)| {
            let named = slots.iter().zip(remembered);
            named.map(|(slot, values)| NamedTensor {
                name: format!("{}.{slot}", member.name),
                shape: member.shape.clone(),
                values,
            })
        });
        let (kind, tensors) = (self.kind(), tensors.collect());
        Ok(OptimizerState { kind, steps: self.steps, learning_rate: self.learning_rate, tensors })
    }

    /// What is remembered of each member, slot by slot.
    fn remembered(&self) -> Result<Vec<Vec<Vec<f32>>>, NnError> {
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &self.on_gpu {
            let mut of_members = vec![Vec::new(); self.members.len()];
            for slot in 0..self.config.slots().len() {
                for (of_member, values) in of_members.iter_mut().zip(on_gpu.slot(slot)?) {
                    of_member.push(values);
                }
            }
            return Ok(of_members);
        }
        Ok(self.members.iter().map(|member| member.state.clone()).collect())
    }

    /// Replaces what is remembered of each member.
    fn remember(&mut self, remembered: Vec<Vec<Vec<f32>>>) -> Result<(), NnError> {
        #[cfg(feature = "cuda")]
        if let Some(on_gpu) = &mut self.on_gpu {
            for slot in 0..self.config.slots().len() {
                let of_slot: Vec<&[f32]> = remembered.iter().map(|of_member| of_member[slot].as_slice()).collect();
                on_gpu.set_slot(slot, &of_slot)?;
            }
            return Ok(());
        }
        for (member, state) in self.members.iter_mut().zip(remembered) {
            member.state = state;
        }
        Ok(())
    }

    /// Replaces the state by one that [`Optimizer::state`] gave, or not at all where an error is returned. Steps then go on
    /// as if there had been no interruption, to the byte.
    ///
    /// # Errors
    /// [`NnError::OptimizerState`] where it is that of another optimizer or variant, or a tensor is missing, unknown or of
    /// another shape; [`NnError::Setting`] where the learning rate is not at least 0.
    pub fn load_state(&mut self, state: &OptimizerState) -> Result<(), NnError> {
        let fail = |reason| NnError::OptimizerState { reason };
        let OptimizerState { kind, steps, learning_rate, tensors } = state;
        setting::at_least_zero("learning-rate", *learning_rate)?;
        if *kind != self.kind() {
            return Err(fail(format!("it is that of `{kind}`, this is `{}`", self.kind())));
        }
        let slots = self.config.slots();
        let named = |name: &str| slots.iter().map(move |slot| format!("{name}.{slot}")).collect::<Vec<_>>();
        let known: Vec<String> = self.members.iter().flat_map(|member| named(&member.name)).collect();
        if let Some(unknown) = tensors.iter().map(|tensor| &tensor.name).filter(|name| !known.contains(name)).min() {
            return Err(fail(format!("`{unknown}` belongs to no parameter that it steps")));
        }
        let loaded = self.members.iter().map(|member| {
            let found = named(&member.name).into_iter().map(|name| find(tensors, &name, &member.shape).map_err(fail));
            found.map(|tensor| Ok(tensor?.values.clone())).collect::<Result<Vec<_>, NnError>>()
        });
        let loaded = loaded.collect::<Result<Vec<_>, _>>()?;
        self.remember(loaded)?;
        (self.steps, self.learning_rate) = (*steps, *learning_rate);
        Ok(())
    }

    /// The optimizer and its variant.
    fn kind(&self) -> String {
        format!("{}/{}", self.config.name(), self.config.common().variant.name())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;
    use crate::gradients::Gradients;
    use crate::optimizer::{AdamConfig, AdamWConfig, OptimizerConfig, OptimizerVariant, RmsPropConfig, SgdConfig};
    use crate::parameters::Parameters;

    fn parameters(names: &[(&str, usize)]) -> Parameters {
        let mut parameters = Parameters::default();
        for (name, len) in names {
            let values: Vec<f32> = (0..*len).map(|i| i as f32 / 7.0 - 0.3).collect();
            parameters.push((*name).to_string(), Var::from_vec(values, *len, &Device::Cpu).unwrap());
        }
        parameters
    }

    fn two() -> Parameters {
        parameters(&[("conv.weight", 5), ("conv.bias", 2)])
    }

    fn train(optimizer: &mut Optimizer, parameters: &Parameters, steps: usize) {
        for _ in 0..steps {
            let mut loss = parameters.iter().map(|parameter| parameter.var.sin().unwrap().sum_all().unwrap());
            let loss = (loss.next().unwrap() + loss.next().unwrap()).unwrap();
            optimizer.step(parameters, &Gradients::of(&loss, parameters).unwrap()).unwrap();
        }
    }

    fn every_kind() -> [OptimizerConfig; 6] {
        let centered = RmsPropConfig { centered: true, momentum: 0.5, ..RmsPropConfig::default() };
        [
            OptimizerConfig::Sgd(SgdConfig::default()),
            OptimizerConfig::Sgd(SgdConfig { momentum: 0.9, ..SgdConfig::default() }),
            OptimizerConfig::default(),
            OptimizerConfig::Rmsprop(centered),
            OptimizerConfig::Adam(AdamConfig::default()),
            OptimizerConfig::AdamW(AdamWConfig::default()),
        ]
    }

    #[test]
    fn a_resumed_training_ends_with_the_same_bytes_as_one_never_interrupted() {
        for config in every_kind() {
            let whole = two();
            let mut optimizer = Optimizer::new(config.clone(), &whole).unwrap();
            train(&mut optimizer, &whole, 3);
            optimizer.set_learning_rate(0.07).unwrap();
            let (saved, state) = (whole.tensors().unwrap(), optimizer.state().unwrap());
            train(&mut optimizer, &whole, 4);

            let resumed = two();
            resumed.set_tensors(&saved).unwrap();
            let mut second = Optimizer::new(config, &resumed).unwrap();
            second.load_state(&state).unwrap();
            assert_eq!(second.state().unwrap(), state);
            train(&mut second, &resumed, 4);
            assert_eq!(resumed.tensors().unwrap(), whole.tensors().unwrap());
            assert_eq!(second.state().unwrap(), optimizer.state().unwrap());
            assert_eq!(second.steps(), 7);
        }
    }

    #[test]
    fn the_state_is_named_by_parameter() {
        let [.., centered, _, _] = every_kind();
        let optimizer = Optimizer::new(centered, &two()).unwrap();
        let state = optimizer.state().unwrap();
        let mut names: Vec<&str> = state.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        names.sort_unstable();
        let slots = ["mean_gradient", "mean_square", "momentum"];
        let expected = ["conv.bias", "conv.weight"].map(|name| slots.map(|slot| format!("{name}.{slot}")));
        assert_eq!(names, expected.concat());
    }

    #[track_caller]
    fn assert_refused(saved: OptimizerConfig, of: &Parameters, reason: &str) {
        let state = Optimizer::new(saved, of).unwrap().state().unwrap();
        let own = two();
        let config = RmsPropConfig { momentum: 0.5, ..RmsPropConfig::default() };
        let mut optimizer = Optimizer::new(OptimizerConfig::Rmsprop(config), &own).unwrap();
        train(&mut optimizer, &own, 1);
        let before = optimizer.state().unwrap();
        let error = optimizer.load_state(&state).unwrap_err().to_string();
        assert_eq!(error, format!("saved state does not fit this optimizer: {reason}"));
        assert_eq!(optimizer.state().unwrap(), before, "a refused state must change nothing");
    }

    #[test]
    fn the_state_of_another_optimizer_or_network_is_refused_by_name() {
        let own = RmsPropConfig { momentum: 0.5, ..RmsPropConfig::default() };
        let rmsprop = |config| OptimizerConfig::Rmsprop(config);
        let adam = OptimizerConfig::Adam(AdamConfig::default());
        assert_refused(adam, &two(), "it is that of `adam/pytorch`, this is `rmsprop/pytorch`");
        let keras = RmsPropConfig { variant: OptimizerVariant::Keras, ..own.clone() };
        assert_refused(rmsprop(keras), &two(), "it is that of `rmsprop/keras`, this is `rmsprop/pytorch`");
        let plain = RmsPropConfig::default();
        assert_refused(rmsprop(plain), &two(), "`conv.weight.momentum` is missing");
        let centered = RmsPropConfig { centered: true, ..own.clone() };
        let unknown = "`conv.bias.mean_gradient` belongs to no parameter that it steps";
        assert_refused(rmsprop(centered), &two(), unknown);
        let larger = parameters(&[("conv.weight", 5), ("conv.bias", 3)]);
        assert_refused(rmsprop(own.clone()), &larger, "`conv.bias.mean_square` is [3] instead of [2]");
        let fewer = parameters(&[("conv.weight", 5)]);
        assert_refused(rmsprop(own.clone()), &fewer, "`conv.bias.mean_square` is missing");
        let more = parameters(&[("conv.weight", 5), ("conv.bias", 2), ("head.bias", 1)]);
        assert_refused(rmsprop(own), &more, "`head.bias.mean_square` belongs to no parameter that it steps");
    }

    #[test]
    fn a_learning_rate_that_is_none_is_refused() {
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &two()).unwrap();
        let state = OptimizerState { learning_rate: f32::NAN, ..optimizer.state().unwrap() };
        assert!(matches!(optimizer.load_state(&state), Err(NnError::Setting { name: "learning-rate", .. })));
    }
}
