//! Launching a kernel: the one place where memory of the GPU is handed to code that Rust does not see.

use candle_core::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView, DeviceRepr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::cudarc::nvrtc::compile_ptx;
use candle_core::{Error, Result, bail};
use half::bf16;
use std::sync::OnceLock;

use super::source::Source;

/// Threads of a block.
const BLOCK: u32 = 256;

/// What a kernel takes after its count.
pub enum Arg<'a> {
    Int(i32),
    Float(f32),
    U64(u64),
    Pooling([i32; 11]),
    Convolution([i32; 15]),
    Ints(&'a CudaSlice<i32>),
    U8s(CudaView<'a, u8>),
    U32s(CudaView<'a, u32>),
    /// Where tensors lie, see `tensors.rs`.
    Addresses(&'a CudaSlice<u64>),
    F32(CudaView<'a, f32>),
    F32Out(&'a mut CudaSlice<f32>),
    Bf16(CudaView<'a, bf16>),
    Bf16Out(&'a mut CudaSlice<bf16>),
    F64(&'a CudaSlice<f64>),
    F64Out(&'a mut CudaSlice<f64>),
}

impl Arg<'_> {
    /// The parameter's type in C.
    fn type_of_c(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::U64(_) => "u64",
            Self::Pooling(_) => "Pooling",
            Self::Convolution(_) => "Convolution",
            Self::Ints(_) => "const int *",
            Self::U8s(_) => "const u8 *",
            Self::U32s(_) => "const u32 *",
            Self::Addresses(_) => "const u64 *",
            Self::F32(_) => "const float *",
            Self::F32Out(_) => "float *",
            Self::Bf16(_) => "const bf16 *",
            Self::Bf16Out(_) => "bf16 *",
            Self::F64(_) => "const double *",
            Self::F64Out(_) => "double *",
        }
    }
}

/// Runs the kernel named `kernel` with `count` threads, which is also its first argument.
///
/// # Errors
/// Where the arguments are not those of the kernel's text, or the device refuses: NVRTC is missing, or memory.
pub fn launch(device: &CudaDevice, kernel: &str, count: usize, mut args: Vec<Arg<'_>>) -> Result<()> {
    let Some(types) = Source::get().signatures.get(kernel) else { bail!("there is no kernel {kernel}") };
    let given: Vec<&str> = std::iter::once("int").chain(args.iter().map(Arg::type_of_c)).collect();
    if *types != given {
        bail!("the kernel {kernel} takes {types:?}, not {given:?}");
    }
    let Ok(count) = i32::try_from(count) else {
        bail!("the kernel {kernel} counts to 2,147,483,647, not to {count}: take a smaller batch");
    };
    let function = device.get_or_load_custom_func(kernel, "aumenta-nn", ptx()?)?;
    let mut builder = function.builder();
    builder.arg(&count);
    for arg in &mut args {
        match arg {
            Arg::Int(value) => builder.arg(&*value),
            Arg::Float(value) => builder.arg(&*value),
            Arg::U64(value) => builder.arg(&*value),
            Arg::Pooling(sizes) => builder.arg(&*sizes),
            Arg::Convolution(sizes) => builder.arg(&*sizes),
            Arg::Ints(slice) => builder.arg(*slice),
            Arg::U8s(view) => builder.arg(&*view),
            Arg::U32s(view) => builder.arg(&*view),
            Arg::Addresses(slice) => builder.arg(*slice),
            Arg::F32(view) => builder.arg(&*view),
            Arg::F32Out(slice) => builder.arg(&mut **slice),
            Arg::Bf16(view) => builder.arg(&*view),
            Arg::Bf16Out(slice) => builder.arg(&mut **slice),
            Arg::F64(slice) => builder.arg(*slice),
            Arg::F64Out(slice) => builder.arg(&mut **slice),
        };
    }
    let blocks = (count as u32).div_ceil(BLOCK).max(1);
    let config = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: number and types of the arguments are those of the kernel's text, compared above. A kernel reads and writes no more
    // than its text says of its buffers' shapes; the functions of this room make their buffers of these shapes from the same
    // sizes that they pass, and tests run the text under an address sanitizer with buffers of exactly these shapes.
    // `Addresses` lead to tensors that the caller holds (`tensors.rs`).
    unsafe { builder.launch(config) }.map_err(Error::wrap)?;
    Ok(())
}

/// Memory for `len` elements, which a kernel that is launched next writes, every one of them.
pub fn uninitialized<T: DeviceRepr>(device: &CudaDevice, len: usize) -> Result<CudaSlice<T>> {
    // SAFETY: nothing reads the memory before a kernel has written all of it: kernels have a thread for each element of what
    // they write, and cuDNN writes whole tensors. Memory of the GPU without a value is no undefined value of Rust's.
    unsafe { device.alloc(len) }
}

/// The kernels, compiled for the virtual architecture that NVRTC takes by default, from which the driver compiles for the device.
fn ptx() -> Result<&'static str> {
    static PTX: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let compiled = PTX.get_or_init(|| {
        let compiled = compile_ptx(&Source::get().text);
        compiled.map(|ptx| ptx.to_src()).map_err(|error| format!("NVRTC cannot compile the kernels: {error:?}"))
    });
    compiled.as_ref().map(String::as_str).map_err(Error::msg)
}
