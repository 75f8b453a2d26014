//! Measuring the preparation of data sets: splitting, looking for faults, and looking for near-duplicates.
//!
//! Unlike the steps of training and the turns of streams this is work that is done once, by programs that are started for it. So a
//! contender is a whole process, from its start to its end, and a turn is one such run.

pub mod archive;
pub mod fault;
pub mod fault_set;
pub mod figures;
pub mod growth;
pub mod hash_search;
pub mod hashes;
pub mod inspect;
pub mod measure;
pub mod near;
pub mod near_set;
pub mod pairs;
pub mod part;
pub mod photographs;
pub mod pictures;
pub mod place;
pub mod report;
pub mod results;
pub mod said;
pub mod settings;
pub mod split;
pub mod targets;
pub mod tile;
pub mod unpacking;
pub mod variant;
pub mod whole_run;
