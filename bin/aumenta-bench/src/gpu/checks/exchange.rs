//! The exchange of gradients among one process, which changes none.

use anyhow::Result;
use aumenta_nn::{GradientExchange, Gradients, Parameters};
use candle_core::{Device, Tensor, Var};

use crate::gpu::check::{Check, Output, Tolerance, random};

/// Short ones share a bucket, and the long one has its own.
const SHAPES: [&[usize]; 4] = [&[33], &[16, 8, 3, 3], &[3000, 2500], &[1]];

pub fn checks() -> Vec<Check> {
    vec![
        Check::new("gradients averaged over one process", averaged),
        Check::new("parameters broadcast to one process", broadcast),
    ]
}

fn averaged(device: &Device) -> Result<Vec<Output>> {
    let parameters = parameters(device)?;
    let squares = parameters.iter().map(|parameter| Ok(parameter.var.sqr()?.sum_all()?));
    let loss = squares.reduce(|sum, square: Result<_>| Ok((sum? + square?)?)).expect("there are parameters")?;
    let mut gradients = Gradients::of(&loss, &parameters)?;
    if let Some(mut exchange) = exchange(device)? {
        gradients = exchange.average(&gradients)?;
    }
    outputs(gradients.tensors())
}

fn broadcast(device: &Device) -> Result<Vec<Output>> {
    let parameters = parameters(device)?;
    if let Some(mut exchange) = exchange(device)? {
        exchange.broadcast(&parameters)?;
    }
    outputs(&parameters.iter().map(|parameter| parameter.var.as_tensor().clone()).collect::<Vec<_>>())
}

/// The exchange of the only process of a training; the CPU has none.
fn exchange(device: &Device) -> Result<Option<GradientExchange>> {
    if device.is_cpu() {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    Ok(Some(GradientExchange::new(device, 0, 1, &folder.path().join("rendezvous"))?))
}

fn parameters(device: &Device) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    for (index, shape) in SHAPES.iter().enumerate() {
        let name = format!("parameter {index}");
        let var = Var::from_tensor(&random(&name, shape, device)?)?;
        parameters.push(name, var);
    }
    Ok(parameters)
}

fn outputs(tensors: &[Tensor]) -> Result<Vec<Output>> {
    let numbered = tensors.iter().enumerate();
    numbered.map(|(index, tensor)| Output::new(format!("tensor {index}"), tensor, Tolerance::Exact)).collect()
}
