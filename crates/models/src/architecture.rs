//! A network's layers as data, before it has weights.

use aumenta_nn::{NamedLayer, NnError, Sequential};
use aumenta_seed::Seed;
use candle_core::Device;

use crate::error::ModelError;
use crate::model::{Model, SequentialModel};

/// The layers of a network: a base that computes features, and a head that computes logits from them.
#[derive(Clone, Debug)]
pub struct Architecture {
    name: &'static str,
    input: [usize; 3],
    layers: Vec<NamedLayer>,
    /// The index of the head's first layer.
    head: usize,
    summary: Summary,
}

impl Architecture {
    /// Checks that the layers fit each other and end in a vector of logits.
    pub(crate) fn new(
        name: &'static str,
        input: [usize; 3],
        features: Vec<NamedLayer>,
        head: Vec<NamedLayer>,
    ) -> Result<Self, ModelError> {
        let boundary = features.len();
        let layers: Vec<NamedLayer> = features.into_iter().chain(head).collect();
        let summary =
            Summary::new(name, &input, &layers).map_err(|source| ModelError::Layers { model: name, source })?;
        Ok(Self { name, input, layers, head: boundary, summary })
    }

    /// The model's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Rows, columns and channels of an input sample.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// How many logits the network computes: 1 for two classes, otherwise one a class.
    pub fn outputs(&self) -> usize {
        self.summary.rows.last().map_or(0, |row| row.output.iter().product())
    }

    /// How many classes the network tells apart.
    pub fn classes(&self) -> usize {
        self.outputs().max(2)
    }

    /// The table of layers.
    pub fn summary(&self) -> Summary {
        self.summary.clone()
    }

    /// The network with fresh weights from `seed`, on `device`.
    ///
    /// # Errors
    /// [`ModelError::Layers`] where memory cannot be had on the device.
    pub fn build(&self, seed: Seed, device: &Device) -> Result<Box<dyn Model>, ModelError> {
        let network = Sequential::new(&self.input, &self.layers, seed, device)
            .map_err(|source| ModelError::Layers { model: self.name, source })?;
        Ok(Box::new(SequentialModel::new(network, self.head..self.layers.len())))
    }
}

/// The table of a network's layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The model's name.
    pub model: &'static str,
    /// The shape of an input sample.
    pub input: Vec<usize>,
    /// One row a layer, in order.
    pub rows: Vec<SummaryRow>,
}

/// A layer's line in a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's name.
    pub name: String,
    /// Its kind, such as `Conv2d`.
    pub kind: &'static str,
    /// The shape of one output sample.
    pub output: Vec<usize>,
    /// How many trainable numbers it has.
    pub parameters: usize,
}

impl Summary {
    fn new(model: &'static str, input: &[usize], layers: &[NamedLayer]) -> Result<Self, NnError> {
        let mut shape = input.to_vec();
        let mut rows = Vec::with_capacity(layers.len());
        for layer in layers {
            let output = layer.output_shape(&shape)?;
            let parameters = layer.parameter_shapes(&shape);
            rows.push(SummaryRow {
                name: layer.name.clone(),
                kind: layer.spec.type_name(),
                output: output.clone(),
                parameters: parameters
                    .iter()
                    .filter(|parameter| parameter.role.is_trained())
                    .map(|parameter| parameter.shape.iter().product::<usize>())
                    .sum(),
            });
            shape = output;
        }
        Ok(Self { model, input: input.to_vec(), rows })
    }

    /// How many trainable numbers the network has.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }
}
