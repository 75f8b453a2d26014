//! What can go wrong with an architecture.

use aumenta_nn::NnError;

/// An error of a model's configuration or of its layers.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No architecture has this name.
    #[error("there is no model named `{name}`; the models are {known}")]
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
        model: &'static str,
        /// The layer and why.
        #[source]
        source: NnError,
    },
}
