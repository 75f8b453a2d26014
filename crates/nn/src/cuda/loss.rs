//! Losses over logits. What cannot be known without waiting for the GPU is not checked: a logit that is not finite makes a
//! loss that is not.

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaStorage, DType, Layout, Result, Shape};

use super::launch::{Arg, launch, uninitialized};
use super::operand::{f32s, view};
use super::sizes::int;
use crate::op::loss::Loss;

/// The loss of each sample.
pub fn of_each(
    loss: Loss,
    (logits, logits_layout): (&CudaStorage, &Layout),
    right: (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let (n, _) = logits_layout.shape().dims2()?;
    let out = run(loss, ["binary_cross_entropy", "cross_entropy"], n, (logits, logits_layout), right)?;
    Ok((CudaStorage::wrap_cuda_slice(out, logits.device().clone()), Shape::from(n)))
}

/// The gradient of each sample's loss to its logits.
pub fn gradient(
    loss: Loss,
    (logits, logits_layout): (&CudaStorage, &Layout),
    right: (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let names = ["binary_cross_entropy_gradient", "cross_entropy_gradient"];
    let len = logits_layout.shape().elem_count();
    let out = run(loss, names, len, (logits, logits_layout), right)?;
    Ok((CudaStorage::wrap_cuda_slice(out, logits.device().clone()), logits_layout.shape().clone()))
}

/// Runs one of two kernels, whose output has `len` elements.
fn run(
    loss: Loss,
    [binary, categorical]: [&str; 2],
    len: usize,
    (logits, logits_layout): (&CudaStorage, &Layout),
    (right, right_layout): (&CudaStorage, &Layout),
) -> Result<CudaSlice<f32>> {
    let (device, (n, width)) = (logits.device(), logits_layout.shape().dims2()?);
    let logits = f32s("loss", logits, logits_layout)?;
    let mut out = uninitialized(device, len)?;
    let one_hot;
    let shares = if right.dtype() == DType::U32 {
        one_hot = self::one_hot(right, right_layout, width.max(2))?;
        one_hot.as_view()
    } else {
        f32s("loss", right, right_layout)?
    };
    let mut args = vec![Arg::F32(logits), Arg::F32(shares), Arg::F32Out(&mut out)];
    match loss {
        Loss::Binary => launch(device, binary, n, args),
        Loss::Categorical => {
            args.push(Arg::Int(int(width)?));
            launch(device, categorical, n, args)
        }
    }?;
    Ok(out)
}

/// The shares of all classes, `[n, classes]`, that classes `[n]` mean.
fn one_hot(right: &CudaStorage, layout: &Layout, classes: usize) -> Result<CudaSlice<f32>> {
    let len = layout.shape().elem_count() * classes;
    let mut shares = uninitialized(right.device(), len)?;
    let args = vec![Arg::U32s(view("loss", right, layout)?), Arg::F32Out(&mut shares), Arg::Int(int(classes)?)];
    launch(right.device(), "one_hot", len, args)?;
    Ok(shares)
}
