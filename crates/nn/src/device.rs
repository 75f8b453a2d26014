//! Where a network computes: a [`DeviceChoice`] is what is asked for, a [`ChosenDevice`] what there is.

use std::str::FromStr;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::error::NnError;

/// Where a network is to compute; written `auto`, `cpu`, `cuda` or `cuda:N`.
///
/// ```
/// use aumenta_nn::DeviceChoice;
///
/// let choice: DeviceChoice = "cpu".parse()?;
/// assert!(choice.open()?.device.is_cpu());
/// assert_eq!("cuda".parse::<DeviceChoice>()?, DeviceChoice::Cuda(0));
/// assert_eq!(DeviceChoice::Cuda(1).to_string(), "cuda:1");
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// The first NVIDIA GPU that can be used, and the CPU where there is none. Default.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The NVIDIA GPU with this number, counted from 0 as the driver counts those that it shows.
    Cuda(usize),
}

/// A device that is ready to compute.
#[derive(Clone, Debug)]
pub struct ChosenDevice {
    /// The device. What is done on a GPU goes in the order in which it is asked for, by whichever thread, on one stream. Nothing orders
    /// it with other streams: who makes one must make it wait.
    pub device: Device,
    /// Why the CPU takes the place of a GPU, in one line, where this program could have used one and none could be opened.
    pub fallback: Option<String>,
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    /// [`NnError::Device`] where a GPU is asked for by its number and this program was built without CUDA, or the GPU cannot be
    /// opened. [`DeviceChoice::Auto`] and [`DeviceChoice::Cpu`] can always be opened.
    pub fn open(self) -> Result<ChosenDevice, NnError> {
        match self {
            Self::Auto => Ok(auto()),
            Self::Cpu => Ok(ChosenDevice::from(Device::Cpu)),
            Self::Cuda(number) => {
                let opened = open_gpu(number).map_err(|reason| NnError::Device { choice: self, reason })?;
                Ok(ChosenDevice::from(opened))
            }
        }
    }

    /// What `device` is called.
    ///
    /// ```
    /// use aumenta_nn::DeviceChoice;
    /// assert_eq!(DeviceChoice::of(&candle_core::Device::Cpu).to_string(), "cpu");
    /// ```
    pub fn of(device: &Device) -> Self {
        match device.location() {
            candle_core::DeviceLocation::Cuda { gpu_id } => Self::Cuda(gpu_id),
            candle_core::DeviceLocation::Cpu | candle_core::DeviceLocation::Metal { .. } => Self::Cpu,
        }
    }
}

impl From<Device> for ChosenDevice {
    fn from(device: Device) -> Self {
        Self { device, fallback: None }
    }
}

/// The CPU, where no GPU could be used anyway.
#[cfg(not(feature = "cuda"))]
fn auto() -> ChosenDevice {
    ChosenDevice::from(Device::Cpu)
}

#[cfg(not(feature = "cuda"))]
fn open_gpu(_: usize) -> Result<Device, String> {
    Err("this program was built without CUDA; build it with `--features cuda,cudnn`".to_string())
}

/// The first GPU that can be opened, else the CPU.
#[cfg(feature = "cuda")]
fn auto() -> ChosenDevice {
    first_gpu().map_or_else(
        |reason| ChosenDevice {
            device: Device::Cpu,
            fallback: Some(format!("no GPU can be used, so the CPU computes: {reason}")),
        },
        ChosenDevice::from,
    )
}

/// The first GPU that can be opened, or why the first of them cannot.
#[cfg(feature = "cuda")]
fn first_gpu() -> Result<Device, String> {
    use candle_core::cuda_backend::cudarc::driver::CudaContext;

    let count = CudaContext::device_count().map_err(|error| error.to_string())?;
    let mut first_reason = None;
    for number in 0..count as usize {
        match open_gpu(number) {
            Ok(device) => return Ok(device),
            Err(reason) => first_reason = first_reason.or(Some(reason)),
        }
    }
    Err(first_reason.unwrap_or_else(|| "the driver shows none".to_string()))
}

/// A GPU with a stream of its own: Candle's default is a stream a thread, on which a tensor could be read by one thread before
/// another's work on it is done.
#[cfg(feature = "cuda")]
fn open_gpu(number: usize) -> Result<Device, String> {
    let device = Device::new_cuda_with_stream(number).map_err(|error| error.to_string())?;
    if let Device::Cuda(device) = &device {
        crate::cuda::memory::keep_freed(device).map_err(|error| error.to_string())?;
        crate::cuda::memory::order_by_stream(device);
    }
    Ok(device)
}

impl FromStr for DeviceChoice {
    type Err = NnError;

    fn from_str(name: &str) -> Result<Self, NnError> {
        let number = |number: &str| number.parse().ok().map(Self::Cuda);
        let choice = match name {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            name => name.strip_prefix("cuda:").and_then(number),
        };
        choice.ok_or_else(|| NnError::DeviceName { name: name.to_string() })
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = NnError;

    fn try_from(name: String) -> Result<Self, NnError> {
        name.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_the_same_choice() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(0), DeviceChoice::Cuda(11)] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(json, format!("\"{choice}\""));
            assert_eq!(serde_json::from_str::<DeviceChoice>(&json).unwrap(), choice);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
    }

    #[test]
    fn other_names_are_refused_with_those_that_there_are() {
        for name in ["", "gpu", "CPU", "cuda:", "cuda:-1", "cuda:one", "cuda0"] {
            let message = name.parse::<DeviceChoice>().unwrap_err().to_string();
            assert_eq!(message, format!("`{name}` is no device: give `auto`, `cpu`, `cuda` or `cuda:N`"));
        }
    }

    #[test]
    fn the_cpu_is_opened_and_called_by_its_name() {
        let ChosenDevice { device, fallback } = DeviceChoice::Cpu.open().unwrap();
        assert_eq!((DeviceChoice::of(&device), fallback), (DeviceChoice::Cpu, None));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn without_cuda_auto_is_the_cpu_and_a_gpu_is_refused_with_what_to_build() {
        let ChosenDevice { device, fallback } = DeviceChoice::Auto.open().unwrap();
        assert!(device.is_cpu() && fallback.is_none());
        let message = DeviceChoice::Cuda(1).open().unwrap_err().to_string();
        let expected =
            "cannot compute on `cuda:1`: this program was built without CUDA; build it with `--features cuda,cudnn`";
        assert_eq!(message, expected);
    }
}
