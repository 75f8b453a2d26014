//! [`DepthArgs`]: how closely images are looked at, as a flag; [`crowded_remark`]: what that may have missed.

use aumenta_dataset::Depth;
use aumenta_report::count;
use clap::ValueEnum;

/// How closely images are looked at.
#[derive(clap::Args, Clone, Copy)]
pub struct DepthArgs {
    /// How closely images are looked at. Less is faster and sees less.
    #[arg(long, value_enum, default_value_t = Choice::Likeness)]
    depth: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// Read and hash every file, and read its header: finds copies of the same bytes.
    Content,
    /// Decode every pixel as well: finds damage, and copies of the same pixels.
    Pixels,
    /// Compare images as well: finds near-duplicates, such as re-encoded, resized, mirrored or cropped copies.
    Likeness,
}

impl From<DepthArgs> for Depth {
    fn from(args: DepthArgs) -> Self {
        match args.depth {
            Choice::Content => Self::Content,
            Choice::Pixels => Self::Pixels,
            Choice::Likeness => Self::Likeness,
        }
    }
}

/// What to say where images were like too many others to be compared with all of them.
pub fn crowded_remark(crowded: usize) -> Option<String> {
    (crowded > 0).then(|| {
        format!(
            "{} images are like so many others that they were compared with the nearest 64: near-duplicates of theirs may \
             have been missed.",
            count(crowded as u64)
        )
    })
}
