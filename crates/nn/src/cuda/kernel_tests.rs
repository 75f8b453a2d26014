//! Each kernel of the GPU, run by the CPU, gives what the CPU's own operation gives.

use aumenta_seed::Seed;
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng as _;

use super::host::{Value, run};
use super::sizes::{self, CHUNK, FAN_IN, SUMMANDS, ints};
use crate::gradients::Gradients;
use crate::kernel::avg_pool2d::PaddingCount;
use crate::kernel::dropout::Mask;
use crate::op::activation::{Activation, activate};
use crate::op::avg_pool2d::avg_pool2d;
use crate::op::batch_norm::{RunningStatistics, batch_norm_eval, batch_norm_train};
use crate::op::conv2d::{self, Conv2dOptions, conv2d};
use crate::op::depthwise_conv2d::{DepthwiseConv2dOptions, depthwise_conv2d};
use crate::op::dropout::dropout;
use crate::op::global_avg_pool2d::global_avg_pool2d;
use crate::op::loss::Loss;
use crate::op::max_pool2d::max_pool2d;
use crate::op::normalize::normalize;
use crate::op::pool2d::Pool2dOptions;
use crate::op::spatial_dropout::spatial_dropout;
use crate::optimizer::{
    AdamConfig, AdamWConfig, Optimizer, OptimizerConfig, OptimizerVariant, ParameterGroup, RmsPropConfig, SgdConfig,
};
use crate::parameters::{Parameters, Penalty};

const ACTIVATIONS: [(Activation, i32); 4] =
    [(Activation::Linear, 0), (Activation::Relu, 1), (Activation::Relu6, 2), (Activation::Sigmoid, 3)];

/// Numbers around 0, some of them well above 6.
fn random(shape: &[usize], purpose: &str) -> Tensor {
    let mut rng = Seed::new(3).rng(purpose, 0, 0);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.next_u32() as f32 / 2f32.powi(30) - 1.9).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// What stands where a kernel has not written.
fn unwritten(len: usize) -> Value {
    Value::Floats(vec![f32::NAN; len])
}

fn given(tensor: &Tensor) -> Value {
    Value::Floats(floats(tensor))
}

/// What a kernel of `count` threads writes to its argument `out`.
#[track_caller]
fn written(kernel: &str, count: usize, mut values: Vec<Value>, out: usize) -> Vec<f32> {
    run(kernel, count, &mut values);
    values[out].floats().to_vec()
}

/// Whether numbers equal the CPU's, to `tolerance` of the largest.
#[track_caller]
fn check(what: &str, got: &[f32], expected: &Tensor, tolerance: f32) {
    let expected = floats(expected);
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-6f32, |largest, value| largest.max(value.abs()));
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        // Written so that a NaN does not pass.
        let close = (got - expected).abs() <= tolerance * largest;
        assert!(close, "{what}, element {i}: {got} instead of {expected}");
    }
}

/// The gradients of the sum of `y * weights` to some variables, and the gradient to `y`.
fn gradients(y: &Tensor, variables: &[&Var]) -> (Vec<Tensor>, Tensor) {
    let to_y = random(y.dims(), "gradient");
    let store = (y * &to_y).unwrap().sum_all().unwrap().backward().unwrap();
    (variables.iter().map(|var| store.get(var).unwrap().clone()).collect(), to_y)
}

fn var(shape: &[usize], purpose: &str) -> Var {
    Var::from_tensor(&random(shape, purpose)).unwrap()
}

/// Adds up the rows of `sums`, as `sums.rs` does.
fn rows_added(mut sums: Vec<f64>, mut rows: usize, columns: usize) -> Vec<f64> {
    while rows > 1 {
        let left = rows.div_ceil(FAN_IN);
        let [of_rows, of_columns] = ints([rows, columns]).unwrap();
        let mut values = vec![
            Value::Doubles(sums),
            Value::Doubles(vec![f64::NAN; left * columns]),
            Value::Int(of_rows),
            Value::Int(of_columns),
        ];
        run("sum_rows", left * columns, &mut values);
        let Some(Value::Doubles(out)) = values.into_iter().nth(1) else { panic!("sums are f64") };
        (sums, rows) = (out, left);
    }
    sums
}

/// What a kernel sums up in lanes to its argument `out`, added up.
fn lanes_added(kernel: &str, threads: usize, mut values: Vec<Value>, out: usize, lanes: usize) -> Vec<f64> {
    run(kernel, threads, &mut values);
    let Value::Doubles(sums) = values.swap_remove(out) else { panic!("sums are f64") };
    let columns = sums.len() / lanes;
    rows_added(sums, lanes, columns)
}

fn as_floats(sums: &[f64]) -> Vec<f32> {
    written("to_floats", sums.len(), vec![Value::Doubles(sums.to_vec()), unwritten(sums.len())], 1)
}

#[test]
fn activations_and_their_gradients() {
    let x = var(&[3, 5, 7], "x");
    let x7 = Var::from_tensor(&(x.as_tensor() * 5.0).unwrap()).unwrap();
    for (activation, number) in ACTIVATIONS {
        let y = activate(&x7, activation).unwrap();
        let (to_x, to_y) = gradients(&y, &[&x7]);
        let got = written("activate_f32", 105, vec![given(&x7), unwritten(105), Value::Int(number)], 1);
        check("y", &got, &y, 1e-6);
        let values = vec![given(&y), given(&to_y), unwritten(105), Value::Int(number)];
        check("gradient", &written("activation_gradient_f32", 105, values, 2), &to_x[0], 1e-6);
        let bias = random(&[7], "bias");
        let values = vec![given(&x7), given(&bias), Value::Int(7), Value::Int(number)];
        let expected = activate(&x7.broadcast_add(&bias).unwrap(), activation).unwrap();
        check("y with bias", &written("add_bias_f32", 105, values, 0), &expected, 1e-6);
    }
}

#[test]
fn a_nan_stays_one() {
    for (_, number) in ACTIVATIONS {
        let got = written("activate_f32", 1, vec![Value::Floats(vec![f32::NAN]), unwritten(1), Value::Int(number)], 1);
        assert!(got[0].is_nan());
    }
}

#[test]
fn bytes_are_normalized_to_the_same_bits() {
    let bytes: Vec<u8> = (0..=255).cycle().take(3 * 200).collect();
    let images = Tensor::from_slice(&bytes, (10, 20, 3), &Device::Cpu).unwrap();
    let (scale, offset) = (random(&[3], "scale"), random(&[3], "offset"));
    let expected = normalize(&images, &scale, &offset).unwrap();
    let values = vec![Value::Bytes(bytes), given(&scale), given(&offset), unwritten(600), Value::Int(3)];
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&written("normalize", 600, values, 3)), bits(&floats(&expected)));
}

#[test]
fn sums_over_rows() {
    for (rows, channels) in [(1, 3), (63, 1), (10_000, 5), (200, 130)] {
        let x = random(&[rows, channels], "x");
        let lanes = sizes::lanes(rows, channels);
        let mut values = vec![given(&x), Value::Doubles(vec![f64::NAN; lanes * channels])];
        values.extend(ints([rows, channels, lanes]).unwrap().map(Value::Int));
        let sums = lanes_added("lane_sums_f32", lanes * channels, values, 1, lanes);
        check(
            "sums",
            &as_floats(&sums),
            &x.to_dtype(DType::F64).unwrap().sum(0).unwrap().to_dtype(DType::F32).unwrap(),
            1e-5,
        );
    }
}

#[test]
fn batch_normalization_in_training() {
    for shape in [vec![2, 1, 1, 3], vec![4, 9, 7, 5], vec![300, 2]] {
        let channels = shape[shape.len() - 1];
        let rows = shape.iter().product::<usize>() / channels;
        let x = Var::from_tensor(&(random(&shape, "x") + 100.0).unwrap()).unwrap();
        let (gamma, beta) = (var(&[channels], "gamma"), var(&[channels], "beta"));
        let (y, batch) = batch_norm_train(&x, &gamma, &beta, 1e-3).unwrap();
        let (expected, to_y) = gradients(&y, &[&x, &gamma, &beta]);
        let lanes = sizes::lanes(rows, channels);
        let counts = ints([rows, channels, lanes]).unwrap();
        let [of_rows, of_channels, _] = counts.map(Value::Int);

        let mut values = vec![given(&x), Value::Doubles(vec![f64::NAN; lanes * 2 * channels])];
        values.extend(counts.map(Value::Int));
        let sums = lanes_added("moment_sums_f32", lanes * channels, values, 1, lanes);
        let values = vec![Value::Doubles(sums), unwritten(2 * channels), of_rows.clone()];
        let statistics = written("statistics", channels, values, 1);
        check("mean", &statistics[..channels], &batch.mean, 1e-6);
        check("variance", &statistics[channels..], &batch.variance, 1e-5);

        let statistics = Value::Floats(statistics);
        let epsilon = Value::Float(1e-3);
        let values = vec![
            given(&x),
            statistics.clone(),
            given(&gamma),
            given(&beta),
            unwritten(rows * channels),
            of_channels.clone(),
            epsilon.clone(),
        ];
        check("y", &written("batch_norm_f32", rows * channels, values, 4), &y, 1e-4);

        let mut values =
            vec![given(&x), given(&to_y), statistics.clone(), Value::Doubles(vec![f64::NAN; lanes * 2 * channels])];
        values.extend(counts.map(Value::Int));
        values.push(epsilon.clone());
        let sums = lanes_added("batch_norm_gradient_sums_f32", lanes * channels, values, 3, lanes);
        let to_parameters = as_floats(&sums);
        check("gradient to gamma", &to_parameters[..channels], &expected[1], 1e-4);
        check("gradient to beta", &to_parameters[channels..], &expected[2], 1e-5);

        let values = vec![
            given(&x),
            given(&to_y),
            statistics,
            given(&gamma),
            Value::Floats(to_parameters),
            unwritten(rows * channels),
            of_rows,
            of_channels,
            Value::Int(1),
            epsilon,
        ];
        let got = written("batch_norm_input_gradient_f32", rows * channels, values, 5);
        check("gradient to x", &got, &expected[0], 1e-3);
    }
}

#[test]
fn batch_normalization_by_running_statistics() {
    let (x, gamma, beta) = (var(&[3, 4, 5, 6], "x"), var(&[6], "gamma"), var(&[6], "beta"));
    let running = RunningStatistics { mean: random(&[6], "mean"), variance: random(&[6], "variance").sqr().unwrap() };
    let y = batch_norm_eval(&x, &gamma, &beta, &running, 1e-3).unwrap();
    let (expected, to_y) = gradients(&y, &[&x]);
    let statistics = given(&Tensor::cat(&[&running.mean, &running.variance], 0).unwrap());
    let values = vec![
        given(&x),
        given(&to_y),
        statistics.clone(),
        given(&gamma),
        statistics,
        unwritten(360),
        Value::Int(60),
        Value::Int(6),
        Value::Int(0),
        Value::Float(1e-3),
    ];
    check("gradient", &written("batch_norm_input_gradient_f32", 360, values, 5), &expected[0], 1e-5);
}

#[test]
fn running_statistics_move() {
    let (_, batch) = batch_norm_train(&random(&[9, 4], "x"), &random(&[4], "g"), &random(&[4], "b"), 1e-3).unwrap();
    let mut running = RunningStatistics::new(4, &Device::Cpu).unwrap();
    let values = vec![given(&running.variance), given(&batch.variance), Value::Float(0.1), Value::Float(9.0 / 8.0)];
    running.update(&batch, 0.1).unwrap();
    check("variance", &written("move_running", 4, values, 0), &running.variance, 1e-6);
}

#[test]
fn dropout_has_the_mask_of_the_cpu_bit_for_bit() {
    let (x, mask) = (random(&[6, 5, 7, 11], "x"), Mask::new(0.3, 0x1234_5678_9abc_def0));
    for (area, channels, expected) in
        [(0, 1, dropout(&x, 0.3, mask.key).unwrap()), (35, 11, spatial_dropout(&x, 0.3, mask.key).unwrap())]
    {
        let values = vec![
            given(&x),
            unwritten(2310),
            Value::U64(mask.key),
            Value::U64(mask.threshold),
            Value::Float(mask.scale),
            Value::Int(area),
            Value::Int(channels),
        ];
        assert_eq!(written("dropout_f32", 2310, values, 1), floats(&expected));
    }
}

/// Poolings that tile, overlap, lie in padding, and leave a rest.
const POOLINGS: [([usize; 4], Pool2dOptions); 4] = [
    ([2, 4, 6, 3], Pool2dOptions { window: [2, 2], stride: [2, 2], padding: [0; 4] }),
    ([1, 5, 7, 2], Pool2dOptions { window: [2, 2], stride: [2, 2], padding: [0; 4] }),
    ([2, 7, 6, 2], Pool2dOptions { window: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] }),
    ([1, 6, 7, 3], Pool2dOptions { window: [3, 2], stride: [1, 3], padding: [2, 0, 1, 0] }),
];

#[test]
fn pooling_and_its_gradients() {
    for (shape, options) in POOLINGS {
        let x = var(&shape, "x");
        let sizes = Value::Sizes(sizes::pooling(&options.geometry("max_pool2d", &shape).unwrap()).unwrap().to_vec());
        let y = max_pool2d(&x, options).unwrap();
        let (to_x, to_y) = gradients(&y, &[&x]);
        let (inputs, outputs) = (x.elem_count(), y.elem_count());
        let values = vec![given(&x), unwritten(outputs), sizes.clone()];
        assert_eq!(written("max_pool2d_f32", outputs, values, 1), floats(&y));
        let values = vec![given(&x), given(&to_y), unwritten(inputs), sizes.clone()];
        check("gradient", &written("max_pool2d_gradient_f32", inputs, values, 2), &to_x[0], 1e-6);

        for (count, counts) in [(PaddingCount::Excluded, 0), (PaddingCount::Included, 1)] {
            let y = avg_pool2d(&x, options, count).unwrap();
            let (to_x, to_y) = gradients(&y, &[&x]);
            let values = vec![given(&x), unwritten(outputs), Value::Int(counts), sizes.clone()];
            check("mean", &written("avg_pool2d_f32", outputs, values, 1), &y, 1e-6);
            let values = vec![given(&to_y), unwritten(inputs), Value::Int(counts), sizes.clone()];
            check("gradient", &written("avg_pool2d_gradient_f32", inputs, values, 1), &to_x[0], 1e-6);
        }
    }
}

#[test]
fn in_a_tie_the_first_wins_and_a_nan_wins_over_all() {
    let x = Tensor::new(&[1f32, 1.0, 1.0, f32::NAN, 2.0, 9.0, f32::NAN, 0.0], &Device::Cpu).unwrap();
    let x = Var::from_tensor(&x.reshape((1, 2, 4, 1)).unwrap()).unwrap();
    let options = Pool2dOptions::square(2);
    let y = max_pool2d(&x, options).unwrap();
    let to_x = y.sum_all().unwrap().backward().unwrap().get(&x).unwrap().clone();
    let sizes = Value::Sizes(sizes::pooling(&options.geometry("max_pool2d", x.dims()).unwrap()).unwrap().to_vec());
    let values = vec![given(&x), Value::Floats(vec![1.0, 1.0]), unwritten(8), sizes];
    assert_eq!(written("max_pool2d_gradient_f32", 8, values, 2), floats(&to_x));
}

#[test]
fn the_mean_of_all_pixels() {
    let x = var(&[3, 5, 4, 6], "x");
    let y = global_avg_pool2d(&x).unwrap();
    let (to_x, to_y) = gradients(&y, &[&x]);
    let sizes = [Value::Int(20), Value::Int(6)];
    let values = [vec![given(&x), unwritten(18)], sizes.to_vec()].concat();
    check("mean", &written("global_avg_pool2d_f32", 18, values, 1), &y, 1e-6);
    let values = [vec![given(&to_y), unwritten(360)], sizes.to_vec()].concat();
    check("gradient", &written("global_avg_pool2d_gradient_f32", 360, values, 1), &to_x[0], 1e-6);
}

#[track_caller]
fn check_convolution(geometry: &crate::kernel::conv2d::Geometry, x: &Var, weight: &Var, y: &Tensor) {
    let (expected, to_y) = gradients(y, &[x, weight]);
    let sizes = Value::Sizes(sizes::convolution(geometry).unwrap().to_vec());
    let (inputs, weights, outputs) = (x.elem_count(), weight.elem_count(), y.elem_count());
    let values = vec![given(x), given(weight), unwritten(outputs), sizes.clone()];
    check("y", &written("conv2d_f32", outputs, values, 2), y, 1e-5);
    let values = vec![given(weight), given(&to_y), unwritten(inputs), sizes.clone()];
    check("gradient to x", &written("conv2d_input_gradient_f32", inputs, values, 2), &expected[0], 1e-5);
    let places = outputs / geometry.output[2];
    let lanes = sizes::lanes(places, weights);
    let sums = Value::Doubles(vec![f64::NAN; lanes * weights]);
    let [of_places, of_lanes] = ints([places, lanes]).unwrap().map(Value::Int);
    let values = vec![given(x), given(&to_y), sums, of_places, of_lanes, sizes];
    let sums = lanes_added("conv2d_weight_sums_f32", lanes * weights, values, 2, lanes);
    let [of_outputs] = ints([geometry.output[2]]).unwrap().map(Value::Int);
    let got = written("to_weight", weights, vec![Value::Doubles(sums), unwritten(weights), of_outputs], 1);
    check("gradient to the weight", &got, &expected[1], 1e-5);
}

#[test]
fn convolution_and_its_gradients() {
    let plain = Conv2dOptions::default();
    for (x, weight, options) in [
        ([2, 9, 8, 3], [4, 3, 3, 3], plain),
        ([2, 16, 15, 3], [4, 3, 3, 3], Conv2dOptions { stride: [2, 2], padding: [0, 1, 0, 1], ..plain }),
        ([1, 7, 6, 2], [3, 2, 3, 2], Conv2dOptions { dilation: [2, 3], padding: [1, 2, 3, 0], ..plain }),
        ([2, 5, 5, 4], [6, 2, 3, 3], Conv2dOptions { groups: 2, padding: [1, 1, 2, 0], ..plain }),
        ([3, 4, 4, 5], [7, 5, 1, 1], plain),
    ] {
        let (images, window) = (var(&x, "x"), var(&weight, "weight"));
        let geometry = conv2d::geometry(&x, &weight, None, &options).unwrap();
        check_convolution(&geometry, &images, &window, &conv2d(&images, &window, None, options).unwrap());
    }
}

#[test]
fn depthwise_convolution_and_its_gradients() {
    let plain = DepthwiseConv2dOptions::default();
    for (x, outputs, options) in [
        ([2, 6, 7, 3], 3, DepthwiseConv2dOptions { padding: [1; 4], ..plain }),
        ([1, 8, 7, 2], 4, DepthwiseConv2dOptions { stride: [2, 2], padding: [0, 1, 1, 0], ..plain }),
    ] {
        let (images, window) = (var(&x, "x"), var(&[outputs, 1, 3, 3], "weight"));
        let bias = Tensor::zeros(outputs, DType::F32, &Device::Cpu).unwrap();
        let geometry = options.geometry(&x, window.dims(), bias.dims()).unwrap();
        let y = depthwise_conv2d(&images, &window, &bias, options).unwrap();
        check_convolution(&sizes::grouped(&geometry), &images, &window, &y);
    }
}

#[test]
fn weights_with_the_channels_last_and_back() {
    let weight = random(&[5, 3, 2, 4], "weight");
    let last = weight.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
    let sizes = [Value::Int(3), Value::Int(8)];
    let values = [vec![given(&weight), unwritten(120)], sizes.to_vec()].concat();
    assert_eq!(written("channels_last_f32", 120, values, 1), floats(&last));
    let values = [vec![given(&last), unwritten(120)], sizes.to_vec()].concat();
    assert_eq!(written("channels_first_f32", 120, values, 1), floats(&weight));
}

#[test]
fn images_in_a_frame_and_out_of_it() {
    let x = random(&[2, 4, 5, 3], "x");
    let padded = x.pad_with_zeros(1, 1, 2).unwrap().pad_with_zeros(2, 2, 0).unwrap();
    let (inside, outside) = ([4, 5, 3], [7, 7]);
    let framed = |x: &Tensor, from: [i32; 3], to: [i32; 2], at: [i32; 2], len| {
        let sizes = from.into_iter().chain(to).chain(at).map(Value::Int);
        written("frame_f32", len, [given(x), unwritten(len)].into_iter().chain(sizes).collect(), 1)
    };
    assert_eq!(framed(&x, inside, outside, [1, 2], 294), floats(&padded));
    assert_eq!(framed(&padded, [7, 7, 3], [4, 5], [-1, -2], 120), floats(&x));
}

#[test]
fn losses_and_their_gradients() {
    for (loss, width) in [(Loss::Binary, 1), (Loss::Categorical, 5)] {
        let (logits, classes) =
            (Var::from_tensor(&(random(&[9, width], "logits") * 8.0).unwrap()).unwrap(), width.max(2));
        let right: Vec<u32> = (0..9).map(|i| i % classes as u32).collect();
        let one_hot = written(
            "one_hot",
            9 * classes,
            vec![Value::U32s(right.clone()), unwritten(9 * classes), Value::Int(classes as i32)],
            1,
        );
        let shares = Tensor::from_vec(one_hot, (9, classes), &Device::Cpu).unwrap();
        let soft = (shares.affine(0.8, 0.2 / classes as f64)).unwrap();
        for shares in [shares, soft] {
            let losses = loss.of_each(&logits, &shares).unwrap();
            let to_logits = losses.sum_all().unwrap().backward().unwrap().get(&logits).unwrap().clone();
            let name = if loss == Loss::Binary { "binary_cross_entropy" } else { "cross_entropy" };
            let width_of = || (loss == Loss::Categorical).then_some(Value::Int(width as i32));
            let values = [given(&logits), given(&shares), unwritten(9)].into_iter().chain(width_of()).collect();
            check(name, &written(name, 9, values, 2), &losses, 1e-5);
            let values = [given(&logits), given(&shares), unwritten(9 * width)].into_iter().chain(width_of()).collect();
            check(name, &written(&format!("{name}_gradient"), 9, values, 2), &to_logits, 1e-5);
        }
    }
}

#[test]
fn a_class_that_is_none_makes_a_loss_that_is_no_number() {
    let shares = written("one_hot", 3, vec![Value::U32s(vec![3]), unwritten(3), Value::Int(3)], 1);
    assert!(shares.iter().all(|share| share.is_nan()));
}

/// Parameters of which one is longer than a chunk, with penalties.
fn parameters() -> Parameters {
    let mut parameters = Parameters::default();
    for (name, shape, l2) in
        [("a.weight", vec![70, 37], 0.0), ("a.bias", vec![3], 0.0), ("b.weight", vec![2, 600], 0.02)]
    {
        parameters.push_penalized(name.to_string(), var(&shape, name), Penalty { l1: 0.0, l2 });
    }
    parameters
}

fn every_optimizer() -> Vec<OptimizerConfig> {
    let mut configs = Vec::new();
    for variant in [OptimizerVariant::Pytorch, OptimizerVariant::Keras] {
        for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
            configs.push(OptimizerConfig::Sgd(SgdConfig { momentum, nesterov, variant, ..SgdConfig::default() }));
        }
        for (momentum, centered) in [(0.0, false), (0.0, true), (0.9, false), (0.9, true)] {
            let l1 = 0.01;
            configs.push(OptimizerConfig::Rmsprop(RmsPropConfig {
                momentum,
                centered,
                variant,
                l1,
                ..RmsPropConfig::default()
            }));
        }
        let groups = vec![ParameterGroup { learning_rate_scale: 0.1, ..ParameterGroup::new("b.*") }];
        configs.push(OptimizerConfig::Adam(AdamConfig { variant, weight_decay: 0.1, ..AdamConfig::default() }));
        configs.push(OptimizerConfig::AdamW(AdamWConfig {
            variant,
            groups,
            weight_decay: 0.1,
            ..AdamWConfig::default()
        }));
    }
    configs
}

#[test]
fn every_optimizer_moves_as_on_the_cpu() {
    for config in every_optimizer() {
        let parameters = parameters();
        let lengths: Vec<usize> = parameters.iter().map(|parameter| parameter.var.elem_count()).collect();
        let chunks = sizes::chunks(&lengths).unwrap();
        let slots = config.slots().len();
        let mut kept = vec![vec![0f32; lengths.iter().sum()]; slots];
        kept.resize(3, vec![0.0]);
        let mut moved: Vec<Vec<f32>> = parameters.iter().map(|parameter| floats(&parameter.var)).collect();
        let mut optimizer = Optimizer::new(config.clone(), &parameters).unwrap();
        for step in 1..=3 {
            let loss = parameters.iter().map(|parameter| parameter.var.sin().unwrap().sum_all().unwrap());
            let loss = loss.reduce(|sum, loss| (sum + loss).unwrap()).unwrap();
            let gradients = Gradients::of(&loss, &parameters).unwrap();
            let pairs = moved.iter().zip(gradients.tensors()).flat_map(|(own, to)| [own.clone(), floats(to)]);
            let formula = config.formula(step);
            let mut values = vec![
                Value::Ints(chunks.as_flattened().to_vec()),
                Value::Ints(ints([lengths[0], lengths[1], lengths[2]]).unwrap().to_vec()),
                Value::Ints(sizes::starts(&lengths).unwrap()),
                Value::Addresses(pairs.collect()),
                Value::Floats(optimizer.terms().as_flattened().to_vec()),
                Value::Floats(formula.numbers),
                Value::Float(1.0),
            ];
            values.extend(kept.iter().cloned().map(Value::Floats));
            run(formula.kernel, chunks.len() * CHUNK, &mut values);
            kept = values[7..].iter().map(|slot| slot.floats().to_vec()).collect();
            let Value::Addresses(buffers) = &values[3] else { panic!("addresses") };
            moved = buffers.iter().step_by(2).cloned().collect();
            optimizer.step(&parameters, &gradients).unwrap();
        }
        for (parameter, moved) in parameters.iter().zip(&moved) {
            check(&format!("{} by {config:?}", parameter.name), moved, &parameter.var, 1e-5);
        }
        let state = optimizer.state().unwrap();
        for (slot, kept) in kept.iter().enumerate().take(slots) {
            let expected: Vec<f32> =
                state.tensors.iter().skip(slot).step_by(slots).flat_map(|tensor| tensor.values.clone()).collect();
            let len = expected.len();
            check("what is kept", kept, &Tensor::from_vec(expected, len, &Device::Cpu).unwrap(), 1e-5);
        }
    }
}

#[test]
fn the_norm_of_all_gradients_and_the_average_of_all_weights() {
    let parameters = parameters();
    let tensors: Vec<&Tensor> = parameters.iter().map(|parameter| parameter.var.as_tensor()).collect();
    let lengths: Vec<usize> = tensors.iter().map(|tensor| tensor.elem_count()).collect();
    let (chunks, total) = (sizes::chunks(&lengths).unwrap(), lengths.iter().sum::<usize>());
    let shared = [
        Value::Ints(chunks.as_flattened().to_vec()),
        Value::Ints(ints([lengths[0], lengths[1], lengths[2]]).unwrap().to_vec()),
        Value::Ints(sizes::starts(&lengths).unwrap()),
        Value::Addresses(tensors.iter().flat_map(|tensor| [floats(tensor), floats(tensor)]).collect()),
    ];
    let threads = chunks.len() * SUMMANDS;
    let [chunk_values, length_values, starts, addresses] = shared;
    let sums = Value::Doubles(vec![f64::NAN; threads]);
    let values = vec![chunk_values.clone(), length_values.clone(), addresses.clone(), sums];
    let squares = lanes_added("squared_gradients", threads, values, 3, threads);
    let expected = crate::gradients::global_norm(&tensors).unwrap();
    assert!((squares[0].sqrt() - expected).abs() < 1e-9 * expected);

    let averages = Value::Floats(vec![1.0; total]);
    let values = vec![chunk_values, length_values, starts, addresses, averages, Value::Float(0.25)];
    let got = written("average", chunks.len() * CHUNK, values, 4);
    let all: Vec<f32> = tensors.iter().flat_map(|tensor| floats(tensor)).collect();
    let expected: Vec<f32> = all.iter().map(|weight| 1.0 + 0.25 * (weight - 1.0)).collect();
    check("averages", &got, &Tensor::from_vec(expected, total, &Device::Cpu).unwrap(), 1e-6);
}

#[test]
fn bfloat16_rounds_to_the_nearest() {
    let bits = [1.0f32, 1.003_906_2, 1.011_718_8, -3.0e38, f32::MAX, f32::INFINITY, f32::NAN, 1e-40].map(f32::to_bits);
    let values: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
    // A dropout that drops nothing rounds what it is given as bf16, so the values are first cut to their upper halves.
    let halves: Vec<u16> = bits.iter().map(|bits| (bits >> 16) as u16).collect();
    let mut arguments = vec![
        Value::Bf16s(halves.clone()),
        Value::Bf16s(vec![0; halves.len()]),
        Value::U64(1),
        Value::U64(0),
        Value::Float(1.0 + 1.0 / 256.0),
        Value::Int(0),
        Value::Int(1),
    ];
    run("dropout_bf16", halves.len(), &mut arguments);
    let Value::Bf16s(got) = &arguments[1] else { panic!("bf16") };
    for ((half, got), value) in halves.iter().zip(got).zip(&values) {
        let exact = f32::from_bits(u32::from(*half) << 16) * (1.0 + 1.0 / 256.0);
        let rounded = half_to_even(exact);
        assert!(rounded == *got || value.is_nan(), "{value}: {got:#x} instead of {rounded:#x}");
        assert_eq!(value.is_nan(), f32::from_bits(u32::from(*got) << 16).is_nan());
    }
}

/// The upper half of an f32, rounded to the nearest, in a tie to the even one.
fn half_to_even(value: f32) -> u16 {
    let bits = value.to_bits();
    let (upper, lower) = ((bits >> 16) as u16, bits & 0xffff);
    upper + u16::from(lower > 0x8000 || lower == 0x8000 && upper % 2 == 1)
}

#[test]
fn kernels_for_bfloat16_compute_as_those_for_f32() {
    // Halves of small numbers are exact in both types, and so are their products' sums.
    let x: Vec<f32> = (0..96).map(|i| (i % 13) as f32 / 2.0 - 3.0).collect();
    let halves: Vec<u16> = x.iter().map(|value| (value.to_bits() >> 16) as u16).collect();
    let options = Pool2dOptions { window: [3, 3], stride: [1, 1], padding: [1; 4] };
    let geometry = options.geometry("max_pool2d", &[1, 4, 6, 4]).unwrap();
    let sizes = Value::Sizes(sizes::pooling(&geometry).unwrap().to_vec());
    let expected = written("max_pool2d_f32", 96, vec![Value::Floats(x), unwritten(96), sizes.clone()], 1);
    let mut values = vec![Value::Bf16s(halves), Value::Bf16s(vec![0; 96]), sizes];
    run("max_pool2d_bf16", 96, &mut values);
    let Value::Bf16s(got) = &values[1] else { panic!("bf16") };
    let got: Vec<f32> = got.iter().map(|half| f32::from_bits(u32::from(*half) << 16)).collect();
    assert_eq!(got, expected);
}
