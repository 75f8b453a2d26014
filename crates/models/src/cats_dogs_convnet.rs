//! The second convnet of Chollet, *Deep Learning with Python* (2017), listing 5.5: RGB photographs of two classes,
//! 3,453,121 parameters at 150x150; with the dropout of listing 5.13 as an option.

use aumenta_nn::{Activation, LayerSpec, NamedLayer};

use crate::architecture::Architecture;
use crate::error::ModelError;

pub(crate) fn default_image_size() -> usize {
    150
}

pub(crate) fn architecture(image_size: usize, dropout: f32) -> Result<Architecture, ModelError> {
    let mut features = Vec::new();
    for (index, filters) in [32, 64, 128, 128].into_iter().enumerate() {
        let conv = LayerSpec::conv2d(filters, 3, Activation::Relu);
        features.push(NamedLayer::new(&format!("conv{}", index + 1), conv));
        features.push(NamedLayer::new(&format!("pool{}", index + 1), LayerSpec::max_pool2d(2)));
    }
    features.push(NamedLayer::new("flatten", LayerSpec::Flatten {}));
    let mut head = vec![
        NamedLayer::new("dense1", LayerSpec::Dense { units: 512, activation: Activation::Relu }),
        NamedLayer::new("dense2", LayerSpec::Dense { units: 1, activation: Activation::Linear }),
    ];
    if dropout != 0.0 {
        head.insert(0, NamedLayer::new("dropout", LayerSpec::Dropout { rate: dropout }));
    }
    Architecture::new("cats-dogs-convnet", [image_size, image_size, 3], features, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_3_453_121_parameters_as_the_book_prints() {
        let summary = architecture(150, 0.0).unwrap().summary();
        let parameters: Vec<usize> = summary.rows.iter().map(|row| row.parameters).collect();
        assert_eq!(parameters, [896, 0, 18_496, 0, 73_856, 0, 147_584, 0, 0, 3_211_776, 513]);
        assert_eq!(summary.parameters(), 3_453_121);
        assert_eq!(summary.rows[8].output, [6272]);
    }

    #[test]
    fn dropout_adds_a_layer_but_no_parameter() {
        let summary = architecture(150, 0.5).unwrap().summary();
        assert_eq!(summary.rows.len(), 12);
        assert_eq!(summary.parameters(), 3_453_121);
    }
}
