//! [`Images`]: which images a stream reads, with or without classes.

use std::sync::Arc;

use aumenta_dataset::{Dataset, DatasetError, ReadBuffer, Record, Source, Split};

/// The images of a stream, by position.
#[derive(Debug)]
pub(crate) enum Images {
    /// Those of a split.
    Split { dataset: Arc<Dataset>, split: Split },
    /// All of a source, of which nothing is known but where they are.
    Unlabeled(Arc<dyn Source>),
}

impl Images {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Split { .. } => self.records().len(),
            Self::Unlabeled(source) => source.entries().len(),
        }
    }

    /// What the manifest knows of them; nothing where there is none.
    pub fn records(&self) -> &[Record] {
        match self {
            Self::Split { dataset, split } => dataset.records(*split),
            Self::Unlabeled(_) => &[],
        }
    }

    /// What the manifest knows of one, where there is a manifest.
    pub fn record(&self, position: usize) -> Option<&Record> {
        self.records().get(position)
    }

    /// Its record in the manifest or, without one, its place in the source.
    pub fn id(&self, position: usize) -> u32 {
        self.record(position).map_or(position as u32, |record| record.id)
    }

    /// Its path within the source.
    pub fn path(&self, position: usize) -> &str {
        match self {
            Self::Split { .. } => &self.records()[position].path,
            Self::Unlabeled(source) => &source.entries()[position].path,
        }
    }

    /// Fills `buffer` with the encoded image.
    pub fn read(&self, position: usize, buffer: &mut ReadBuffer) -> Result<(), DatasetError> {
        match self {
            Self::Split { dataset, .. } => dataset.read(&self.records()[position], buffer),
            Self::Unlabeled(source) => source.read(position, buffer),
        }
    }
}
