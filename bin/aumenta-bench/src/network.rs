//! The networks that are measured, with what every contender must agree on.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A network that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// The convnet for 28x28 gray digits.
    Mnist,
    /// The convnet for 150x150 photographs of two classes.
    CatsDogs,
    /// EfficientNet-Lite0 for 224x224 photographs of 1,000 classes.
    EfficientnetLite0,
    /// VGG16 for 224x224 photographs of 1,000 classes.
    Vgg16,
    /// EfficientNet-Lite0 for two classes, its head trained.
    Lite0Head,
    /// EfficientNet-Lite0 for two classes, its last two stages, its last convolution and its head trained.
    Lite0LastStages,
    /// EfficientNet-Lite0 for two classes, trained as a whole.
    Lite0Whole,
}

/// The convnets' layers: 3x3 convolutions with ReLU, each of the first `pools` followed by a 2x2 max pooling; then a
/// dense layer with ReLU and one for the logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convnet {
    /// The filters of each convolution.
    pub filters: &'static [usize],
    /// How many of the convolutions a pooling follows.
    pub pools: usize,
    /// The outputs of the first dense layer.
    pub units: usize,
}

impl Network {
    /// Whether its step is one of training, and not of evaluation.
    pub fn is_trained(self) -> bool {
        self.convnet().is_some() || self.is_fine_tuned()
    }

    /// Whether it is trained from a layer on, with what stands before that frozen.
    pub fn is_fine_tuned(self) -> bool {
        matches!(self, Self::Lite0Head | Self::Lite0LastStages | Self::Lite0Whole)
    }

    /// The heading of its section.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mnist => "Training the MNIST convnet",
            Self::CatsDogs => "Training the cats and dogs convnet",
            Self::EfficientnetLite0 => "Evaluating EfficientNet-Lite0",
            Self::Vgg16 => "Evaluating VGG16",
            Self::Lite0Head => "Training a head on a frozen EfficientNet-Lite0",
            Self::Lite0LastStages => "Training the last stages of EfficientNet-Lite0",
            Self::Lite0Whole => "Training all of EfficientNet-Lite0",
        }
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::CatsDogs => "cats-dogs",
            Self::EfficientnetLite0 => "efficientnet-lite0",
            Self::Vgg16 => "vgg16",
            Self::Lite0Head => "lite0-head",
            Self::Lite0LastStages => "lite0-last-stages",
            Self::Lite0Whole => "lite0-whole",
        }
    }

    /// What the network is, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Mnist => "Training the MNIST convnet, 28x28x1, 93,322 parameters, softmax cross-entropy",
            Self::CatsDogs => {
                "Training the cats and dogs convnet, 150x150x3, 3,453,121 parameters, sigmoid cross-entropy"
            }
            Self::EfficientnetLite0 => "Evaluating EfficientNet-Lite0, 224x224x3, 1,000 classes, 4,652,008 parameters",
            Self::Vgg16 => "Evaluating VGG16, 224x224x3, 1,000 classes, 138,357,544 parameters",
            Self::Lite0Head => {
                "Training a head of 1,281 parameters on a frozen EfficientNet-Lite0, 224x224x3, 3,372,289 parameters in all"
            }
            Self::Lite0LastStages => {
                "Training EfficientNet-Lite0 from its sixth stage on, 224x224x3, 3,372,289 parameters in all"
            }
            Self::Lite0Whole => "Training all of EfficientNet-Lite0, 224x224x3, 3,372,289 parameters",
        }
    }

    /// Rows, columns and channels of an image.
    pub fn image(self) -> [usize; 3] {
        match self {
            Self::Mnist => [28, 28, 1],
            Self::CatsDogs => [150, 150, 3],
            Self::EfficientnetLite0 | Self::Vgg16 | Self::Lite0Head | Self::Lite0LastStages | Self::Lite0Whole => {
                [224, 224, 3]
            }
        }
    }

    /// How many logits the network computes.
    pub fn outputs(self) -> usize {
        match self {
            Self::Mnist => 10,
            Self::CatsDogs | Self::Lite0Head | Self::Lite0LastStages | Self::Lite0Whole => 1,
            Self::EfficientnetLite0 | Self::Vgg16 => 1000,
        }
    }

    /// How many trainable numbers the network has. Batch normalization counts with its scale and shift, and without its
    /// running mean and variance.
    pub fn parameters(self) -> usize {
        match self {
            Self::Mnist => 93_322,
            Self::CatsDogs => 3_453_121,
            Self::EfficientnetLite0 => 4_652_008,
            Self::Vgg16 => 138_357_544,
            Self::Lite0Head | Self::Lite0LastStages | Self::Lite0Whole => 3_372_289,
        }
    }

    /// The layers, where the network is one of the convnets.
    pub fn convnet(self) -> Option<Convnet> {
        match self {
            Self::Mnist => Some(Convnet { filters: &[32, 64, 64], pools: 2, units: 64 }),
            Self::CatsDogs => Some(Convnet { filters: &[32, 64, 128, 128], pools: 4, units: 512 }),
            _ => None,
        }
    }
}

impl Convnet {
    /// The numbers of one image that reach the first dense layer, for images of `side` rows and columns.
    pub fn features(&self, side: usize) -> usize {
        let shrunk = (0..self.filters.len()).fold(side, |side, index| {
            let valid = side - 2;
            if index < self.pools { valid / 2 } else { valid }
        });
        shrunk * shrunk * self.filters.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convnets_layers_add_up_to_their_parameters() {
        for network in [Network::Mnist, Network::CatsDogs] {
            let convnet = network.convnet().unwrap();
            let [side, _, channels] = network.image();
            let inputs = [channels].into_iter().chain(convnet.filters.iter().copied());
            let convolutions: usize =
                inputs.zip(convnet.filters).map(|(inputs, filters)| (9 * inputs + 1) * filters).sum();
            let dense = (convnet.features(side) + 1) * convnet.units + (convnet.units + 1) * network.outputs();
            assert_eq!(convolutions + dense, network.parameters(), "{}", network.name());
        }
    }
}
