//! Convolutions through cuDNN, with the channels last.
//!
//! The algorithm is what cuDNN's heuristics take for a problem, asked once for each; where that would add in an order that changes
//! from run to run, another that does not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use candle_core::cuda_backend::DeviceId;
use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as DataAlgorithm, cudnnConvolutionBwdFilterAlgo_t as FilterAlgorithm,
    cudnnConvolutionFwdAlgo_t as ForwardAlgorithm, cudnnConvolutionMode_t, cudnnMathType_t, cudnnTensorFormat_t,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnDataType, CudnnError,
    FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr};
use candle_core::{CudaDevice, Error, Result};
use half::bf16;

use super::conv2d::Problem;
use super::launch::{Arg, uninitialized};
use super::operand::{Reals, Written, launch_for};
use super::sizes::ints;
use crate::kernel::conv2d::Geometry;

const FORMAT: cudnnTensorFormat_t = cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;

/// What cuDNN does with a problem of a type: the algorithm, and the bytes that it works in.
type Choices<A> = RefCell<HashMap<(Problem, u32), (A, usize)>>;

/// cuDNN on one device, for one thread: its handles belong to a thread at a time.
struct Handle {
    cudnn: Arc<Cudnn>,
    forward: Choices<ForwardAlgorithm>,
    data: Choices<DataAlgorithm>,
    filter: Choices<FilterAlgorithm>,
}

/// The handle of this thread for a device.
fn handle(device: &CudaDevice) -> Result<Rc<Handle>> {
    thread_local! {
        static HANDLES: RefCell<HashMap<DeviceId, Rc<Handle>>> = RefCell::new(HashMap::new());
    }
    HANDLES.with_borrow_mut(|handles| {
        if let Some(handle) = handles.get(&device.id()) {
            return Ok(handle.clone());
        }
        let cudnn = Cudnn::new(device.cuda_stream()).map_err(Error::wrap)?;
        let (forward, data, filter) = Default::default();
        let handle = Rc::new(Handle { cudnn, forward, data, filter });
        handles.insert(device.id(), handle.clone());
        Ok(handle)
    })
}

/// A type of activations, and what cuDNN wants to know of it.
trait Real: CudnnDataType + DeviceRepr + Copy {
    /// The factors of a result and of what stood in its place.
    const SCALES: (Self, Self);
}

impl Real for f32 {
    const SCALES: (Self, Self) = (1.0, 0.0);
}

impl Real for bf16 {
    const SCALES: (Self, Self) = (bf16::ONE, bf16::ZERO);
}

/// The descriptors of a problem. Sums are f32 whatever `T` is.
struct Descriptors<T> {
    convolution: ConvDescriptor<f32>,
    x: TensorDescriptor<T>,
    weight: FilterDescriptor<T>,
    y: TensorDescriptor<T>,
}

impl<T: Real> Descriptors<T> {
    fn new(cudnn: &Arc<Cudnn>, problem: &Problem) -> std::result::Result<Self, CudnnError> {
        let Geometry { input, output, kernel, stride, padding, dilation, groups } = problem.geometry;
        let [n, c, h, w] = [problem.images, input[2], input[0], input[1]].map(|size| size as i32);
        let [k, r, s] = [output[2], output[0], output[1]].map(|size| size as i32);
        let mut convolution = cudnn.create_conv2d(
            padding.map(|size| size as i32),
            stride.map(|size| size as i32),
            dilation.map(|size| size as i32),
            cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION,
        )?;
        convolution.set_group_count(groups as i32)?;
        // The default would let f32 factors lose bits.
        convolution.set_math_type(match (T::DATA_TYPE == f32::DATA_TYPE, problem.tf32) {
            (true, false) => cudnnMathType_t::CUDNN_FMA_MATH,
            (true, true) => cudnnMathType_t::CUDNN_DEFAULT_MATH,
            (false, _) => cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
        })?;
        let window = [k, problem.geometry.group()[0] as i32, kernel[0] as i32, kernel[1] as i32];
        Ok(Self {
            convolution,
            x: cudnn.create_4d_tensor(FORMAT, [n, c, h, w])?,
            weight: cudnn.create_4d_filter(FORMAT, window)?,
            y: cudnn.create_4d_tensor(FORMAT, [n, k, r, s])?,
        })
    }
}

/// The convolution of `x` with `weight` in OIHW.
pub fn forward(device: &CudaDevice, problem: &Problem, x: &Reals<'_>, weight: &Reals<'_>) -> Result<Written> {
    let weight = channels_last(device, problem, weight)?;
    let (problem, framed) = (framed(problem), frame_images(device, problem, x)?);
    let x = framed.as_ref().map_or_else(|| x.reborrow(), Written::reals);
    let mut out = Written::new(device, x.dtype(), problem.output_shape().elem_count())?;
    match (&x, &weight.reals(), &mut out) {
        (Reals::F32(x), Reals::F32(weight), Written::F32(out)) => forward_of(device, &problem, x, weight, out),
        (Reals::Bf16(x), Reals::Bf16(weight), Written::Bf16(out)) => forward_of(device, &problem, x, weight, out),
        _ => Err(types_differ()),
    }?;
    Ok(out)
}

fn forward_of<T: Real>(
    device: &CudaDevice,
    problem: &Problem,
    x: &CudaView<'_, T>,
    weight: &CudaView<'_, T>,
    out: &mut CudaSlice<T>,
) -> Result<()> {
    let handle = handle(device)?;
    let of = Descriptors::<T>::new(&handle.cudnn, problem).map_err(|error| refused(problem, error))?;
    let convolution = ConvForward { conv: &of.convolution, x: &of.x, w: &of.weight, y: &of.y };
    let (algorithm, bytes) = chosen::<T, _>(&handle.forward, problem, || {
        let algorithm = convolution.pick_algorithm()?;
        Ok((algorithm, convolution.get_workspace_size(algorithm)?))
    })?;
    let mut workspace = uninitialized(device, bytes)?;
    let workspace = (bytes > 0).then_some(&mut workspace);
    // SAFETY: the descriptors have the type of the operands and the sizes that their lengths come from.
    unsafe { convolution.launch(algorithm, workspace, T::SCALES, x, weight, out) }
        .map_err(|error| refused(problem, error))
}

/// The gradient to the images, from `weight` in OIHW and the gradient to the output.
pub fn input_gradient(
    device: &CudaDevice,
    problem: &Problem,
    weight: &Reals<'_>,
    gradient: &Reals<'_>,
) -> Result<Written> {
    let weight = channels_last(device, problem, weight)?;
    let whole = framed(problem);
    let mut out = Written::new(device, gradient.dtype(), whole.input_shape().elem_count())?;
    match (&weight.reals(), gradient, &mut out) {
        (Reals::F32(weight), Reals::F32(g), Written::F32(out)) => input_gradient_of(device, &whole, weight, g, out),
        (Reals::Bf16(weight), Reals::Bf16(g), Written::Bf16(out)) => input_gradient_of(device, &whole, weight, g, out),
        _ => Err(types_differ()),
    }?;
    if whole == *problem {
        return Ok(out);
    }
    // Without the frame again; pixels that no window reached get nothing.
    let ([height, width, _], [top, left]) = (problem.geometry.input, problem.geometry.padding);
    frame(device, problem.images, &out.reals(), whole.geometry.input, [height, width], [-(top as i32), -(left as i32)])
}

fn input_gradient_of<T: Real>(
    device: &CudaDevice,
    problem: &Problem,
    weight: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    out: &mut CudaSlice<T>,
) -> Result<()> {
    let handle = handle(device)?;
    let of = Descriptors::<T>::new(&handle.cudnn, problem).map_err(|error| refused(problem, error))?;
    let convolution = ConvBackwardData { conv: &of.convolution, dx: &of.x, w: &of.weight, dy: &of.y };
    let (algorithm, bytes) = chosen::<T, _>(&handle.data, problem, || {
        let picked = convolution.pick_algorithm()?;
        // The first one adds atomically, in any order.
        if picked == DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 {
            let ordered = DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
            if let Ok(bytes) = convolution.get_workspace_size(ordered) {
                return Ok((ordered, bytes));
            }
        }
        Ok((picked, convolution.get_workspace_size(picked)?))
    })?;
    let mut workspace = uninitialized(device, bytes)?;
    let workspace = (bytes > 0).then_some(&mut workspace);
    // SAFETY: as in `forward_of`.
    unsafe { convolution.launch(algorithm, workspace, T::SCALES, out, weight, gradient) }
        .map_err(|error| refused(problem, error))
}

/// The gradient to the weight, in OIHW.
pub fn weight_gradient(
    device: &CudaDevice,
    problem: &Problem,
    x: &Reals<'_>,
    gradient: &Reals<'_>,
) -> Result<CudaSlice<f32>> {
    let (whole, framed) = (framed(problem), frame_images(device, problem, x)?);
    let x = framed.as_ref().map_or_else(|| x.reborrow(), Written::reals);
    let weights = problem.weight_shape().elem_count();
    let mut out = Written::new(device, x.dtype(), weights)?;
    match (&x, gradient, &mut out) {
        (Reals::F32(x), Reals::F32(g), Written::F32(out)) => weight_gradient_of(device, &whole, x, g, out),
        (Reals::Bf16(x), Reals::Bf16(g), Written::Bf16(out)) => weight_gradient_of(device, &whole, x, g, out),
        _ => Err(types_differ()),
    }?;
    match out {
        Written::F32(out) if !differs_with_channels_last(problem) => Ok(out),
        out => {
            let mut first = uninitialized(device, weights)?;
            let [inputs, area] = ints(window(problem))?;
            let args = vec![out.reals_arg(), Arg::F32Out(&mut first), Arg::Int(inputs), Arg::Int(area)];
            launch_for(device, "channels_first", out.dtype(), weights, args)?;
            Ok(first)
        }
    }
}

fn weight_gradient_of<T: Real>(
    device: &CudaDevice,
    problem: &Problem,
    x: &CudaView<'_, T>,
    gradient: &CudaView<'_, T>,
    out: &mut CudaSlice<T>,
) -> Result<()> {
    let handle = handle(device)?;
    let of = Descriptors::<T>::new(&handle.cudnn, problem).map_err(|error| refused(problem, error))?;
    let convolution = ConvBackwardFilter { conv: &of.convolution, x: &of.x, dw: &of.weight, dy: &of.y };
    let (algorithm, bytes) = chosen::<T, _>(&handle.filter, problem, || {
        let picked = convolution.pick_algorithm()?;
        // These add atomically, in any order.
        let unordered = [
            FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
            FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,
        ];
        if unordered.contains(&picked) {
            let ordered = FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
            if let Ok(bytes) = convolution.get_workspace_size(ordered) {
                return Ok((ordered, bytes));
            }
        }
        Ok((picked, convolution.get_workspace_size(picked)?))
    })?;
    let mut workspace = uninitialized(device, bytes)?;
    let workspace = (bytes > 0).then_some(&mut workspace);
    // SAFETY: as in `forward_of`.
    unsafe { convolution.launch(algorithm, workspace, T::SCALES, x, out, gradient) }
        .map_err(|error| refused(problem, error))
}

/// The choice for a problem, made by `choose` when it is first met.
fn chosen<T: Real, A: Copy>(
    choices: &Choices<A>,
    problem: &Problem,
    choose: impl FnOnce() -> std::result::Result<(A, usize), CudnnError>,
) -> Result<(A, usize)> {
    let key = (*problem, T::DATA_TYPE as u32);
    if let Some(choice) = choices.borrow().get(&key) {
        return Ok(*choice);
    }
    let choice = choose().map_err(|error| refused(problem, error))?;
    choices.borrow_mut().insert(key, choice);
    Ok(choice)
}

fn refused(problem: &Problem, error: CudnnError) -> Error {
    Error::msg(format!(
        "cuDNN does not compute this convolution ({error:?}): {problem:?}; a build with the feature `cuda` alone does, slowly"
    ))
}

fn types_differ() -> Error {
    Error::msg("conv2d: images, weight and gradient must be of one type, f32 or bf16")
}

/// Input channels of a group, and the area of a window.
fn window(problem: &Problem) -> [usize; 2] {
    let [rows, columns] = problem.geometry.kernel;
    [problem.geometry.group()[0], rows * columns]
}

/// Whether a weight lies otherwise with its channels last.
fn differs_with_channels_last(problem: &Problem) -> bool {
    window(problem).iter().all(|size| *size > 1)
}

/// A weight with its channels last.
enum ChannelsLast<'a> {
    AsItIs(&'a Reals<'a>),
    Copied(Written),
}

impl ChannelsLast<'_> {
    fn reals(&self) -> Reals<'_> {
        match self {
            Self::AsItIs(weight) => weight.reborrow(),
            Self::Copied(weight) => weight.reals(),
        }
    }
}

fn channels_last<'a>(device: &CudaDevice, problem: &Problem, weight: &'a Reals<'a>) -> Result<ChannelsLast<'a>> {
    if !differs_with_channels_last(problem) {
        return Ok(ChannelsLast::AsItIs(weight));
    }
    let (weights, [inputs, area]) = (problem.weight_shape().elem_count(), ints(window(problem))?);
    let mut out = Written::new(device, weight.dtype(), weights)?;
    let args = vec![weight.arg(), out.arg(), Arg::Int(inputs), Arg::Int(area)];
    launch_for(device, "channels_last", weight.dtype(), weights, args)?;
    Ok(ChannelsLast::Copied(out))
}

/// The problem as cuDNN can be given it: with as much padding before as behind, or with none, over images in a frame.
fn framed(problem: &Problem) -> Problem {
    let mut geometry = problem.geometry;
    let is_even = (0..2).all(|axis| {
        let padded = geometry.input[axis] + 2 * geometry.padding[axis];
        padded > geometry.reach()[axis]
            && (padded - geometry.reach()[axis] - 1) / geometry.stride[axis] + 1 == geometry.output[axis]
    });
    if !is_even {
        let [rows, columns] = geometry.covered();
        geometry.input = [rows, columns, geometry.input[2]];
        geometry.padding = [0, 0];
    }
    Problem { geometry, ..*problem }
}

/// The images in the frame of zeros that [`framed`] asks for, if it does.
fn frame_images(device: &CudaDevice, problem: &Problem, x: &Reals<'_>) -> Result<Option<Written>> {
    let whole = framed(problem);
    if whole == *problem {
        return Ok(None);
    }
    let ([rows, columns, _], [top, left]) = (whole.geometry.input, problem.geometry.padding);
    frame(device, problem.images, x, problem.geometry.input, [rows, columns], [top as i32, left as i32]).map(Some)
}

/// Images `x` of the sizes `input` within `rows` and `columns`, from row and column `at` on.
fn frame(
    device: &CudaDevice,
    images: usize,
    x: &Reals<'_>,
    input: [usize; 3],
    [rows, columns]: [usize; 2],
    [top, left]: [i32; 2],
) -> Result<Written> {
    let len = images * rows * columns * input[2];
    let mut out = Written::new(device, x.dtype(), len)?;
    let sizes = ints([input[0], input[1], input[2], rows, columns])?;
    let args = [x.arg(), out.arg()].into_iter().chain(sizes.into_iter().chain([top, left]).map(Arg::Int)).collect();
    launch_for(device, "frame", x.dtype(), len, args)?;
    Ok(out)
}
