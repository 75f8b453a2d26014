//! The operations that are measured, with the numbers that every library gets.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// An operation on one picture. Those behind [`Kind::Single`] work on 150x150 bytes, unless their name says a resize.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    WarpBytes,
    WarpFloats,
    BookPipeline,
    BookPipelinePoints,
    ResizeArea,
    ResizeBilinear,
    RandomResizedCrop,
    Rotate,
    Perspective,
    Elastic,
    HorizontalFlip,
    Brightness,
    Contrast,
    Saturation,
    Hue,
    Gamma,
    Grayscale,
    Invert,
    Posterize,
    Solarize,
    Equalize,
    Autocontrast,
    Sharpness,
    Clahe,
    GaussianBlur,
    MotionBlur,
    GaussianNoise,
    SaltAndPepper,
    ShotNoise,
    Jpeg,
    Erasing,
    GridMask,
}

/// Where an operation stands in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table of its own.
    Whole,
    /// A row of the table of single operations.
    Single,
}

impl Operation {
    /// The name on the command line, in the protocol and in reports.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default()
    }

    /// Where it stands in the report.
    pub fn kind(self) -> Kind {
        match self {
            Self::WarpBytes | Self::WarpFloats | Self::BookPipeline | Self::BookPipelinePoints => Kind::Whole,
            _ => Kind::Single,
        }
    }

    /// Whether its result follows from the picture and the numbers, so that all libraries should agree on it.
    pub fn is_fixed(self) -> bool {
        !matches!(
            self,
            Self::BookPipeline
                | Self::BookPipelinePoints
                | Self::RandomResizedCrop
                | Self::Elastic
                | Self::GaussianNoise
                | Self::SaltAndPepper
                | Self::ShotNoise
                | Self::Perspective
                | Self::Erasing
                | Self::GridMask
        )
    }

    /// What it does, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::WarpBytes => {
                "The single warp, 500x375 to 150x150, to bytes: a rotation up to 40 degrees, a shift and a zoom, bilinear, the \
                 nearest pixel outside, no average beforehand"
            }
            Self::WarpFloats => "The single warp, 500x375 to 150x150, to float32 CHW in [0, 1]",
            Self::BookPipeline => {
                "The book's pipeline, 500x375 to 150x150, to float32 in [0, 1]: rotation 40 degrees, shifts 0.2, shear 0.2 \
                 rad, zoom 0.2, flip, nearest fill, drawing included; every source pixel counts"
            }
            Self::BookPipelinePoints => {
                "The book's pipeline again, reading single points of the source, without an average beforehand"
            }
            Self::ResizeArea => "500x375 to 150x150, every source pixel counting",
            Self::ResizeBilinear => "500x375 to 150x150, four pixels each",
            Self::RandomResizedCrop => "of 500x375, area 0.08 to 1, to 150x150",
            Self::Rotate => "20 degrees, bilinear, black outside",
            Self::Perspective => "corners moved by up to 15 pixels, bilinear, black outside",
            Self::Elastic => "displacements of 50 pixels times noise smoothed by sigma 5 pixels",
            Self::HorizontalFlip | Self::Invert => "",
            Self::Brightness | Self::Contrast | Self::Saturation => "factor 1.3",
            Self::Hue => "a tenth of a turn",
            Self::Gamma => "exponent 0.8",
            Self::Grayscale => "three channels",
            Self::Posterize => "4 bits",
            Self::Solarize => "from level 128",
            Self::Equalize | Self::Autocontrast => "each channel",
            Self::Sharpness => "factor 1.5",
            Self::Clahe => "clip limit 2, 8x8 tiles",
            Self::GaussianBlur => "sigma 1.5 pixels, 9x9 window",
            Self::MotionBlur => "7 pixels, 30 degrees",
            Self::GaussianNoise => "sigma 10 levels",
            Self::SaltAndPepper => "2 % of the pixels",
            Self::ShotNoise => "scale 0.1",
            Self::Jpeg => "quality 50, encoded and decoded",
            Self::Erasing => "40x40 pixels",
            Self::GridMask => "unit 30 pixels, ratio 0.5",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_command_line_are_those_of_the_protocol() {
        for operation in Operation::value_variants() {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
        }
    }
}
