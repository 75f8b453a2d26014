//! A network's layers as data, before it has weights.

use aumenta_nn::{Activation, NamedLayer, NnError, Sequential};
use aumenta_seed::Seed;
use candle_core::Device;

use crate::error::ModelError;
use crate::model::{Model, SequentialModel};
use crate::summary::Summary;

/// ImageNet's classes, for which the weights of backbones were trained.
pub(crate) const IMAGENET_CLASSES: usize = 1000;

/// The side in pixels of the images that backbones were trained on.
pub(crate) fn imagenet_image_size() -> usize {
    224
}

/// The layers of a network: a base that computes features, and a head that computes logits from them.
#[derive(Clone, Debug)]
pub struct Architecture {
    name: String,
    input: [usize; 3],
    layers: Vec<NamedLayer>,
    /// The index of the head's first layer.
    head: usize,
    summary: Summary,
}

impl Architecture {
    /// Checks that the layers fit each other and end in a vector of logits.
    pub(crate) fn new(
        name: &str,
        input: [usize; 3],
        features: Vec<NamedLayer>,
        head: Vec<NamedLayer>,
    ) -> Result<Self, ModelError> {
        let boundary = features.len();
        let layers: Vec<NamedLayer> = features.into_iter().chain(head).collect();
        let fits = || {
            NamedLayer::check_names(&layers)?;
            let summary = Summary::new(name, &input, &layers)?;
            check_logits(&summary, &layers)?;
            Ok(summary)
        };
        let summary = fits().map_err(|source| ModelError::layers(name, source))?;
        Ok(Self { name: name.to_string(), input, layers, head: boundary, summary })
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows, columns and channels of an input sample.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The layers, of which the last ones are the head.
    pub fn layers(&self) -> &[NamedLayer] {
        &self.layers
    }

    /// The layers of the head.
    pub fn head(&self) -> &[NamedLayer] {
        &self.layers[self.head..]
    }

    /// How many logits the network computes: 1 for two classes, otherwise one a class.
    pub fn outputs(&self) -> usize {
        self.summary.rows.iter().rfind(|row| row.depth == 0).map_or(0, |row| row.output.iter().product())
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
            .map_err(|source| ModelError::layers(&self.name, source))?;
        Ok(Box::new(SequentialModel::new(network, self.head..self.layers.len())))
    }
}

/// Whether the last layer's output is a vector of logits.
fn check_logits(summary: &Summary, layers: &[NamedLayer]) -> Result<(), NnError> {
    let (Some(layer), Some(row)) = (layers.last(), summary.rows.iter().rfind(|row| row.depth == 0)) else {
        return Err(NnError::Layer { layer: String::new(), reason: "there is no layer".to_string() });
    };
    let refuse = |reason| Err(NnError::Layer { layer: layer.name.clone(), reason });
    let activation = layer.activation();
    if activation != Activation::Linear {
        return refuse(format!(
            "the last layer has the activation {activation:?}, but the loss works on logits, as probabilities lose \
             precision: leave the activation out"
        ));
    }
    match row.output[..] {
        [_] => Ok(()),
        _ => refuse(format!(
            "the last layer makes {:?}, but there must be one number a class: end with a dense layer, or with \
             global-avg-pool2d",
            row.output
        )),
    }
}

/// How many logits tell `classes` classes apart: one for two classes.
pub(crate) fn logits(model: &str, layer: &str, classes: usize) -> Result<usize, ModelError> {
    match classes {
        0 | 1 => {
            let reason = format!("there must be at least 2 classes, got {classes}");
            Err(ModelError::layers(model, NnError::Layer { layer: layer.to_string(), reason }))
        }
        2 => Ok(1),
        _ => Ok(classes),
    }
}
