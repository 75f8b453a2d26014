//! [`rate_chart`]: the loss over growing learning rates, as a search for one has found it.

use std::fmt::Write as _;

use crate::number::decimal;
use crate::ticks::ticks;

/// Blue and vermilion of the palette of [`overlay`](crate::overlay).
const BLUE: &str = "#0072b2";
const VERMILION: &str = "#d55e00";

// In pixels: the plot and what is around it.
const PLOT: [f64; 2] = [480.0, 240.0];
const LEFT: f64 = 56.0;
const TOP: f64 = 34.0;
const WIDTH: f64 = LEFT + PLOT[0] + 16.0;
const HEIGHT: f64 = TOP + PLOT[1] + 44.0;

/// A chart of losses over learning rates on a logarithmic axis, as an SVG document, with a line at the rate `marked`.
///
/// Losses beyond twice the first are cut off, since a loss that runs away would flatten all that is of interest. The
/// picture has no background, and takes its ink from the text around it.
///
/// ```
/// let svg = aumenta_report::rate_chart(&[(1e-4, 0.7), (1e-3, 0.6), (1e-2, 0.4)], Some(1e-3));
/// assert!(svg.starts_with("<svg ") && svg.contains("falls fastest at 1.0e-3"));
/// ```
pub fn rate_chart(points: &[(f64, f64)], marked: Option<f64>) -> String {
    let points: Vec<(f64, f64)> =
        points.iter().copied().filter(|(rate, loss)| *rate > 0.0 && rate.is_finite() && loss.is_finite()).collect();
    let title = marked
        .map_or_else(|| "the loss never falls".to_owned(), |rate| format!("the loss falls fastest at {rate:.1e}"));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Loss by learning rate; {title}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" color=\"#767676\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"currentColor\">\n\
         <text x=\"{LEFT}\" y=\"18\" font-size=\"13\">{title}</text>\n"
    );
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let scale = Scale::of(first.0, last.0, &points);
        scale.write_axes(&mut svg);
        if let Some(rate) = marked {
            let (x, bottom) = (scale.x(rate), TOP + PLOT[1]);
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"{VERMILION}\" stroke-width=\"2\"/>");
        }
        let line: Vec<String> =
            points.iter().map(|(rate, loss)| format!("{:.1},{:.1}", scale.x(*rate), scale.y(*loss))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{BLUE}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
    }
    svg + "</svg>\n"
}

/// The ranges of the axes: logarithms of rates, and losses.
struct Scale {
    rates: [f64; 2],
    losses: [f64; 2],
}

impl Scale {
    fn of(first: f64, last: f64, points: &[(f64, f64)]) -> Self {
        let (low, high) = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, loss)| (low.min(*loss), high.max(*loss)));
        let high = high.min(2.0 * points[0].1.abs()).max(low);
        let margin = (0.05 * (high - low)).max(1e-6);
        let (from, to) = (first.log10(), last.log10());
        Self { rates: [from, if to > from { to } else { from + 1.0 }], losses: [low - margin, high + margin] }
    }

    fn x(&self, rate: f64) -> f64 {
        LEFT + PLOT[0] * (rate.log10() - self.rates[0]) / (self.rates[1] - self.rates[0])
    }

    fn y(&self, loss: f64) -> f64 {
        let share = (loss - self.losses[0]) / (self.losses[1] - self.losses[0]);
        TOP + PLOT[1] * (1.0 - share.clamp(0.0, 1.0))
    }

    fn write_axes(&self, svg: &mut String) {
        let (right, bottom) = (LEFT + PLOT[0], TOP + PLOT[1]);
        // Losses that differ little need more digits to differ on the axis.
        let digits = if self.losses[1] - self.losses[0] < 0.1 { 3 } else { 2 };
        for loss in ticks(self.losses[0], self.losses[1]) {
            let y = self.y(loss);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                decimal(loss, digits)
            );
        }
        // A power of ten that is an end of the range may lie beside it by a rounding.
        let (first, last) = ((self.rates[0] - 1e-6).ceil() as i32, (self.rates[1] + 1e-6).floor() as i32);
        for power in first..=last {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">1e{power}</text>",
                self.x(10f64.powi(power)),
                bottom + 16.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">learning rate</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">loss, smoothed</text>",
            LEFT + PLOT[0] / 2.0,
            bottom + 34.0,
            TOP + PLOT[1] / 2.0
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_runs_away_is_cut_off() {
        let svg = rate_chart(&[(1e-3, 0.7), (1e-2, 0.5), (1e-1, 90.0)], Some(1e-2));
        assert!(svg.contains("1e-2") && !svg.contains(">90"), "{svg}");
        assert!(svg.contains(&format!("{:.1},{TOP:.1}", LEFT + PLOT[0])), "{svg}");
    }

    #[test]
    fn axes_have_round_numbers_and_the_powers_of_ten_at_their_ends() {
        let svg = rate_chart(&[(f64::from(1e-7_f32), 0.7), (1e-6, 0.5), (1e-5, 0.6)], None);
        for label in [">0.50<", ">0.60<", ">1e-7<", ">1e-6<", ">1e-5<"] {
            assert!(svg.contains(label), "{label} {svg}");
        }
    }

    #[test]
    fn a_search_without_points_is_an_empty_picture() {
        for points in [&[][..], &[(1e-3, f64::NAN)]] {
            let svg = rate_chart(points, None);
            assert!(svg.contains("never falls") && !svg.contains("NaN"), "{svg}");
        }
        assert!(!rate_chart(&[(1e-3, 0.5)], None).contains("NaN"));
    }
}
