//! Over-fitting studies: what is varied, which trial is next, how far each has come, and what all of them show.
//!
//! - [`StudyConfig`] is a study as a file holds it: a training's configuration as its base, a grid of settings or a list of
//!   arms, and seeds. It expands to [`Arm`]s, and these to [`trials`]. Settings are dotted keys, [`flatten`]ed from tables
//!   and [`set`] in others;
//! - [`Queue`] says which [`Trial`] is next, under a [`Budget`] and [`Halving`]; [`StudyFolder`] keeps their states, so that
//!   a study goes on after a kill;
//! - [`outcomes`] sums a trial's epochs up, [`Spread`] an outcome over seeds, and [`Paired`] compares two arms seed by seed;
//!   [`StudyResult`] puts all of it together.
//!
//! Nothing here trains: whoever does asks the queue and tells it what came of it.
//!
//! ```
//! use aumenta_study::{Next, Queue, StudyConfig, TrialState, trials};
//!
//! let config: StudyConfig = toml::from_str("base = { epochs = 30 }\nseeds = [1, 2]\n[grid]\nmodel.dropout = [0.0, 0.5]")?;
//! let arms = config.arms()?;
//! let trials = trials(&arms, &config.seeds);
//! assert_eq!(trials[1].name, "dropout-0.5/seed-1");
//!
//! let states = vec![TrialState::default(); trials.len()];
//! let mut queue = Queue::new(trials, states, vec![Some(30); arms.len()], config.halving, config.budget);
//! assert_eq!(queue.next(0.0), Next::Train { trial: 0, until: None });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod error;
mod folder;
mod halving;
mod outcome;
mod queue;
mod result;
mod setting;
mod statistics;
mod trial;

pub use crate::config::{Arm, ArmConfig, Base, Budget, References, StudyConfig};
pub use crate::error::StudyError;
pub use crate::folder::{Progress, StudyFolder};
pub use crate::halving::Halving;
pub use crate::outcome::{Outcome, outcomes};
pub use crate::queue::{Next, Queue};
pub use crate::result::{ArmResult, Basis, Comparison, Fate, StudyResult, TrialResult, Verdict};
pub use crate::setting::{Setting, flatten, nearest, set};
pub use crate::statistics::{ALPHA, Interval, IntervalMethod, Paired, SignFlip, Spread, holm};
pub use crate::trial::{Status, Trial, TrialState, trials};
