//! The losses and their gradients, by classes and by shares of them.

use anyhow::Result;
use aumenta_nn::Loss;
use candle_core::{Device, Tensor};

use crate::gpu::check::{Check, Output, Tolerance, random, with_gradients};

const SAMPLES: usize = 37;

pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, outputs, classes) in
        [("binary_cross_entropy", 1, 2), ("cross_entropy", 10, 10), ("cross_entropy of 1,000", 1000, 1000)]
    {
        checks.push(Check::new(format!("{name}, classes"), move |device| {
            let right: Vec<u32> = (0..SAMPLES as u32).map(|sample| (sample * 7 + 3) % classes).collect();
            each(outputs, &Tensor::new(right, device)?, device)
        }));
        checks.push(Check::new(format!("{name}, shares"), move |device| {
            each(outputs, &shares(classes as usize, device)?, device)
        }));
    }
    checks
}

/// Shares of `classes` classes that sum to 1: of two classes each, as mixing gives.
fn shares(classes: usize, device: &Device) -> Result<Tensor> {
    let mut shares = vec![0.0f32; SAMPLES * classes];
    for (sample, row) in shares.chunks_exact_mut(classes).enumerate() {
        let share = (sample % 4) as f32 / 4.0;
        row[sample % classes] += share;
        row[(sample + 1) % classes] += 1.0 - share;
    }
    Ok(Tensor::from_vec(shares, (SAMPLES, classes), device)?)
}

/// The loss of each sample, with logits between -10 and 10.
fn each(outputs: usize, right: &Tensor, device: &Device) -> Result<Vec<Output>> {
    // The logarithm of a sum of `outputs` exponentials.
    let sums = Tolerance::of_sum(outputs);
    let losses = |t: &[Tensor]| Ok(Loss::for_outputs(outputs).of_each(&(&t[0] * 10.0)?, right)?);
    let mut all = with_gradients(device, &[("logits", vec![SAMPLES, outputs], sums)], sums, &losses)?;
    let mean = losses(&[random("logits", &[SAMPLES, outputs], device)?])?.mean_all()?;
    all.push(Output::new("mean", &mean, sums)?);
    Ok(all)
}
