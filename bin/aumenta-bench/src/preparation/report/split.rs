//! The table of the part `split`.

use std::fmt::Write as _;

use super::{cells, pictures};
use crate::preparation::split::{Contender, SplitResults};
use crate::preparation::targets::{IN_PLACE_RATIO, MATERIALIZE_RATIO, at_least};

/// The whole part.
pub fn part(results: &SplitResults) -> String {
    let mut text = format!(
        "\n### `split`\n\n\
         A zip archive of {}, in class folders and stored as they are, is divided into train, val and test by the ratios 0.7, 0.15 \
         and 0.15. *Written* is the size of all files that are there at the end.\n\n",
        pictures(&results.pictures),
    );
    for row in &results.rows {
        let _ = writeln!(text, "- `{}`: {}", row.contender.name(), row.contender.description());
    }
    text += "\n| contender | seconds | range of runs | MiB | MB written | times as fast as unzip-split-folders |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n";
    for row in &results.rows {
        let written =
            row.outcome.figures().map_or("-".to_string(), |figures| format!("{:.1}", figures.written_megabytes()));
        let times = ratio(results, row.contender).map_or("-".to_string(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(text, "| {} | {} | {written} | {times} |", row.contender.name(), cells(&row.outcome));
    }
    text.push('\n');
    for (contender, target) in
        [(Contender::OursMaterialize, MATERIALIZE_RATIO), (Contender::OursContent, IN_PLACE_RATIO)]
    {
        if let Some(ratio) = ratio(results, contender) {
            let what = format!("Speed of `{}` over that of `unzip-split-folders`", contender.name());
            text += &at_least(&what, target, ratio);
        }
    }
    text
}

/// How many times as fast as the other library.
fn ratio(results: &SplitResults, contender: Contender) -> Option<f64> {
    let other = results.figures(Contender::UnzipSplitFolders)?.median();
    Some(other / results.figures(contender)?.median())
}
