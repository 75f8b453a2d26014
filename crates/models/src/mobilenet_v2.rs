//! MobileNetV2 of Sandler et al. 2018, *MobileNetV2: Inverted Residuals and Linear Bottlenecks*, table 2: photographs on small
//! devices, 3,504,872 parameters with ImageNet's 1,000 classes.
//!
//! Layers have torchvision's names, paddings and dropout. Weights are drawn as in He et al. 2015.

use aumenta_nn::{
    Activation, BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, Initializer, LayerSpec, NamedLayer, Padding,
};

use crate::architecture::{Architecture, IMAGENET_CLASSES, logits};
use crate::error::ModelError;

pub(crate) const NAME: &str = "mobilenet-v2";

/// Some inverted residual blocks alike but for the first, which changes channels and may have a stride.
struct Stage {
    /// How many times as many channels a block has inside.
    expansion: usize,
    filters: usize,
    blocks: usize,
    stride: usize,
}

/// Table 2 of the paper.
const STAGES: [Stage; 7] = [
    Stage { expansion: 1, filters: 16, blocks: 1, stride: 1 },
    Stage { expansion: 6, filters: 24, blocks: 2, stride: 2 },
    Stage { expansion: 6, filters: 32, blocks: 3, stride: 2 },
    Stage { expansion: 6, filters: 64, blocks: 4, stride: 2 },
    Stage { expansion: 6, filters: 96, blocks: 3, stride: 1 },
    Stage { expansion: 6, filters: 160, blocks: 3, stride: 2 },
    Stage { expansion: 6, filters: 320, blocks: 1, stride: 1 },
];

/// The filters of the first convolution, and of the last.
const STEM: usize = 32;
const FEATURES: usize = 1280;

/// For two classes there is one logit.
pub(crate) fn architecture(image_size: usize, classes: Option<usize>) -> Result<Architecture, ModelError> {
    let mut features = vec![convolution("features.0.0", STEM, 3, 2), norm("features.0.1", Activation::Relu6)];
    let (mut inputs, mut number) = (STEM, 1);
    for stage in &STAGES {
        for b in 0..stage.blocks {
            let stride = if b == 0 { stage.stride } else { 1 };
            features.extend(block(&format!("features.{number}"), stage, inputs, stride));
            (inputs, number) = (stage.filters, number + 1);
        }
    }
    features.push(convolution(&format!("features.{number}.0"), FEATURES, 1, 1));
    features.push(norm(&format!("features.{number}.1"), Activation::Relu6));
    features.push(NamedLayer::new("avgpool", LayerSpec::GlobalAvgPool2d {}));
    let units = logits(NAME, "classifier.1", classes.unwrap_or(IMAGENET_CLASSES))?;
    let head = vec![
        NamedLayer::new("classifier.0", LayerSpec::Dropout { rate: 0.2 }),
        NamedLayer::new("classifier.1", LayerSpec::Dense { units, activation: Activation::Linear }),
    ];
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

/// The layers' names where they are not torchvision's but timm's, each before the name here.
pub(crate) fn other_names() -> Vec<(String, String)> {
    let outside = [
        ("conv_stem", "features.0.0"),
        ("bn1", "features.0.1"),
        ("conv_head", "features.18.0"),
        ("bn2", "features.18.1"),
        ("classifier", "classifier.1"),
    ];
    let mut names: Vec<_> = outside.map(|(theirs, ours)| (theirs.to_string(), ours.to_string())).to_vec();
    let blocks = STAGES.iter().enumerate().flat_map(|(s, stage)| (0..stage.blocks).map(move |b| (s, b, stage)));
    for (before, (s, b, stage)) in blocks.enumerate() {
        let parts: &[(&str, &str)] = if stage.expansion == 1 {
            &[("conv_dw", "0.0"), ("bn1", "0.1"), ("conv_pw", "1"), ("bn2", "2")]
        } else {
            &[("conv_pw", "0.0"), ("bn1", "0.1"), ("conv_dw", "1.0"), ("bn2", "1.1"), ("conv_pwl", "2"), ("bn3", "3")]
        };
        let named = |(theirs, ours): &(&str, &str)| {
            (format!("blocks.{s}.{b}.{theirs}"), format!("features.{}.conv.{ours}", before + 1))
        };
        names.extend(parts.iter().map(named));
    }
    names
}

/// An inverted residual block: expansion, a depthwise convolution and a projection without activation; added to its input
/// where that has the same shape.
fn block(name: &str, stage: &Stage, inputs: usize, stride: usize) -> Vec<NamedLayer> {
    let part = |part: &str| format!("{name}.conv.{part}");
    let relu6 = Activation::Relu6;
    let channels = stage.expansion * inputs;
    let (mut layers, mut number) = (Vec::new(), 0);
    if stage.expansion > 1 {
        layers.extend([convolution(&part("0.0"), channels, 1, 1), norm(&part("0.1"), relu6)]);
        number += 1;
    }
    layers.extend([depthwise(&part(&format!("{number}.0")), stride), norm(&part(&format!("{number}.1")), relu6)]);
    layers.push(convolution(&part(&(number + 1).to_string()), stage.filters, 1, 1));
    layers.push(norm(&part(&(number + 2).to_string()), Activation::Linear));
    if stride == 1 && inputs == stage.filters {
        vec![NamedLayer::new(name, LayerSpec::residual(layers))]
    } else {
        layers
    }
}

fn depthwise(name: &str, stride: usize) -> NamedLayer {
    let conv = DepthwiseConv2dLayer { stride, padding: Padding::Zeros(1), bias: false, ..DepthwiseConv2dLayer::new(3) };
    he_normal(name, LayerSpec::DepthwiseConv2d(conv))
}

/// A convolution that keeps the size but for its stride.
fn convolution(name: &str, filters: usize, kernel: usize, stride: usize) -> NamedLayer {
    let padding = Padding::Zeros(kernel / 2);
    he_normal(
        name,
        LayerSpec::Conv2d(Conv2dLayer { stride, padding, bias: false, ..Conv2dLayer::new(filters, kernel) }),
    )
}

fn he_normal(name: &str, spec: LayerSpec) -> NamedLayer {
    NamedLayer { initializer: Some(Initializer::HeNormal), ..NamedLayer::new(name, spec) }
}

fn norm(name: &str, activation: Activation) -> NamedLayer {
    NamedLayer::new(name, LayerSpec::BatchNorm(BatchNormLayer { activation, ..BatchNormLayer::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_3_504_872_parameters_and_1_280_features() {
        let summary = architecture(224, None).unwrap().summary();
        assert_eq!(summary.parameters(), 3_504_872);
        let size = |name: &str| summary.rows.iter().find(|row| row.name == name).unwrap().output.clone();
        assert_eq!(size("features.18.1"), [7, 7, 1280]);
        assert_eq!(size("avgpool"), [1280]);
        // Ten of the seventeen blocks keep the shape of their input.
        assert_eq!(summary.rows.iter().filter(|row| row.kind == "Residual").count(), 10);
        // The paper's table 4 has 300 million.
        assert_eq!(summary.multiply_adds(), 300_774_272);
    }

    #[test]
    fn two_classes_have_one_logit() {
        assert_eq!(architecture(96, Some(2)).unwrap().outputs(), 1);
        assert_eq!(architecture(96, Some(5)).unwrap().outputs(), 5);
        assert!(architecture(96, Some(1)).is_err());
    }
}
