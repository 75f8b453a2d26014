//! EfficientNet-Lite0: EfficientNet-B0 (Tan and Le 2019) without squeeze-and-excitation and with `ReLU6`, as TensorFlow's
//! repository defines it for small devices. 4,652,008 parameters with its 1,000 classes.
//!
//! Layers have the names that timm gives them in `tf_efficientnet_lite0`. Padding is TensorFlow's `same`, the epsilon of
//! batch normalization 1e-3.

use aumenta_nn::{Activation, BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, LayerSpec, NamedLayer, Padding};

use crate::architecture::{Architecture, IMAGENET_CLASSES, logits};
use crate::error::ModelError;

pub(crate) const NAME: &str = "efficientnet-lite0";

/// Some inverted residual blocks (Sandler et al. 2018) alike but for the first, which changes channels and may have a stride.
struct Stage {
    /// How many times as many channels a block has inside.
    expansion: usize,
    kernel: usize,
    stride: usize,
    filters: usize,
    blocks: usize,
}

/// Table 1 of the paper.
const STAGES: [Stage; 7] = [
    Stage { expansion: 1, kernel: 3, stride: 1, filters: 16, blocks: 1 },
    Stage { expansion: 6, kernel: 3, stride: 2, filters: 24, blocks: 2 },
    Stage { expansion: 6, kernel: 5, stride: 2, filters: 40, blocks: 2 },
    Stage { expansion: 6, kernel: 3, stride: 2, filters: 80, blocks: 3 },
    Stage { expansion: 6, kernel: 5, stride: 1, filters: 112, blocks: 3 },
    Stage { expansion: 6, kernel: 5, stride: 2, filters: 192, blocks: 4 },
    Stage { expansion: 6, kernel: 3, stride: 1, filters: 320, blocks: 1 },
];

/// For two classes there is one logit.
pub(crate) fn architecture(image_size: usize, classes: Option<usize>) -> Result<Architecture, ModelError> {
    let mut features = vec![convolution("conv_stem", 32, 3, 2), norm("bn1", Activation::Relu6)];
    let mut inputs = 32;
    for (s, stage) in STAGES.iter().enumerate() {
        for b in 0..stage.blocks {
            let stride = if b == 0 { stage.stride } else { 1 };
            features.extend(block(&format!("blocks.{s}.{b}"), stage, inputs, stride));
            inputs = stage.filters;
        }
    }
    features.extend([convolution("conv_head", 1280, 1, 1), norm("bn2", Activation::Relu6)]);
    features.push(NamedLayer::new("global_pool", LayerSpec::GlobalAvgPool2d {}));
    let units = logits(NAME, "classifier", classes.unwrap_or(IMAGENET_CLASSES))?;
    let head = vec![NamedLayer::new("classifier", LayerSpec::Dense { units, activation: Activation::Linear })];
    Architecture::new(NAME, [image_size, image_size, 3], features, head)
}

/// The layers' names where they are not timm's but those of `EfficientNet-PyTorch`, each before the name here.
pub(crate) fn other_names() -> Vec<(String, String)> {
    let outside = [
        ("_conv_stem", "conv_stem"),
        ("_bn0", "bn1"),
        ("_conv_head", "conv_head"),
        ("_bn1", "bn2"),
        ("_fc", "classifier"),
    ];
    let mut names: Vec<_> = outside.map(|(theirs, ours)| (theirs.to_string(), ours.to_string())).to_vec();
    let blocks = STAGES.iter().enumerate().flat_map(|(s, stage)| (0..stage.blocks).map(move |b| (s, b, stage)));
    for (number, (s, b, stage)) in blocks.enumerate() {
        let parts: &[(&str, &str)] = if stage.expansion == 1 {
            &[("_depthwise_conv", "conv_dw"), ("_bn1", "bn1"), ("_project_conv", "conv_pw"), ("_bn2", "bn2")]
        } else {
            &[
                ("_expand_conv", "conv_pw"),
                ("_bn0", "bn1"),
                ("_depthwise_conv", "conv_dw"),
                ("_bn1", "bn2"),
                ("_project_conv", "conv_pwl"),
                ("_bn2", "bn3"),
            ]
        };
        let named =
            |(theirs, ours): &(&str, &str)| (format!("_blocks.{number}.{theirs}"), format!("blocks.{s}.{b}.{ours}"));
        names.extend(parts.iter().map(named));
    }
    names
}

/// An inverted residual block: expansion, a depthwise convolution and a projection without activation; added to its input
/// where that has the same shape.
fn block(name: &str, stage: &Stage, inputs: usize, stride: usize) -> Vec<NamedLayer> {
    let part = |part: &str| format!("{name}.{part}");
    let depthwise =
        DepthwiseConv2dLayer { stride, padding: Padding::Same, bias: false, ..DepthwiseConv2dLayer::new(stage.kernel) };
    let depthwise = NamedLayer::new(&part("conv_dw"), LayerSpec::DepthwiseConv2d(depthwise));
    let relu6 = Activation::Relu6;
    if stage.expansion == 1 {
        let project = convolution(&part("conv_pw"), stage.filters, 1, 1);
        return vec![depthwise, norm(&part("bn1"), relu6), project, norm(&part("bn2"), Activation::Linear)];
    }
    let layers = vec![
        convolution(&part("conv_pw"), stage.expansion * inputs, 1, 1),
        norm(&part("bn1"), relu6),
        depthwise,
        norm(&part("bn2"), relu6),
        convolution(&part("conv_pwl"), stage.filters, 1, 1),
        norm(&part("bn3"), Activation::Linear),
    ];
    if stride == 1 && inputs == stage.filters {
        vec![NamedLayer::new(name, LayerSpec::residual(layers))]
    } else {
        layers
    }
}

fn convolution(name: &str, filters: usize, kernel: usize, stride: usize) -> NamedLayer {
    let conv = Conv2dLayer { stride, padding: Padding::Same, bias: false, ..Conv2dLayer::new(filters, kernel) };
    NamedLayer::new(name, LayerSpec::Conv2d(conv))
}

fn norm(name: &str, activation: Activation) -> NamedLayer {
    // TensorFlow's momentum of 0.99 is a weight of 0.01 for each batch.
    let norm = BatchNormLayer { epsilon: 1e-3, momentum: 0.01, activation, ..BatchNormLayer::default() };
    NamedLayer::new(name, LayerSpec::BatchNorm(norm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_4_652_008_parameters_and_1_280_features() {
        let summary = architecture(224, None).unwrap().summary();
        assert_eq!(summary.parameters(), 4_652_008);
        let pool = summary.rows.iter().find(|row| row.name == "global_pool").unwrap();
        assert_eq!(pool.output, [1280]);
        assert_eq!(summary.rows.iter().find(|row| row.name == "conv_head").unwrap().output, [7, 7, 1280]);
    }

    #[test]
    fn two_classes_have_one_logit() {
        assert_eq!(architecture(96, Some(2)).unwrap().outputs(), 1);
        assert_eq!(architecture(96, Some(5)).unwrap().outputs(), 5);
        assert!(architecture(96, Some(1)).is_err());
    }
}
