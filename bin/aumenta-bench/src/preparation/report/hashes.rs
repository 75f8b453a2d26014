//! The table of the part `hashes`.

use std::fmt::Write as _;

use super::cells;
use crate::preparation::hashes::HashesResults;
use crate::preparation::targets::{HASHES, HASHES_MIB, HASHES_SECONDS, at_least, at_most};
use crate::report::digits;

/// The whole part.
pub fn part(results: &HashesResults) -> String {
    let Some(search) = results.searches.last() else { return String::new() };
    let (build, searches) = results.seconds();
    let mut text = format!(
        "\n### `hashes`\n\n\
         {} random hashes of 64 bits, 1 % of them made from another by changing 0 to 11 bits, in `HammingIndex`, and one search \
         for each on all cores, in a process that does nothing else. The seconds of the process are with making the hashes.\n\n\
         | planted | found | pairs | s, index | s, searches | s, process | range of runs | MiB |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        search.hashes,
    );
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} |",
        search.planted,
        search.found,
        search.pairs,
        digits(build),
        digits(searches),
        cells(&results.outcome),
    );
    text.push('\n');
    text += &at_least("Share of the planted that is found", 1.0, search.found as f64 / search.planted as f64);
    if let (HASHES, Some(figures)) = (search.hashes, results.outcome.figures()) {
        text += &at_most("Seconds of index and searches", HASHES_SECONDS, build + searches);
        text += &at_most("MiB", HASHES_MIB, figures.peak_mib());
    }
    text
}
