//! A run's folder: layout, record schemas, atomic writes and the reader.
//!
//! A run leaves one folder, and whatever looks at a run later reads that folder alone:
//!
//! ```text
//! my-run/
//! ├── run.json                  RunInfo: what was trained on what; its presence makes the folder a run
//! ├── config.toml               the resolved configuration, as text
//! ├── epochs.jsonl              one EpochRecord a line, appended and flushed as each epoch ends
//! ├── epochs.csv                the same for spreadsheets
//! ├── validations.jsonl         one ValidationRecord a line, where it was measured within epochs
//! ├── faults.jsonl              one FaultRecord a line, where images could not be used
//! ├── checkpoints/
//! │   ├── best.safetensors      network of the best measurement so far, with what it belongs to
//! │   ├── last.safetensors      the same of the last epoch
//! │   ├── step-00000200.json    where the training stood after step 200, and ...
//! │   └── step-00000200.safetensors   ... the tensors to go on from there
//! ├── tensorboard/              EventFile: scalars for TensorBoard, where they were asked for
//! └── evaluation-test.json      Evaluation: one file a split
//! ```
//!
//! [`RunFolder`] knows these names. Checkpoints are written by whoever knows tensors, through [`write_atomic`], so that
//! a kill at any moment leaves each file whole, old or new. The logs are the files that grow in place: a last line
//! torn by a kill is dropped by the reader and by the next append.
//!
//! Measures that are not finite (the loss of a diverged network) are stored as `null`, which JSON allows, and read
//! back as NaN.
//!
//! ```
//! use aumenta_runs::{EpochRecord, LoaderShares, ManifestRef, Monitor, RunFolder, RunInfo, Scores, best_epoch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let path = temporary.path().join("my-run");
//! let info = RunInfo {
//!     format: RunInfo::FORMAT,
//!     model: "small-convnet".to_owned(),
//!     classes: vec!["cat".to_owned(), "dog".to_owned()],
//!     manifest: ManifestRef { path: "data/manifest.json".into(), hash: "9f2c".to_owned() },
//!     parameters: 3_453_121,
//!     version: "0.1.0".to_owned(),
//!     seed: 7,
//!     monitor: Monitor::Accuracy,
//! };
//! let run = RunFolder::create(&path, &info, "epochs = 1\n")?;
//! run.append_epoch(&EpochRecord {
//!     epoch: 1,
//!     train: Scores { loss: 0.31, accuracy: 0.87, images: 2000 },
//!     validation: Scores { loss: 0.44, accuracy: 0.80, images: 1000 },
//!     learning_rate: 1e-3,
//!     images_per_second: 950.0,
//!     seconds: 3.2,
//!     data_wait_share: 0.02,
//!     loader: LoaderShares::default(),
//!     skipped: 0,
//!     replaced: 0,
//!     skipped_batches: 0,
//! })?;
//!
//! let epochs = RunFolder::open(&path)?.read_epochs()?;
//! let best = best_epoch(&epochs, info.monitor).ok_or("no epoch")?;
//! assert_eq!(best.epoch, 1);
//! assert_eq!(format!("{:.2}", best.gap()), "0.07");
//! # Ok(())
//! # }
//! ```

mod atomic;
mod error;
mod evaluation;
mod event_file;
mod folder;
mod info;
mod log;
mod nullable;
mod record;

pub use crate::atomic::{write_atomic, write_atomic_bytes};
pub use crate::error::RunsError;
pub use crate::evaluation::Evaluation;
pub use crate::event_file::EventFile;
pub use crate::folder::{Kept, RunFolder, SnapshotPaths};
pub use crate::info::{ManifestRef, RunInfo};
pub use crate::record::{EpochRecord, FaultRecord, LoaderShares, Monitor, Scores, ValidationRecord, best_epoch};
