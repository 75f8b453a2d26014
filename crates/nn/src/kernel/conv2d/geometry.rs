//! [`Geometry`]: the sizes of one convolution.

use rayon::prelude::*;

/// The sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Input rows, columns and channels.
    pub input: [usize; 3],
    /// Output rows, columns and channels.
    pub output: [usize; 3],
    /// Window rows and columns.
    pub kernel: [usize; 2],
    /// Step between windows, down and across.
    pub stride: [usize; 2],
    /// Zero rows above and zero columns to the left of the input. Those below and to the right follow from the output
    /// size.
    pub padding: [usize; 2],
    /// Step between a window's elements, down and across.
    pub dilation: [usize; 2],
    /// Into how many groups the channels are divided; each output channel sees the input channels of its group.
    pub groups: usize,
}

impl Geometry {
    pub fn input_len(&self) -> usize {
        self.input.iter().product()
    }

    pub fn output_len(&self) -> usize {
        self.output.iter().product()
    }

    /// Input and output channels of one group.
    pub fn group(&self) -> [usize; 2] {
        [self.input[2] / self.groups, self.output[2] / self.groups]
    }

    /// The number of elements in one window of one group.
    pub fn window_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.group()[0]
    }

    /// How many rows and columns lie between the first and the last element of a window.
    pub fn reach(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.dilation[axis] * (self.kernel[axis] - 1))
    }

    /// How many rows and columns of padded input the windows cover together.
    pub fn covered(&self) -> [usize; 2] {
        [0, 1].map(|axis| (self.output[axis] - 1) * self.stride[axis] + self.reach()[axis] + 1)
    }

    /// The rows and columns of the output after 2x2 max pooling.
    pub fn pooled(&self) -> [usize; 2] {
        [self.output[0] / 2, self.output[1] / 2]
    }

    /// The convolution without the last row and column that 2x2 pooling leaves out where there is an odd number of them.
    pub fn even(&self) -> Self {
        let [rows, columns] = self.pooled();
        Self { output: [2 * rows, 2 * columns, self.output[2]], ..*self }
    }

    /// The position in OIHW of the weight from `element` of group `group`'s window (row by row, channels last) to its
    /// output channel `output`.
    pub fn weight_at(&self, group: usize, element: usize, output: usize) -> usize {
        let ([inputs, outputs], area) = (self.group(), self.kernel[0] * self.kernel[1]);
        (group * outputs + output) * self.window_len() + element % inputs * area + element / inputs
    }

    /// Writes OIHW weights to `out`: `value(group, element, output)` for each, as [`Geometry::weight_at`] counts them.
    pub fn write_weights(&self, out: &mut [f32], value: impl Fn(usize, usize, usize) -> f32 + Sync) {
        let ([inputs, outputs], area) = (self.group(), self.kernel[0] * self.kernel[1]);
        out.par_chunks_exact_mut(self.window_len()).enumerate().for_each(|(output, out)| {
            for (i, out) in out.iter_mut().enumerate() {
                *out = value(output / outputs, i % area * inputs + i / area, output % outputs);
            }
        });
    }
}
