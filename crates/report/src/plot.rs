//! What all charts of the plotting library share: size, ink, palette, and how a document is finished.
//!
//! A chart has no background. Its text and grid take the color of the text around it (`currentColor`) or, where it stands
//! alone, a gray that can be read on light and dark, and its colors (Okabe and Ito, "Color universal design", 2008) can be
//! told apart by color-blind readers.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::coord::types::{RangedCoordf64, RangedCoordi32};
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;

use crate::error::ReportError;
use crate::escape;

// A chart is laid out in units of half a pixel, since the backend rounds every coordinate to whole units.
pub const WIDTH: u32 = 820;
pub const PLOT_HEIGHT: u32 = 520;
pub const LEGEND_ROW: u32 = 44;
/// The backend writes it divided by 1.24.
const FONT_SIZE: u32 = 31;

// The backend knows neither `currentColor` nor dashes: a color and a stroke width that nothing else has stand for them
// until `finish`.
pub const INK: RGBColor = RGBColor(1, 2, 3);
pub const DASHED_STROKE: u32 = 5;
pub const SOLID_STROKE: u32 = 6;

/// Blue, vermilion, bluish green, orange, reddish purple and sky blue.
const PALETTE: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(230, 159, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type DrawResult = Result<(), DrawError>;
type DrawError = DrawingAreaErrorKind<std::io::Error>;
/// Axes that are drawn, `X` from left to right, to draw on.
type Charted<'a, 'b, X> = Result<ChartContext<'b, SVGBackend<'a>, Cartesian2d<X, RangedCoordf64>>, DrawError>;

/// The colors of the palette, in order, again and again.
pub fn palette() -> impl Iterator<Item = RGBColor> {
    PALETTE.into_iter().cycle()
}

/// What `draw` draws on an area of `size`, as an SVG document that a screen reader calls `label`. An error calls it `name`.
pub fn plot(
    name: &'static str,
    label: &str,
    size: (u32, u32),
    draw: impl FnOnce(&Area) -> DrawResult,
) -> Result<String, ReportError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let drawn = draw(&area).and_then(|()| area.present());
    drawn.map_err(|source| ReportError::Chart { chart: name, source })?;
    // The document is complete only when every area over it is gone.
    drop(area);
    Ok(finish(&svg, label, size))
}

/// The name, cut where it would run into the dashed line.
pub fn legend_name(name: &str) -> String {
    const LONGEST: usize = 28;
    let name = escape::visible(name);
    if name.chars().count() <= LONGEST { name } else { name.chars().take(LONGEST - 1).chain(['…']).collect() }
}

/// A value on the vertical axis, with digits to suit the axis: losses may be tiny, or explode.
pub fn tick_label(value: f64, highest: f64) -> String {
    if (0.2..1000.0).contains(&highest) { format!("{value:.2}") } else { format!("{value:.1e}") }
}

/// What stands at the axes of a chart.
pub struct Axes<'s, X> {
    /// The name of the horizontal axis.
    pub x: &'s str,
    /// The name of the vertical axis.
    pub y: &'s str,
    /// The room for the labels of the vertical axis.
    pub left: u32,
    /// A value on the horizontal axis.
    pub x_label: &'s dyn Fn(&X) -> String,
    /// A value on the vertical axis.
    pub y_label: &'s dyn Fn(&f64) -> String,
}

impl<X> Axes<'_, X> {
    /// The chart with these axes, which have the ranges `x` and `y`.
    pub fn chart<'a, 'b, R>(&self, area: &'b Area<'a>, x: R, y: Range<f64>) -> Charted<'a, 'b, R::CoordDescType>
    where
        R: AsRangedCoord<Value = X>,
        R::CoordDescType: ValueFormatter<X> + Ranged<ValueType = X>,
    {
        let mut chart = ChartBuilder::on(area)
            // The backend lets the tall letters of the vertical axis' name stand out.
            .margin_left(10)
            .margin_right(24)
            .margin_top(16)
            .set_label_area_size(LabelAreaPosition::Left, self.left)
            .set_label_area_size(LabelAreaPosition::Bottom, 80)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.2).stroke_width(2))
            .axis_style(INK.mix(0.5).stroke_width(2))
            .label_style(ink_text())
            .axis_desc_style(ink_text())
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(8)
            .y_labels(8)
            .x_label_formatter(self.x_label)
            .y_label_formatter(self.y_label)
            .draw()?;
        Ok(chart)
    }
}

/// The axes of a chart of `what` by epoch, from 1 to `last_epoch`, with the values of `range`.
pub fn epoch_chart<'a, 'b>(
    area: &'b Area<'a>,
    what: &str,
    last_epoch: i32,
    range: Range<f64>,
) -> Charted<'a, 'b, RangedCoordi32> {
    let highest = range.end;
    let (x_label, y_label) = (|epoch: &i32| epoch.to_string(), |value: &f64| tick_label(*value, highest));
    let axes = Axes { x: "epoch", y: what, left: 100, x_label: &x_label, y_label: &y_label };
    axes.chart(area, 1..last_epoch, range)
}

pub fn ink_text() -> TextStyle<'static> {
    ("sans-serif", FONT_SIZE).into_font().color(&INK)
}

/// Lets the document scale, take its ink from the text around it, and say to a screen reader what it is.
fn finish(svg: &str, label: &str, (width, height): (u32, u32)) -> String {
    let label = escape::html(label);
    let fixed = format!("<svg width=\"{width}\" height=\"{height}\"");
    let scaling = format!(
        "<svg role=\"img\" aria-label=\"{label}\" width=\"{}\" height=\"{}\" color=\"#767676\"",
        width / 2,
        height / 2
    );
    svg.replacen(&fixed, &scaling, 1)
        .replace("=\"#010203\"", "=\"currentColor\"")
        .replace("stroke-width=\"5\" points", "stroke-width=\"5\" stroke-dasharray=\"14 8\" points")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_in_the_legend() {
        assert_eq!(legend_name("augmented"), "augmented");
        assert_eq!(legend_name(&"é".repeat(28)), "é".repeat(28));
        assert_eq!(legend_name(&"é".repeat(29)), "é".repeat(27) + "…");
    }
}
