//! The blocks of EfficientNet-Lite0, as the stock libraries' networks are built from them.
//!
//! Tan and Le, *EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks* (2019), table 1, without
//! squeeze-and-excitation and with `ReLU6`, as the Lite variants have it.

/// The outputs of the 3x3 convolution of stride 2 in front of the blocks.
pub const STEM: usize = 32;
/// The outputs of the 1x1 convolution behind the blocks.
pub const HEAD: usize = 1280;
/// The epsilon of batch normalization.
pub const EPSILON: f64 = 1e-3;

/// Expansion, kernel, stride of the first repeat, outputs and repeats of each stage.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// An inverted residual block: a 1x1 convolution that widens (none where `expanded` is `inputs`), a depthwise
/// convolution, and a 1x1 convolution that narrows; the input is added where shapes agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Input channels.
    pub inputs: usize,
    /// Channels of the depthwise convolution.
    pub expanded: usize,
    /// Rows and columns of the depthwise kernel.
    pub kernel: usize,
    /// The stride of the depthwise convolution.
    pub stride: usize,
    /// Output channels.
    pub outputs: usize,
}

impl Block {
    /// Whether the input is added to the output.
    pub fn is_residual(&self) -> bool {
        self.stride == 1 && self.inputs == self.outputs
    }
}

/// All blocks, in order.
pub fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut inputs = STEM;
    for (expansion, kernel, stride, outputs, repeats) in STAGES {
        for repeat in 0..repeats {
            let stride = if repeat == 0 { stride } else { 1 };
            blocks.push(Block { inputs, expanded: inputs * expansion, kernel, stride, outputs });
            inputs = outputs;
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    #[test]
    fn the_blocks_add_up_to_the_parameters_of_lite0() {
        let convolution = |inputs: usize, kernel: usize, outputs: usize| (inputs * kernel * kernel + 2) * outputs;
        let block = |block: &Block| {
            let widen = if block.expanded == block.inputs { 0 } else { convolution(block.inputs, 1, block.expanded) };
            widen + convolution(1, block.kernel, block.expanded) + convolution(block.expanded, 1, block.outputs)
        };
        let blocks: usize = blocks().iter().map(block).sum();
        let classifier = (HEAD + 1) * 1000;
        let total = convolution(3, 3, STEM) + blocks + convolution(320, 1, HEAD) + classifier;
        assert_eq!(total, Network::EfficientnetLite0.parameters());
    }
}
