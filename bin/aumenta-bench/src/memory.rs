//! The memory of a process, as Linux tells it in `/proc/PID/status` and `/proc/PID/smaps_rollup`.

use anyhow::{Context, Result};

/// A figure of a process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// What is resident now.
    Resident,
    /// The most that was resident at once.
    Peak,
    /// What is resident now, a page that several processes share counting in parts.
    Proportional,
}

/// The figure in KiB of the process `id`, a number or `self`.
///
/// # Errors
/// Where the system has no such file or the file no such line, as on anything but Linux.
pub fn figure_kib(id: &str, figure: Figure) -> Result<u64> {
    let file = match figure {
        Figure::Resident | Figure::Peak => "status",
        Figure::Proportional => "smaps_rollup",
    };
    let path = format!("/proc/{id}/{file}");
    let text = fs_err::read_to_string(&path)?;
    parse(&text, figure).with_context(|| format!("{path} does not tell the memory of a process"))
}

fn parse(text: &str, figure: Figure) -> Option<u64> {
    let name = match figure {
        Figure::Resident => "VmRSS:",
        Figure::Peak => "VmHWM:",
        Figure::Proportional => "Pss:",
    };
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_read_by_their_names() {
        let status = "Name:\tpython\nVmPeak:\t  900000 kB\nVmHWM:\t  512340 kB\nVmRSS:\t  498000 kB\n";
        assert_eq!(parse(status, Figure::Peak), Some(512_340));
        assert_eq!(parse(status, Figure::Resident), Some(498_000));
        assert_eq!(parse("Name:\tpython\n", Figure::Peak), None);
        let rollup = "Rss:              498000 kB\nPss:              300100 kB\nPss_Dirty:          200 kB\n";
        assert_eq!(parse(rollup, Figure::Proportional), Some(300_100));
    }
}
