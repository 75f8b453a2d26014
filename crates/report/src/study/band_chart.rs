//! Learning curves with bands over seeds: validation of all arms on one chart, and both curves of one arm on another.

use aumenta_study::ArmResult;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::band::{BandPoint, Side, band};
use super::book::BookNumber;
use crate::curves::Quantity;
use crate::error::ReportError;
use crate::plot::{
    Area, DASHED_STROKE, DrawResult, INK, LEGEND_ROW, PLOT_HEIGHT, SOLID_STROKE, WIDTH, epoch_chart, ink_text,
    legend_name, palette, plot,
};

/// A curve with its band, and how it is drawn.
struct Line {
    name: String,
    color: RGBColor,
    stroke: u32,
    points: Vec<BandPoint>,
}

impl Line {
    /// The band's edge, along its lowest values and back along its highest, within the axes.
    fn outline(&self, scale: &Scale) -> Vec<(i32, f64)> {
        let corner = |point: &BandPoint, value: f64| (point.epoch as i32, value.clamp(scale.low, scale.high));
        let there = self.points.iter().map(|point| corner(point, point.low));
        let back = self.points.iter().rev().map(|point| corner(point, point.high));
        there.chain(back).collect()
    }
}

/// Validation accuracy or loss of all arms by epoch, and `references` as dotted lines; an SVG document.
///
/// # Errors
/// [`ReportError::Chart`] where the plotting library refuses.
pub fn validation_chart(
    arms: &[ArmResult],
    quantity: Quantity,
    references: &[BookNumber],
) -> Result<String, ReportError> {
    let line = |(arm, color): (&ArmResult, RGBColor)| Line {
        name: arm.name.clone(),
        color,
        stroke: SOLID_STROKE,
        points: band(arm, quantity, Side::Validation),
    };
    let lines: Vec<Line> = arms.iter().zip(palette()).map(line).collect();
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    let label = format!("Validation {} by epoch, with bands over seeds: {}", quantity.name(), names.join(", "));
    chart(&label, quantity, &lines, references, &Scale::of(&lines, quantity))
}

/// Training and validation accuracy or loss of each arm by epoch, all on the same scales; SVG documents.
///
/// # Errors
/// [`ReportError::Chart`] where the plotting library refuses.
pub fn arm_charts(arms: &[ArmResult], quantity: Quantity) -> Result<Vec<String>, ReportError> {
    let lines_of = |(arm, color): (&ArmResult, RGBColor)| {
        [(Side::Training, "training", DASHED_STROKE), (Side::Validation, "validation", SOLID_STROKE)].map(
            |(side, name, stroke)| Line {
                name: format!("{}: {name}", arm.name),
                color,
                stroke,
                points: band(arm, quantity, side),
            },
        )
    };
    let lines: Vec<[Line; 2]> = arms.iter().zip(palette()).map(lines_of).collect();
    let scale = Scale::of(lines.as_flattened(), quantity);
    let draw = |(arm, lines): (&ArmResult, &[Line; 2])| {
        let label =
            format!("Training and validation {} of {} by epoch, with bands over seeds", quantity.name(), arm.name);
        chart(&label, quantity, lines, &[], &scale)
    };
    arms.iter().zip(&lines).map(draw).collect()
}

/// The ranges of the axes.
struct Scale {
    last_epoch: i32,
    low: f64,
    high: f64,
}

impl Scale {
    /// Accuracies from the tenth below the lowest to 1; losses from 0 to just above the highest mean.
    fn of(lines: &[Line], quantity: Quantity) -> Self {
        let points = || lines.iter().flat_map(|line| &line.points);
        let (low, high) = match quantity {
            Quantity::Accuracy => {
                (points().map(|point| (point.low * 10.0).floor() / 10.0).fold(0.9, f64::min).max(0.0), 1.0)
            }
            Quantity::Loss => (0.0, points().map(|point| 1.05 * point.mean).fold(0.0, f64::max)),
        };
        let last_epoch = points().map(|point| point.epoch as i32).max().unwrap_or(0).max(2);
        Self { last_epoch, low, high: if high > low { high } else { low + 1.0 } }
    }
}

fn chart(
    label: &str,
    quantity: Quantity,
    lines: &[Line],
    references: &[BookNumber],
    scale: &Scale,
) -> Result<String, ReportError> {
    let legend_height = LEGEND_ROW * lines.len() as u32;
    plot(quantity.name(), label, (WIDTH, PLOT_HEIGHT + legend_height), |area| {
        let (legend, plot) = area.split_vertically(legend_height);
        draw_legend(&legend, lines)?;
        draw_plot(&plot, quantity, lines, references, scale)
    })
}

fn draw_legend(area: &Area, lines: &[Line]) -> DrawResult {
    let text = ink_text().pos(Pos::new(HPos::Left, VPos::Center));
    for (row, line) in lines.iter().enumerate() {
        let y = (row as u32 * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        area.draw(&PathElement::new([(8, y), (68, y)], line.color.stroke_width(line.stroke)))?;
        area.draw(&Text::new(legend_name(&line.name), (82, y), text.clone()))?;
    }
    Ok(())
}

fn draw_plot(area: &Area, quantity: Quantity, lines: &[Line], references: &[BookNumber], scale: &Scale) -> DrawResult {
    let mut chart = epoch_chart(area, quantity.name(), scale.last_epoch, scale.low..scale.high)?;
    for reference in references.iter().filter(|number| (scale.low..scale.high).contains(&number.accuracy)) {
        let ends = [(1, reference.accuracy), (scale.last_epoch, reference.accuracy)];
        chart.draw_series(DashedLineSeries::new(ends, 4, 10, INK.mix(0.7).stroke_width(3)))?;
        let above = (scale.last_epoch, reference.accuracy);
        let style = ink_text().pos(Pos::new(HPos::Right, VPos::Bottom));
        chart.draw_series([Text::new(
            format!("book {}: {:.3}", reference.section, reference.accuracy),
            above,
            style,
        )])?;
    }
    // All bands lie below all lines.
    for line in lines.iter().filter(|line| line.points.iter().any(|point| point.high > point.low)) {
        chart.draw_series([Polygon::new(line.outline(scale), line.color.mix(0.18).filled())])?;
    }
    for line in lines {
        let means = line.points.iter().map(|point| (point.epoch as i32, point.mean));
        let size = if line.points.len() == 1 { 7 } else { 0 };
        let style = line.color.filled().stroke_width(line.stroke);
        chart.draw_series(LineSeries::new(means, style).point_size(size))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::book::BOOK;
    use crate::study::tests::arm;

    fn arms() -> Vec<ArmResult> {
        vec![
            arm("plain", None, &[&[(0.6, 0.6), (0.9, 0.7)], &[(0.6, 0.62), (0.92, 0.72)]]),
            arm("<both>", Some(0), &[&[(0.6, 0.62), (0.8, 0.78)]]),
        ]
    }

    #[test]
    fn an_arm_with_several_seeds_has_a_band() {
        let svg = validation_chart(&arms(), Quantity::Accuracy, &[]).unwrap();
        assert_eq!(svg.matches("<polygon").count(), 1);
        assert!(svg.contains("&lt;both&gt;") && !svg.contains("<both>"));
    }

    #[test]
    fn references_within_the_axes_are_lines_with_their_place() {
        let svg = validation_chart(&arms(), Quantity::Accuracy, &BOOK).unwrap();
        assert!(svg.contains("book 5.2: 0.724") && svg.contains("book 5.3: 0.903"), "{svg}");
    }

    #[test]
    fn charts_of_arms_share_their_scales() {
        let svgs = arm_charts(&arms(), Quantity::Loss).unwrap();
        let grid = |svg: &str| -> Vec<String> {
            svg.lines().filter(|line| line.contains("<line ")).map(str::to_owned).collect()
        };
        assert_eq!(grid(&svgs[0]), grid(&svgs[1]));
        assert!(svgs[0].contains("stroke-dasharray"));
    }

    #[test]
    fn nothing_to_draw_is_drawn_as_axes() {
        assert!(validation_chart(&[], Quantity::Loss, &[]).unwrap().contains("epoch"));
        assert!(validation_chart(&[arm("a", None, &[])], Quantity::Accuracy, &[]).unwrap().contains("epoch"));
    }
}
