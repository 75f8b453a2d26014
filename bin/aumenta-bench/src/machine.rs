//! The machine, as Linux describes it.

use anyhow::{Context, Result};
use serde::Serialize;

/// The vector and matrix units that matter to these libraries, by the names of `/proc/cpuinfo`.
const UNITS: [&str; 9] =
    ["avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "asimd"];

/// What the numbers depend on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Cores that the program may use.
    pub cores: usize,
    /// Vector and matrix units.
    pub units: Vec<String>,
    /// Memory in GiB.
    pub memory_gib: f64,
    /// How many threads wanted to run, in the mean over the minute before the run.
    pub load: f64,
}

impl Machine {
    /// This machine.
    ///
    /// # Errors
    /// Where the system has no such files, as on anything but Linux.
    pub fn read() -> Result<Self> {
        let cores = std::thread::available_parallelism()?.get();
        let processor = fs_err::read_to_string("/proc/cpuinfo")?;
        let memory = fs_err::read_to_string("/proc/meminfo")?;
        let load = fs_err::read_to_string("/proc/loadavg")?;
        Self::parse(&processor, &memory, &load, cores).context("/proc/meminfo or /proc/loadavg is not as Linux has it")
    }

    fn parse(processor: &str, memory: &str, load: &str, cores: usize) -> Option<Self> {
        let flags: Vec<&str> = field(processor, &["flags", "Features"]).unwrap_or("").split_whitespace().collect();
        let total: f64 = field(memory, &["MemTotal"])?.strip_suffix(" kB")?.parse().ok()?;
        Some(Self {
            processor: describe(processor),
            cores,
            units: UNITS.iter().filter(|unit| flags.contains(unit)).map(ToString::to_string).collect(),
            memory_gib: total / f64::from(1 << 20),
            load: load.split_whitespace().next()?.parse().ok()?,
        })
    }
}

/// The processor's name with its family and model, which tell more where a virtual machine hides the name.
fn describe(processor: &str) -> String {
    let name = field(processor, &["model name"]).unwrap_or("an unnamed processor");
    let [family, model] = [&["cpu family"], &["model"]].map(|names| field(processor, names));
    match (family, model) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name.to_string(),
    }
}

/// The value of the first line `name : value` with one of `names`.
fn field<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| names.contains(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_read_from_the_systems_files() {
        let processor = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 \
                         avx512f avx512_bf16\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n";
        let machine =
            Machine::parse(processor, "MemTotal:       25165824 kB\n", "0.25 0.10 0.05 1/100 7\n", 2).unwrap();
        assert_eq!(
            machine,
            Machine {
                processor: "AMD EPYC (family 25, model 17)".to_string(),
                cores: 2,
                units: ["avx2", "avx512f", "avx512_bf16"].map(str::to_string).to_vec(),
                memory_gib: 24.0,
                load: 0.25,
            }
        );
        assert!(Machine::parse(processor, "", "0.25", 2).is_none());
    }
}
