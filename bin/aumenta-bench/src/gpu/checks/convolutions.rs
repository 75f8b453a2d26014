//! Convolutions of all kinds, and dense layers: forward, and the gradients to images, weights and biases.

use aumenta_nn::{
    Activation, Conv2dOptions, DepthwiseConv2dOptions, Precision, conv2d, dense, depthwise_conv2d, same_padding,
};

use crate::gpu::check::{Check, Tolerance, with_gradients};

const PLAIN: Conv2dOptions = Conv2dOptions {
    stride: [1, 1],
    padding: [0; 4],
    dilation: [1, 1],
    groups: 1,
    activation: Activation::Linear,
    precision: Precision::F32,
};

/// The tolerance of products whose factors have 10 bits of mantissa: some of their roundoffs of 2^-11, since the errors of a sum's
/// terms cancel each other as the terms do.
const TF32: Tolerance = Tolerance::OfLargest(2e-3);

/// A convolution of images `x` with windows `weight`.
#[derive(Clone, Copy)]
struct Convolution {
    name: &'static str,
    x: [usize; 4],
    weight: [usize; 4],
    has_bias: bool,
    options: Conv2dOptions,
}

/// The checks in f32; where TF32 is among `precisions`, convolutions in it too, except those with an activation: coarse roundings move
/// sums across its limits, and gradients with them.
pub fn checks(precisions: &[Precision]) -> Vec<Check> {
    let mut checks: Vec<Check> = convolutions().into_iter().map(convolution).collect();
    if precisions.contains(&Precision::Tf32) {
        let linear = convolutions().into_iter().filter(|case| case.options.activation == Activation::Linear);
        checks.extend(linear.map(|case| {
            let options = Conv2dOptions { precision: Precision::Tf32, ..case.options };
            convolution(Convolution { options, ..case })
        }));
    }
    checks.extend(depthwise_convolutions());
    checks.extend(dense_layers());
    checks
}

fn convolutions() -> Vec<Convolution> {
    let case = |name, x, weight, options| Convolution { name, x, weight, has_bias: true, options };
    let activated = |activation| Conv2dOptions { activation, ..PLAIN };
    let [top, bottom] = same_padding(17, 3, 2, 1);
    let same = Conv2dOptions { stride: [2, 2], padding: [top, bottom, top, bottom], ..PLAIN };
    let padded = Conv2dOptions { padding: [1; 4], ..PLAIN };
    vec![
        case("3x3", [3, 12, 10, 5], [7, 5, 3, 3], PLAIN),
        Convolution { has_bias: false, ..case("3x3 without a bias", [3, 12, 10, 5], [7, 5, 3, 3], PLAIN) },
        case("3x3 with ReLU", [2, 9, 8, 4], [6, 4, 3, 3], activated(Activation::Relu)),
        case("3x3 with ReLU6", [2, 9, 8, 4], [6, 4, 3, 3], activated(Activation::Relu6)),
        case("3x3 with a sigmoid", [2, 9, 8, 4], [6, 4, 3, 3], activated(Activation::Sigmoid)),
        case("3x3 padded", [2, 8, 8, 16], [32, 16, 3, 3], padded),
        case("3x3 with 64 channels", [4, 20, 20, 64], [64, 64, 3, 3], padded),
        case("3x3 on color images", [4, 38, 38, 3], [32, 3, 3, 3], PLAIN),
        case("3x3 on gray images", [4, 28, 28, 1], [32, 1, 3, 3], PLAIN),
        case("3x3 of stride 2, padded on one side more", [2, 17, 17, 8], [12, 8, 3, 3], same),
        case(
            "3x3 of stride 2 that leaves a row over",
            [2, 12, 10, 8],
            [6, 8, 3, 3],
            Conv2dOptions { stride: [2, 2], ..PLAIN },
        ),
        case("3x2 of stride 2 by 1", [2, 11, 9, 4], [5, 4, 3, 2], Conv2dOptions { stride: [2, 1], ..PLAIN }),
        case(
            "3x3 padded on all sides by other amounts",
            [1, 7, 6, 3],
            [4, 3, 3, 3],
            Conv2dOptions { padding: [3, 0, 1, 2], ..PLAIN },
        ),
        case("3x2 dilated 2 by 3", [2, 13, 14, 6], [4, 6, 3, 2], Conv2dOptions { dilation: [2, 3], ..PLAIN }),
        case("3x3 in two groups", [2, 9, 9, 8], [6, 4, 3, 3], Conv2dOptions { groups: 2, ..padded }),
        case("3x3 in as many groups as channels", [2, 9, 9, 6], [6, 1, 3, 3], Conv2dOptions { groups: 6, ..padded }),
        case("1x1", [3, 9, 7, 24], [40, 24, 1, 1], PLAIN),
        case("1x1 of stride 2", [3, 9, 8, 16], [32, 16, 1, 1], Conv2dOptions { stride: [2, 2], ..PLAIN }),
        case("5x5 padded", [2, 14, 14, 8], [8, 8, 5, 5], Conv2dOptions { padding: [2; 4], ..PLAIN }),
        case(
            "7x7 of stride 2, padded",
            [2, 32, 32, 3],
            [16, 3, 7, 7],
            Conv2dOptions { stride: [2, 2], padding: [3; 4], ..PLAIN },
        ),
    ]
}

fn convolution(case: Convolution) -> Check {
    let Convolution { name, x, weight, has_bias, options } = case;
    let in_tf32 = options.precision == Precision::Tf32;
    let products = move |terms| if in_tf32 { TF32 } else { Tolerance::of_sum(terms) };
    let name = format!("conv2d {name}{}", if in_tf32 { ", in tf32" } else { "" });
    Check::new(name, move |device| {
        let [outputs, inputs, rows, columns] = weight;
        let window = rows * columns;
        // An upper bound of the windows of all images: one for each pixel of the padded input.
        let [top, bottom, left, right] = options.padding;
        let windows = x[0] * (x[1] + top + bottom) * (x[2] + left + right);
        let mut operands = vec![
            ("x", x.to_vec(), products(outputs / options.groups * window)),
            ("weight", weight.to_vec(), products(windows)),
        ];
        if has_bias {
            operands.push(("bias", vec![outputs], Tolerance::of_sum(windows)));
        }
        with_gradients(device, &operands, products(inputs * window), &|t| Ok(conv2d(&t[0], &t[1], t.get(2), options)?))
    })
}

fn depthwise_convolutions() -> Vec<Check> {
    let plain = DepthwiseConv2dOptions { padding: [1; 4], ..DepthwiseConv2dOptions::default() };
    let cases = [
        ("3x3", [2, 9, 8, 12], [12, 3, 3], plain),
        (
            "3x3 with ReLU6",
            [2, 9, 8, 12],
            [12, 3, 3],
            DepthwiseConv2dOptions { activation: Activation::Relu6, ..plain },
        ),
        ("3x3 of stride 2", [2, 15, 14, 16], [16, 3, 3], DepthwiseConv2dOptions { stride: [2, 2], ..plain }),
        (
            "5x5 of stride 2, padded on one side more",
            [2, 14, 14, 24],
            [24, 5, 5],
            DepthwiseConv2dOptions { stride: [2, 2], padding: [1, 2, 1, 2], ..plain },
        ),
        ("3x3 dilated by 2", [2, 11, 11, 8], [8, 3, 3], DepthwiseConv2dOptions { dilation: [2, 2], ..plain }),
        ("3x2 with three windows a channel", [2, 7, 8, 5], [15, 3, 2], plain),
    ];
    let check = |(name, x, [outputs, rows, columns], options): (_, [usize; 4], [usize; 3], DepthwiseConv2dOptions)| {
        Check::new(format!("depthwise_conv2d {name}"), move |device| {
            let window = rows * columns;
            let windows = Tolerance::of_sum(x[0] * x[1] * x[2]);
            let operands = [
                ("x", x.to_vec(), Tolerance::of_sum(outputs / x[3] * window)),
                ("weight", vec![outputs, 1, rows, columns], windows),
                ("bias", vec![outputs], windows),
            ];
            with_gradients(device, &operands, Tolerance::of_sum(window), &|t| {
                Ok(depthwise_conv2d(&t[0], &t[1], &t[2], options)?)
            })
        })
    };
    cases.map(check).into()
}

fn dense_layers() -> Vec<Check> {
    let cases = [
        ("with ReLU", [20, 36], 24, Activation::Relu),
        ("with many inputs", [5, 2048], 33, Activation::Linear),
        ("with one output", [32, 128], 1, Activation::Linear),
        ("with a sigmoid, on one image", [1, 50], 10, Activation::Sigmoid),
    ];
    let check = |(name, [images, inputs], outputs, activation): (_, [usize; 2], usize, Activation)| {
        Check::new(format!("dense {name}"), move |device| {
            let operands = [
                ("x", vec![images, inputs], Tolerance::of_sum(outputs)),
                ("weight", vec![outputs, inputs], Tolerance::of_sum(images)),
                ("bias", vec![outputs], Tolerance::of_sum(images)),
            ];
            with_gradients(device, &operands, Tolerance::of_sum(inputs), &|t| {
                Ok(dense(&t[0], &t[1], &t[2], activation)?)
            })
        })
    };
    cases.map(check).into()
}
