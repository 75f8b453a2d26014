//! `aumenta bench-stream`: how fast batches can be had, and what limits that.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aumenta_dataset::Dataset;
use aumenta_imgproc::Size;
use aumenta_report::{Alignment, Table};
use aumenta_stream::{CacheMode, Color, Loader, Preprocessing, Stage, StallReport, TrainStream};
use serde::Serialize;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use crate::command::preview;
use crate::command::train::{AugmentPreset, Settings, named, preprocessing, train_config};
use crate::config::Config;
use crate::failure::BadUse;
use crate::output::print;

/// Measure how many training images a second can be prepared, for several numbers of workers and batches ahead.
///
/// Nothing is trained: batches are taken as fast as they come, so that the workers are the limit, and thrown away. All
/// settings take turns in each round; a figure is the median over the rounds. The settings change the speed alone, never
/// the batches.
#[derive(clap::Args)]
pub struct Args {
    /// The manifest, or the folder of it.
    data: PathBuf,
    /// The configuration of a training, for its augmentation, batches, cache and image size.
    #[arg(long)]
    config: Option<PathBuf>,
    /// What is drawn for each image.
    #[arg(long, value_enum)]
    augment: Option<AugmentPreset>,
    /// The side of the network's input in pixels [default: that of the configuration's model, or 150].
    #[arg(long)]
    size: Option<u16>,
    /// Images a batch.
    #[arg(long)]
    batch_size: Option<usize>,
    /// Where decoded pixels are kept, as in a training.
    #[arg(long, value_parser = named::<CacheMode>)]
    cache: Option<CacheMode>,
    /// The folder of a cache on the disk [default: `pixel-cache` beside the manifest].
    #[arg(long)]
    cache_folder: Option<PathBuf>,
    /// Numbers of workers to try [default: 1, half the cores, the cores, twice the cores].
    #[arg(long, value_delimiter = ',')]
    workers: Vec<usize>,
    /// Numbers of batches ahead to try.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3, 6])]
    prefetch: Vec<usize>,
    /// Rounds in which every setting takes its turn once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn lasts at least, in seconds.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One setting's turns.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Measured {
    workers: usize,
    prefetch: usize,
    /// Images a second: the median and the extremes of the rounds.
    images_per_second: f64,
    lowest: f64,
    highest: f64,
    /// Megabytes (10^6 bytes) read from the source a second, over all rounds.
    megabytes_per_second: f64,
    /// Memory of the batches ahead, in MiB.
    batches_mib: f64,
    /// The most memory of the process that was seen after its turns, in MiB.
    process_mib: f64,
    /// The shares of the workers' time, in the order of the stages.
    stages: [f64; 5],
}

/// What is measured, and the setting to choose.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Outcome {
    images: usize,
    settings: Vec<Measured>,
    best: Best,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Best {
    workers: usize,
    prefetch: usize,
}

/// What the turns of a setting gave so far.
#[derive(Clone, Debug)]
struct Turns {
    workers: usize,
    prefetch: usize,
    rates: Vec<f64>,
    bytes: u64,
    stalls: StallReport,
    process_bytes: u64,
}

impl Args {
    pub fn run(self) -> Result<()> {
        let base = self.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read)?;
        let settings = Settings {
            data: Some(self.data),
            augment: self.augment,
            batch_size: self.batch_size,
            cache: self.cache,
            cache_folder: self.cache_folder,
            ..Settings::default()
        };
        let config = settings.over(base)?;
        let dataset = Arc::new(Dataset::open(config.data()?, None)?);
        let form = match (&config.model, self.size) {
            (Some(model), None) => preprocessing(&model.architecture()?)?,
            (model, side) => {
                let Size { width, height } = preview::size(side, model.as_ref())?;
                Preprocessing::new(height, width, Color::Rgb)
            }
        };
        let loader = config.loader(&dataset)?;
        let normalization = config.normalization()?;
        let form = form.normalized(&normalization, &dataset, config.on_error, &loader)?;
        let mut turns = all_turns(&self.workers, &self.prefetch);
        let least = Duration::try_from_secs_f64(self.seconds).map_err(BadUse::from_error)?;
        let mut image_count = 0;
        for round in 1..=self.rounds {
            eprintln!("round {round} of {}", self.rounds);
            for turn in &mut turns {
                let loader = Loader { workers: Some(turn.workers), prefetch: Some(turn.prefetch), ..loader.clone() };
                let stream = TrainStream::new(Arc::clone(&dataset), train_config(&config, form.clone(), loader)?)?;
                image_count = stream.image_count();
                turn.take(&stream, least)?;
            }
        }
        let batch_bytes = config.batch_size * form.len() * size_of::<f32>();
        let settings: Vec<Measured> = turns.iter().map(|turn| turn.measured(batch_bytes)).collect();
        let best = best(&settings).context("there is no setting to measure; give --workers and --prefetch")?;
        let outcome = Outcome { images: image_count, settings, best };
        if self.json { print(&(serde_json::to_string_pretty(&outcome)? + "\n")) } else { print(&outcome.to_text()) }
    }
}

/// All pairs of workers and prefetch, before their first turn.
fn all_turns(workers: &[usize], prefetch: &[usize]) -> Vec<Turns> {
    let cores = available_parallelism().map_or(1, usize::from);
    let by_cores = vec![1, (cores / 2).max(1), cores, 2 * cores];
    let mut chosen = if workers.is_empty() { by_cores } else { workers.to_vec() };
    chosen.sort_unstable();
    chosen.dedup();
    let pairs = chosen.iter().flat_map(|workers| prefetch.iter().map(move |prefetch| (*workers, *prefetch)));
    pairs
        .map(|(workers, prefetch)| Turns {
            workers,
            prefetch,
            rates: Vec::new(),
            bytes: 0,
            stalls: StallReport::ZERO,
            process_bytes: 0,
        })
        .collect()
}

impl Turns {
    /// Takes batches, of as many epochs as it takes, for a while. The first ones, for which memory is taken, are not counted.
    fn take(&mut self, stream: &TrainStream, least: Duration) -> Result<()> {
        let (mut images, mut uncounted) = (0, 2 * self.prefetch);
        let mut started = Instant::now();
        let (mut epoch, mut is_over) = (0, false);
        while !is_over {
            let (mut batches, mut is_empty) = (stream.epoch(epoch), true);
            for batch in batches.by_ref() {
                let count = batch?.len();
                is_empty = false;
                if uncounted > 0 {
                    (uncounted, started) = (uncounted - 1, Instant::now());
                    continue;
                }
                images += count;
                is_over = started.elapsed() >= least;
                if is_over {
                    break;
                }
            }
            self.stalls = self.stalls.then(&batches.stalls());
            self.bytes += batches.bytes_read();
            ensure!(!is_empty, "none of the training images can be used");
            epoch += 1;
        }
        self.rates.push(images as f64 / started.elapsed().as_secs_f64());
        self.process_bytes = self.process_bytes.max(resident_bytes());
        Ok(())
    }

    fn measured(&self, batch_bytes: usize) -> Measured {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        Measured {
            workers: self.workers,
            prefetch: self.prefetch,
            images_per_second: rates[rates.len() / 2],
            lowest: rates[0],
            highest: rates[rates.len() - 1],
            megabytes_per_second: self.bytes as f64 / self.stalls.elapsed / 1e6,
            batches_mib: mib((self.prefetch * batch_bytes) as f64),
            process_mib: mib(self.process_bytes as f64),
            stages: self.stalls.stage_shares(),
        }
    }
}

/// The cheapest setting whose speed is within 3 % of the fastest: the fewest workers, then the fewest batches ahead.
fn best(settings: &[Measured]) -> Option<Best> {
    let fastest = settings.iter().map(|setting| setting.images_per_second).fold(0.0, f64::max);
    let close = settings.iter().filter(|setting| setting.images_per_second >= 0.97 * fastest);
    let cheapest = close.min_by_key(|setting| (setting.workers, setting.prefetch))?;
    Some(Best { workers: cheapest.workers, prefetch: cheapest.prefetch })
}

/// The memory of this process right now.
fn resident_bytes() -> u64 {
    let Ok(pid) = sysinfo::get_current_pid() else { return 0 };
    let mut system = System::new();
    let only_memory = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, only_memory);
    system.process(pid).map_or(0, sysinfo::Process::memory)
}

impl Outcome {
    fn to_text(&self) -> String {
        let titles = ["workers", "prefetch", "images/s", "range", "MB/s read"].into_iter();
        let titles = titles.chain(Stage::ALL.map(Stage::name)).chain(["batches MiB", "process MiB"]);
        let mut table = Table::new(titles.map(|title| (title, Alignment::Right)));
        for setting in &self.settings {
            let Measured { workers, prefetch, images_per_second, lowest, highest, .. } = setting;
            let mut row = vec![
                workers.to_string(),
                prefetch.to_string(),
                format!("{images_per_second:.0}"),
                format!("{lowest:.0} to {highest:.0}"),
                format!("{:.0}", setting.megabytes_per_second),
            ];
            row.extend(setting.stages.map(|share| format!("{:.0} %", 100.0 * share)));
            row.extend([setting.batches_mib, setting.process_mib].map(|mib| format!("{mib:.0}")));
            table.push(row);
        }
        let mut text = table.to_text();
        let Best { workers, prefetch } = self.best;
        let _ = writeln!(
            text,
            "\n{} images; stages are shares of the workers' time, `channel` is waiting for the consumer\n\
             best: workers = {workers}, prefetch = {prefetch}",
            self.images
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(workers: usize, prefetch: usize, images_per_second: f64) -> Measured {
        Measured {
            workers,
            prefetch,
            images_per_second,
            lowest: images_per_second - 10.0,
            highest: images_per_second + 10.0,
            megabytes_per_second: 50.0,
            batches_mib: 8.5,
            process_mib: 40.0,
            stages: [0.05, 0.6, 0.3, 0.0, 0.05],
        }
    }

    #[test]
    fn the_best_setting_is_the_cheapest_of_the_fast_ones() {
        let settings = [measured(1, 2, 500.0), measured(2, 2, 960.0), measured(2, 3, 985.0), measured(4, 3, 1000.0)];
        assert_eq!(best(&settings), Some(Best { workers: 2, prefetch: 3 }));
        assert_eq!(best(&[]), None);
    }

    #[test]
    fn settings_are_all_pairs_in_order() {
        let pairs: Vec<_> = all_turns(&[2, 1, 2], &[3, 6]).iter().map(|turn| (turn.workers, turn.prefetch)).collect();
        assert_eq!(pairs, [(1, 3), (1, 6), (2, 3), (2, 6)]);
    }
}
