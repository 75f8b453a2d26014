//! `aumenta explain`: what a network sees in an image, which patterns its filters answer to, and where it looked where it was wrong.

mod gallery;
mod subject;
mod top_losses;

use std::path::{Path, PathBuf};

use anyhow::Result;
use aumenta_explain::{Occlusion, Pattern, SmoothGrad};
use aumenta_report::{ColorMap, ExplanationReport};
use aumenta_runs::write_atomic_bytes;
use aumenta_seed::Seed;
use clap::ValueEnum;
use serde_json::json;

use self::gallery::Gallery;
use self::subject::Subject;
use crate::command::evaluate::SplitName;
use crate::device::DeviceArgs;
use crate::failure::BadUse;
use crate::inference::CheckpointName;
use crate::output::print;

/// Show what a network sees in an image: activations, maps of what speaks for a class, and the patterns of its filters.
///
/// Writes PNG files and a page that lines them up. With --top-losses it shows the images of a split that the network finds hardest,
/// each with its map.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of a run, a checkpoint, or a file that `aumenta weights` wrote.
    run: PathBuf,
    /// An image: a file, or the path or the id of one in the run's data set. Patterns alone need none.
    #[arg(conflicts_with = "top_losses")]
    image: Option<String>,
    /// A layer, by its name in `aumenta summary`, also within a block; may be given several times [default: for class activation
    /// maps the last one that computes a picture, for activations and patterns all outside of blocks].
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,
    /// What is shown, separated by commas [default: all but patterns].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    show: Vec<Show>,
    /// The class that maps speak of [default: the predicted one].
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Show so many images with the largest losses instead of one image.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=500))]
    top_losses: Option<u16>,
    /// The split whose images --top-losses looks at.
    #[arg(long, value_enum, default_value_t = SplitName::Val)]
    split: SplitName,
    /// Which of the run's checkpoints.
    #[arg(long, value_enum, default_value_t = CheckpointName::Best)]
    checkpoint: CheckpointName,
    /// The folder for the page and the pictures; files of their names in it are replaced [default: `explanation` in the run's
    /// folder, or beside the file of the network].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The colors of maps.
    #[arg(long, value_enum, default_value_t = Colors::Viridis)]
    colors: Colors,
    /// How many channels of a layer are shown: the first ones.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = at_least_one)]
    channels: usize,
    /// How many filters of a layer get a pattern: the first ones.
    #[arg(long, default_value_t = 16)]
    filters: usize,
    /// How patterns are sought, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "regularized")]
    recipe: Vec<Recipe>,
    /// The side of a pattern in pixels [default: 96, or the network's].
    #[arg(long, value_name = "PIXELS")]
    pattern_side: Option<usize>,
    /// The side of the square that hides a part of the image in occlusion maps [default: a seventh of the image].
    #[arg(long, value_name = "PIXELS")]
    occlusion_patch: Option<usize>,
    /// How far the square moves [default: half of its side].
    #[arg(long, value_name = "PIXELS")]
    occlusion_stride: Option<usize>,
    /// Over how many noisy copies of the image `SmoothGrad` takes the mean.
    #[arg(long, value_name = "N", default_value_t = SmoothGrad::default().copies)]
    copies: usize,
    /// What noise and shifts are drawn from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print JSON: what was made, and how long each took.
    #[arg(long)]
    json: bool,
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Show {
    /// What layers make of the image, channel by channel.
    Activations,
    /// Where the layer's channels speak for the class.
    GradCam,
    /// The same for several objects and small ones.
    #[value(name = "grad-cam++")]
    GradCamPlusPlus,
    /// What hiding a place costs.
    Occlusion,
    /// The gradient to each pixel.
    Saliency,
    /// The same over noisy copies.
    SmoothGrad,
    /// What each filter answers to most.
    Patterns,
}

#[derive(Clone, Copy, ValueEnum)]
enum Colors {
    Viridis,
    Jet,
}

impl From<Colors> for ColorMap {
    fn from(colors: Colors) -> Self {
        match colors {
            Colors::Viridis => Self::Viridis,
            Colors::Jet => Self::Jet,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Recipe {
    /// 40 steps uphill.
    Book,
    /// With shifts, less variation and decaying high frequencies.
    Regularized,
}

impl Recipe {
    fn pattern(self, side: usize, seed: Seed) -> Pattern {
        let pattern = match self {
            Self::Book => Pattern::book(side),
            Self::Regularized => Pattern::regularized(side),
        };
        Pattern { seed, ..pattern }
    }
}

/// The page's name.
const PAGE: &str = "explanation.html";

impl Args {
    pub fn run(self) -> Result<()> {
        let subject = Subject::load(&self.run, self.checkpoint.into(), self.device.open()?)?;
        let mut gallery = Gallery::new(self.out.clone().unwrap_or_else(|| subject.folder().join("explanation")));
        let report = match self.top_losses {
            Some(count) => top_losses::report(&self, &subject, usize::from(count), &mut gallery)?,
            None => self.report(&subject, &mut gallery)?,
        };
        write_atomic_bytes(&gallery.folder.join(PAGE), report.to_html().as_bytes())?;
        if self.json {
            let json = json!({
                "model": subject.architecture.name(),
                "page": gallery.folder.join(PAGE),
                "made": gallery.made,
            });
            return print(&format!("{json:#}\n"));
        }
        print(&gallery.to_text(&gallery.folder.join(PAGE)))
    }

    /// The page about one image, or about filters alone.
    fn report(&self, subject: &Subject, gallery: &mut Gallery) -> Result<ExplanationReport> {
        let mut report = ExplanationReport {
            title: format!("What {} sees", subject.architecture.name()),
            facts: subject.facts.clone(),
            ..ExplanationReport::default()
        };
        if let Some(name) = &self.image {
            let (image, name) = subject.find_image(&self.run, name)?;
            let seen = subject.see(image)?;
            let class = match &self.class {
                Some(name) => subject.class(name)?,
                None => seen.predicted(),
            };
            report.title = format!("What {} sees in {name}", subject.architecture.name());
            report.image = Some(gallery.original(&seen.image)?);
            report.probabilities = subject.ranked(&seen.probabilities);
            report.sections.extend(gallery.maps(self, subject, &seen, class)?);
            report.sections.extend(gallery.activations(self, subject, &seen)?);
        } else if self.show.iter().any(|show| *show != Show::Patterns) || self.show.is_empty() {
            return Err(BadUse::message(
                "an image is needed, or --top-losses N; --show patterns alone needs none".to_owned(),
            ));
        }
        if self.shows(Show::Patterns) {
            report.sections.extend(gallery.patterns(self, subject)?);
        }
        Ok(report)
    }

    fn shows(&self, show: Show) -> bool {
        if self.show.is_empty() { show != Show::Patterns } else { self.show.contains(&show) }
    }

    fn occlusion(&self, height: usize, width: usize) -> Occlusion {
        let default = Occlusion::for_size(height, width);
        let patch = self.occlusion_patch.unwrap_or(default.patch);
        Occlusion { patch, stride: self.occlusion_stride.unwrap_or(patch.div_ceil(2)) }
    }

    fn smooth_grad(&self) -> SmoothGrad {
        SmoothGrad { copies: self.copies, seed: Seed::new(self.seed), ..SmoothGrad::default() }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it must be at least 1".to_owned())
}

/// A layer's name as a part of a file's name.
fn file_part(layer: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    layer.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

/// The folder that `path` lies in.
fn beside(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_owned)
}
