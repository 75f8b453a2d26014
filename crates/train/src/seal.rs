//! The proof that frozen means frozen: a hash of every tensor that must stay as it is.

use aumenta_nn::{NnError, Optimizer, Parameter, Parameters};
use blake3::{Hash, Hasher};

use crate::error::TrainError;

/// The hashes of all tensors that a phase of a training must not change.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    tensors: Vec<(String, Hash)>,
    /// How many numbers they hold.
    pub numbers: usize,
}

impl Seal {
    /// Of what is frozen in `parameters`, and of what `optimizer` leaves alone.
    pub fn new(parameters: &Parameters, optimizer: &Optimizer) -> Result<Self, NnError> {
        let left_alone = parameters.iter().filter(|parameter| !optimizer.moves(&parameter.name));
        let sealed: Vec<&Parameter> = parameters.frozen().chain(left_alone).collect();
        let numbers = sealed.iter().map(|parameter| parameter.var.elem_count()).sum();
        let tensors = sealed.into_iter().map(|parameter| Ok((parameter.name.clone(), hash_of(parameter)?)));
        Ok(Self { tensors: tensors.collect::<Result<_, NnError>>()?, numbers })
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// The hash of all of them.
    pub fn hash(&self) -> Hash {
        let mut hasher = Hasher::new();
        for (name, hash) in &self.tensors {
            hasher.update(name.as_bytes()).update(&[0]).update(hash.as_bytes());
        }
        hasher.finalize()
    }

    /// Whether all tensors still have the values that they had, after epoch `epoch`, counted from 1.
    ///
    /// # Errors
    /// [`TrainError::FrozenMoved`], naming the first that does not.
    pub fn check(&self, parameters: &Parameters, epoch: usize) -> Result<(), TrainError> {
        for (name, hash) in &self.tensors {
            let parameter = parameters.all().find(|parameter| parameter.name == *name);
            if parameter.map(hash_of).transpose()? != Some(*hash) {
                return Err(TrainError::FrozenMoved { name: name.clone(), epoch });
            }
        }
        Ok(())
    }
}

/// The hash of the shape and the values of a tensor.
pub(crate) fn hash_of(parameter: &Parameter) -> Result<Hash, NnError> {
    let mut hasher = Hasher::new();
    for size in parameter.var.dims() {
        hasher.update(&(*size as u64).to_le_bytes());
    }
    let values: Vec<f32> = parameter.var.flatten_all()?.to_vec1()?;
    for piece in values.chunks(1 << 12) {
        let bytes: Vec<u8> = piece.iter().flat_map(|value| value.to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use aumenta_nn::{OptimizerConfig, ParameterGroup, SgdConfig};
    use candle_core::{Device, Tensor, Var};

    use super::*;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::default();
        for name in ["base.weight", "base.bias", "head.weight"] {
            parameters.push(name.to_string(), Var::new(&[1f32, -2.0], &Device::Cpu).unwrap());
        }
        parameters
    }

    /// Of `base.*`, which a group of the optimizer freezes.
    fn seal(parameters: &Parameters) -> Seal {
        let groups = vec![ParameterGroup { frozen: true, ..ParameterGroup::new("base.*") }];
        let config = OptimizerConfig::Sgd(SgdConfig { groups, ..SgdConfig::default() });
        Seal::new(parameters, &Optimizer::new(config, parameters).unwrap()).unwrap()
    }

    #[test]
    fn a_tensor_that_moved_breaks_the_seal_by_name_and_others_may_move() {
        let parameters = parameters();
        let seal = seal(&parameters);
        assert_eq!((seal.len(), seal.numbers), (2, 4));
        let set = |name: &str, values: [f32; 2]| {
            parameters.get(name).unwrap().set(&Tensor::new(&values, &Device::Cpu).unwrap()).unwrap();
        };
        set("head.weight", [5.0, 5.0]);
        seal.check(&parameters, 1).unwrap();
        set("base.bias", [1.0, -2.000_000_2]);
        let message = seal.check(&parameters, 3).unwrap_err().to_string();
        assert!(message.contains("`base.bias`") && message.contains("epoch 3"), "{message}");
        set("base.bias", [1.0, -2.0]);
        seal.check(&parameters, 4).unwrap();
    }

    #[test]
    fn the_hash_is_that_of_names_and_values() {
        let hash = seal(&parameters()).hash();
        assert_eq!(hash, seal(&parameters()).hash());
        let other = parameters();
        other.get("base.weight").unwrap().set(&Tensor::new(&[1f32, 2.0], &Device::Cpu).unwrap()).unwrap();
        assert_ne!(hash, seal(&other).hash());
    }
}
