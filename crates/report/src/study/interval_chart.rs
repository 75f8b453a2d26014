//! [`interval_chart`]: an outcome of every arm, with its mean and its 95% interval.

use std::fmt::Write as _;

use aumenta_study::{ArmResult, Outcome, Spread};

use crate::escape;
use crate::number::decimal;
use crate::ticks::ticks;

// In pixels.
const ROW: f64 = 26.0;
const LEFT: f64 = 180.0;
const PLOT: f64 = 300.0;
const WIDTH: f64 = LEFT + PLOT + 70.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// The chart as an SVG document; a row an arm that has the outcome, in the order of the arms. Dots are single seeds.
///
/// The picture has no background, and takes its ink from the text around it.
pub fn interval_chart(arms: &[ArmResult], outcome: Outcome) -> String {
    let rows: Vec<(&ArmResult, &Spread)> =
        arms.iter().filter_map(|arm| Some((arm, arm.spreads.get(&outcome)?))).collect();
    let height = TOP + ROW * rows.len() as f64 + BOTTOM;
    let title = outcome.title();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title} of every arm\" width=\"{WIDTH}\" \
         height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" color=\"#767676\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" fill=\"currentColor\">\n"
    );
    let scale = Scale::of(&rows);
    scale.write_axis(&mut svg, TOP + ROW * rows.len() as f64, outcome);
    for (index, (arm, spread)) in rows.into_iter().enumerate() {
        write_row(&mut svg, &scale, TOP + ROW * (index as f64 + 0.5), arm, spread, outcome);
    }
    svg + "</svg>\n"
}

fn write_row(svg: &mut String, scale: &Scale, y: f64, arm: &ArmResult, spread: &Spread, outcome: Outcome) {
    let (low, high) = ends(spread);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <path d=\"M{:.1} {y:.1}H{:.1}\" stroke=\"#0072b2\" stroke-width=\"2\"/>",
        LEFT - 10.0,
        y + 4.0,
        escape::html(&cut(&arm.name)),
        scale.x(low),
        scale.x(high),
    );
    for value in arm.finished().filter_map(|trial| trial.outcomes.get(&outcome)) {
        let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"currentColor\"/>", scale.x(*value));
    }
    let _ = writeln!(
        svg,
        "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"#0072b2\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        scale.x(spread.mean),
        LEFT + PLOT + 10.0,
        y + 4.0,
        decimal(spread.mean, outcome.digits()),
    );
}

/// The ends of the interval, within the values of all seeds where there is none.
fn ends(spread: &Spread) -> (f64, f64) {
    spread.interval.map_or((spread.lowest, spread.highest), |interval| (interval.low, interval.high))
}

/// A name that fits beside the plot.
fn cut(name: &str) -> String {
    const LONGEST: usize = 26;
    if name.chars().count() <= LONGEST {
        name.to_owned()
    } else {
        name.chars().take(LONGEST - 1).chain(['…']).collect()
    }
}

struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(rows: &[(&ArmResult, &Spread)]) -> Self {
        let low = rows.iter().map(|(_, spread)| ends(spread).0.min(spread.lowest)).fold(f64::INFINITY, f64::min);
        let high = rows.iter().map(|(_, spread)| ends(spread).1.max(spread.highest)).fold(f64::NEG_INFINITY, f64::max);
        let margin = (0.05 * (high - low)).max(1e-3);
        if low <= high { Self { low: low - margin, high: high + margin } } else { Self { low: 0.0, high: 1.0 } }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + PLOT * (value - self.low) / (self.high - self.low)
    }

    fn write_axis(&self, svg: &mut String, bottom: f64, outcome: Outcome) {
        for value in ticks(self.low, self.high) {
            let x = self.x(value);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                decimal(value, outcome.digits().min(3))
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::arm;

    #[test]
    fn every_arm_has_a_row_with_a_dot_a_seed() {
        let arms = [
            arm("plain", None, &[&[(0.9, 0.7)], &[(0.9, 0.72)]]),
            arm("<i>", Some(0), &[&[(0.8, 0.7)], &[(0.8, 0.75)]]),
        ];
        let svg = interval_chart(&arms, Outcome::FinalGap);
        assert_eq!((svg.matches("r=\"2.5\"").count(), svg.matches("r=\"4.5\"").count()), (4, 2));
        assert!(svg.contains("&lt;i&gt;") && !svg.contains("NaN"));
    }

    #[test]
    fn no_arm_is_an_empty_chart() {
        assert!(!interval_chart(&[], Outcome::FinalGap).contains("NaN"));
    }
}
