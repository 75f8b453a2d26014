//! The GPU, as NVIDIA's driver describes it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// What the numbers depend on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Card {
    /// Its name.
    pub name: String,
    /// The version of its driver.
    pub driver: String,
    /// Its memory in GiB.
    pub memory_gib: f64,
    /// The generation of its kernels, such as 9.0.
    pub compute_capability: String,
}

impl Card {
    /// The first GPU.
    ///
    /// # Errors
    /// Where `nvidia-smi`, which comes with the driver, is not there or finds no GPU.
    pub fn read() -> Result<Self> {
        let fields = "--query-gpu=name,driver_version,memory.total,compute_cap";
        let output = Command::new("nvidia-smi").args([fields, "--format=csv,noheader,nounits", "--id=0"]).output();
        let output = output.context("no NVIDIA driver is found: `nvidia-smi` cannot be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "`nvidia-smi` finds no GPU: {}", text.trim());
        Self::parse(&text).with_context(|| format!("`nvidia-smi` said `{}`", text.trim()))
    }

    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.lines().next()?.split(',').map(str::trim).collect();
        let [name, driver, mib, capability] = fields[..] else { return None };
        let memory_gib = mib.parse::<f64>().ok()? / 1024.0;
        let [name, driver, compute_capability] = [name, driver, capability].map(str::to_string);
        Some(Self { name, driver, memory_gib, compute_capability })
    }

    /// In a sentence, for the report.
    pub fn description(&self) -> String {
        let Self { name, driver, memory_gib, compute_capability } = self;
        format!("GPU: {name}, {memory_gib:.0} GiB, compute capability {compute_capability}, driver {driver}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_from_the_drivers_line() {
        let card = Card::parse("NVIDIA A100-SXM4-40GB, 580.65.06, 40960, 8.0\n").unwrap();
        assert_eq!(card.description(), "GPU: NVIDIA A100-SXM4-40GB, 40 GiB, compute capability 8.0, driver 580.65.06.");
        assert_eq!(Card::parse("No devices were found\n"), None);
        assert_eq!(Card::parse(""), None);
    }
}
