//! ResNet-18 of He et al. 2016, *Deep Residual Learning for Image Recognition*, table 1: photographs, 11,689,512 parameters
//! with ImageNet's 1,000 classes.
//!
//! Layers have torchvision's names, and where a block changes its shape a strided 1x1 convolution does so in its shortcut (the
//! paper's option B). Weights are drawn as in He et al. 2015.

use aumenta_nn::{Activation, LayerSpec, NamedLayer, Padding, Pool2dLayer};

use crate::architecture::{Architecture, IMAGENET_CLASSES, logits};
use crate::basic_block::{convolution, stages};
use crate::error::ModelError;

pub(crate) const NAME: &str = "resnet18";

/// The filters of the four stages.
const STAGES: [usize; 4] = [64, 128, 256, 512];

/// Blocks a stage.
const BLOCKS: usize = 2;

/// For two classes there is one logit.
pub(crate) fn architecture(image_size: usize, classes: Option<usize>) -> Result<Architecture, ModelError> {
    let mut features = convolution("conv1", "bn1", STAGES[0], 7, 2, Activation::Relu).to_vec();
    let pool = Pool2dLayer { window: 3, stride: Some(2), padding: Padding::Zeros(1) };
    features.push(NamedLayer::new("maxpool", LayerSpec::MaxPool2d(pool)));
    features.extend(stages(&STAGES, BLOCKS, STAGES[0]));
    features.push(NamedLayer::new("avgpool", LayerSpec::GlobalAvgPool2d {}));
    let units = logits(NAME, "fc", classes.unwrap_or(IMAGENET_CLASSES))?;
    let head = vec![NamedLayer::new("fc", LayerSpec::Dense { units, activation: Activation::Linear })];
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_11_689_512_parameters_and_the_papers_depth() {
        let summary = architecture(224, None).unwrap().summary();
        assert_eq!(summary.parameters(), 11_689_512);
        let projections = summary.rows.iter().filter(|row| row.name.ends_with("downsample.0")).count();
        let weighted = |kind: &str| summary.rows.iter().filter(|row| row.kind == kind).count();
        assert_eq!((weighted("Conv2d") - projections + weighted("Dense"), projections), (18, 3));
        let size = |name: &str| summary.rows.iter().find(|row| row.name == name).unwrap().output.clone();
        assert_eq!(size("conv1"), [112, 112, 64]);
        assert_eq!(size("layer1.1"), [56, 56, 64]);
        assert_eq!(size("layer4.1"), [7, 7, 512]);
        // The paper's table 1 has 1.8 billion.
        assert_eq!(summary.multiply_adds(), 1_814_073_344);
    }

    #[test]
    fn two_classes_have_one_logit() {
        assert_eq!(architecture(96, Some(2)).unwrap().outputs(), 1);
        assert_eq!(architecture(96, Some(5)).unwrap().outputs(), 5);
        assert!(architecture(96, Some(1)).is_err());
    }
}
