//! A forward pass that hands out every layer's output on its way, for who wants to see what a network does.

use std::ops::ControlFlow;

use candle_core::Tensor;

use crate::error::NnError;
use crate::layer::{LayerSpec, NamedLayer};
use crate::op::activation::{Activation, activate};
use crate::sequential::{Mode, Sequential};

/// Sees a layer and its output, and says what goes on in the output's place: itself, a variable to take gradients to, or
/// nothing, which ends the pass.
pub type LayerVisitor<'a> = dyn FnMut(&NamedLayer, Tensor) -> Result<ControlFlow<(), Tensor>, NnError> + 'a;

impl Sequential {
    /// The output of all layers for a batch `x` in evaluation, each layer's output shown to `visit` before the next one takes it;
    /// `None` where the visitor ended the pass.
    ///
    /// Layers within a residual block come before it, those of its shortcut last, under their own names. Candle differentiates the
    /// result to `x` and to what the visitor put in a layer's place, and to no parameter. Layers in front of a flattening take
    /// images of any size.
    ///
    /// # Errors
    /// As [`Sequential::forward_range`]; the visitor's.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use aumenta_nn::{LayerSpec, NamedLayer, Sequential};
    /// use aumenta_seed::Seed;
    /// use candle_core::{DType, Device, Tensor};
    ///
    /// let layers = [NamedLayer::new("pool", LayerSpec::max_pool2d(2)), NamedLayer::new("flatten", LayerSpec::Flatten {})];
    /// let network = Sequential::new(&[4, 4, 1], &layers, Seed::new(7), &Device::Cpu)?;
    /// let mut shapes = Vec::new();
    /// let output = network.trace(&Tensor::ones((1, 4, 4, 1), DType::F32, &Device::Cpu)?, &mut |layer, output| {
    ///     shapes.push((layer.name.clone(), output.dims().to_vec()));
    ///     Ok(ControlFlow::Continue(output))
    /// })?;
    /// assert_eq!(shapes, [("pool".to_string(), vec![1, 2, 2, 1]), ("flatten".to_string(), vec![1, 4])]);
    /// assert_eq!(output.unwrap().dims(), [1, 4]);
    /// # Ok::<(), aumenta_nn::NnError>(())
    /// ```
    pub fn trace(&self, x: &Tensor, visit: &mut LayerVisitor<'_>) -> Result<Option<Tensor>, NnError> {
        if x.rank() < 2 || x.elem_count() == 0 {
            return Err(NnError::shape("sequential", format!("{:?} is no batch", x.dims())));
        }
        Ok(self.trace_layers(self.layers(), x, visit)?.continue_value())
    }

    fn trace_layers(
        &self,
        layers: &[NamedLayer],
        x: &Tensor,
        visit: &mut LayerVisitor<'_>,
    ) -> Result<ControlFlow<(), Tensor>, NnError> {
        let mut x = x.clone();
        for layer in layers {
            let output = match self.trace_layer(layer, &x, visit)? {
                ControlFlow::Continue(output) => visit(layer, output)?,
                ControlFlow::Break(()) => ControlFlow::Break(()),
            };
            match output {
                ControlFlow::Continue(output) => x = output,
                ControlFlow::Break(()) => return Ok(ControlFlow::Break(())),
            }
        }
        Ok(ControlFlow::Continue(x))
    }

    /// The output of one layer, with those within it shown.
    fn trace_layer(
        &self,
        layer: &NamedLayer,
        x: &Tensor,
        visit: &mut LayerVisitor<'_>,
    ) -> Result<ControlFlow<(), Tensor>, NnError> {
        let LayerSpec::Residual { layers, shortcut, activation } = &layer.spec else {
            return Ok(ControlFlow::Continue(self.apply(layer, x, Mode::Evaluate)?));
        };
        let ControlFlow::Continue(output) = self.trace_layers(layers, x, visit)? else {
            return Ok(ControlFlow::Break(()));
        };
        let ControlFlow::Continue(added) = self.trace_layers(shortcut, x, visit)? else {
            return Ok(ControlFlow::Break(()));
        };
        let sum = (output + added)?;
        let output = if *activation == Activation::Linear { sum } else { activate(&sum, *activation)? };
        Ok(ControlFlow::Continue(output))
    }
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;
    use candle_core::{Device, Var};

    use super::*;
    use crate::finite_differences::ramp;
    use crate::layer::{BatchNormLayer, Conv2dLayer, Padding};

    fn network() -> Sequential {
        let same = |name: &str| {
            let conv = Conv2dLayer { padding: Padding::Same, bias: false, ..Conv2dLayer::new(4, 3) };
            NamedLayer::new(name, LayerSpec::Conv2d(conv))
        };
        let norm = BatchNormLayer { activation: Activation::Relu, ..BatchNormLayer::default() };
        let block = LayerSpec::Residual {
            layers: vec![same("block.conv1"), NamedLayer::new("block.norm", LayerSpec::BatchNorm(norm))],
            shortcut: vec![same("block.shortcut")],
            activation: Activation::Relu,
        };
        let layers = [
            NamedLayer::new("conv1", LayerSpec::conv2d(6, 3, Activation::Relu)),
            NamedLayer::new("block", block),
            NamedLayer::new("drop", LayerSpec::Dropout { rate: 0.5 }),
            NamedLayer::new("pool", LayerSpec::GlobalAvgPool2d {}),
            NamedLayer::new("dense", LayerSpec::Dense { units: 3, activation: Activation::Linear }),
        ];
        Sequential::new(&[9, 8, 2], &layers, Seed::new(7), &Device::Cpu).unwrap()
    }

    fn names(network: &Sequential, x: &Tensor, last: &str) -> (Vec<String>, Option<Tensor>) {
        let mut names = Vec::new();
        let output = network.trace(x, &mut |layer, output| {
            names.push(layer.name.clone());
            Ok(if layer.name == last { ControlFlow::Break(()) } else { ControlFlow::Continue(output) })
        });
        (names, output.unwrap())
    }

    #[test]
    fn every_layer_is_shown_once_and_nothing_changes() {
        let (network, x) = (network(), ramp(&[2, 9, 8, 2], 7));
        let (shown, output) = names(&network, &x, "");
        let expected = ["conv1", "block.conv1", "block.norm", "block.shortcut", "block", "drop", "pool", "dense"];
        assert_eq!(shown, expected);
        let rows = |tensor: Tensor| tensor.to_vec2::<f32>().unwrap();
        assert_eq!(rows(output.unwrap()), rows(network.forward(&x, Mode::Evaluate).unwrap()));
    }

    #[test]
    fn a_visitor_may_end_the_pass_also_within_a_block() {
        let (network, x) = (network(), ramp(&[1, 9, 8, 2], 7));
        for (last, count) in [("conv1", 1), ("block.norm", 3), ("block.shortcut", 4), ("block", 5)] {
            let (shown, output) = names(&network, &x, last);
            assert!(shown.len() == count && output.is_none(), "{last}: {shown:?}");
        }
    }

    #[test]
    fn gradients_reach_what_takes_a_layers_place_and_no_parameter() {
        let (network, x) = (network(), ramp(&[1, 9, 8, 2], 7));
        let mut kept = None;
        let output = network.trace(&x, &mut |layer, output| {
            if layer.name != "block.norm" {
                return Ok(ControlFlow::Continue(output));
            }
            let var = kept.insert(Var::from_tensor(&output)?);
            Ok(ControlFlow::Continue(var.as_tensor().clone()))
        });
        let gradients = output.unwrap().unwrap().sum_all().unwrap().backward().unwrap();
        assert_eq!(gradients.get(&kept.unwrap()).unwrap().dims(), [1, 7, 6, 4]);
        assert!(network.parameters().iter().all(|parameter| gradients.get(&parameter.var).is_none()));
    }

    #[test]
    fn images_of_another_size_go_as_far_as_they_fit() {
        let network = network();
        let (shown, output) = names(&network, &ramp(&[1, 20, 30, 2], 7), "");
        assert!(shown.len() == 8 && output.is_some());
        let error = network.trace(&ramp(&[1, 2, 2, 2], 7), &mut |_, output| Ok(ControlFlow::Continue(output)));
        assert!(error.unwrap_err().to_string().contains("conv1"));
    }
}
