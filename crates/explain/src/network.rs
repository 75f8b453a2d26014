//! [`Network`]: a network as it is looked into: layers whose outputs are pictures, and gradients of a class's score.

use std::ops::ControlFlow;

use aumenta_models::{Architecture, Model};
use candle_core::{Device, Tensor, Var};

use crate::error::ExplainError;

/// A network that is looked into, in evaluation. No parameter of it changes.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    architecture: &'a Architecture,
    model: &'a dyn Model,
}

/// A layer whose output is a picture for each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureLayer {
    /// Its name.
    pub name: String,
    /// Its kind, such as `Conv2d`.
    pub kind: &'static str,
    /// In how many residual blocks it stands.
    pub depth: usize,
    /// Rows, columns and channels of its output for an image of the network's size.
    pub shape: [usize; 3],
}

impl PictureLayer {
    /// Whether it only passes on what others computed: pooling, dropout, flattening.
    fn passes_on(&self) -> bool {
        self.kind.contains("Pool") || self.kind.contains("Dropout") || self.kind == "Flatten"
    }
}

impl<'a> Network<'a> {
    /// A network and the layers that it is made of.
    pub fn new(architecture: &'a Architecture, model: &'a dyn Model) -> Self {
        Self { architecture, model }
    }

    /// All layers whose outputs have more than one pixel, in order; those within a block behind it.
    pub fn layers(&self) -> Vec<PictureLayer> {
        let rows = self.architecture.summary().rows.into_iter();
        rows.filter_map(|row| match row.output[..] {
            [height, width, channels] if height * width > 1 => Some(PictureLayer {
                name: row.name,
                kind: row.kind,
                depth: row.depth,
                shape: [height, width, channels],
            }),
            _ => None,
        })
        .collect()
    }

    /// The layer named `name`.
    ///
    /// # Errors
    /// [`ExplainError::Layer`] where no layer with such an output has this name.
    pub fn layer(&self, name: &str) -> Result<PictureLayer, ExplainError> {
        let layers = self.layers();
        let known = || layers.iter().map(|layer| format!("`{}`", layer.name)).collect::<Vec<_>>().join(", ");
        let found = layers.iter().find(|layer| layer.name == name).cloned();
        found.ok_or_else(|| ExplainError::Layer { name: name.to_string(), known: known() })
    }

    /// The last layer outside of any block that computes a picture, which class activation maps are made of: what comes after it
    /// forgets where things are.
    ///
    /// # Errors
    /// [`ExplainError::NoPictures`] where no layer's output is a picture.
    pub fn last_layer(&self) -> Result<PictureLayer, ExplainError> {
        let found = self.layers().into_iter().rfind(|layer| layer.depth == 0 && !layer.passes_on());
        found.ok_or(ExplainError::NoPictures)
    }

    /// How many classes the network tells apart.
    pub fn classes(&self) -> usize {
        self.architecture.classes()
    }

    /// Rows, columns and channels of an image.
    pub fn input(&self) -> [usize; 3] {
        self.architecture.input()
    }

    /// The network itself.
    pub fn model(&self) -> &'a dyn Model {
        self.model
    }

    /// Where its parameters are, and images have to be.
    pub(crate) fn device(&self) -> Device {
        self.model.parameters().all().next().map_or(Device::Cpu, |parameter| parameter.var.device().clone())
    }

    /// Whether there is such a class.
    pub(crate) fn check_class(&self, class: usize) -> Result<(), ExplainError> {
        let classes = self.classes();
        if class < classes { Ok(()) } else { Err(ExplainError::Class { class, classes }) }
    }

    /// The output of layer `name` for a batch of images of any size that fits.
    pub(crate) fn output_of(&self, images: &Tensor, name: &str) -> Result<Tensor, ExplainError> {
        self.layer(name)?;
        let mut found = None;
        self.model.trace(images, &mut |layer, output| {
            if layer.name == name {
                found = Some(output);
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(output))
        })?;
        let Some(output) = found else { unreachable!("every layer is shown, and there is one of this name") };
        Ok(output)
    }

    /// The output of layer `name` for one image, `[height, width, channels]`, and the gradient of the score of `class` to it.
    pub(crate) fn output_and_gradient(
        &self,
        image: &Tensor,
        name: &str,
        class: usize,
    ) -> Result<(Tensor, Tensor), ExplainError> {
        self.check_class(class)?;
        self.layer(name)?;
        let mut kept = None;
        let logits = self.model.trace(image, &mut |layer, output| {
            if layer.name != name {
                return Ok(ControlFlow::Continue(output));
            }
            let var = kept.insert(Var::from_tensor(&output)?);
            Ok(ControlFlow::Continue(var.as_tensor().clone()))
        })?;
        let (Some(var), Some(logits)) = (kept, logits) else {
            unreachable!("every layer is shown, and there is one of this name")
        };
        let gradient = gradient(&score(&logits, class)?.sum_all()?, &var)?;
        Ok((var.as_detached_tensor().squeeze(0)?, gradient.squeeze(0)?))
    }

    /// The gradients of the score of `class` to a batch of images.
    pub(crate) fn image_gradients(&self, images: &Tensor, class: usize) -> Result<Tensor, ExplainError> {
        self.check_class(class)?;
        let var = Var::from_tensor(&images.contiguous()?)?;
        let logits = self.model.trace(var.as_tensor(), &mut |_, output| Ok(ControlFlow::Continue(output)))?;
        let Some(logits) = logits else { unreachable!("the visitor ends no pass") };
        gradient(&score(&logits, class)?.sum_all()?, &var)
    }
}

/// The score of `class`, `[n]`: its logit; of two classes that share one logit, which is the log-odds of the second, the first
/// one's is the negative.
fn score(logits: &Tensor, class: usize) -> Result<Tensor, ExplainError> {
    if logits.dim(1)? == 1 {
        let score = logits.squeeze(1)?;
        return Ok(if class == 0 { score.neg()? } else { score });
    }
    Ok(logits.narrow(1, class, 1)?.squeeze(1)?)
}

/// The gradient of `of` to `var`: zeros where it does not depend on it.
pub(crate) fn gradient(of: &Tensor, var: &Var) -> Result<Tensor, ExplainError> {
    let gradient = of.backward()?.remove(var);
    Ok(match gradient {
        Some(gradient) => gradient.contiguous()?,
        None => var.as_detached_tensor().zeros_like()?,
    })
}
