//! What can go wrong with an architecture.

use std::path::PathBuf;

use aumenta_nn::NnError;

/// An error of a model's configuration or of its layers.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No architecture has this name.
    #[error("there is no model named `{name}`; the models are {known}, and a model file's name ends in `.toml`")]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// All names, in backticks.
        known: String,
    },
    /// The model does not have this setting.
    #[error("the model `{model}` has no setting `{setting}`")]
    NoSetting {
        /// The model's name.
        model: &'static str,
        /// The setting.
        setting: &'static str,
    },
    /// The configured layers do not fit each other or the input.
    #[error("the settings of model `{model}` do not fit")]
    Layers {
        /// The model's name.
        model: String,
        /// The layer and why.
        #[source]
        source: Box<NnError>,
    },
    /// A network has no layer of this name, at which it could be divided.
    #[error("the model `{model}` has no layer `{name}` {reason}")]
    NoLayer {
        /// The model's name.
        model: String,
        /// The name asked for.
        name: String,
        /// Names that there are.
        reason: String,
    },
    /// A model file cannot be read.
    #[error("cannot read the model file")]
    Read(#[source] std::io::Error),
    /// A model file is too long to be one.
    #[error("`{path}` is longer than {limit} bytes, which no model file is")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// A model file is no TOML, or has keys or values that no model file has.
    #[error("`{path}` is no model file{advice}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What helps, behind a semicolon; often nothing.
        advice: &'static str,
        /// The line and what is wrong there.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The layers of a model file make no network.
    #[error("`{path}`{} describes no network", line.map(|line| format!(", line {line},")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// The line of the layer, from 1.
        line: Option<usize>,
        /// The layer and why.
        #[source]
        source: Box<NnError>,
    },
    /// A file of weights cannot be read.
    #[error("cannot read the weights")]
    ReadWeights(#[source] std::io::Error),
    /// A file holds no weights in a form that is known.
    #[error("`{path}` holds no weights that can be read: {reason}")]
    NoWeights {
        /// The file.
        path: PathBuf,
        /// What was found there.
        reason: String,
    },
    /// Weights are those of another network.
    #[error("the weights are not those of `{model}`: {reason}")]
    OtherWeights {
        /// The model's name.
        model: String,
        /// The first tensor that does not fit, and how many do not.
        reason: String,
    },
}

impl ModelError {
    /// The layers of `model` do not fit, as `source` says.
    pub(crate) fn layers(model: &str, source: NnError) -> Self {
        Self::Layers { model: model.to_string(), source: Box::new(source) }
    }
}
