//! Batch normalization in training, with the statistics that it computes and moves, and in evaluation.

use anyhow::Result;
use aumenta_nn::{RunningStatistics, batch_norm_eval, batch_norm_train};
use candle_core::{Device, Tensor};

use crate::gpu::check::{Check, Operand, Output, Tolerance, random, with_gradients};

const EPSILON: f32 = 1e-3;
const MOMENTUM: f32 = 0.1;

pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, x) in
        [("of images", vec![4, 9, 7, 12]), ("of many pixels", vec![4, 56, 56, 8]), ("of rows", vec![33, 20])]
    {
        let of_training = x.clone();
        checks.push(Check::new(format!("batch_norm_train {name}"), move |device| training(&of_training, device)));
        checks.push(Check::new(format!("batch_norm_eval {name}"), move |device| evaluation(&x, device)));
    }
    checks
}

/// The images, their scales and their shifts. Sums over pixels go through the statistics to the images' gradient.
fn operands(x: &[usize]) -> [Operand; 3] {
    let (channels, values) = channels_and_values(x);
    let sums = Tolerance::of_sum(values);
    [("x", x.to_vec(), sums), ("gamma", vec![channels], sums), ("beta", vec![channels], sums)]
}

/// How many channels there are, and how many values each has.
fn channels_and_values(x: &[usize]) -> (usize, usize) {
    let channels = x.last().copied().unwrap_or(1);
    (channels, x.iter().product::<usize>() / channels)
}

fn training(x: &[usize], device: &Device) -> Result<Vec<Output>> {
    let (channels, values) = channels_and_values(x);
    let sums = Tolerance::of_sum(values);
    let normalized = |t: &[Tensor]| Ok(batch_norm_train(&t[0], &t[1], &t[2], EPSILON)?.0);
    let mut outputs = with_gradients(device, &operands(x), sums, &normalized)?;
    let [x, gamma, beta] = [("x", x), ("gamma", &[channels]), ("beta", &[channels])]
        .map(|(name, shape): (&str, &[usize])| random(name, shape, device));
    let statistics = batch_norm_train(&x?, &gamma?, &beta?, EPSILON)?.1;
    let mut running = RunningStatistics::new(channels, device)?;
    running.update(&statistics, MOMENTUM)?;
    outputs.push(Output::new("batch's variance", &statistics.variance, sums)?);
    outputs.push(Output::new("running mean", &running.mean, means(values))?);
    outputs.push(Output::new("running variance", &running.variance, sums)?);
    // The running mean began as zero, and so is a tenth of the batch's.
    outputs.push(Output::new("batch's mean", &statistics.mean, means(values))?);
    Ok(outputs)
}

/// The tolerance of means of so many numbers around zero, whose roundings are relative to the numbers and not to the mean,
/// which is smaller by the root of their count.
fn means(values: usize) -> Tolerance {
    Tolerance::OfLargest(4.0 * Tolerance::of_sum(values).limit())
}

fn evaluation(x: &[usize], device: &Device) -> Result<Vec<Output>> {
    let (channels, _) = channels_and_values(x);
    let [mut to_x, gamma, beta] = operands(x);
    to_x.2 = Tolerance::of_each();
    let mean = random("mean", &[channels], device)?;
    let variance = ((random("variance", &[channels], device)? + 1.5)?).contiguous()?;
    let running = RunningStatistics { mean, variance };
    with_gradients(device, &[to_x, gamma, beta], Tolerance::OfLargest(1e-5), &|t| {
        Ok(batch_norm_eval(&t[0], &t[1], &t[2], &running, EPSILON)?)
    })
}
