//! [`reliability_chart`]: how often a network is right against how sure it is.

use std::fmt::Write as _;

use aumenta_metrics::{Calibration, CalibrationBin};

use crate::number::decimal;

/// Blue and vermilion of the palette of [`overlay`](crate::overlay).
const BLUE: &str = "#0072b2";
const VERMILION: &str = "#d55e00";

// In pixels: the square of the diagram, the bars of counts below it, and what is around them.
const SIDE: f64 = 300.0;
const COUNTS: f64 = 60.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 34.0;
const GAP: f64 = 44.0;
const WIDTH: f64 = LEFT + SIDE + 16.0;
const HEIGHT: f64 = TOP + SIDE + GAP + COUNTS + 14.0;

/// A reliability diagram as an SVG document. For each bin of confidences a blue bar shows the share of its images that were
/// predicted right, and a vermilion line how far the mean confidence lies from it; bars of an honest network end at the
/// diagonal. Below, gray bars show how the images are spread over the bins.
///
/// The picture has no background, and takes its ink from the text around it.
///
/// Source: Guo et al., "On calibration of modern neural networks", 2017.
///
/// ```
/// use aumenta_metrics::{Calibration, Scored};
///
/// let scored = Scored::new(2, &[0, 1], &[0.9, 0.1, 0.8, 0.2]);
/// let svg = aumenta_report::reliability_chart(&Calibration::of(&scored, 15));
/// assert!(svg.starts_with("<svg ") && svg.contains("ECE 0.450"));
/// ```
pub fn reliability_chart(calibration: &Calibration) -> String {
    let error = decimal(calibration.expected_error().unwrap_or(f64::NAN), 3);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Accuracy by confidence; expected calibration \
         error {error}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" color=\"#767676\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"currentColor\">\n"
    );
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"18\" font-size=\"13\">ECE {error} over {} bins</text>",
        calibration.bins.len()
    );
    write_axes(&mut svg);
    let most = calibration.bins.iter().map(|bin| bin.samples).max().unwrap_or(0).max(1);
    for bin in &calibration.bins {
        write_bin(&mut svg, bin, most);
    }
    svg + "</svg>\n"
}

fn x(share: f64) -> f64 {
    LEFT + SIDE * share
}

fn y(share: f64) -> f64 {
    TOP + SIDE * (1.0 - share)
}

fn write_axes(svg: &mut String) {
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        let (x, y, left, right) = (x(share), y(share), x(0.0), x(1.0));
        let _ = writeln!(
            svg,
            "<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{share:.1}</text>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{share:.1}</text>",
            left - 6.0,
            y + 4.0,
            TOP + SIDE + 16.0
        );
    }
    let (left, right, bottom, top) = (x(0.0), x(1.0), y(0.0), y(1.0));
    let _ = writeln!(
        svg,
        "<path d=\"M{left:.1} {bottom:.1}L{right:.1} {top:.1}\" stroke=\"currentColor\" stroke-dasharray=\"5 4\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">confidence</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">accuracy</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">images</text>",
        x(0.5),
        TOP + SIDE + 34.0,
        y(0.5),
        TOP + SIDE + GAP + COUNTS / 2.0
    );
}

fn write_bin(svg: &mut String, bin: &CalibrationBin, most: u64) {
    let (Some(accuracy), Some(confidence)) = (bin.accuracy(), bin.confidence) else { return };
    let (left, width) = (x(bin.low) + 1.0, SIDE * (bin.high - bin.low) - 2.0);
    let (middle, share) = (x(f64::midpoint(bin.low, bin.high)), bin.samples as f64 / most as f64);
    let _ = writeln!(
        svg,
        "<g><title>{} of {} images right with a mean confidence of {confidence:.3}</title>\
         <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{BLUE}\" fill-opacity=\"0.75\"/>\
         <path d=\"M{middle:.1} {:.1}V{:.1}M{left:.1} {:.1}h{width:.1}\" stroke=\"{VERMILION}\" stroke-width=\"2\" \
         fill=\"none\"/>\
         <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill-opacity=\"0.5\"/></g>",
        bin.correct,
        bin.samples,
        y(accuracy),
        SIDE * accuracy,
        y(accuracy),
        y(confidence),
        y(confidence),
        TOP + SIDE + GAP + COUNTS * (1.0 - share),
        COUNTS * share
    );
}

#[cfg(test)]
mod tests {
    use aumenta_metrics::Scored;

    use super::*;

    #[test]
    fn bins_without_images_have_no_bar() {
        let scored = Scored::new(2, &[0, 0, 1], &[0.9, 0.1, 0.6, 0.4, 0.6, 0.4]);
        let svg = reliability_chart(&Calibration::of(&scored, 10));
        assert_eq!(svg.matches("<g>").count(), 2);
        assert!(svg.contains("1 of 2 images right with a mean confidence of 0.600"), "{svg}");
    }

    #[test]
    fn a_diagram_of_no_images_has_its_axes() {
        let svg = reliability_chart(&Calibration::of(&Scored::new(2, &[], &[]), 15));
        assert!(svg.contains("ECE – over 15 bins") && !svg.contains("NaN"), "{svg}");
    }
}
