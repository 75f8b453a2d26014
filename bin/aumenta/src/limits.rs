//! [`LimitArgs`]: what a source may ask of this machine, as flags.

use aumenta_dataset::SourceLimits;
use aumenta_imgproc::Limits;

/// Bounds against hostile archives, far above honest ones.
#[derive(clap::Args)]
#[command(next_help_heading = "Limits")]
#[expect(clippy::struct_field_names, reason = "fields are named as their flags")]
pub struct LimitArgs {
    /// The most pixels of an image, width times height.
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().max_pixels)]
    max_pixels: u64,
    /// The most bytes of an encoded image.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_bytes)]
    max_image_bytes: u64,
    /// The most entries of an archive or files of a folder.
    #[arg(long, value_name = "COUNT", default_value_t = SourceLimits::default().max_entries)]
    max_entries: u64,
    /// The most unpacked bytes for each packed one, of entries above 1 MiB.
    #[arg(long, value_name = "COUNT", default_value_t = SourceLimits::default().max_ratio)]
    max_ratio: u64,
    /// The most bytes of what is unpacked to memory: a compressed archive within an archive, or an IDX file.
    #[arg(long, value_name = "BYTES", default_value_t = SourceLimits::default().max_unpacked_bytes)]
    max_unpacked_bytes: u64,
}

impl LimitArgs {
    /// What an image may ask for.
    pub fn of_images(&self) -> Limits {
        Limits { max_pixels: self.max_pixels, max_bytes: self.max_image_bytes }
    }

    /// What a source may ask for.
    pub fn of_source(&self) -> SourceLimits {
        SourceLimits {
            max_entries: self.max_entries,
            max_entry_bytes: self.max_image_bytes,
            max_ratio: self.max_ratio,
            max_unpacked_bytes: self.max_unpacked_bytes,
        }
    }
}
