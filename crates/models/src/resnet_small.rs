//! ResNet-20 of He et al. 2016, *Deep Residual Learning for Image Recognition*, section 4.2: small color images, 0.27
//! million parameters (272,474 with ten classes).
//!
//! Where a block changes its shape, the paper's section 4.2 pads the input with channels of zeros (its option A); here a
//! strided 1x1 convolution takes its place (option B), which adds 2,752 parameters. Weights are drawn as in He et al. 2015,
//! and layers have the names that torchvision gives those of its residual networks.

use aumenta_nn::{Activation, BatchNormLayer, Conv2dLayer, Initializer, LayerSpec, NamedLayer, Padding};

use crate::architecture::{Architecture, logits};
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
    let mut inputs = STAGES[0];
    for (s, filters) in STAGES.into_iter().enumerate() {
        for b in 0..BLOCKS {
            features.push(block(&format!("layer{}.{b}", s + 1), inputs, filters));
            inputs = filters;
        }
    }
    features.push(NamedLayer::new("avgpool", LayerSpec::GlobalAvgPool2d {}));
    let units = logits(NAME, "fc", classes.unwrap_or(CLASSES))?;
    let head = vec![NamedLayer::new("fc", LayerSpec::Dense { units, activation: Activation::Linear })];
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

/// Two 3x3 convolutions, added to their input; where they change its channels, they also halve its rows and columns.
fn block(name: &str, inputs: usize, filters: usize) -> NamedLayer {
    let part = |part: &str| format!("{name}.{part}");
    let stride = if inputs == filters { 1 } else { 2 };
    let first = convolution(&part("conv1"), &part("bn1"), filters, 3, stride, Activation::Relu);
    let second = convolution(&part("conv2"), &part("bn2"), filters, 3, 1, Activation::Linear);
    let shortcut = if inputs == filters {
        Vec::new()
    } else {
        let (conv, norm) = (part("downsample.0"), part("downsample.1"));
        convolution(&conv, &norm, filters, 1, stride, Activation::Linear).to_vec()
    };
    let layers = first.into_iter().chain(second).collect();
    NamedLayer::new(name, LayerSpec::Residual { layers, shortcut, activation: Activation::Relu })
}

/// A convolution that keeps the size but for its stride, and its normalization.
fn convolution(
    name: &str,
    norm: &str,
    filters: usize,
    kernel: usize,
    stride: usize,
    activation: Activation,
) -> [NamedLayer; 2] {
    let padding = Padding::Zeros(kernel / 2);
    let conv = Conv2dLayer { stride, padding, bias: false, ..Conv2dLayer::new(filters, kernel) };
    let norm_layer = BatchNormLayer { activation, ..BatchNormLayer::default() };
    [
        NamedLayer { initializer: Some(Initializer::HeNormal), ..NamedLayer::new(name, LayerSpec::Conv2d(conv)) },
        NamedLayer::new(norm, LayerSpec::BatchNorm(norm_layer)),
    ]
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
