//! Parameters that an optimizer steps otherwise than the rest, chosen by their names.

use serde::{Deserialize, Serialize};

use crate::error::NnError;
use crate::setting;

/// Settings for the parameters whose names match a pattern.
///
/// The first group of a configuration that matches a parameter decides for it alone; groups do not add up. What a group
/// leaves out is as in the optimizer's own settings.
///
/// ```
/// use aumenta_nn::{AdamWConfig, OptimizerConfig, ParameterGroup};
///
/// // Biases do not decay, and the layers of `features` learn ten times more slowly.
/// let groups = vec![
///     ParameterGroup { weight_decay: Some(0.0), ..ParameterGroup::new("*.bias") },
///     ParameterGroup { learning_rate_scale: 0.1, ..ParameterGroup::new("features.*") },
/// ];
/// let config = OptimizerConfig::AdamW(AdamWConfig { groups, ..AdamWConfig::default() });
/// config.check()?;
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ParameterGroup {
    /// A parameter's name, in which each `*` stands for any characters or none: `"*.bias"`, `"features.*"`.
    pub names: String,
    /// The factor of the learning rate, above 0. Default 1.
    #[serde(default = "unscaled")]
    pub learning_rate_scale: f32,
    /// In place of the optimizer's own `weight-decay`, at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f32>,
    /// In place of the optimizer's own `l1`, at least 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1: Option<f32>,
    /// Whether these parameters stay as they are: they are not stepped, not remembered, and not in the global norm.
    #[serde(default)]
    pub frozen: bool,
}

fn unscaled() -> f32 {
    1.0
}

impl ParameterGroup {
    /// A group for the parameters that match `names`, which changes nothing yet.
    pub fn new(names: impl Into<String>) -> Self {
        let names = names.into();
        Self { names, learning_rate_scale: unscaled(), weight_decay: None, l1: None, frozen: false }
    }

    pub(super) fn check(&self) -> Result<(), NnError> {
        let scale = self.learning_rate_scale;
        let fits = scale > 0.0 && scale.is_finite();
        setting::check("learning-rate-scale", "above 0 (or the group `frozen`)", scale, fits)?;
        self.weight_decay.map_or(Ok(()), |decay| setting::at_least_zero("weight-decay", decay))?;
        self.l1.map_or(Ok(()), |l1| setting::at_least_zero("l1", l1))
    }
}

/// The group that decides for each of the parameters named `names`.
///
/// # Errors
/// [`NnError::Group`] for a group that decides for none: it was meant to do something.
pub fn assign<'a>(groups: &'a [ParameterGroup], names: &[&str]) -> Result<Vec<Option<&'a ParameterGroup>>, NnError> {
    let first_match = |name: &&str| groups.iter().position(|group| matches(&group.names, name));
    let chosen: Vec<Option<usize>> = names.iter().map(first_match).collect();
    if let Some((_, idle)) = groups.iter().enumerate().find(|(index, _)| !chosen.contains(&Some(*index))) {
        let reason = if names.iter().any(|name| matches(&idle.names, name)) {
            "matches only parameters that groups before it match: move it before them".to_string()
        } else {
            format!("matches no parameter; there are {}", listed(names))
        };
        return Err(NnError::Group { names: idle.names.clone(), reason });
    }
    Ok(chosen.into_iter().map(|index| index.map(|index| &groups[index])).collect())
}

/// Whether `name` is `pattern`, where each `*` of it stands for any characters or none.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (inner, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The leftmost place of each piece leaves the most room for those behind it.
    for piece in inner.split('*') {
        let Some(at) = name.find(piece) else { return false };
        name = &name[at + piece.len()..];
    }
    name.ends_with(last)
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("conv1.weight", "conv1.weight", true),
            ("conv1.weight", "conv1.weights", false),
            ("*.bias", "features.0.bias", true),
            ("*.bias", "bias", false),
            ("features.*", "features.", true),
            ("features.*", "head.features.0", false),
            ("*", "", true),
            ("a*b*c", "a.b.b.c", true),
            ("a*b*c", "a.c.b", false),
            ("*é*", "café.weight", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn the_first_group_that_matches_decides() {
        let groups = ["*.bias", "head.*"].map(ParameterGroup::new);
        let assigned = assign(&groups, &["conv.weight", "conv.bias", "head.weight", "head.bias"]).unwrap();
        let patterns = assigned.into_iter().map(|group| group.map(|group| group.names.as_str()));
        assert_eq!(patterns.collect::<Vec<_>>(), [None, Some("*.bias"), Some("head.*"), Some("*.bias")]);
    }

    #[test]
    fn a_group_that_decides_for_nothing_is_an_error() {
        let refusal = |patterns: &[&str]| {
            let groups: Vec<ParameterGroup> = patterns.iter().copied().map(ParameterGroup::new).collect();
            assign(&groups, &["conv.weight", "conv.bias"]).unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&["head.*"]),
            "parameter group `head.*` matches no parameter; there are `conv.weight`, `conv.bias`"
        );
        assert_eq!(
            refusal(&["*", "*.bias"]),
            "parameter group `*.bias` matches only parameters that groups before it match: move it before them"
        );
    }
}
