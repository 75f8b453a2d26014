//! What is computed element by element: activations, dropout with its mask, and bytes as values.

use anyhow::Result;
use aumenta_nn::{Activation, activate, dropout, normalize, spatial_dropout};
use candle_core::{DType, Device, Tensor};

use crate::gpu::check::{Check, Output, Tolerance, random, with_gradients};

const RATE: f32 = 0.3;
const KEY: u64 = 0x5eed_0123_4567_89ab;

pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, activation) in
        [("ReLU", Activation::Relu), ("ReLU6", Activation::Relu6), ("sigmoid", Activation::Sigmoid)]
    {
        checks.push(Check::new(format!("activate {name}"), move |device| {
            let operands = [("x", vec![3, 5, 7, 11], Tolerance::of_each())];
            // Between -10 and 10, so that both limits of ReLU6 are reached.
            with_gradients(device, &operands, Tolerance::of_each(), &|t| Ok(activate(&(&t[0] * 10.0)?, activation)?))
        }));
    }
    let spatial: fn(&Tensor) -> Result<Tensor> = |x| Ok(spatial_dropout(x, RATE, KEY)?);
    let plain: fn(&Tensor) -> Result<Tensor> = |x| Ok(dropout(x, RATE, KEY)?);
    for (name, drop) in [("dropout", plain), ("spatial_dropout", spatial)] {
        checks.push(Check::new(name, move |device| dropped(device, drop)));
    }
    checks.push(Check::new("normalize", normalized));
    checks
}

/// The mask, bit for bit, and what comes through it.
fn dropped(device: &Device, drop: fn(&Tensor) -> Result<Tensor>) -> Result<Vec<Output>> {
    let shape = [4, 9, 8, 21];
    let mask = drop(&Tensor::ones(&shape, DType::F32, device)?)?.gt(0.0)?;
    let mut outputs = vec![Output::new("mask", &mask, Tolerance::Exact)?];
    let operands = [("x", shape.to_vec(), Tolerance::of_each())];
    outputs.extend(with_gradients(device, &operands, Tolerance::of_each(), &|t| drop(&t[0]))?);
    Ok(outputs)
}

/// Bytes as values, bit for bit.
fn normalized(device: &Device) -> Result<Vec<Output>> {
    let bytes: Vec<u8> = (0..=255).cycle().take(5 * 17 * 17 * 3).collect();
    let images = Tensor::from_vec(bytes, &[5, 17, 17, 3], device)?;
    let values = normalize(&images, &random("scale", &[3], device)?, &random("offset", &[3], device)?)?;
    Ok(vec![Output::new("output", &values, Tolerance::Exact)?])
}
