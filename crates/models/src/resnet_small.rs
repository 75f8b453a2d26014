//! ResNet-20 of He et al. 2016, *Deep Residual Learning for Image Recognition*, section 4.2: small color images, 0.27
//! million parameters (272,474 with ten classes).
//!
//! Where a block changes its shape, the paper's section 4.2 pads the input with channels of zeros (its option A); here a
//! strided 1x1 convolution takes its place (option B), which adds 2,752 parameters. Weights are drawn as in He et al. 2015,
//! and layers have the names that torchvision gives those of its residual networks.

use aumenta_nn::{Activation, LayerSpec, NamedLayer};

use crate::architecture::{Architecture, logits};
use crate::basic_block::{convolution, stages};
use crate::error::ModelError;

pub(crate) const NAME: &str = "resnet-small";

/// The filters of the three stages, each of which has half the rows and columns of the one before.
const STAGES: [usize; 3] = [16, 32, 64];

/// Blocks a stage: the paper's n, which gives 6n + 2 layers.
const BLOCKS: usize = 3;

/// CIFAR-10's classes.
const CLASSES: usize = 10;

pub(crate) fn default_image_size() -> usize {
    32
}

/// For two classes there is one logit.
pub(crate) fn architecture(image_size: usize, classes: Option<usize>) -> Result<Architecture, ModelError> {
    let mut features = convolution("conv1", "bn1", STAGES[0], 3, 1, Activation::Relu).to_vec();
    features.extend(stages(&STAGES, BLOCKS, STAGES[0]));
    features.push(NamedLayer::new("avgpool", LayerSpec::GlobalAvgPool2d {}));
    let units = logits(NAME, "fc", classes.unwrap_or(CLASSES))?;
    let head = vec![NamedLayer::new("fc", LayerSpec::Dense { units, activation: Activation::Linear })];
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_papers_depth_and_number_of_parameters() {
        let summary = architecture(32, None).unwrap().summary();
        let weighted = |kind: &str| summary.rows.iter().filter(|row| row.kind == kind).count();
        let projections = 2;
        assert_eq!(weighted("Conv2d") - projections + weighted("Dense"), 20);
        assert_eq!(summary.parameters(), 272_474);
        // Option A, as in the paper's table 6: 0.27 million.
        let projected: usize =
            summary.rows.iter().filter(|row| row.name.contains("downsample")).map(|row| row.parameters).sum();
        assert_eq!(summary.parameters() - projected, 269_722);
        let last = summary.rows.iter().rfind(|row| row.kind == "Residual").unwrap();
        assert_eq!(last.output, [8, 8, 64]);
        // 40.55 million multiply-adds without the shortcuts' convolutions.
        assert_eq!(summary.multiply_adds(), 40_551_040 + 2 * 16 * 16 * 32 * 16);
    }

    #[test]
    fn two_classes_have_one_logit_and_images_may_be_larger() {
        assert_eq!(architecture(150, Some(2)).unwrap().outputs(), 1);
        assert_eq!(architecture(33, Some(5)).unwrap().outputs(), 5);
        assert!(architecture(32, Some(1)).is_err());
    }
}
