//! What albumentations paints over.

use super::super::TranslateError;
use super::super::call::{Arguments, Call, Value};
use super::super::draft::{Group, rounded};
use super::{AlbumentationsVersion, Table, given, nothing, share};
use crate::{CountRange, Cover, Step, TransformConfig};

/// Why holes in pixels are sometimes not translated.
const PIXELS: &str = "it is in pixels, and nothing before says the picture's size; sizes are fractions here";

/// The most holes that are written as steps of their own.
const MAX_HOLES: f64 = 64.0;

impl Table<'_> {
    /// Each hole is an erased rectangle, and their number the count of a `some-of`.
    pub(super) fn coarse_dropout(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["max_holes", "max_height", "max_width", "min_holes", "min_height", "min_width"];
        let new = ["num_holes_range", "hole_height_range", "hole_width_range", "fill", "fill_mask"];
        let arguments = self.bind(call, &[&old[..], &["fill_value", "mask_fill_value"]].concat(), &new)?;
        let holes = self.holes(&arguments, "num_holes_range", ["min_holes", "max_holes"], [1.0, 2.0])?;
        let mut heights = self.holes(&arguments, "hole_height_range", ["min_height", "max_height"], [0.1, 0.2])?;
        let mut widths = self.holes(&arguments, "hole_width_range", ["min_width", "max_width"], [0.1, 0.2])?;
        if heights[1] >= 1.0 {
            let Some([width, height]) = self.draft.size_pixels else {
                self.draft.no_equal("CoarseDropout", PIXELS);
                return nothing(&arguments);
            };
            heights = heights.map(|pixels| pixels / height);
            widths = widths.map(|pixels| pixels / width);
        }
        if !(0.0..=MAX_HOLES).contains(&holes[1]) || widths[0] <= 0.0 || heights[0] <= 0.0 {
            self.draft.no_equal("CoarseDropout", "it has more than 64 holes, or holes of no size");
            return nothing(&arguments);
        }
        let Some(cover) = self.cover(&arguments, "CoarseDropout")? else { return nothing(&arguments) };
        let areas = [rounded(heights[0] * widths[0]), rounded(heights[1] * widths[1])];
        let aspect_ratios = [rounded(heights[0] / widths[1]), rounded(heights[1] / widths[0])];
        let hole = Step::from(TransformConfig::Erasing { areas, aspect_ratios, cover });
        if heights[0] == heights[1] && widths[0] == widths[1] {
            self.draft.exact("CoarseDropout");
        } else {
            self.draft.approximate("CoarseDropout", "areas and aspect ratios are drawn, not heights and widths");
        }
        let count = holes.map(|count| count.max(0.0) as usize);
        let (steps, probability) = (vec![hole; count[1]], share(&arguments, 0.5)?);
        Ok(if count[0] == count[1] {
            Group::certain(steps).with_probability(probability)
        } else {
            Group::one(TransformConfig::SomeOf { steps, count: CountRange::Between(count) }, probability)
        })
    }

    pub(super) fn cutout(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let arguments = call.bind(&["num_holes", "max_h_size", "max_w_size", "fill_value", "always_apply", "p"])?;
        let [count, height, width] = ["num_holes", "max_h_size", "max_w_size"].map(|name| arguments.number(name, 8.0));
        let (count, height, width) = (count?, height?, width?);
        let Some(size) = self.draft.size_pixels else {
            self.draft.no_equal("Cutout", PIXELS);
            return nothing(&arguments);
        };
        if !(0.0..=MAX_HOLES).contains(&count) {
            self.draft.no_equal("Cutout", "it has more than 64 holes");
            return nothing(&arguments);
        }
        let Some(cover) = self.cover(&arguments, "Cutout")? else { return nothing(&arguments) };
        if height == width {
            self.draft.exact("Cutout");
        } else {
            self.draft.approximate("Cutout", "holes are squares of the larger side");
        }
        let side_fraction = rounded(height.max(width) / size[0].min(size[1]));
        let holes = vec![TransformConfig::Cutout { side_fraction, cover }; count as usize];
        Ok(Group::all(holes, share(&arguments, 0.5)?))
    }

    /// Holes of `ratio` of a unit's side, a tenth of the picture where no unit is given.
    pub(super) fn grid_dropout(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let old = ["ratio", "unit_size_min", "unit_size_max", "holes_number_x", "holes_number_y", "shift_x", "shift_y"];
        let old_end = ["random_offset", "fill_value", "mask_fill_value"];
        let new = ["ratio", "random_offset", "unit_size_range", "holes_number_xy", "shift_xy", "fill", "fill_mask"];
        let arguments = self.bind(call, &[&old[..], &old_end].concat(), &new)?;
        let units = arguments.pair("unit_size_range", (0.0, 0.0), |side| (side, side))?;
        let units = [arguments.number("unit_size_min", units.0)?, arguments.number("unit_size_max", units.1)?];
        let (across, down) = arguments.pair("holes_number_xy", (10.0, 10.0), |count| (count, count))?;
        let across = arguments.number("holes_number_x", across)?;
        let down = arguments.number("holes_number_y", down)?;
        let unit_fractions = if units[1] > 0.0 {
            let Some(size) = self.draft.size_pixels else {
                self.draft.no_equal("GridDropout", PIXELS);
                return nothing(&arguments);
            };
            units.map(|pixels| rounded(pixels / size[0].min(size[1])))
        } else {
            [rounded(across.recip()); 2]
        };
        if units[1] == 0.0 && across != down {
            self.draft.approximate("GridDropout.holes_number", &format!("{across} holes in both directions"));
        }
        let Some(cover) = self.cover(&arguments, "GridDropout")? else { return nothing(&arguments) };
        let keep_fraction = rounded(1.0 - arguments.number("ratio", 0.5)?);
        self.draft.approximate(
            "GridDropout",
            if arguments.truth("random_offset", self.usual(false, true))? {
                "the grid is shifted as a whole, not each hole by itself"
            } else {
                "the grid is shifted at random"
            },
        );
        let grid = TransformConfig::GridMask { unit_fractions, keep_fraction, max_rotation_degrees: 0.0, cover };
        Ok(Group::one(grid, share(&arguments, 0.5)?))
    }

    /// A ratio is that of width to height there, and of height to width here.
    pub(super) fn erasing(&mut self, call: &Call) -> Result<Group, TranslateError> {
        let own = ["scale", "ratio", "fill", "fill_mask"];
        let arguments = self.bind(call, &own, &own)?;
        let areas = arguments.pair("scale", (0.02, 0.33), |area| (area, area))?;
        let (low, high) = arguments.pair("ratio", (0.3, 3.3), |ratio| (ratio, ratio))?;
        if low <= 0.0 {
            return Err(arguments.unexpected("ratio", "ratios above 0"));
        }
        let Some(cover) = self.cover(&arguments, "Erasing")? else { return nothing(&arguments) };
        self.draft.approximate("Erasing", "ratios of height to width are drawn evenly in their logarithm");
        let aspect_ratios = [rounded(high.recip()), rounded(low.recip())];
        Ok(Group::one(TransformConfig::Erasing { areas: areas.into(), aspect_ratios, cover }, share(&arguments, 0.5)?))
    }

    /// A range by its name in 2.0, or by the names of its ends in 1, where the lower end is the upper one if it is left out.
    fn holes(
        &self,
        arguments: &Arguments<'_>,
        both: &str,
        [low, high]: [&'static str; 2],
        usual: [f64; 2],
    ) -> Result<[f64; 2], TranslateError> {
        let is_old = self.version == AlbumentationsVersion::Albumentations1
            || ["max_holes", "max_height", "max_width"].iter().any(|name| arguments.value(name).is_some());
        if is_old && arguments.value(both).is_none() {
            let high = arguments.number(high, 8.0)?;
            return Ok([arguments.number(low, high)?, high]);
        }
        Ok(arguments.pair(both, usual.into(), |value| (value, value))?.into())
    }

    /// What is painted, or `None` and a note where nothing here paints it.
    fn cover(&mut self, arguments: &Arguments<'_>, subject: &str) -> Result<Option<Cover>, TranslateError> {
        let name = given(arguments, &["fill_value", "fill"]);
        match arguments.value(name) {
            Some(Value::Text(text)) if text == "random" => Ok(Some(Cover::Noise)),
            Some(Value::Text(text)) if text == "random_uniform" => {
                self.draft.approximate(subject, "each pixel of a hole has a color of its own");
                Ok(Some(Cover::Noise))
            }
            Some(Value::Text(_)) => {
                self.draft.no_equal(subject, "holes are one color or noise, never inpainted");
                Ok(None)
            }
            _ => Ok(Some(Cover::Color(arguments.color(name, 1.0)?.unwrap_or_default()))),
        }
    }
}
