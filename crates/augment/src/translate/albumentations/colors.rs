//! Colors of albumentations.

use super::super::TranslateError;
use super::super::call::Call;
use super::super::color_jitter::{Usual, color_jitter};
use super::super::draft::{Group, Symmetry, around};
use super::{Table, limits, share};
use crate::TransformConfig;

impl Table<'_> {
    pub(super) fn color_jitter(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["brightness", "contrast", "saturation", "hue"];
        let arguments = self.bind(call, &own, &own)?;
        let usual = Usual { factors: (0.8, 1.2), turns: self.usual((-0.2, 0.2), (-0.5, 0.5)) };
        Ok(Group::all(color_jitter(&arguments, &usual, self.draft)?, share(&arguments, 0.5)?))
    }

    pub(super) fn brightness_contrast(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["brightness_limit", "contrast_limit", "brightness_by_max"];
        let arguments = self.bind(call, &own, &[&own[..], &["ensure_safe_range"]].concat())?;
        let (amount, symmetry) = around(0.0, limits(&arguments, "contrast_limit", 0.2)?);
        let mut parts = Vec::new();
        if amount != 0.0 {
            parts.push(TransformConfig::Brightness { amount: amount.min(1.0) });
            self.draft.approximate(
                "RandomBrightnessContrast.contrast_limit",
                if symmetry == Symmetry::Symmetric {
                    "it multiplies all levels, which is called brightness here"
                } else {
                    "it multiplies all levels, which is called brightness here, by as much either way"
                },
            );
        }
        if limits(&arguments, "brightness_limit", 0.2)? != (0.0, 0.0) {
            self.draft
                .no_equal("RandomBrightnessContrast.brightness_limit", "no transform adds the same to all levels");
        }
        Ok(Group::all(parts, share(&arguments, 0.5)?))
    }

    pub(super) fn gamma(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = self.bind(call, &["gamma_limit", "eps"], &["gamma_limit"])?;
        let (low, high) = arguments.pair("gamma_limit", (80.0, 120.0), |percent| (1.0, percent))?;
        let exponents = [low / 100.0, high / 100.0];
        self.draft.exact("RandomGamma");
        Ok(Group::one(TransformConfig::Gamma { exponents }, share(&arguments, 0.5)?))
    }

    pub(super) fn clahe(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["clip_limit", "tile_grid_size"];
        let arguments = self.bind(call, &own, &own)?;
        let (low, high) = arguments.pair("clip_limit", (1.0, 4.0), |limit| (1.0, limit))?;
        let (rows, columns) = arguments.pair("tile_grid_size", (8.0, 8.0), |tiles| (tiles, tiles))?;
        if rows != columns {
            self.draft.approximate("CLAHE.tile_grid_size", &format!("{rows} tiles in both directions"));
        }
        self.draft.approximate("CLAHE", "it equalizes the luma, albumentations the lightness of CIELAB");
        let clahe = TransformConfig::Clahe { clip_limits: [low, high], tiles: rows as usize };
        Ok(Group::one(clahe, share(&arguments, 0.5)?))
    }
}
