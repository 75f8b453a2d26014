//! What is trained on the GPU: a network, the images a step, and the arithmetic.

use anyhow::Result;
use aumenta_models::ModelConfig;
use aumenta_nn::Precision;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::network::Network;

/// A network that is trained on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trained {
    /// The convnet for 150x150 photographs of two classes.
    CatsDogs,
    /// EfficientNet-Lite0 for 224x224 photographs of two classes, all of it trained.
    Lite0Whole,
}

/// A network with what its training depends on besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Workload {
    /// The network.
    pub network: Trained,
    /// Images a step.
    pub batch: usize,
    /// The arithmetic of convolutions.
    pub precision: Precision,
}

impl Trained {
    /// The same network as the CPU's benchmarks have it.
    pub fn network(self) -> Network {
        match self {
            Self::CatsDogs => Network::CatsDogs,
            Self::Lite0Whole => Network::Lite0Whole,
        }
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        self.network().name()
    }

    /// The heading of its section.
    pub fn title(self) -> &'static str {
        match self {
            Self::CatsDogs => "Training the cats and dogs convnet on a GPU",
            Self::Lite0Whole => "Fine-tuning EfficientNet-Lite0 on a GPU",
        }
    }

    /// Images a step, where nothing else is asked for.
    pub fn batches(self) -> &'static [usize] {
        match self {
            Self::CatsDogs => &[32, 64, 256],
            Self::Lite0Whole => &[64],
        }
    }

    /// The model in our words.
    ///
    /// # Errors
    /// Where there is no such model.
    pub fn model(self) -> Result<ModelConfig> {
        let name = match self {
            Self::CatsDogs => "cats-dogs-convnet",
            Self::Lite0Whole => "efficientnet-lite0",
        };
        Ok(ModelConfig::named(name)?.for_classes(2))
    }

    /// Rows and columns of an image.
    pub fn side(self) -> usize {
        self.network().image()[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line_and_networks_those_of_the_models() {
        for trained in Trained::value_variants() {
            assert_eq!(trained.to_possible_value().unwrap().get_name(), trained.name());
            let architecture = trained.model().unwrap().architecture().unwrap();
            assert_eq!(architecture.summary().parameters(), trained.network().parameters());
            assert_eq!(architecture.input()[0], trained.side());
        }
    }
}
