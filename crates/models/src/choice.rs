//! What a training's configuration says about its model: a name with settings, or a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::sequential::SequentialConfig;

/// The `[model]` table of a configuration that someone writes: a [`ModelConfig`], or `file = "net.toml"`, a
/// [`SequentialConfig`]'s file.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelChoice {
    /// The model itself.
    Config(ModelConfig),
    /// The path of a model file.
    File(PathBuf),
}

impl ModelChoice {
    /// The model, that of a file read from `folder`, to which its path is relative.
    ///
    /// # Errors
    /// As [`SequentialConfig::read`].
    pub fn resolved(self, folder: &Path) -> Result<ModelConfig, ModelError> {
        match self {
            Self::Config(config) => Ok(config),
            Self::File(path) => Ok(ModelConfig::Sequential(SequentialConfig::read(&folder.join(path))?)),
        }
    }
}

impl<'de> Deserialize<'de> for ModelChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            file: PathBuf,
        }
        let table = toml::Table::deserialize(deserializer)?;
        let choice = if table.contains_key("file") {
            table.try_into().map(|File { file }| Self::File(file))
        } else {
            table.try_into().map(Self::Config)
        };
        choice.map_err(|error: toml::de::Error| de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ModelChoice, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_table_names_a_model_or_a_file() {
        let named = parse("name = \"mnist-convnet\"").unwrap();
        assert_eq!(named, ModelChoice::Config(ModelConfig::MnistConvnet {}));
        assert_eq!(parse("file = \"net.toml\"").unwrap(), ModelChoice::File(PathBuf::from("net.toml")));
        for (text, reason) in [
            ("file = \"net.toml\"\ndropout = 0.5", "unknown field `dropout`"),
            ("name = \"cats-dogs-convnet\"\ndropuot = 0.5", "unknown field `dropuot`"),
            ("dropout = 0.5", "missing field `name`"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_files_path_is_relative_to_the_configurations_folder() {
        let folder = tempfile::tempdir().unwrap();
        let text = "input = [8, 8, 1]\nlayers = [{ type = \"flatten\" }, { type = \"dense\", units = 3 }]";
        fs_err::write(folder.path().join("net.toml"), text).unwrap();
        let model = parse("file = \"net.toml\"").unwrap().resolved(folder.path()).unwrap();
        assert_eq!(model.architecture().unwrap().name(), "net");
        assert!(matches!(ModelChoice::File("no.toml".into()).resolved(folder.path()), Err(ModelError::Read(_))));
    }
}
