//! An optimizer's state as a safetensors file, so that a training can be interrupted.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::Optimizer;
use crate::error::NnError;
use crate::parameters::{safetensors_metadata, serialize};
use crate::setting;

/// The one entry of the header's metadata.
const METADATA: &str = "optimizer";

impl Optimizer {
    /// Everything that the next step depends on besides the parameters and settings, as a safetensors file: what is
    /// remembered of each parameter, such as `conv1.weight.mean_square`, the count of steps and the learning rate. The
    /// same state gives the same bytes.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where the file would not be one.
    pub fn state(&self) -> Result<Vec<u8>, NnError> {
        let slots = self.config.slots();
        let tensors = self.members.iter().flat_map(|member| {
            let named = slots.iter().zip(&member.state);
            named.map(|(slot, values)| (format!("{}.{slot}", member.name), member.shape.clone(), values))
        });
        let tensors: Vec<_> = tensors.map(|(name, shape, values)| (name, shape, bytes_of(values))).collect();
        let Self { steps, learning_rate, .. } = self;
        let header = format!("{} steps={steps} learning-rate={learning_rate}", self.kind());
        serialize(&tensors, &[(METADATA, header)])
    }

    /// Replaces the state by one that [`Optimizer::state`] gave, or not at all where an error is returned. Steps then go on
    /// as if there had been no interruption, to the byte.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where `bytes` is no safetensors file, [`NnError::OptimizerState`] where it is that of another
    /// optimizer or variant, or a tensor is missing, unknown, of another shape or not f32.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), NnError> {
        let fail = |reason| Err(NnError::OptimizerState { reason });
        let metadata = safetensors_metadata(bytes)?;
        let Some(header) = metadata.get(METADATA).map(String::as_str) else {
            return fail(format!("its header has no `{METADATA}`"));
        };
        let Some((kind, steps, learning_rate)) = parsed(header) else {
            return fail(format!("its header holds `{header}`, which is no optimizer's"));
        };
        if kind != self.kind() {
            return fail(format!("it is that of `{kind}`, this is `{}`", self.kind()));
        }
        let file = SafeTensors::deserialize(bytes)?;
        let slots = self.config.slots();
        let mut loaded = Vec::with_capacity(self.members.len());
        let mut known = Vec::with_capacity(self.members.len() * slots.len());
        for member in &self.members {
            let mut state = Vec::with_capacity(slots.len());
            for slot in &slots {
                let name = format!("{}.{slot}", member.name);
                let Ok(view) = file.tensor(&name) else { return fail(format!("`{name}` is missing")) };
                if view.dtype() != Dtype::F32 || view.shape() != member.shape {
                    let (shape, dtype) = (view.shape(), view.dtype());
                    return fail(format!("`{name}` is {dtype:?} {shape:?} instead of F32 {:?}", member.shape));
                }
                state.push(values_of(view.data()));
                known.push(name);
            }
            loaded.push(state);
        }
        if let Some(unknown) = file.names().into_iter().filter(|name| !known.iter().any(|known| known == name)).min() {
            return fail(format!("`{unknown}` belongs to no parameter that it steps"));
        }
        for (member, state) in self.members.iter_mut().zip(loaded) {
            member.state = state;
        }
        (self.steps, self.learning_rate) = (steps, learning_rate);
        Ok(())
    }

    /// The optimizer and its variant: the formula that the state belongs to.
    fn kind(&self) -> String {
        format!("{}/{}", self.config.name(), self.config.common().variant.name())
    }
}

/// Optimizer, steps and learning rate of a header.
fn parsed(header: &str) -> Option<(&str, u64, f32)> {
    let mut words = header.split(' ');
    let kind = words.next()?;
    let steps = words.next()?.strip_prefix("steps=")?.parse().ok()?;
    let learning_rate = words.next()?.strip_prefix("learning-rate=")?.parse().ok()?;
    setting::at_least_zero("learning-rate", learning_rate).ok()?;
    words.next().is_none().then_some((kind, steps, learning_rate))
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn values_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
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
            let (saved, state) = (whole.to_safetensors(&[]).unwrap(), optimizer.state().unwrap());
            train(&mut optimizer, &whole, 4);

            let resumed = two();
            resumed.load_safetensors(&saved).unwrap();
            let mut second = Optimizer::new(config, &resumed).unwrap();
            second.load_state(&state).unwrap();
            assert_eq!(second.state().unwrap(), state);
            train(&mut second, &resumed, 4);
            assert_eq!(resumed.to_safetensors(&[]).unwrap(), whole.to_safetensors(&[]).unwrap());
            assert_eq!(second.state().unwrap(), optimizer.state().unwrap());
            assert_eq!(second.steps(), 7);
        }
    }

    #[test]
    fn the_state_is_named_by_parameter() {
        let [.., centered, _, _] = every_kind();
        let optimizer = Optimizer::new(centered, &two()).unwrap();
        let state = optimizer.state().unwrap();
        let file = SafeTensors::deserialize(&state).unwrap();
        let mut names = file.names();
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
        assert_eq!(optimizer.state().unwrap(), before, "a refused file must change nothing");
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
        assert_refused(rmsprop(own.clone()), &larger, "`conv.bias.mean_square` is F32 [3] instead of F32 [2]");
        let fewer = parameters(&[("conv.weight", 5)]);
        assert_refused(rmsprop(own.clone()), &fewer, "`conv.bias.mean_square` is missing");
        let more = parameters(&[("conv.weight", 5), ("conv.bias", 2), ("head.bias", 1)]);
        assert_refused(rmsprop(own), &more, "`head.bias.mean_square` belongs to no parameter that it steps");
    }

    #[test]
    fn weights_and_damaged_files_are_refused() {
        let parameters = two();
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &parameters).unwrap();
        let error = optimizer.load_state(&parameters.to_safetensors(&[]).unwrap()).unwrap_err().to_string();
        assert!(error.ends_with("its header has no `optimizer`"), "{error}");
        for header in ["rmsprop/pytorch", "rmsprop/pytorch steps=-1 learning-rate=1", "a steps=1 learning-rate=NaN"] {
            let bytes = parameters.to_safetensors(&[("optimizer", header.to_string())]).unwrap();
            let error = optimizer.load_state(&bytes).unwrap_err().to_string();
            assert!(error.ends_with(&format!("its header holds `{header}`, which is no optimizer's")), "{error}");
        }
        let state = optimizer.state().unwrap();
        let error = optimizer.load_state(&state[..state.len() / 2]).unwrap_err();
        assert!(matches!(error, NnError::Safetensors(_)), "{error}");
    }
}
