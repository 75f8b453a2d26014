//! Where a network is divided into layers that stay as they are and layers that are trained, and how much more slowly its base
//! learns than its head.

use aumenta_nn::NamedLayer;

use crate::architecture::Architecture;
use crate::error::ModelError;

/// What stands for the first layer of the head in place of its name.
const HEAD: &str = "head";

/// How many names an error suggests.
const SUGGESTIONS: usize = 4;

impl Architecture {
    /// How many layers stand before the layer named `name`. It may be the name of a block, such as `blocks.6` for
    /// `blocks.6.0.conv_pw` and all that follow it, or `head` for the first layer of the head.
    ///
    /// ```
    /// use aumenta_models::ModelConfig;
    ///
    /// let network = ModelConfig::named("efficientnet-lite0")?.architecture()?;
    /// let before = network.layers_before("blocks.6")?;
    /// assert_eq!(network.layers()[before].name, "blocks.6.0.conv_pw");
    /// assert_eq!(network.layers_before("head")?, network.layers_before("classifier")?);
    /// # Ok::<(), aumenta_models::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::NoLayer`] where there is none, with the names most like it; also where it stands within a block whose
    /// input goes around it, so that nothing can be divided there.
    pub fn layers_before(&self, name: &str) -> Result<usize, ModelError> {
        if name == HEAD {
            return Ok(self.layers().len() - self.head().len());
        }
        let prefix = format!("{name}.");
        let is_it = |layer: &NamedLayer| layer.name == name || layer.name.starts_with(&prefix);
        let index = self.layers().iter().position(is_it);
        index.ok_or_else(|| ModelError::NoLayer {
            model: self.name().to_string(),
            name: name.to_string(),
            reason: self.reason_for_no(name),
        })
    }

    fn reason_for_no(&self, name: &str) -> String {
        let around = self.layers().iter().find(|layer| layer.inner().any(|inner| inner.name == name));
        if let Some(block) = around {
            return format!(
                "outside a block: it stands within `{}`, which is divided from others as a whole",
                block.name
            );
        }
        let mut names: Vec<&str> =
            self.layers().iter().flat_map(|layer| [&layer.name[..], block_of(&layer.name)]).collect();
        names.push(HEAD);
        names.sort_by(|a, b| strsim::jaro_winkler(name, b).total_cmp(&strsim::jaro_winkler(name, a)).then(a.cmp(b)));
        names.dedup();
        let suggested: Vec<String> = names.iter().take(SUGGESTIONS).map(|name| format!("`{name}`")).collect();
        format!("at its outermost level; did you mean {}?", suggested.join(", "))
    }

    /// What the learning rate of each layer is multiplied by where the head has 1, the block before it `base_rate`, and every
    /// block further from it `depth_decay` times the rate of the one behind it. The layers of a block share the beginning of
    /// their names up to its number, such as `blocks.2.0`, `layer1.1` or `features.24`; a layer with weights whose name has none is one,
    /// together with the normalization behind it.
    ///
    /// With a decay below 1 the first layers, whose edges and textures all pictures have, move least (Howard and Ruder 2018,
    /// "Universal Language Model Fine-tuning", section 3.2, discriminative fine-tuning).
    pub fn rate_scales(&self, base_rate: f32, depth_decay: f32) -> Vec<f32> {
        let (base, head) = self.layers().split_at(self.layers().len() - self.head().len());
        let mut block = "";
        let mut number = 0;
        let numbers: Vec<i32> = base
            .iter()
            .map(|layer| {
                if begins_block(layer) && block_of(&layer.name) != block {
                    (block, number) = (block_of(&layer.name), number + 1);
                }
                number
            })
            .collect();
        let of_base = numbers.into_iter().map(|of_layer| base_rate * depth_decay.powi(number - of_layer));
        of_base.chain(head.iter().map(|_| 1.0)).collect()
    }
}

/// Whether a layer with a name of its own is another block than the layer before it: it has weights, and does not merely
/// normalize what that one makes.
fn begins_block(layer: &NamedLayer) -> bool {
    use aumenta_nn::LayerSpec::{Conv2d, Dense, DepthwiseConv2d, Residual};
    matches!(layer.spec, Conv2d(_) | Dense { .. } | DepthwiseConv2d(_) | Residual { .. })
}

/// The beginning of a layer's name that its block shares: its first part and the numbers right behind it.
fn block_of(name: &str) -> &str {
    let numbers = name.split('.').skip(1).take_while(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let first = name.split('.').next().map_or(0, str::len);
    &name[..numbers.fold(first, |len, part| len + 1 + part.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelConfig;
    use crate::vgg16::Vgg16Top;

    fn architecture(name: &str) -> Architecture {
        ModelConfig::named(name).unwrap().architecture().unwrap()
    }

    #[test]
    fn a_network_is_divided_before_a_layer_a_block_or_its_head() {
        let network = architecture("efficientnet-lite0");
        let name_at = |name| network.layers()[network.layers_before(name).unwrap()].name.as_str();
        assert_eq!(name_at("conv_stem"), "conv_stem");
        assert_eq!(name_at("blocks.1"), "blocks.1.0.conv_pw");
        assert_eq!(name_at("blocks.5.2"), "blocks.5.2");
        assert_eq!(name_at("head"), "classifier");
        let network = architecture("vgg16");
        assert_eq!(network.layers()[network.layers_before("features.24").unwrap()].name, "features.24");
    }

    #[track_caller]
    fn check_refused(name: &str, expected: &str) {
        let message = architecture("efficientnet-lite0").layers_before(name).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn a_name_that_is_none_is_answered_with_those_most_like_it() {
        check_refused("blocks.7", "has no layer `blocks.7` at its outermost level; did you mean `blocks.");
        check_refused("clasifier", "did you mean `classifier`");
        check_refused("Head", "`head`");
        check_refused("blocks.1.1.conv_pw", "outside a block: it stands within `blocks.1.1`");
        check_refused("", "did you mean");
    }

    #[test]
    fn fine_tuning_the_last_block_of_vgg16_trains_9_177_089_parameters() {
        let top = Vgg16Top::Dense256;
        let network = ModelConfig::Vgg16 { image_size: 150, classes: Some(2), top }.architecture().unwrap();
        let summary = network.summary();
        let trained = |name| summary.parameters() - summary.parameters_of_first(network.layers_before(name).unwrap());
        assert_eq!(summary.parameters() - trained("head"), 14_714_688);
        assert_eq!(trained("features.24"), 9_177_089);
    }

    #[test]
    fn blocks_learn_more_slowly_the_further_they_are_from_the_head() {
        let network = architecture("resnet18");
        let scales = network.rate_scales(0.5, 0.5);
        let of = |name: &str| scales[network.layers_before(name).unwrap()];
        assert_eq!([of("head"), of("layer4.1"), of("layer4.0"), of("layer3.1")], [1.0, 0.5, 0.25, 0.125]);
        assert_eq!([of("layer1.0"), of("bn1"), of("conv1")], [0.5f32.powi(8), 0.5f32.powi(9), 0.5f32.powi(9)]);
        assert_eq!(network.rate_scales(1.0, 1.0), vec![1.0; network.layers().len()]);
    }

    #[test]
    fn the_layers_of_a_block_learn_alike() {
        let network = architecture("mobilenet-v2");
        let mut scales = network.rate_scales(0.1, 0.9);
        scales.dedup();
        // The stem, 17 blocks, the convolution to 1280 channels, and the head.
        assert_eq!(scales.len(), 20, "{scales:?}");
    }

    #[test]
    fn a_block_has_the_name_up_to_its_number() {
        for (layer, block) in [
            ("blocks.2.0.conv_pw", "blocks.2.0"),
            ("features.1.conv.0.0", "features.1"),
            ("layer1.0", "layer1.0"),
            ("features.24", "features.24"),
            ("conv_stem", "conv_stem"),
            ("", ""),
        ] {
            assert_eq!(block_of(layer), block);
        }
    }
}
