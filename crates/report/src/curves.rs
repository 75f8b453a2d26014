//! Learning curves as SVG: accuracy or loss by epoch, of one run or several.
//!
//! A chart has no background, its text and grid take the color of the text around it (`currentColor`) or, where it
//! stands alone, a gray that can be read on light and dark, and the colors of the runs (Okabe and Ito, "Color universal
//! design", 2008) can be told apart by color-blind readers. Training is dashed, validation solid.

use aumenta_runs::{EpochRecord, Scores};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::ReportError;
use crate::plot::{
    Area, DASHED_STROKE, DrawResult, LEGEND_ROW, PLOT_HEIGHT, SOLID_STROKE, WIDTH, epoch_chart, ink_text, legend_name,
    palette, plot,
};

/// The curves of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve<'a> {
    /// The run's name, for the legend.
    pub name: &'a str,
    /// Its epochs, oldest first.
    pub epochs: &'a [EpochRecord],
}

/// What a chart shows by epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The share of images predicted right.
    Accuracy,
    /// The mean loss of an image.
    Loss,
}

/// One chart with the training and validation curves of all runs, as an SVG document.
///
/// A point that is not finite leaves a hole in its curve.
///
/// # Errors
/// [`ReportError::Chart`] where the plotting library refuses.
pub fn overlay(curves: &[Curve], quantity: Quantity) -> Result<String, ReportError> {
    chart(curves, 0, quantity, &Scale::of(curves, quantity))
}

/// One chart a run, all on the same scales and each in the color that [`overlay`] gives the run, as SVG documents.
///
/// # Errors
/// [`ReportError::Chart`] where the plotting library refuses.
pub fn panels(curves: &[Curve], quantity: Quantity) -> Result<Vec<String>, ReportError> {
    let scale = Scale::of(curves, quantity);
    (0..curves.len()).map(|run| chart(&curves[run..=run], run, quantity, &scale)).collect()
}

impl Quantity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
        }
    }

    pub(crate) fn of(self, scores: &Scores) -> f64 {
        match self {
            Self::Accuracy => scores.accuracy,
            Self::Loss => scores.loss,
        }
    }
}

/// The ranges of the axes.
struct Scale {
    last_epoch: i32,
    low: f64,
    high: f64,
}

impl Scale {
    /// Epochs from 1; accuracies from the tenth below the lowest to 1; losses from 0 to just above the highest.
    fn of(curves: &[Curve], quantity: Quantity) -> Self {
        let epochs = || curves.iter().flat_map(|curve| curve.epochs);
        let values = || epochs().flat_map(|epoch| [quantity.of(&epoch.train), quantity.of(&epoch.validation)]);
        let finite = || values().filter(|value| value.is_finite());
        let (low, high) = match quantity {
            Quantity::Accuracy => ((finite().fold(0.9, f64::min) * 10.0).floor().max(0.0) / 10.0, 1.0),
            // An axis to infinity would keep the plotting library in a loop.
            Quantity::Loss => (0.0, (finite().fold(0.0, f64::max) * 1.05).min(f64::MAX)),
        };
        Self {
            last_epoch: epochs().map(|epoch| epoch.epoch as i32).max().unwrap_or(0).max(2),
            low,
            high: if high > low { high } else { low + 1.0 },
        }
    }
}

fn chart(curves: &[Curve], first_color: usize, quantity: Quantity, scale: &Scale) -> Result<String, ReportError> {
    let legend_height = LEGEND_ROW * curves.len() as u32;
    let colors: Vec<RGBColor> = palette().skip(first_color).take(curves.len()).collect();
    let names: Vec<&str> = curves.iter().map(|curve| curve.name).collect();
    let label = format!("Training and validation {} by epoch: {}", quantity.name(), names.join(", "));
    plot(quantity.name(), &label, (WIDTH, PLOT_HEIGHT + legend_height), |area| {
        let (legend, plot) = area.split_vertically(legend_height);
        draw_legend(&legend, curves, &colors)?;
        draw_plot(&plot, curves, &colors, quantity, scale)
    })
}

/// A row a run: its name, and what its dashed and its solid line stand for.
fn draw_legend(area: &Area, curves: &[Curve], colors: &[RGBColor]) -> DrawResult {
    let centered = |horizontal| Pos::new(horizontal, VPos::Center);
    let text = ink_text().pos(centered(HPos::Left));
    for (row, (curve, color)) in curves.iter().zip(colors).enumerate() {
        let y = (row as u32 * LEGEND_ROW + LEGEND_ROW / 2) as i32;
        area.draw(&Text::new(legend_name(curve.name), (8, y), text.clone()))?;
        area.draw(&PathElement::new([(416, y), (476, y)], color.stroke_width(DASHED_STROKE)))?;
        area.draw(&Text::new("training", (486, y), text.clone()))?;
        area.draw(&PathElement::new([(610, y), (670, y)], color.stroke_width(SOLID_STROKE)))?;
        area.draw(&Text::new("validation", (680, y), text.clone()))?;
    }
    Ok(())
}

fn draw_plot(area: &Area, curves: &[Curve], colors: &[RGBColor], quantity: Quantity, scale: &Scale) -> DrawResult {
    let mut chart = epoch_chart(area, quantity.name(), scale.last_epoch, scale.low..scale.high)?;
    for (curve, color) in curves.iter().zip(colors) {
        for points in finite_stretches(curve.epochs, |epoch| quantity.of(&epoch.train)) {
            let size = point_size(&points);
            chart.draw_series(LineSeries::new(points, color.stroke_width(DASHED_STROKE)).point_size(size))?;
        }
        for points in finite_stretches(curve.epochs, |epoch| quantity.of(&epoch.validation)) {
            let size = point_size(&points);
            let style = color.filled().stroke_width(SOLID_STROKE);
            chart.draw_series(LineSeries::new(points, style).point_size(size))?;
        }
    }
    Ok(())
}

/// The points of a curve, parted where it has no finite value.
fn finite_stretches(epochs: &[EpochRecord], value: impl Fn(&EpochRecord) -> f64) -> Vec<Vec<(i32, f64)>> {
    let points: Vec<(i32, f64)> = epochs.iter().map(|epoch| (epoch.epoch as i32, value(epoch))).collect();
    let stretches = points.split(|(_, value)| !value.is_finite());
    stretches.filter(|stretch| !stretch.is_empty()).map(<[_]>::to_vec).collect()
}

/// A single epoch makes no line, so its point is drawn: hollow for training, filled for validation.
fn point_size(stretch: &[(i32, f64)]) -> u32 {
    if stretch.len() == 1 { 7 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::run;

    fn chart_of(accuracies: &[(f64, f64)], quantity: Quantity) -> String {
        let run = run("plain", accuracies);
        overlay(&[Curve { name: &run.name, epochs: &run.epochs }], quantity).unwrap()
    }

    #[test]
    fn a_chart_stays_as_it_was_drawn() {
        insta::assert_snapshot!(chart_of(&[(0.6, 0.62), (0.8, 0.75), (0.95, 0.78)], Quantity::Accuracy));
    }

    #[test]
    fn the_same_runs_give_the_same_bytes() {
        let accuracies = [(0.6, 0.62), (0.8, 0.75)];
        assert_eq!(chart_of(&accuracies, Quantity::Loss), chart_of(&accuracies, Quantity::Loss));
    }

    #[test]
    fn a_name_cannot_leave_its_text() {
        let run = run("<script>\"#010203\"</script>\u{1b}", &[(0.6, 0.62)]);
        let svg = overlay(&[Curve { name: &run.name, epochs: &run.epochs }], Quantity::Accuracy).unwrap();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(!svg.contains('\u{1b}'));
        assert!(svg.contains("&lt;script&gt;&quot;#010203&quot;"), "{svg}");
    }

    #[test]
    fn tiny_and_exploded_losses_have_labels_that_differ() {
        for loss in [1e-6, 0.004, 1.0, 1e6, f64::from(f32::MAX), f64::MAX] {
            let svg = chart_of(&[(1.0 - loss, 1.0), (1.0 - loss / 2.0, 1.0)], Quantity::Loss);
            let labels =
                svg.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()) && line.contains('.'));
            let labels: Vec<&str> = labels.collect();
            assert!(labels.len() > 2 && labels.windows(2).all(|pair| pair[0] != pair[1]), "{loss}: {labels:?}");
            assert!(labels.iter().all(|label| label.len() <= 7), "{loss}: {labels:?}");
        }
    }

    #[test]
    fn ink_follows_the_text_around_the_chart() {
        let svg = chart_of(&[(0.6, 0.62)], Quantity::Accuracy);
        assert!(svg.contains("fill=\"currentColor\"") && !svg.contains("\"#010203\""));
    }

    #[test]
    fn epochs_are_whole_numbers() {
        for epochs in [1, 2, 3, 30] {
            let svg = chart_of(&vec![(0.6, 0.62); epochs], Quantity::Accuracy);
            let labels = svg.lines().filter(|line| line.trim().parse::<u32>().is_ok()).count();
            assert!(labels >= 2, "{epochs} epochs have {labels} whole labels");
        }
    }

    #[test]
    fn a_single_epoch_is_a_point() {
        assert_eq!(chart_of(&[(0.6, 0.62)], Quantity::Loss).matches("<circle").count(), 2);
        assert_eq!(chart_of(&[(0.6, 0.62), (0.7, 0.7)], Quantity::Loss).matches("<circle").count(), 0);
    }

    #[test]
    fn what_is_not_finite_leaves_a_hole() {
        let mut run = run("diverged", &[(0.6, 0.6), (0.6, 0.6), (0.5, 0.5), (0.5, 0.5)]);
        run.epochs[1].train.loss = f64::NAN;
        let stretches = finite_stretches(&run.epochs, |epoch| epoch.train.loss);
        assert_eq!(stretches, [vec![(1, 0.4)], vec![(3, 0.5), (4, 0.5)]]);
        let svg = overlay(&[Curve { name: "diverged", epochs: &run.epochs }], Quantity::Loss).unwrap();
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn a_chart_without_epochs_has_its_axes() {
        for quantity in [Quantity::Accuracy, Quantity::Loss] {
            assert!(overlay(&[Curve { name: "empty", epochs: &[] }], quantity).unwrap().contains("epoch"));
            assert!(overlay(&[], quantity).unwrap().contains("epoch"));
        }
    }

    #[test]
    fn panels_share_one_scale_and_keep_each_runs_color() {
        let (plain, augmented) = (run("plain", &[(0.6, 0.62), (0.9, 0.7)]), run("augmented", &[(0.35, 0.4)]));
        let curves = [&plain, &augmented].map(|run| Curve { name: &run.name, epochs: &run.epochs });
        let scale = Scale::of(&curves, Quantity::Accuracy);
        assert_eq!((scale.last_epoch, scale.low, scale.high), (2, 0.3, 1.0));

        let panels = panels(&curves, Quantity::Accuracy).unwrap();
        let grid =
            |svg: &str| svg.lines().filter(|line| line.contains("currentColor")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(grid(&panels[0]), grid(&panels[1]));
        assert!(panels[0].contains("#0072B2") && !panels[0].contains("#D55E00"));
        assert!(panels[1].contains("#D55E00") && !panels[1].contains("#0072B2"));
    }
}
