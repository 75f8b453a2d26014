//! The basic block of He et al. 2016, *Deep Residual Learning for Image Recognition*, that its shallower networks consist of,
//! with torchvision's names.

use aumenta_nn::{Activation, BatchNormLayer, Conv2dLayer, Initializer, LayerSpec, NamedLayer, Padding};

/// So many `blocks` a stage, those of each stage with its count of `filters` and half the rows and columns of the stage before.
/// The image before the first block has `inputs` channels; where these are its filters, the first stage keeps the size.
pub(crate) fn stages(filters: &[usize], blocks: usize, mut inputs: usize) -> Vec<NamedLayer> {
    let mut layers = Vec::with_capacity(filters.len() * blocks);
    for (s, filters) in filters.iter().enumerate() {
        for b in 0..blocks {
            layers.push(block(&format!("layer{}.{b}", s + 1), inputs, *filters));
            inputs = *filters;
        }
    }
    layers
}

/// Two 3x3 convolutions, added to their input; where they change its channels, they also halve its rows and columns.
fn block(name: &str, inputs: usize, filters: usize) -> NamedLayer {
    let part = |part: &str| format!("{name}.{part}");
    let stride = if inputs == filters { 1 } else { 2 };
    let first = convolution(&part("conv1"), &part("bn1"), filters, 3, stride, Activation::Relu);
    let second = convolution(&part("conv2"), &part("bn2"), filters, 3, 1, Activation::Linear);
    let shortcut = if inputs == filters {
        Vec::new()
    } else {
        let (conv, norm) = (part("downsample.0"), part("downsample.1"));
        convolution(&conv, &norm, filters, 1, stride, Activation::Linear).to_vec()
    };
    let layers = first.into_iter().chain(second).collect();
    NamedLayer::new(name, LayerSpec::Residual { layers, shortcut, activation: Activation::Relu })
}

/// A convolution that keeps the size but for its stride, and its normalization.
pub(crate) fn convolution(
    name: &str,
    norm: &str,
    filters: usize,
    kernel: usize,
    stride: usize,
    activation: Activation,
) -> [NamedLayer; 2] {
    let padding = Padding::Zeros(kernel / 2);
    let conv = Conv2dLayer { stride, padding, bias: false, ..Conv2dLayer::new(filters, kernel) };
    let norm_layer = BatchNormLayer { activation, ..BatchNormLayer::default() };
    [
        NamedLayer { initializer: Some(Initializer::HeNormal), ..NamedLayer::new(name, LayerSpec::Conv2d(conv)) },
        NamedLayer::new(norm, LayerSpec::BatchNorm(norm_layer)),
    ]
}
