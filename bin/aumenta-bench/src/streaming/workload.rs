//! The workloads: which files become which batches, and by which augmentation.

use aumenta_imgproc::Size;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Images a batch, of every contender.
pub const BATCH: usize = 32;

/// Files, an augmentation and who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// The book's augmentation of photographs as they come.
    Book,
    /// Crops of the same photographs.
    Crop,
    /// Crops of large photographs.
    CropLarge,
    /// The book's augmentation again, by Aumenta alone, from other packings.
    Sources,
}

/// What is done with a photograph. Every library has its own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Augmentation {
    /// The pipeline of `book-pipeline`.
    Book,
    /// A random crop, a flip, color jitter and `ImageNet`'s normalization.
    Crop,
}

/// Which photographs a workload reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Photographs {
    /// As they come.
    Small,
    /// 2000x1500.
    Large,
}

impl Workload {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Crop => "crop",
            Self::CropLarge => "crop-large",
            Self::Sources => "sources",
        }
    }

    /// What it does, for the report.
    pub fn description(self) -> &'static str {
        match self {
            Self::Book => {
                "From files to 150x150 float32 in [0, 1]: rotation 40 degrees, shifts 0.2, shear 0.2 rad, zoom 0.2, flip, \
                 nearest fill"
            }
            Self::Crop => {
                "From files to 224x224 float32: a random resized crop (area 0.08 to 1, aspect ratio 3/4 to 4/3), a flip, \
                 brightness, contrast and saturation by up to 0.4, ImageNet's normalization"
            }
            Self::CropLarge => "The same as `crop`, from large files",
            Self::Sources => {
                "The same as `book`, by Aumenta alone: where the files come from, and what decoding alone takes"
            }
        }
    }

    /// What is done with a photograph.
    pub fn augmentation(self) -> Augmentation {
        match self {
            Self::Book | Self::Sources => Augmentation::Book,
            Self::Crop | Self::CropLarge => Augmentation::Crop,
        }
    }

    /// Which photographs it reads.
    pub fn photographs(self) -> Photographs {
        match self {
            Self::Book | Self::Crop | Self::Sources => Photographs::Small,
            Self::CropLarge => Photographs::Large,
        }
    }
}

impl Photographs {
    /// The name of their folder, and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

impl Augmentation {
    /// The name on the command line of contenders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Crop => "crop",
        }
    }

    /// The size of an image in a batch.
    pub fn size(self) -> Size {
        match self {
            Self::Book => Size::square(150),
            Self::Crop => Size::square(224),
        }
    }

    /// The least and the greatest value that an image can have.
    pub fn bounds(self) -> (f64, f64) {
        match self {
            Self::Book => (0.0, 1.0),
            Self::Crop => ((0.0 - 0.485) / 0.229, (1.0 - 0.406) / 0.225),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for workload in Workload::value_variants() {
            assert_eq!(workload.to_possible_value().unwrap().get_name(), workload.name());
        }
        for augmentation in Augmentation::value_variants() {
            assert_eq!(augmentation.to_possible_value().unwrap().get_name(), augmentation.name());
        }
    }
}
