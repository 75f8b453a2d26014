//! The operations against PyTorch's in f64: outputs and gradients from `fixtures/gradients`, which the programs beside them
//! write.
//!
//! A case `OP.NAME` in `ops.safetensors` has its inputs, `settings` (the numbers of the options), an `output_gradient`, the output `y` and
//! the gradients `gradient.INPUT`.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;

use super::activation::{Activation, activate};
use super::avg_pool2d::{PaddingCount, avg_pool2d};
use super::batch_norm::{RunningStatistics, batch_norm_eval, batch_norm_train};
use super::conv2d::{Conv2dOptions, conv2d};
use super::dense::dense;
use super::depthwise_conv2d::{DepthwiseConv2dOptions, depthwise_conv2d};
use super::global_avg_pool2d::global_avg_pool2d;
use super::max_pool2d::max_pool2d;
use super::pool2d::Pool2dOptions;
use crate::error::NnError;
use crate::reference::Stored;

const ACTIVATIONS: [Activation; 4] = [Activation::Linear, Activation::Relu, Activation::Relu6, Activation::Sigmoid];

/// One case of a file.
struct Case {
    stored: Stored,
    name: String,
}

impl Case {
    /// All cases of `op` in `ops.safetensors`.
    fn of(op: &str) -> Vec<Self> {
        let name = |entry: String| Some(entry.strip_suffix(".settings")?.to_string());
        let names = Stored::ops().names().into_iter().filter_map(name).collect::<Vec<_>>();
        let names = names.into_iter().filter(|name| name.split('.').next() == Some(op));
        let cases: Vec<Self> = names.map(|name| Self { stored: Stored::ops(), name }).collect();
        assert!(!cases.is_empty(), "no case of {op}");
        cases
    }

    fn settings<const N: usize>(&self) -> [usize; N] {
        let numbers: Vec<usize> =
            self.stored.u32s(&format!("{}.settings", self.name)).into_iter().map(|number| number as usize).collect();
        numbers.try_into().unwrap()
    }

    fn given(&self, entry: &str) -> Tensor {
        self.stored.given(&format!("{}.{entry}", self.name))
    }

    #[track_caller]
    fn assert_close(&self, entry: &str, got: &Tensor) {
        self.stored.assert_close(&format!("{}.{entry}", self.name), got);
    }

    /// Whether the output of `op` and its gradients to `inputs` equal PyTorch's.
    #[track_caller]
    fn check(&self, inputs: &[&str], op: impl Fn(&[Tensor]) -> Result<Tensor, NnError>) {
        self.check_named(inputs, |input| format!("gradient.{input}"), op);
    }

    /// As [`Case::check`], where the gradients have the names that `gradient` gives them.
    #[track_caller]
    fn check_named(
        &self,
        inputs: &[&str],
        gradient: impl Fn(&str) -> String,
        op: impl Fn(&[Tensor]) -> Result<Tensor, NnError>,
    ) {
        let vars: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(&self.given(input)).unwrap()).collect();
        let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let y = op(&tensors).unwrap();
        self.assert_close("y", &y);
        let gradients = (y * self.given("output_gradient")).unwrap().sum_all().unwrap().backward().unwrap();
        for (input, var) in inputs.iter().zip(&vars) {
            self.assert_close(&gradient(input), gradients.get(var).unwrap());
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
            ..DepthwiseConv2dOptions::default()
        };
        case.check(&["x", "weight", "bias"], |t| depthwise_conv2d(&t[0], &t[1], &t[2], options));
    }
}

/// The settings of a convolution in the header of `networks.safetensors`.
#[derive(Deserialize)]
struct Conv2dCase {
    name: String,
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
    groups: usize,
}

/// The names of gradients in `networks.safetensors`: `gx`, `gw`, `gb`.
fn short(input: &str) -> String {
    format!("g{}", &input[..1])
}

#[test]
fn convolution_equals_that_of_pytorch() {
    #[derive(Deserialize)]
    struct Cases {
        conv2d: Vec<Conv2dCase>,
    }
    let cases: Cases = serde_json::from_str(&Stored::networks().metadata("cases")).unwrap();
    assert!(cases.conv2d.len() > 10);
    for Conv2dCase { name, stride, padding, dilation, groups } in cases.conv2d {
        let case = Case { stored: Stored::networks(), name: format!("conv2d.{name}") };
        let options = Conv2dOptions { stride, padding, dilation, groups, ..Conv2dOptions::default() };
        case.check_named(&["x", "weight", "bias"], short, |t| conv2d(&t[0], &t[1], Some(&t[2]), options));
    }
}

#[test]
fn dense_layers_equal_those_of_pytorch() {
    for name in ["many-images", "one-image", "one-output", "tails"] {
        let case = Case { stored: Stored::networks(), name: format!("dense.{name}") };
        case.check_named(&["x", "weight", "bias"], short, |t| dense(&t[0], &t[1], &t[2], Activation::Linear));
    }
}
