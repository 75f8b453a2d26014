//! The table of a network's layers: what each makes of a sample, and what it costs.

use aumenta_nn::{LayerSpec, NamedLayer, NnError, Role};

/// The table of a network's layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The model's name.
    pub model: String,
    /// The shape of an input sample.
    pub input: Vec<usize>,
    /// One row a layer, in order; those within a block behind the block's own. What a block's layers have and cost stands in
    /// their rows alone, so that sums over all rows are the network's.
    pub rows: Vec<SummaryRow>,
}

/// A layer's line in a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The layer's name.
    pub name: String,
    /// Its kind, such as `Conv2d`.
    pub kind: &'static str,
    /// In how many blocks it stands.
    pub depth: usize,
    /// The shape of one output sample.
    pub output: Vec<usize>,
    /// How many numbers it has that training moves by gradients.
    pub parameters: usize,
    /// How many running statistics it has: the means and variances of a batch normalization.
    pub statistics: usize,
    /// How many products of a weight and an input are added up for one sample. Biases, normalizations, poolings and
    /// activations do not count, as is common (He et al. 2016, table 1).
    pub multiply_adds: u64,
}

impl Summary {
    pub(crate) fn new(model: &str, input: &[usize], layers: &[NamedLayer]) -> Result<Self, NnError> {
        let mut rows = Vec::with_capacity(layers.len());
        push_rows(&mut rows, 0, input, layers)?;
        Ok(Self { model: model.to_string(), input: input.to_vec(), rows })
    }

    /// How many trainable numbers the network has.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// How many trainable numbers its first `layers` layers have, with all that stands in them.
    pub fn parameters_of_first(&self, layers: usize) -> usize {
        let mut outer = 0;
        let of_first = self.rows.iter().take_while(|row| {
            outer += usize::from(row.depth == 0);
            outer <= layers
        });
        of_first.map(|row| row.parameters).sum()
    }

    /// How many running statistics the network has.
    pub fn statistics(&self) -> usize {
        self.rows.iter().map(|row| row.statistics).sum()
    }

    /// How many products of a weight and an input are added up for one sample; at most the largest `u64`.
    pub fn multiply_adds(&self) -> u64 {
        self.rows.iter().fold(0, |sum, row| sum.saturating_add(row.multiply_adds))
    }
}

/// Adds the rows of `layers` that stand in `depth` blocks.
fn push_rows(rows: &mut Vec<SummaryRow>, depth: usize, input: &[usize], layers: &[NamedLayer]) -> Result<(), NnError> {
    let mut shape = input.to_vec();
    for layer in layers {
        let output = layer.output_shape(&shape)?;
        rows.push(row(layer, depth, &shape, &output));
        if let LayerSpec::Residual { layers, shortcut, .. } = &layer.spec {
            push_rows(rows, depth + 1, &shape, layers)?;
            push_rows(rows, depth + 1, &shape, shortcut)?;
        }
        shape = output;
    }
    Ok(())
}

fn row(layer: &NamedLayer, depth: usize, input: &[usize], output: &[usize]) -> SummaryRow {
    let own = if layer.inner().next().is_some() { Vec::new() } else { layer.parameter_shapes(input) };
    let count = |counts: &dyn Fn(Role) -> bool| -> usize {
        let counted = own.iter().filter(|parameter| counts(parameter.role));
        counted.map(|parameter| parameter.shape.iter().product::<usize>()).sum()
    };
    // A weight is used as a whole at each place of the output.
    let places: usize = output[..output.len() - 1].iter().product();
    SummaryRow {
        name: layer.name.clone(),
        kind: layer.spec.type_name(),
        depth,
        output: output.to_vec(),
        parameters: count(&Role::is_trained),
        statistics: count(&|role| !role.is_trained()),
        multiply_adds: count(&|role| role == Role::Weight) as u64 * places as u64,
    }
}

#[cfg(test)]
mod tests {
    use aumenta_nn::{Activation, BatchNormLayer, Conv2dLayer, DepthwiseConv2dLayer, Padding};

    use super::*;
    use crate::config::ModelConfig;

    fn multiply_adds(name: &str) -> Vec<u64> {
        let summary = ModelConfig::named(name).unwrap().architecture().unwrap().summary();
        summary.rows.into_iter().map(|row| row.multiply_adds).filter(|count| *count > 0).collect()
    }

    #[track_caller]
    fn check(spec: LayerSpec, input: &[usize], expected: u64) {
        let summary = Summary::new("model", input, &[NamedLayer::new("layer", spec)]).unwrap();
        assert_eq!(summary.multiply_adds(), expected);
    }

    #[test]
    fn multiply_adds_are_those_counted_by_hand() {
        let by_hand = [26 * 26 * 32 * 9, 11 * 11 * 64 * 9 * 32, 3 * 3 * 64 * 9 * 64, 576 * 64, 64 * 10];
        assert_eq!(multiply_adds("mnist-convnet"), by_hand);
        // The first and the second convolution of VGG16, and its largest dense layer.
        let same = |filters| Conv2dLayer { padding: Padding::Same, ..Conv2dLayer::new(filters, 3) };
        check(LayerSpec::Conv2d(same(64)), &[224, 224, 3], 86_704_128);
        check(LayerSpec::Conv2d(same(64)), &[224, 224, 64], 1_849_688_064);
        check(LayerSpec::Dense { units: 4096, activation: Activation::Relu }, &[25_088], 102_760_448);
        // A group sees its own channels alone, and a depthwise window one channel.
        check(LayerSpec::Conv2d(Conv2dLayer { groups: 2, ..same(8) }), &[10, 10, 4], 100 * 8 * 9 * 2);
        let depthwise = DepthwiseConv2dLayer { padding: Padding::Same, stride: 2, ..DepthwiseConv2dLayer::new(5) };
        check(LayerSpec::DepthwiseConv2d(depthwise), &[10, 10, 4], 25 * 4 * 25);
        check(LayerSpec::max_pool2d(2), &[10, 10, 4], 0);
    }

    #[test]
    fn rows_of_a_block_stand_behind_its_own_and_each_number_in_one_row_alone() {
        let conv = |name: &str| {
            let conv = Conv2dLayer { padding: Padding::Same, bias: false, ..Conv2dLayer::new(8, 3) };
            NamedLayer::new(name, LayerSpec::Conv2d(conv))
        };
        let norm = NamedLayer::new("block.norm", LayerSpec::BatchNorm(BatchNormLayer::default()));
        let block = LayerSpec::Residual {
            layers: vec![conv("block.conv"), norm],
            shortcut: vec![conv("block.shortcut")],
            activation: Activation::Relu,
        };
        let summary = Summary::new("model", &[4, 4, 2], &[NamedLayer::new("block", block)]).unwrap();
        let rows: Vec<_> = summary
            .rows
            .iter()
            .map(|row| (row.name.as_str(), row.depth, row.parameters, row.statistics, row.multiply_adds))
            .collect();
        let conv = |name| (name, 1, 144, 0, 16 * 144);
        assert_eq!(
            rows,
            [("block", 0, 0, 0, 0), conv("block.conv"), ("block.norm", 1, 16, 16, 0), conv("block.shortcut")]
        );
        assert_eq!((summary.parameters(), summary.statistics(), summary.multiply_adds()), (304, 16, 32 * 144));
    }
}
