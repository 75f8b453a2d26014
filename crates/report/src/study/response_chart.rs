//! [`response_chart`]: an outcome against a setting that is a number, such as the gap against the dropout rate, or accuracy
//! against the number of training images.

use aumenta_study::{Outcome, Spread};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::ReportError;
use crate::number::decimal;
use crate::plot::{
    Area, Axes, DrawResult, LEGEND_ROW, PLOT_HEIGHT, SOLID_STROKE, WIDTH, ink_text, legend_name, palette, plot,
};

/// An outcome over the values of a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The setting.
    pub setting: String,
    /// What was measured.
    pub outcome: Outcome,
    /// One line for each combination of other settings: its name, and its values with their outcomes, ascending.
    pub lines: Vec<(String, Vec<(f64, Spread)>)>,
}

impl Response {
    /// Whether values are better told apart by their ratios: all positive, the largest ten times the smallest.
    fn is_logarithmic(&self) -> bool {
        let (low, high) = self.range();
        low > 0.0 && high >= 10.0 * low
    }

    fn range(&self) -> (f64, f64) {
        let values = || self.lines.iter().flat_map(|(_, points)| points.iter().map(|(value, _)| *value));
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    }

    /// From just below the lowest end of an interval to just above the highest.
    fn outcome_range(&self) -> (f64, f64) {
        let spreads = || self.lines.iter().flat_map(|(_, points)| points.iter().map(|(_, spread)| spread));
        let low = spreads().map(|spread| ends(spread).0).fold(f64::INFINITY, f64::min);
        let high = spreads().map(|spread| ends(spread).1).fold(f64::NEG_INFINITY, f64::max);
        let margin = (0.08 * (high - low)).max(1e-3);
        (low - margin, high + margin)
    }
}

/// The interval of a spread, or the value alone where there is none.
fn ends(spread: &Spread) -> (f64, f64) {
    spread.interval.map_or((spread.mean, spread.mean), |interval| (interval.low, interval.high))
}

/// The chart as an SVG document: means over seeds with their 95% intervals; `None` where fewer than two values have one.
///
/// # Errors
/// [`ReportError::Chart`] where the plotting library refuses.
pub fn response_chart(response: &Response) -> Result<Option<String>, ReportError> {
    let (low, high) = response.range();
    if low >= high {
        return Ok(None);
    }
    let title = response.outcome.title();
    let label = format!("{title} against {}", response.setting);
    let legend_height = LEGEND_ROW * if response.lines.len() > 1 { response.lines.len() as u32 } else { 0 };
    let margin = 0.04 * (high - low);
    let svg = plot("response", &label, (WIDTH, PLOT_HEIGHT + legend_height), |area| {
        let (legend, plot) = area.split_vertically(legend_height);
        if response.lines.len() > 1 {
            draw_legend(&legend, response)?;
        }
        if response.is_logarithmic() {
            draw_plot(&plot, response, (low / 1.15..high * 1.15).log_scale())
        } else {
            draw_plot(&plot, response, low - margin..high + margin)
        }
    })?;
    Ok(Some(svg))
}

fn draw_legend(area: &Area, response: &Response) -> DrawResult {
    let text = ink_text().pos(Pos::new(HPos::Left, VPos::Center));
    for (row, ((name, _), color)) in response.lines.iter().zip(palette()).enumerate() {
        let y = (row as u32 * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        area.draw(&PathElement::new([(8, y), (68, y)], color.stroke_width(SOLID_STROKE)))?;
        area.draw(&Text::new(legend_name(name), (82, y), text.clone()))?;
    }
    Ok(())
}

fn draw_plot<X>(area: &Area, response: &Response, x_axis: X) -> DrawResult
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64> + Ranged<ValueType = f64>,
{
    let (low, high) = response.outcome_range();
    let digits = if high - low < 0.5 { 3 } else { response.outcome.digits().min(2) };
    let (x_label, y_label) = (|value: &f64| value_label(*value), |value: &f64| decimal(*value, digits));
    let (x, y) = (response.setting.as_str(), short_title(response.outcome));
    let axes = Axes { x, y, left: 124, x_label: &x_label, y_label: &y_label };
    let mut chart = axes.chart(area, x_axis, low..high)?;
    // Where lines have the same values, each is moved aside by a little, or intervals would hide each other.
    let aside = |line: usize| ASIDE * (2 * line as i32 - (response.lines.len() as i32 - 1)) / 2;
    for (line, ((_, points), color)) in response.lines.iter().zip(palette()).enumerate() {
        let (dx, Some((first, begin))) = (aside(line), points.first()) else { continue };
        let start = (*first, begin.mean);
        // From one place of the chart to another, in the backend's units.
        let way = |from: (f64, f64), to: (f64, f64)| {
            let (from, to) = (chart.backend_coord(&from), chart.backend_coord(&to));
            (dx + to.0 - from.0, to.1 - from.1)
        };
        let means = points.iter().map(|(value, spread)| way(start, (*value, spread.mean))).collect::<Vec<_>>();
        let of_points = points.iter().map(|(value, spread)| {
            let (below, above) = ends(spread);
            let interval = [(dx, 0), way((*value, below), (*value, above))];
            ((*value, spread.mean), (*value, below), interval)
        });
        let of_points = of_points.collect::<Vec<_>>();
        let path = PathElement::new(means, color.stroke_width(SOLID_STROKE));
        chart.draw_series([EmptyElement::at(start) + path])?;
        for (mean, below, interval) in of_points {
            chart.draw_series([EmptyElement::at(mean) + Circle::new((dx, 0), 8, color.filled())])?;
            chart.draw_series([EmptyElement::at(below) + PathElement::new(interval, color.stroke_width(3))])?;
        }
    }
    Ok(())
}

/// How far lines are moved apart, in the backend's units.
const ASIDE: i32 = 14;

/// The title, where it fits beside the axis.
fn short_title(outcome: Outcome) -> &'static str {
    if outcome == Outcome::LateValidation { "late validation accuracy" } else { outcome.title() }
}

/// A value without digits that say nothing.
fn value_label(value: f64) -> String {
    let rounded = format!("{value:.4}");
    if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(values: &[f64]) -> Response {
        let spread = |mean: f64| Spread::of(&[mean, mean + 0.02, mean - 0.01]).unwrap();
        let points = values.iter().map(|value| (*value, spread(0.5 + value / 10_000.0))).collect();
        Response {
            setting: "train-images".to_owned(),
            outcome: Outcome::LateValidation,
            lines: vec![(String::new(), points)],
        }
    }

    #[test]
    fn ratios_decide_on_a_logarithmic_axis() {
        assert!(response(&[100.0, 200.0, 2000.0]).is_logarithmic());
        assert!(!response(&[0.0, 0.5]).is_logarithmic());
        assert!(!response(&[100.0, 200.0]).is_logarithmic());
    }

    #[test]
    fn every_value_has_a_point_and_its_interval() {
        for values in [&[100.0, 200.0, 2000.0], &[0.0, 0.25, 0.5]] {
            let svg = response_chart(&response(values)).unwrap().unwrap();
            assert_eq!(svg.matches("<circle").count(), 3);
            assert_eq!(svg.matches("stroke-width=\"3\"").count(), 3);
            assert!(svg.contains("train-images") && svg.contains("late validation accuracy"));
        }
    }

    #[test]
    fn one_value_is_no_chart() {
        assert_eq!(response_chart(&response(&[0.5])).unwrap(), None);
        assert_eq!(response_chart(&response(&[])).unwrap(), None);
    }

    #[test]
    fn labels_have_no_idle_digits() {
        assert_eq!([0.25, 2000.0, 0.0001, 0.0].map(value_label), ["0.25", "2000", "0.0001", "0"]);
    }
}
