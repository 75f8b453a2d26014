//! Which architecture a run uses, and its settings.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, imagenet_image_size};
use crate::error::ModelError;
use crate::sequential::SequentialConfig;
use crate::vgg16::Vgg16Top;
use crate::{cats_dogs_convnet, efficientnet_lite0, mnist_convnet, mobilenet_v2, resnet_small, resnet18, vgg16};

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
        #[serde(default = "imagenet_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or ImageNet's 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
    },
    /// A residual network for small RGB images of any classes.
    ResnetSmall {
        /// The input's side in pixels.
        #[serde(default = "resnet_small::default_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or CIFAR-10's ten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
    },
    /// A network of inverted residual blocks for RGB photographs of any classes, light enough for a small device.
    MobilenetV2 {
        /// The input's side in pixels.
        #[serde(default = "imagenet_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or ImageNet's 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
    },
    /// A residual network for RGB photographs of any classes.
    Resnet18 {
        /// The input's side in pixels.
        #[serde(default = "imagenet_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or ImageNet's 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
    },
    /// The network of 16 layers whose base the book builds on, for RGB photographs of any classes.
    Vgg16 {
        /// The input's side in pixels.
        #[serde(default = "imagenet_image_size")]
        image_size: usize,
        /// The classes told apart; where they are not given, as many as the data has, or ImageNet's 1,000.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        classes: Option<usize>,
        /// What stands on the base.
        #[serde(default)]
        top: Vgg16Top,
    },
    /// A network of its own, with all its layers.
    Sequential(SequentialConfig),
}

impl ModelConfig {
    /// The names of all models that are built in.
    pub const NAMES: [&str; 7] = [
        "mnist-convnet",
        "cats-dogs-convnet",
        resnet_small::NAME,
        efficientnet_lite0::NAME,
        mobilenet_v2::NAME,
        resnet18::NAME,
        vgg16::NAME,
    ];

    /// The model that is named `model`, with default settings, or that the file at the path `model` describes, which ends in
    /// `.toml`.
    ///
    /// # Errors
    /// As [`ModelConfig::named`] and [`SequentialConfig::read`].
    pub fn open(model: &str) -> Result<Self, ModelError> {
        let path = Path::new(model);
        let is_file = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_file { SequentialConfig::read(path).map(Self::Sequential) } else { Self::named(model) }
    }

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
            efficientnet_lite0::NAME => {
                Ok(Self::EfficientnetLite0 { image_size: imagenet_image_size(), classes: None })
            }
            mobilenet_v2::NAME => Ok(Self::MobilenetV2 { image_size: imagenet_image_size(), classes: None }),
            resnet_small::NAME => {
                Ok(Self::ResnetSmall { image_size: resnet_small::default_image_size(), classes: None })
            }
            resnet18::NAME => Ok(Self::Resnet18 { image_size: imagenet_image_size(), classes: None }),
            vgg16::NAME => {
                Ok(Self::Vgg16 { image_size: imagenet_image_size(), classes: None, top: Vgg16Top::default() })
            }
            _ => Err(ModelError::UnknownModel {
                name: name.to_string(),
                known: Self::NAMES.map(|name| format!("`{name}`")).join(", "),
            }),
        }
    }

    /// The model's name in configurations; [`Architecture::name`] is the network's own.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MnistConvnet {} => "mnist-convnet",
            Self::CatsDogsConvnet { .. } => "cats-dogs-convnet",
            Self::EfficientnetLite0 { .. } => efficientnet_lite0::NAME,
            Self::MobilenetV2 { .. } => mobilenet_v2::NAME,
            Self::ResnetSmall { .. } => resnet_small::NAME,
            Self::Resnet18 { .. } => resnet18::NAME,
            Self::Vgg16 { .. } => vgg16::NAME,
            Self::Sequential(_) => "sequential",
        }
    }

    /// The same model with the given settings in place of its own.
    ///
    /// # Errors
    /// [`ModelError::NoSetting`] where the model does not have a given setting.
    pub fn with(mut self, image_size: Option<usize>, dropout: Option<f32>) -> Result<Self, ModelError> {
        let model = self.name();
        let (own_size, own_dropout) = match &mut self {
            Self::MnistConvnet {} | Self::Sequential(_) => (None, None),
            Self::CatsDogsConvnet { image_size, dropout } => (Some(image_size), Some(dropout)),
            Self::EfficientnetLite0 { image_size, .. }
            | Self::MobilenetV2 { image_size, .. }
            | Self::ResnetSmall { image_size, .. }
            | Self::Resnet18 { image_size, .. }
            | Self::Vgg16 { image_size, .. } => (Some(image_size), None),
        };
        replace(model, "image-size", own_size, image_size)?;
        replace(model, "dropout", own_dropout, dropout)?;
        Ok(self)
    }

    /// The same model for `classes` classes, where it takes any number and was not given one.
    #[must_use]
    pub fn for_classes(mut self, count: usize) -> Self {
        if let Self::EfficientnetLite0 { classes, .. }
        | Self::MobilenetV2 { classes, .. }
        | Self::ResnetSmall { classes, .. }
        | Self::Resnet18 { classes, .. }
        | Self::Vgg16 { classes, .. } = &mut self
        {
            classes.get_or_insert(count);
        }
        self
    }

    /// The configured layers.
    ///
    /// # Errors
    /// [`ModelError::Layers`] where the settings do not fit, such as an image too small for its four poolings.
    pub fn architecture(&self) -> Result<Architecture, ModelError> {
        match self {
            Self::MnistConvnet {} => mnist_convnet::architecture(),
            Self::CatsDogsConvnet { image_size, dropout } => cats_dogs_convnet::architecture(*image_size, *dropout),
            Self::EfficientnetLite0 { image_size, classes } => efficientnet_lite0::architecture(*image_size, *classes),
            Self::MobilenetV2 { image_size, classes } => mobilenet_v2::architecture(*image_size, *classes),
            Self::ResnetSmall { image_size, classes } => resnet_small::architecture(*image_size, *classes),
            Self::Resnet18 { image_size, classes } => resnet18::architecture(*image_size, *classes),
            Self::Vgg16 { image_size, classes, top } => vgg16::architecture(*image_size, *classes, *top),
            Self::Sequential(config) => config.architecture(),
        }
    }
}

/// Puts what is `given` in place of a model's `own` setting, which must be there then.
fn replace<T>(
    model: &'static str,
    setting: &'static str,
    own: Option<&mut T>,
    given: Option<T>,
) -> Result<(), ModelError> {
    match (own, given) {
        (_, None) => Ok(()),
        (Some(own), Some(given)) => {
            *own = given;
            Ok(())
        }
        (None, Some(_)) => Err(ModelError::NoSetting { model, setting }),
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
            "there is no model named `resnet`; the models are `mnist-convnet`, `cats-dogs-convnet`, `resnet-small`, \
             `efficientnet-lite0`, `mobilenet-v2`, `resnet18`, `vgg16`, and a model file's name ends in `.toml`"
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
    fn the_top_of_vgg16_is_a_setting() {
        let model: ModelConfig = toml::from_str("name = \"vgg16\"\nimage-size = 150\ntop = \"dense-256\"").unwrap();
        assert_eq!(model, ModelConfig::Vgg16 { image_size: 150, classes: None, top: Vgg16Top::Dense256 });
        assert_eq!(toml::from_str::<ModelConfig>(&toml::to_string(&model).unwrap()).unwrap(), model);
        let error = toml::from_str::<ModelConfig>("name = \"vgg16\"\ntop = \"dense-512\"").unwrap_err().to_string();
        assert!(error.contains("expected `original` or `dense-256`"), "{error}");
    }

    #[test]
    fn a_name_that_ends_in_toml_is_a_model_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.toml");
        let text = "input = [8, 8, 1]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 3 }]";
        fs_err::write(&path, text).unwrap();
        let model = ModelConfig::open(path.to_str().unwrap()).unwrap();
        assert_eq!((model.name(), model.architecture().unwrap().name()), ("sequential", "net"));
        assert_eq!(model.architecture().unwrap().classes(), 3);
        let text = toml::to_string(&model).unwrap();
        assert!(text.starts_with("name = \"sequential\"\ntitle = \"net\""), "{text}");
        assert_eq!(toml::from_str::<ModelConfig>(&text).unwrap(), model);
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<ModelConfig>(&json).unwrap(), model);
        assert_eq!(ModelConfig::open("mnist-convnet").unwrap(), ModelConfig::MnistConvnet {});
        let error = model.with(None, Some(0.5)).unwrap_err();
        assert_eq!(error.to_string(), "the model `sequential` has no setting `dropout`");
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
