//! What can go wrong in this crate.

use crate::device::DeviceChoice;
use crate::precision::Precision;

/// An error of an operation, an initialiser, an optimizer or the parameters.
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// Shapes that an operation cannot take.
    #[error("{op}: {reason}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shapes and what does not fit.
        reason: String,
    },
    /// Elements of a type that an operation does not compute with.
    #[error("{op}: {reason}")]
    Type {
        /// The operation.
        op: &'static str,
        /// The tensor, its type and shape, and the type it must have.
        reason: String,
    },
    /// Values that an operation cannot take.
    #[error("{op}: {reason}")]
    Value {
        /// The operation.
        op: &'static str,
        /// The value, and where it stands.
        reason: String,
    },
    /// A logit that is NaN or infinite: the training has diverged.
    #[error("{op}: logit {place} of sample {sample} is {value}")]
    LogitNotFinite {
        /// The loss.
        op: &'static str,
        /// The sample's place in the batch.
        sample: usize,
        /// The logit's place in the sample.
        place: usize,
        /// The logit.
        value: f32,
    },
    /// A layer whose input or settings do not fit.
    #[error("layer `{layer}`: {reason}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// The shape and what does not fit.
        reason: String,
    },
    /// A setting out of its range.
    #[error("`{name}` must be {range}, got {value}")]
    Setting {
        /// The setting's name, as configurations spell it.
        name: &'static str,
        /// Its range, in words.
        range: &'static str,
        /// The value.
        value: f32,
    },
    /// A precision that a device does not compute with.
    #[error("{device} has no kernels for {precision}: networks there compute in f32")]
    Precision {
        /// The precision.
        precision: Precision,
        /// The device, in words.
        device: &'static str,
    },
    /// A device that cannot be used.
    #[error("cannot compute on `{choice}`: {reason}")]
    Device {
        /// The device, as it was asked for.
        choice: DeviceChoice,
        /// What is missing, or what the driver says.
        reason: String,
    },
    /// A name that no device has.
    #[error("`{name}` is no device: give `auto`, `cpu`, `cuda` or `cuda:N`")]
    DeviceName {
        /// The name.
        name: String,
    },
    /// The backward pass left a trainable parameter without a gradient.
    #[error("parameter `{name}` got no gradient: the loss does not depend on it")]
    NoGradient {
        /// The parameter's name.
        name: String,
    },
    /// A parameter's gradient holds NaN or an infinity.
    #[error(
        "the gradient of parameter `{name}` is not finite: lower the learning rate, or set `clip-norm` before gradients grow"
    )]
    GradientNotFinite {
        /// The first such parameter's name.
        name: String,
    },
    /// A parameter that an optimizer cannot step.
    #[error("optimizer: parameter `{name}` {reason}")]
    Optimizer {
        /// The parameter's name.
        name: String,
        /// The shape, dtype or device and what does not fit.
        reason: String,
    },
    /// A parameter group that decides for no parameter.
    #[error("parameter group `{names}` {reason}")]
    Group {
        /// The group's pattern of names.
        names: String,
        /// What it fails to match.
        reason: String,
    },
    /// Saved optimizer state that is not this optimizer's.
    #[error("saved state does not fit this optimizer: {reason}")]
    OptimizerState {
        /// The tensor or setting and what differs.
        reason: String,
    },
    /// Saved tensors that are not this network's.
    #[error("weights do not fit this network: {reason}")]
    Weights {
        /// The tensor and what differs.
        reason: String,
    },
    /// Gradients that could not be exchanged with other processes.
    #[error("the exchange of gradients of rank {rank} failed: {reason}")]
    Exchange {
        /// This process's number.
        rank: usize,
        /// What went wrong, and what to do.
        reason: String,
    },
    /// The bytes are no safetensors file.
    #[error("not a readable safetensors file")]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// An error from Candle.
    #[error("tensor operation failed")]
    Candle(#[from] candle_core::Error),
}

impl NnError {
    /// A shape error of `op`.
    pub(crate) fn shape(op: &'static str, reason: impl Into<String>) -> Self {
        Self::Shape { op, reason: reason.into() }
    }
}
