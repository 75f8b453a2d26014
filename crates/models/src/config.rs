//! Which architecture a run uses, and its settings.

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::error::ModelError;
use crate::{cats_dogs_convnet, efficientnet_lite0, mnist_convnet};

/// A model's name and settings, as the `[model]` table of a configuration holds them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum ModelConfig {
    /// The network for 28x28 gray digits.
    MnistConvnet {},
    /// The network for RGB photographs of two classes.
    CatsDogsConvnet {
        /// The input's side in pixels.
        #[serde(default = "cats_dogs_convnet::default_image_size")]
        image_size: usize,
        /// The dropout rate before the dense layers, in `[0, 1)`; 0 leaves the layer out.
        #[serde(default)]
        dropout: f32,
    },
    /// A network for RGB photographs of any classes, light enough for a small device.
    EfficientnetLite0 {
        /// The input's side in pixels.
        #[serde(default = "efficientnet_lite0::default_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or ImageNet's 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
    },
}

impl ModelConfig {
    /// The names of all models.
    pub const NAMES: [&str; 3] = ["mnist-convnet", "cats-dogs-convnet", "efficientnet-lite0"];

    /// The model named `name`, with default settings.
    ///
    /// # Errors
    /// [`ModelError::UnknownModel`] where there is none.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        match name {
            "mnist-convnet" => Ok(Self::MnistConvnet {}),
            "cats-dogs-convnet" => {
                Ok(Self::CatsDogsConvnet { image_size: cats_dogs_convnet::default_image_size(), dropout: 0.0 })
            }
            "efficientnet-lite0" => {
                Ok(Self::EfficientnetLite0 { image_size: efficientnet_lite0::default_image_size(), classes: None })
            }
            _ => Err(ModelError::UnknownModel {
                name: name.to_string(),
                known: Self::NAMES.map(|name| format!("`{name}`")).join(", "),
            }),
        }
    }

    /// The model's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MnistConvnet {} => "mnist-convnet",
            Self::CatsDogsConvnet { .. } => "cats-dogs-convnet",
            Self::EfficientnetLite0 { .. } => "efficientnet-lite0",
        }
    }

    /// The same model with the given settings in place of its own.
    ///
    /// # Errors
    /// [`ModelError::NoSetting`] where the model does not have a given setting.
    pub fn with(self, image_size: Option<usize>, dropout: Option<f32>) -> Result<Self, ModelError> {
        match self {
            Self::CatsDogsConvnet { image_size: old_size, dropout: old_dropout } => Ok(Self::CatsDogsConvnet {
                image_size: image_size.unwrap_or(old_size),
                dropout: dropout.unwrap_or(old_dropout),
            }),
            Self::EfficientnetLite0 { image_size: old_size, classes } if dropout.is_none() => {
                Ok(Self::EfficientnetLite0 { image_size: image_size.unwrap_or(old_size), classes })
            }
            Self::EfficientnetLite0 { .. } => Err(ModelError::NoSetting { model: self.name(), setting: "dropout" }),
            Self::MnistConvnet {} => {
                let given = [("image-size", image_size.is_some()), ("dropout", dropout.is_some())];
                match given.into_iter().find(|(_, given)| *given) {
                    Some((setting, _)) => Err(ModelError::NoSetting { model: self.name(), setting }),
                    None => Ok(self),
                }
            }
        }
    }

    /// The same model for `classes` classes, where it takes any number and was not given one.
    #[must_use]
    pub fn for_classes(self, count: usize) -> Self {
        match self {
            Self::EfficientnetLite0 { image_size, classes: None } => {
                Self::EfficientnetLite0 { image_size, classes: Some(count) }
            }
            other => other,
        }
    }

    /// The configured layers.
    ///
    /// # Errors
    /// [`ModelError::Layers`] where the settings do not fit, such as an image too small for its four poolings.
    pub fn architecture(&self) -> Result<Architecture, ModelError> {
        match *self {
            Self::MnistConvnet {} => mnist_convnet::architecture(),
            Self::CatsDogsConvnet { image_size, dropout } => cats_dogs_convnet::architecture(image_size, dropout),
            Self::EfficientnetLite0 { image_size, classes } => efficientnet_lite0::architecture(image_size, classes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_model_that_has_that_name() {
        for name in ModelConfig::NAMES {
            let config = ModelConfig::named(name).unwrap();
            assert_eq!(config.architecture().unwrap().name(), name);
            let text = toml::to_string(&config).unwrap();
            assert!(text.starts_with(&format!("name = \"{name}\"")));
            assert_eq!(toml::from_str::<ModelConfig>(&text).unwrap(), config);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = ModelConfig::named("resnet").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no model named `resnet`; the models are `mnist-convnet`, `cats-dogs-convnet`, `efficientnet-lite0`"
        );
    }

    #[test]
    fn settings_replace_those_that_the_model_has() {
        let model = ModelConfig::named("cats-dogs-convnet").unwrap();
        let changed = model.clone().with(None, Some(0.5)).unwrap();
        assert_eq!(changed, ModelConfig::CatsDogsConvnet { image_size: 150, dropout: 0.5 });
        assert_eq!(model.clone().with(None, None).unwrap(), model);
        let error = ModelConfig::MnistConvnet {}.with(None, Some(0.5)).unwrap_err();
        assert_eq!(error.to_string(), "the model `mnist-convnet` has no setting `dropout`");
    }

    #[test]
    fn the_data_decides_on_classes_that_were_not_given() {
        let model = ModelConfig::named("efficientnet-lite0").unwrap();
        assert_eq!(model.architecture().unwrap().classes(), 1000);
        let of_two = model.clone().for_classes(2);
        assert_eq!(of_two.architecture().unwrap().outputs(), 1);
        assert_eq!(of_two.clone().for_classes(5), of_two);
        assert_eq!(model.for_classes(5).architecture().unwrap().outputs(), 5);
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in ["name = \"mnist-convnet\"\ndropout = 0.5", "name = \"cats-dogs-convnet\"\nimage_size = 90"] {
            assert!(toml::from_str::<ModelConfig>(text).unwrap_err().to_string().contains("unknown field"));
        }
    }

    #[test]
    fn settings_that_do_not_fit_name_the_layer() {
        let config = ModelConfig::CatsDogsConvnet { image_size: 40, dropout: 0.0 };
        let error = config.architecture().unwrap_err();
        let ModelError::Layers { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().starts_with("layer `pool4`"), "{source}");
        assert!(ModelConfig::CatsDogsConvnet { image_size: 90, dropout: 1.5 }.architecture().is_err());
    }
}
