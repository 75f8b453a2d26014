//! The dense layer's product and its gradients.
//!
//! Weights are `[outputs, inputs]`, as PyTorch keeps them. Work is divided into fixed panels of outputs or inputs.

use rayon::prelude::*;

use super::matmul::{Matrix, MatrixMut, Store, matmul};

/// How many outputs or inputs a panel has: wide enough for the matrix product, narrow enough for several threads.
const PANEL: usize = 64;

/// `x` (`[n, inputs]`) times the transpose of `weight` (`[outputs, inputs]`) plus `bias`, written to `out`
/// (`[n, outputs]`).
pub fn forward(inputs: usize, x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let (n, outputs) = (x.len() / inputs, bias.len());
    let panels: Vec<Vec<f32>> = weight
        .par_chunks(PANEL * inputs)
        .map(|panel| {
            let width = panel.len() / inputs;
            let mut product = vec![0.0; n * width];
            let weight = Matrix::row_major(panel, width, inputs).transposed();
            matmul(
                MatrixMut::row_major(&mut product, n, width),
                Matrix::row_major(x, n, inputs),
                weight,
                Store::Replace,
            );
            product
        })
        .collect();
    for (row, out) in out.chunks_exact_mut(outputs).enumerate() {
        out.copy_from_slice(bias);
        for (panel, out) in panels.iter().zip(out.chunks_mut(PANEL)) {
            for (out, value) in out.iter_mut().zip(&panel[row * (panel.len() / n)..]) {
                *out += value;
            }
        }
    }
}

/// The gradient to `x`, `[n, inputs]`, from the `gradient` to the output, `[n, outputs]`.
pub fn input_gradient(inputs: usize, outputs: usize, weight: &[f32], gradient: &[f32], out: &mut [f32]) {
    // One image a task would read the whole weight for each image; a few rows together share a reading of it.
    const ROWS: usize = 8;
    out.par_chunks_mut(ROWS * inputs).zip(gradient.par_chunks(ROWS * outputs)).for_each(|(out, gradient)| {
        let rows = gradient.len() / outputs;
        let weight = Matrix::row_major(weight, outputs, inputs);
        let out = MatrixMut::row_major(out, rows, inputs);
        matmul(out, Matrix::row_major(gradient, rows, outputs), weight, Store::Replace);
    });
}

/// The gradient to the weight, `[outputs, inputs]`, from `x` and the `gradient` to the output, `[n, outputs]`.
pub fn weight_gradient(inputs: usize, outputs: usize, x: &[f32], gradient: &[f32], out: &mut [f32]) {
    let n = x.len() / inputs;
    let by_output = transposed(gradient, n, outputs);
    out.par_chunks_mut(PANEL * inputs).zip(by_output.par_chunks(PANEL * n)).for_each(|(out, gradient)| {
        let width = gradient.len() / n;
        let out = MatrixMut::row_major(out, width, inputs);
        matmul(out, Matrix::row_major(gradient, width, n), Matrix::row_major(x, n, inputs), Store::Replace);
    });
}

fn transposed(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| matrix[row * columns + column])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_two_by_three_case_by_hand() {
        let (x, weight, bias) = ([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 1.0, 2.0, -1.0], [0.5, 0.0, 1.0]);
        let mut out = [0.0; 6];
        forward(2, &x, &weight, &bias, &mut out);
        assert_eq!(out, [1.5, 2.0, 1.0, 3.5, 4.0, 3.0]);

        let gradient = [1.0, 0.0, 2.0, 0.0, 1.0, 0.0];
        let mut to_x = [0.0; 4];
        input_gradient(2, 3, &weight, &gradient, &mut to_x);
        assert_eq!(to_x, [5.0, -2.0, 0.0, 1.0]);

        let mut to_weight = [0.0; 6];
        weight_gradient(2, 3, &x, &gradient, &mut to_weight);
        assert_eq!(to_weight, [1.0, 2.0, 3.0, 4.0, 2.0, 4.0]);
    }

    #[test]
    fn panels_cover_outputs_and_rows_that_do_not_divide() {
        let (n, inputs, outputs) = (37, 5, 150);
        let x: Vec<f32> = (0..n * inputs).map(|i| (i % 7) as f32 - 3.0).collect();
        let weight: Vec<f32> = (0..outputs * inputs).map(|i| (i % 5) as f32 - 2.0).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
        let mut out = vec![0.0; n * outputs];
        forward(inputs, &x, &weight, &bias, &mut out);
        for row in 0..n {
            for o in 0..outputs {
                let sum: f32 = (0..inputs).map(|i| x[row * inputs + i] * weight[o * inputs + i]).sum();
                assert_eq!(out[row * outputs + o], sum + bias[o]);
            }
        }
    }
}
