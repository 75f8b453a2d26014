//! `aumenta find-rate`: which learning rate to begin a training with.

use std::path::PathBuf;

use anyhow::Result;
use aumenta_report::rate_chart;
use aumenta_runs::write_atomic_bytes;
use aumenta_train::{Fit, Length, RateSearch, RateSearchConfig, search_rate};

use crate::command::train::{Settings, Setup};
use crate::config::Config;
use crate::interrupt;
use crate::output::print;
use crate::progress::TrainingBar;

/// Find a learning rate: train with growing rates and look where the loss falls, and where it runs away.
///
/// Everything else is as configured for `aumenta train`; nothing is kept of the weights.
#[derive(clap::Args)]
pub struct Args {
    /// A TOML file, as `aumenta train` takes it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The first rate.
    #[arg(long, allow_negative_numbers = true, default_value_t = RateSearchConfig::default().from)]
    from: f32,
    /// The last rate.
    #[arg(long, allow_negative_numbers = true, default_value_t = RateSearchConfig::default().to)]
    to: f32,
    /// How many steps lead from the first to the last.
    #[arg(long, default_value_t = RateSearchConfig::default().steps)]
    tries: u64,
    /// Draw the loss over the rate into this SVG file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON, with every step.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let config = Config::of(self.config.as_deref())?;
        let config = self.settings.over(config)?;
        let found = search(&config, RateSearchConfig { from: self.from, to: self.to, steps: self.tries })?;
        if let Some(path) = &self.svg {
            let points: Vec<_> = found.points.iter().map(|point| (f64::from(point.rate), point.smoothed)).collect();
            write_atomic_bytes(path, rate_chart(&points, found.steepest.map(f64::from)).as_bytes())?;
        }
        if self.json { print(&(serde_json::to_string_pretty(&found)? + "\n")) } else { print(&to_text(&found)) }
    }
}

fn search(config: &Config, rates: RateSearchConfig) -> Result<RateSearch> {
    let setup = Setup::new(config)?;
    let mut model = setup.model()?;
    let fit = Fit {
        train: &setup.train,
        validation: &setup.validation,
        features: None,
        config: setup.fit,
        config_text: "",
        device: &setup.device,
        exchange: None,
        interrupt: interrupt::flag()?,
    };
    let mut bar = TrainingBar::new(Length::Steps(rates.steps));
    Ok(search_rate(&mut *model, &fit, setup.network.classes.len(), rates, &mut bar)?)
}

fn to_text(found: &RateSearch) -> String {
    let (first, last) = (found.points.first(), found.points.last());
    let tried = first.zip(last).map_or_else(
        || "the loss was not finite at the first rate".to_string(),
        |(first, last)| format!("{} steps at rates from {:.1e} to {:.1e}", found.points.len(), first.rate, last.rate),
    );
    match (found.steepest, found.tenth_of_minimum) {
        (Some(steepest), Some(tenth)) => {
            format!("{tried}\nthe loss falls fastest at    {steepest:.1e}\na tenth of the minimum's is  {tenth:.1e}\n")
        }
        _ => {
            format!("{tried}\nthe loss never falls: try other rates with --from and --to, or more steps with --tries\n")
        }
    }
}
