//! [`DeviceArgs`]: where a network computes, as a flag; [`open`]: the device, with a word where it is not the one that was hoped for.

use anyhow::Result;
use aumenta_nn::{ChosenDevice, DeviceChoice};
use candle_core::Device;

/// Where a network computes.
#[derive(clap::Args, Clone, Copy)]
pub struct DeviceArgs {
    /// Where the network computes: `auto` (the first NVIDIA GPU that can be used, else the CPU), `cpu`, or `cuda:N`.
    #[arg(long, default_value_t = DeviceChoice::Auto)]
    device: DeviceChoice,
}

impl DeviceArgs {
    /// Opens the device that was asked for.
    pub fn open(self) -> Result<Device> {
        open(self.device)
    }
}

/// Opens a device. Where the CPU takes the place of a GPU, standard error says why.
pub fn open(choice: DeviceChoice) -> Result<Device> {
    let ChosenDevice { device, fallback } = choice.open()?;
    if let Some(fallback) = fallback {
        eprintln!("note: {fallback}");
    }
    Ok(device)
}
