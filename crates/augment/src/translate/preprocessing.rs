//! `Normalize`, as the line of `[preprocessing]` that does the same.

use super::draft::Draft;

/// Notes the line for `(value - mean) / std` of values from 0 to 1, by channel.
pub(super) fn normalize(mean: &[f64], std: &[f64], draft: &mut Draft) {
    let line = if (mean, std) == (&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]) {
        "normalization = \"imagenet\"".to_string()
    } else {
        format!("normalization = {{ mean-std = {{ mean = {mean:?}, std = {std:?} }} }}")
    };
    draft.preprocessing("Normalize", &line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NormalizationConfig;

    #[derive(serde::Deserialize)]
    struct Preprocessing {
        normalization: NormalizationConfig,
    }

    #[test]
    fn the_line_is_one_that_a_configuration_has() {
        for (mean, std) in [([0.5, 0.25, 0.125], [1.0, 2.0, 3.0]), ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])] {
            let mut draft = Draft::default();
            normalize(&mean, &std, &mut draft);
            let note = draft.finish().notes.remove(0).text;
            let line = note.strip_prefix("below [preprocessing], write ").unwrap();
            let written = toml::from_str::<Preprocessing>(line).unwrap().normalization;
            let expected = NormalizationConfig::MeanStd { mean: mean.to_vec(), std: std.to_vec() };
            assert!(written == expected || mean[0] == 0.485 && written == NormalizationConfig::Imagenet, "{line}");
        }
    }
}
