//! The GPU's memory, watched from a thread while a network is trained.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use candle_core::Device;

/// The time between two looks.
const PERIOD: Duration = Duration::from_millis(2);

/// Looks at how much memory of the GPU is taken, until it is told to end: the looks would slow down what is timed.
pub struct Watch {
    /// In bytes.
    peak: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches what is taken of `device` from now on, beside what is taken already.
    ///
    /// # Errors
    /// Where the GPU does not tell.
    pub fn start(device: &Device) -> Result<Self> {
        let (peak, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (device, before) = (device.clone(), taken_bytes(device)?);
        let (written, ends) = (Arc::clone(&peak), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                // A look that fails tells nothing; the one before it and the one behind it do.
                if let Ok(taken) = taken_bytes(&device) {
                    written.fetch_max(taken.saturating_sub(before), Ordering::Relaxed);
                }
                thread::sleep(PERIOD);
            }
        });
        Ok(Self { peak, is_over, thread: Some(thread) })
    }

    /// Ends the looks, where they have not ended yet; the most that was taken in their time, in bytes.
    pub fn end(&mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell any more.
            let _ = thread.join();
        }
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

/// The bytes of `device` that all programs together have taken.
#[cfg(feature = "cuda")]
fn taken_bytes(device: &Device) -> Result<u64> {
    let Device::Cuda(device) = device else { return Ok(0) };
    let (free, total) = device.cuda_stream().context().mem_get_info()?;
    Ok((total - free) as u64)
}

/// Nothing: this build knows the CPU alone.
#[cfg(not(feature = "cuda"))]
#[expect(clippy::unnecessary_wraps, reason = "as where there is CUDA")]
fn taken_bytes(_: &Device) -> Result<u64> {
    Ok(0)
}
