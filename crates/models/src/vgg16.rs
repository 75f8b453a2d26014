//! VGG16: configuration D of Simonyan and Zisserman 2015, *Very Deep Convolutional Networks for Large-Scale Image
//! Recognition*. 14,714,688 parameters in its base, 138,357,544 with the original top of ImageNet's 1,000 classes.
//!
//! Layers have torchvision's names. Weights of convolutions are drawn as in He et al. 2015.

use aumenta_nn::{Activation, Conv2dLayer, Initializer, LayerSpec, NamedLayer, Padding};
use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, IMAGENET_CLASSES, logits};
use crate::error::ModelError;

pub(crate) const NAME: &str = "vgg16";

/// The filters of each block's 3x3 convolutions, which a pooling follows.
const BLOCKS: [&[usize]; 5] = [&[64; 2], &[128; 2], &[256; 3], &[512; 3], &[512; 3]];

/// What stands on the base of VGG16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vgg16Top {
    /// Two dense layers of 4,096 units with dropout, as in the paper. Torchvision averages what the base makes to 7x7 pixels
    /// before them, which changes nothing at 224 pixels a side; here any size is flattened as it is.
    #[default]
    Original,
    /// One dense layer of 256 units, as Chollet 2017, listing 5.17, puts it on the base for little data.
    #[serde(rename = "dense-256")]
    Dense256,
}

/// For two classes there is one logit.
pub(crate) fn architecture(
    image_size: usize,
    classes: Option<usize>,
    top: Vgg16Top,
) -> Result<Architecture, ModelError> {
    let mut features = Vec::new();
    // Torchvision counts each ReLU as a layer of its own.
    let mut number = 0;
    for filters in BLOCKS {
        for filters in filters {
            features.push(convolution(&format!("features.{number}"), *filters));
            number += 2;
        }
        features.push(NamedLayer::new(&format!("features.{number}"), LayerSpec::max_pool2d(2)));
        number += 1;
    }
    features.push(NamedLayer::new("flatten", LayerSpec::Flatten {}));
    let units = |layer: &str| logits(NAME, layer, classes.unwrap_or(IMAGENET_CLASSES));
    let head = match top {
        Vgg16Top::Original => vec![
            dense("classifier.0", 4096, Activation::Relu),
            NamedLayer::new("classifier.2", LayerSpec::Dropout { rate: 0.5 }),
            dense("classifier.3", 4096, Activation::Relu),
            NamedLayer::new("classifier.5", LayerSpec::Dropout { rate: 0.5 }),
            dense("classifier.6", units("classifier.6")?, Activation::Linear),
        ],
        Vgg16Top::Dense256 => {
            vec![dense("dense1", 256, Activation::Relu), dense("dense2", units("dense2")?, Activation::Linear)]
        }
    };
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

/// The layers' names where they are not torchvision's but timm's, each before the name here.
pub(crate) fn other_names() -> Vec<(String, String)> {
    let names = [("pre_logits.fc1", "classifier.0"), ("pre_logits.fc2", "classifier.3"), ("head.fc", "classifier.6")];
    names.map(|(theirs, ours)| (theirs.to_string(), ours.to_string())).to_vec()
}

fn convolution(name: &str, filters: usize) -> NamedLayer {
    let conv = Conv2dLayer { padding: Padding::Zeros(1), activation: Activation::Relu, ..Conv2dLayer::new(filters, 3) };
    NamedLayer { initializer: Some(Initializer::HeNormal), ..NamedLayer::new(name, LayerSpec::Conv2d(conv)) }
}

fn dense(name: &str, units: usize, activation: Activation) -> NamedLayer {
    NamedLayer::new(name, LayerSpec::Dense { units, activation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_138_357_544_parameters_of_which_the_base_has_14_714_688() {
        let summary = architecture(224, None, Vgg16Top::Original).unwrap().summary();
        assert_eq!(summary.parameters(), 138_357_544);
        let base: usize =
            summary.rows.iter().filter(|row| row.name.starts_with("features")).map(|row| row.parameters).sum();
        assert_eq!(base, 14_714_688);
        let convolutions: Vec<&str> =
            summary.rows.iter().filter(|row| row.kind == "Conv2d").map(|row| row.name.as_str()).collect();
        assert_eq!((convolutions.len(), convolutions[0], convolutions[12]), (13, "features.0", "features.28"));
        assert_eq!(summary.rows.iter().find(|row| row.name == "features.30").unwrap().output, [7, 7, 512]);
    }

    #[test]
    fn the_small_top_for_two_classes_is_the_books() {
        let architecture = architecture(150, Some(2), Vgg16Top::Dense256).unwrap();
        let summary = architecture.summary();
        assert_eq!(summary.rows.iter().find(|row| row.name == "features.30").unwrap().output, [4, 4, 512]);
        // Listing 5.18 prints these counts.
        assert_eq!(summary.parameters(), 14_714_688 + 2_097_408 + 257);
        assert_eq!((architecture.head()[0].name.as_str(), architecture.outputs()), ("dense1", 1));
    }

    #[test]
    fn classes_and_sizes_that_do_not_fit_are_refused() {
        assert!(architecture(224, Some(1), Vgg16Top::Original).is_err());
        assert!(architecture(31, Some(2), Vgg16Top::Dense256).is_err());
        assert_eq!(architecture(32, Some(5), Vgg16Top::Original).unwrap().outputs(), 5);
    }
}
