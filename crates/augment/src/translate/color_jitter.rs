//! `ColorJitter`, which torchvision and albumentations have alike but for its defaults.

use super::TranslateError;
use super::call::Arguments;
use super::draft::{Draft, Symmetry, around};
use crate::TransformConfig;

/// What is drawn where an argument is left out.
pub(super) struct Usual {
    /// The range of the factors of brightness, contrast and saturation.
    pub factors: (f64, f64),
    /// The range of the hue's turn.
    pub turns: (f64, f64),
}

/// The parts of a `ColorJitter` whose arguments are bound by their names.
pub(super) fn color_jitter(
    arguments: &Arguments<'_>,
    usual: &Usual,
    draft: &mut Draft,
) -> Result<Vec<TransformConfig>, TranslateError> {
    let mut parts = Vec::new();
    for name in ["brightness", "contrast", "saturation"] {
        let range = arguments.pair(name, usual.factors, |amount| ((1.0 - amount).max(0.0), 1.0 + amount))?;
        let (amount, symmetry) = around(1.0, range);
        if amount == 0.0 {
            continue;
        }
        let is_whole = symmetry == Symmetry::Symmetric && amount <= 1.0;
        let amount = amount.min(1.0);
        parts.push(match name {
            "brightness" => TransformConfig::Brightness { amount },
            "contrast" => TransformConfig::ContrastAboutMean { amount },
            _ => TransformConfig::Saturation { amount },
        });
        let subject = format!("ColorJitter.{name}");
        if is_whole {
            draft.exact(&subject);
        } else {
            draft.approximate(&subject, &format!("the factor is drawn from {} to {}", 1.0 - amount, 1.0 + amount));
        }
    }
    let (turns, symmetry) = around(0.0, arguments.pair("hue", usual.turns, |turns| (-turns, turns))?);
    if turns != 0.0 {
        parts.push(TransformConfig::Hue { turns });
        if symmetry == Symmetry::Symmetric {
            draft.exact("ColorJitter.hue");
        } else {
            draft.approximate("ColorJitter.hue", "hues turn as far either way");
        }
    }
    if parts.len() > 1 {
        draft.approximate("ColorJitter", "its parts act in the order of its arguments, not in a random one");
    }
    Ok(parts)
}
