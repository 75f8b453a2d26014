//! Pooling.

use candle_core::backend::BackendStorage;
use candle_core::{CudaStorage, Layout, Result, Shape};

use super::launch::Arg;
use super::operand::{Reals, elementwise};
use super::sizes::{self, ints};
use crate::kernel::avg_pool2d::PaddingCount;
use crate::kernel::pool2d::Geometry;

fn output_shape(geometry: &Geometry, layout: &Layout) -> Shape {
    let [rows, columns, channels] = geometry.output();
    Shape::from((layout.dims()[0], rows, columns, channels))
}

fn input_shape([height, width, channels]: [usize; 3], layout: &Layout) -> Shape {
    Shape::from((layout.dims()[0], height, width, channels))
}

fn counts(padding_count: PaddingCount) -> Arg<'static> {
    Arg::Int(i32::from(padding_count == PaddingCount::Included))
}

pub fn max(geometry: &Geometry, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("max-pool2d", x, layout)?;
    let behind = vec![Arg::Pooling(sizes::pooling(geometry)?)];
    let shape = output_shape(geometry, layout);
    elementwise(x.device(), "max_pool2d", values.dtype(), shape, vec![values.arg()], behind)
}

pub fn max_gradient(
    geometry: &Geometry,
    (x, x_layout): (&CudaStorage, &Layout),
    (gradient, gradient_layout): (&CudaStorage, &Layout),
) -> Result<(CudaStorage, Shape)> {
    let op = "max-pool2d-input-gradient";
    let (values, gradient) = (Reals::of(op, x, x_layout)?, Reals::of(op, gradient, gradient_layout)?);
    let (before, behind) = (vec![values.arg(), gradient.arg()], vec![Arg::Pooling(sizes::pooling(geometry)?)]);
    elementwise(x.device(), "max_pool2d_gradient", values.dtype(), x_layout.shape().clone(), before, behind)
}

pub fn avg(
    geometry: &Geometry,
    padding_count: PaddingCount,
    x: &CudaStorage,
    layout: &Layout,
) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("avg-pool2d", x, layout)?;
    let behind = vec![counts(padding_count), Arg::Pooling(sizes::pooling(geometry)?)];
    let shape = output_shape(geometry, layout);
    elementwise(x.device(), "avg_pool2d", values.dtype(), shape, vec![values.arg()], behind)
}

pub fn avg_gradient(
    geometry: &Geometry,
    padding_count: PaddingCount,
    gradient: &CudaStorage,
    layout: &Layout,
) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("avg-pool2d-input-gradient", gradient, layout)?;
    let behind = vec![counts(padding_count), Arg::Pooling(sizes::pooling(geometry)?)];
    let shape = input_shape(geometry.input, layout);
    elementwise(gradient.device(), "avg_pool2d_gradient", values.dtype(), shape, vec![values.arg()], behind)
}

pub fn global_avg(input: [usize; 3], x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("global-avg-pool2d", x, layout)?;
    let shape = Shape::from((layout.dims()[0], input[2]));
    elementwise(x.device(), "global_avg_pool2d", values.dtype(), shape, vec![values.arg()], area(input)?)
}

pub fn global_avg_gradient(input: [usize; 3], gradient: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
    let values = Reals::of("global-avg-pool2d-input-gradient", gradient, layout)?;
    let shape = input_shape(input, layout);
    let (device, dtype) = (gradient.device(), values.dtype());
    elementwise(device, "global_avg_pool2d_gradient", dtype, shape, vec![values.arg()], area(input)?)
}

fn area([height, width, channels]: [usize; 3]) -> Result<Vec<Arg<'static>>> {
    Ok(ints([height * width, channels])?.map(Arg::Int).into())
}
