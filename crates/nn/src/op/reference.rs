//! The operations against PyTorch's in f64: outputs and gradients from `fixtures/gradients/ops.safetensors`, which the program
//! beside it writes.
//!
//! A case `OP.NAME` there has its inputs, `settings` (the numbers of the options), an `output_gradient`, the output `y` and
//! the gradients `gradient.INPUT`.

use candle_core::{Device, Tensor, Var};
use safetensors::{Dtype, SafeTensors};

use super::activation::{Activation, activate};
use super::avg_pool2d::{PaddingCount, avg_pool2d};
use super::batch_norm::{RunningStatistics, batch_norm_eval, batch_norm_train};
use super::depthwise_conv2d::{DepthwiseConv2dOptions, depthwise_conv2d};
use super::global_avg_pool2d::global_avg_pool2d;
use super::max_pool2d::max_pool2d;
use super::pool2d::Pool2dOptions;
use crate::error::NnError;

const FILE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gradients/ops.safetensors"));
const ACTIVATIONS: [Activation; 4] = [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Sigmoid];

/// One case of the file.
struct Case {
    file: SafeTensors<'static>,
    name: String,
}

impl Case {
    /// All cases of `op`.
    fn of(op: &str) -> Vec<Self> {
        let open = || SafeTensors::deserialize(FILE).unwrap();
        let name = |entry: &str| Some(entry.strip_suffix(".settings")?.to_string());
        let names = open().names().into_iter().filter_map(name).collect::<Vec<_>>();
        let names = names.into_iter().filter(|name| name.split('.').next() == Some(op));
        let cases: Vec<Self> = names.map(|name| Self { file: open(), name }).collect();
        assert!(!cases.is_empty(), "no case of {op}");
        cases
    }

    fn bytes(&self, entry: &str, dtype: Dtype) -> (&[u8], Vec<usize>) {
        let view = self.file.tensor(&format!("{}.{entry}", self.name)).unwrap();
        assert_eq!(view.dtype(), dtype, "{}.{entry}", self.name);
        (view.data(), view.shape().to_vec())
    }

    fn settings<const N: usize>(&self) -> [usize; N] {
        let (bytes, _) = self.bytes("settings", Dtype::U32);
        let numbers: Vec<usize> = bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes) as usize).collect();
        numbers.try_into().unwrap()
    }

    fn given(&self, entry: &str) -> Tensor {
        let (bytes, shape) = self.bytes(entry, Dtype::F32);
        let numbers: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }

    /// Whether `got` equals what PyTorch computed, to 1e-5 of its largest number.
    #[track_caller]
    fn assert_close(&self, entry: &str, got: &Tensor) {
        let (bytes, shape) = self.bytes(entry, Dtype::F64);
        let expected: Vec<f64> = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        assert_eq!(got.dims(), shape, "{}.{entry}", self.name);
        let largest = expected.iter().fold(0.0f64, |largest, number| largest.max(number.abs()));
        let got = got.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let error = (f64::from(*got) - expected).abs();
            assert!(error <= 1e-5 * largest, "{}.{entry}, element {i}: {got} instead of {expected}", self.name);
        }
    }

    /// Whether the output of `op` and its gradients to `inputs` equal PyTorch's.
    #[track_caller]
    fn check(&self, inputs: &[&str], op: impl Fn(&[Tensor]) -> Result<Tensor, NnError>) {
        let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(&self.given(input)).unwrap()).collect();
        let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let y = op(&tensors).unwrap();
        self.assert_close("y", &y);
        let gradients = (y * self.given("output_gradient")).unwrap().sum_all().unwrap().backward().unwrap();
        for (input, var) in inputs.iter().zip(&vars) {
            self.assert_close(&format!("gradient.{input}"), gradients.get(var).unwrap());
        }
    }

    fn pooling(&self) -> Pool2dOptions {
        let [height, width, down, across, top, bottom, left, right] = self.settings();
        Pool2dOptions { window: [height, width], stride: [down, across], padding: [top, bottom, left, right] }
    }

    fn epsilon(&self) -> f32 {
        self.given("epsilon").to_vec1().unwrap()[0]
    }
}

#[test]
fn activations_equal_those_of_pytorch() {
    for case in Case::of("activate") {
        let [activation] = case.settings();
        case.check(&["x"], |t| activate(&t[0], ACTIVATIONS[activation]));
    }
}

#[test]
fn pooling_equals_that_of_pytorch() {
    for case in Case::of("max_pool2d") {
        case.check(&["x"], |t| max_pool2d(&t[0], case.pooling()));
    }
    for case in Case::of("avg_pool2d_excluded") {
        case.check(&["x"], |t| avg_pool2d(&t[0], case.pooling(), PaddingCount::Excluded));
    }
    for case in Case::of("avg_pool2d_included") {
        case.check(&["x"], |t| avg_pool2d(&t[0], case.pooling(), PaddingCount::Included));
    }
    for case in Case::of("global_avg_pool2d") {
        case.check(&["x"], |t| global_avg_pool2d(&t[0]));
    }
}

#[test]
fn batch_normalization_equals_that_of_pytorch() {
    let inputs = ["x", "gamma", "beta"];
    for case in Case::of("batch_norm_train") {
        case.check(&inputs, |t| Ok(batch_norm_train(&t[0], &t[1], &t[2], case.epsilon())?.0));
        let [x, gamma, beta] = inputs.map(|input| case.given(input));
        let mut running = RunningStatistics::new(gamma.elem_count(), &Device::Cpu).unwrap();
        running.update(&batch_norm_train(&x, &gamma, &beta, case.epsilon()).unwrap().1, 0.1).unwrap();
        case.assert_close("running_mean", &running.mean);
        case.assert_close("running_variance", &running.variance);
    }
    for case in Case::of("batch_norm_eval") {
        let running = RunningStatistics { mean: case.given("mean"), variance: case.given("variance") };
        case.check(&inputs, |t| batch_norm_eval(&t[0], &t[1], &t[2], &running, case.epsilon()));
    }
}

#[test]
fn depthwise_convolution_equals_that_of_pytorch() {
    for case in Case::of("depthwise_conv2d") {
        let [down, across, top, bottom, left, right, dilation_down, dilation_across, activation] = case.settings();
        let options = DepthwiseConv2dOptions {
            stride: [down, across],
            padding: [top, bottom, left, right],
            dilation: [dilation_down, dilation_across],
            activation: ACTIVATIONS[activation],
        };
        case.check(&["x", "weight", "bias"], |t| depthwise_conv2d(&t[0], &t[1], &t[2], options));
    }
}
