//! Carrying out a plan: as few passes over the pixels as its operations allow.
//!
//! Motions and changes of color wait until something needs pixels. A plan of nothing else, however long, is therefore one
//! resampling from the decoded source into its slot. An operation that looks at more than one pixel (a blur, a
//! histogram) is a border between passes: what waits is resampled into a buffer of the output's size, the operation works
//! there, and what follows waits again.

use aumenta_imgproc::{Image, Interpolation, Matrix3, Size, Tone, shrink, warp};

use crate::Plan;
use crate::effect::Effect;

/// Buffers that [`Plan::apply`] reuses, so that applying allocates nothing once they have grown; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The source, averaged over blocks.
    shrunk: Image,
    /// The picture between passes, at the output's size.
    picture: Image,
    /// A buffer for operations that cannot work in place.
    spare: Image,
}

/// Fills `out`, u8 HWC of `output`, with what `plan` makes of `source`.
pub(crate) fn execute(plan: &Plan, source: &Image, output: Size, scratch: &mut Scratch, out: &mut [u8]) {
    let mut waiting = Waiting::resize(source.size(), output);
    let mut rendered = false;
    for op in &plan.ops {
        match op.effect(output) {
            Effect::Motion(matrix) => waiting.matrix = matrix.then(&waiting.matrix),
            Effect::Color(tone) => waiting.tone = waiting.tone.then(&tone),
            Effect::Raster => {
                let Scratch { shrunk, picture, spare } = scratch;
                if rendered {
                    waiting.settle(plan, picture, spare);
                } else {
                    picture.resize_buffer(output.width, output.height);
                    waiting.resample(plan, source, output, shrunk, picture.pixels_mut());
                }
                op.rasterize(picture, spare);
                waiting = Waiting::nothing();
                rendered = true;
            }
        }
    }
    let Scratch { shrunk, picture, .. } = scratch;
    let source = if rendered { &*picture } else { source };
    waiting.resample(plan, source, output, shrunk, out);
}

/// Motions and changes of color that no pixel has seen yet.
struct Waiting {
    matrix: Matrix3,
    tone: Tone,
}

impl Waiting {
    fn nothing() -> Self {
        Self { matrix: Matrix3::IDENTITY, tone: Tone::IDENTITY }
    }

    fn resize(source: Size, output: Size) -> Self {
        let columns = source.width as f64 / output.width as f64;
        let rows = source.height as f64 / output.height as f64;
        Self { matrix: Matrix3::grid(columns, rows), ..Self::nothing() }
    }

    /// Carries out what waits on `picture` itself.
    fn settle(&self, plan: &Plan, picture: &mut Image, spare: &mut Image) {
        if self.matrix == Matrix3::IDENTITY && self.tone == Tone::IDENTITY {
            return;
        }
        let size = picture.size();
        spare.resize_buffer(size.width, size.height);
        // A motion within the output never shrinks by so much that the picture would have to be averaged first, except
        // for a strong zoom out, which is averaged into a buffer of its own.
        let mut shrunk = Image::default();
        self.resample(plan, picture, size, &mut shrunk, spare.pixels_mut());
        std::mem::swap(picture, spare);
    }

    fn resample(&self, plan: &Plan, source: &Image, output: Size, shrunk: &mut Image, out: &mut [u8]) {
        let (columns, rows) = blocks(plan.interpolation, &self.matrix, source.size());
        if columns == 1 && rows == 1 {
            warp(source, &self.matrix, plan.fill, plan.interpolation, &self.tone, output, out);
        } else {
            shrink(source, columns, rows, shrunk);
            let matrix = self.matrix.then(&Matrix3::grid(1.0 / columns as f64, 1.0 / rows as f64));
            warp(shrunk, &matrix, plan.fill, plan.interpolation, &self.tone, output, out);
        }
    }
}

/// The blocks of source pixels to average beforehand, so that the warp's stride ends up below 2.
fn blocks(interpolation: Interpolation, matrix: &Matrix3, source: Size) -> (usize, usize) {
    if interpolation == Interpolation::Nearest {
        return (1, 1);
    }
    // The margin keeps a rotated or mirrored reduction by exactly 2 from falling below it by a rounding error.
    let whole = |stride: f64, side: usize| ((stride + 1e-6) as usize).clamp(1, side.max(1));
    let (columns, rows) = matrix.stride();
    (whole(columns, source.width), whole(rows, source.height))
}
