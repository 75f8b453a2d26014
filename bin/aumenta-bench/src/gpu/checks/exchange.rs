//! The exchange of gradients among one process, which changes none.

use anyhow::Result;
use aumenta_nn::{GradientExchange, Parameters};
use candle_core::{Device, Tensor, Var};

use crate::gpu::check::{Check, Output, Tolerance, random};

/// Short ones share a bucket, and the long one has its own.
const SHAPES: [&[usize]; 4] = [&[33], &[16, 8, 3, 3], &[3000, 2500], &[1]];

pub fn checks() -> Vec<Check> {
    vec![
        Check::new("gradients averaged over one process", |device| {
            let tensors = tensors(device)?;
            let averaged = match exchange(device)? {
                Some(mut exchange) => exchange.average(&tensors)?,
                None => tensors,
            };
            outputs(&averaged)
        }),
        Check::new("parameters broadcast to one process", |device| {
            let mut parameters = Parameters::default();
            for (index, tensor) in tensors(device)?.iter().enumerate() {
                parameters.push(format!("parameter {index}"), Var::from_tensor(tensor)?);
            }
            if let Some(mut exchange) = exchange(device)? {
                exchange.broadcast(&parameters)?;
            }
            outputs(&parameters.iter().map(|parameter| parameter.var.as_tensor().clone()).collect::<Vec<_>>())
        }),
    ]
}

/// The exchange of the only process of a training; the CPU has none.
fn exchange(device: &Device) -> Result<Option<GradientExchange>> {
    if device.is_cpu() {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    Ok(Some(GradientExchange::new(device, 0, 1, &folder.path().join("rendezvous"))?))
}

fn tensors(device: &Device) -> Result<Vec<Tensor>> {
    SHAPES.iter().enumerate().map(|(index, shape)| random(&format!("tensor {index}"), shape, device)).collect()
}

fn outputs(tensors: &[Tensor]) -> Result<Vec<Output>> {
    let numbered = tensors.iter().enumerate();
    numbered.map(|(index, tensor)| Output::new(format!("tensor {index}"), tensor, Tolerance::Exact)).collect()
}
