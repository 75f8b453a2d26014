//! The first convnet of Chollet, *Deep Learning with Python* (2017), listings 5.1 and 5.2: 28x28 gray digits, 93,322
//! parameters.

use aumenta_nn::{Activation, LayerSpec, NamedLayer};

use crate::architecture::Architecture;
use crate::error::ModelError;

pub(crate) fn architecture() -> Result<Architecture, ModelError> {
    let conv = |filters| LayerSpec::conv2d(filters, 3, Activation::Relu);
    let features = vec![
        NamedLayer::new("conv1", conv(32)),
        NamedLayer::new("pool1", LayerSpec::max_pool2d(2)),
        NamedLayer::new("conv2", conv(64)),
        NamedLayer::new("pool2", LayerSpec::max_pool2d(2)),
        NamedLayer::new("conv3", conv(64)),
        NamedLayer::new("flatten", LayerSpec::Flatten {}),
    ];
    let head = vec![
        NamedLayer::new("dense1", LayerSpec::Dense { units: 64, activation: Activation::Relu }),
        NamedLayer::new("dense2", LayerSpec::Dense { units: 10, activation: Activation::Linear }),
    ];
    Architecture::new("mnist-convnet", [28, 28, 1], features, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_93_322_parameters_as_the_book_prints() {
        let rows = architecture().unwrap().summary().rows;
        let parameters: Vec<usize> = rows.iter().map(|row| row.parameters).collect();
        assert_eq!(parameters, [320, 0, 18_496, 0, 36_928, 0, 36_928, 650]);
        assert_eq!(parameters.iter().sum::<usize>(), 93_322);
        assert_eq!(rows[4].output, [3, 3, 64]);
    }
}
