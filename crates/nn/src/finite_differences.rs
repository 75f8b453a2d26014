//! Gradients checked against finite differences, for the tests of every operation.

use candle_core::{Device, Tensor, Var};

use crate::error::NnError;

/// A power of two, so that adding it to an input is exact or nearly so.
const STEP: f32 = 1.0 / 64.0;

/// A tensor of distinct-looking values in [-1, 1] that are far from ties and from zero.
pub(crate) fn ramp(shape: &[usize], step: usize) -> Tensor {
    let len: usize = shape.iter().product();
    let values: Vec<f32> = (0..len).map(|i| ((i * step * 37 + 11) % 97) as f32 / 48.5 - 0.9876).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// Checks the gradient of `sum(output * c)`, for fixed weights `c`, to every element of every input.
///
/// Central differences, summed in f64. Where the slopes to the left and to the right differ (a ReLU or a maximum that
/// switches within the step), the difference says nothing; such elements are passed over, and may not be many.
#[track_caller]
pub(crate) fn assert_gradients(inputs: &[Tensor], op: impl Fn(&[Tensor]) -> Result<Tensor, NnError>) {
    let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let output = op(&tensors).unwrap();
    let weights = ramp(output.dims(), 5);
    let gradients = (output * &weights).unwrap().sum_all().unwrap().backward().unwrap();
    let weights = flat(&weights);

    let (mut checked, mut kinks) = (0, 0);
    for (which, input) in inputs.iter().enumerate() {
        let got = flat(gradients.get(&vars[which]).unwrap_or_else(|| panic!("input {which} has no gradient")));
        let values = flat(input);
        for i in 0..values.len() {
            let value_at = |offset: f32| -> f64 {
                let mut moved = values.clone();
                moved[i] += offset;
                let mut tensors = inputs.to_vec();
                tensors[which] = Tensor::from_vec(moved, input.shape(), &Device::Cpu).unwrap();
                let output = flat(&op(&tensors).unwrap());
                output.iter().zip(&weights).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let (before, here, after) = (value_at(-STEP), value_at(0.0), value_at(STEP));
            checked += 1;
            // Half the difference between the two one-sided slopes bounds what a kink can add to the central one.
            let uncertainty = (after - 2.0 * here + before).abs() / f64::from(2.0 * STEP);
            if uncertainty > 0.025 {
                kinks += 1;
                continue;
            }
            let expected = (after - before) / f64::from(2.0 * STEP);
            let error = (f64::from(got[i]) - expected).abs();
            assert!(
                error < 1e-3 * expected.abs().max(1.0) + uncertainty,
                "input {which}, element {i}: {} instead of {expected}",
                got[i]
            );
        }
    }
    assert!(kinks * 4 < checked, "{kinks} of {checked} elements lie at a kink: choose other inputs");
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
