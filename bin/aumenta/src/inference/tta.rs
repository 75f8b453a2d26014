//! [`Tta`]: test-time augmentation, as a flag has it; [`views`]: what it asks for.

use std::str::FromStr;

use anyhow::Result;
use aumenta_runs::RunFolder;
use aumenta_seed::Seed;
use aumenta_stream::{DrawnViews, Views};

use crate::config::Config;
use crate::failure::BadUse;

/// More views are a mistake, not a wish.
const MOST: u32 = 1000;

/// What is predicted besides the image itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tta {
    /// Its mirror image.
    Flip,
    /// So many versions that the run's augmentation draws.
    Drawn(u32),
}

impl FromStr for Tta {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("flip", _) => Ok(Self::Flip),
            (_, Ok(count)) if (1..=MOST).contains(&count) => Ok(Self::Drawn(count)),
            _ => Err(format!("it must be `flip` or a number from 1 to {MOST}")),
        }
    }
}

/// The views of each image that the flags ask for.
pub fn views(flags: &[Tta], run: &RunFolder) -> Result<Views> {
    let counts = flags.iter().filter_map(|flag| match flag {
        Tta::Flip => None,
        Tta::Drawn(count) => Some(*count),
    });
    let drawn = match counts.collect::<Vec<_>>()[..] {
        [] => None,
        [count] => Some(drawn(count, run)?),
        _ => return Err(BadUse::message("--tta says twice how many views are drawn: give one number".to_owned())),
    };
    Ok(Views { mirrored: flags.contains(&Tta::Flip), drawn })
}

fn drawn(count: u32, run: &RunFolder) -> Result<DrawnViews> {
    let config = Config::read(&run.config_path())?;
    if config.augment.is_neutral() {
        return Err(BadUse::message(
            "the run was trained without augmentation, so no views can be drawn by it: --tta flip needs none"
                .to_owned(),
        ));
    }
    let augment = config.augment.build().map_err(BadUse::from_error)?;
    Ok(DrawnViews { count, augment, seed: Seed::new(config.seed) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_the_word_flip_or_a_number() {
        assert_eq!("flip".parse(), Ok(Tta::Flip));
        assert_eq!("8".parse(), Ok(Tta::Drawn(8)));
        for text in ["0", "1001", "-1", "mirror", ""] {
            assert!(text.parse::<Tta>().is_err(), "{text}");
        }
    }
}
