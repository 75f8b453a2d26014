//! How operations are put together: as Candle's graph, or on a [`Tape`], the short way back through a whole network on a GPU.
//!
//! Candle's backward pass allocates zeros for every gradient and adds to them into a third tensor. A tape passes a gradient on as it
//! is, adds only where two meet, computes none that nobody wants, and lets go of each activation on the way back.

use std::collections::{HashMap, HashSet};

use candle_core::{CustomOp1, CustomOp3, DType, Result, Tensor, TensorId};

use crate::error::NnError;
use crate::gradients::Gradients;
use crate::parameters::Parameters;

/// An operation of three operands whose gradients can be asked for one by one.
pub(crate) trait Differentiable: CustomOp3 + Send + Sync + 'static {
    /// The gradients to those operands that want one, from the output and the gradient to it.
    fn gradients(
        &self,
        operands: [&Tensor; 3],
        output: &Tensor,
        gradient: &Tensor,
        wanted: [bool; 3],
    ) -> Result<[Option<Tensor>; 3]>;

    /// What [`CustomOp3::bwd`] gives: the gradients to those operands that Candle tracks.
    fn tracked_gradients(
        &self,
        operands: [&Tensor; 3],
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [first, second, third] = self.gradients(operands, output, gradient, operands.map(Tensor::track_op))?;
        Ok((first, second, third))
    }
}

/// Where operations leave what their gradients need.
pub(crate) enum Graph<'a> {
    /// In Candle's tensors.
    Candle,
    Tape(&'a mut Tape),
}

/// The operations of a training step, in order.
#[derive(Default)]
pub(crate) struct Tape {
    /// The tensors that want a gradient: parameters, and what is computed from them.
    wanted: HashSet<TensorId>,
    entries: Vec<Entry>,
}

struct Entry {
    step: Step,
    output: Tensor,
}

/// An operation with its operands.
enum Step {
    One(Box<dyn CustomOp1>, Tensor),
    Three(Box<dyn Differentiable>, [Tensor; 3]),
    Sum([Tensor; 2]),
    /// NHWC as rows, channel by channel.
    Flatten(Tensor),
    Reshape(Tensor),
    Cast(Tensor),
}

impl Graph<'_> {
    pub fn one(&mut self, x: &Tensor, op: impl CustomOp1 + Send + Sync + 'static) -> Result<Tensor> {
        match self {
            Self::Candle => x.apply_op1(op),
            Self::Tape(tape) => {
                let y = x.apply_op1_no_bwd(&op)?;
                tape.record(&[x], y, || Step::One(Box::new(op), x.clone()))
            }
        }
    }

    pub fn three(&mut self, [x, y, z]: [Tensor; 3], op: impl Differentiable) -> Result<Tensor> {
        match self {
            Self::Candle => x.apply_op3(&y, &z, op),
            Self::Tape(tape) => {
                let output = x.apply_op3_no_bwd(&y, &z, &op)?;
                tape.record(&[&x, &y, &z], output, || Step::Three(Box::new(op), [x.clone(), y.clone(), z.clone()]))
            }
        }
    }

    pub fn sum(&mut self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        match self {
            Self::Candle => x + y,
            Self::Tape(tape) => tape.record(&[x, y], (x.detach() + y.detach())?, || Step::Sum([x.clone(), y.clone()])),
        }
    }

    /// A batch as rows; of NHWC channel by channel.
    pub fn flatten(&mut self, x: &Tensor) -> Result<Tensor> {
        let is_image = x.rank() == 4;
        let rows = |x: &Tensor| {
            if is_image { x.permute((0, 3, 1, 2))?.contiguous()?.flatten_from(1) } else { x.flatten_from(1) }
        };
        match self {
            Self::Candle => rows(x),
            Self::Tape(tape) => tape.record(&[x], rows(&x.detach())?, || {
                if is_image { Step::Flatten(x.clone()) } else { Step::Reshape(x.clone()) }
            }),
        }
    }

    pub fn cast(&mut self, x: &Tensor, dtype: DType) -> Result<Tensor> {
        match self {
            _ if x.dtype() == dtype => Ok(x.clone()),
            Self::Candle => x.to_dtype(dtype),
            Self::Tape(tape) => tape.record(&[x], x.detach().to_dtype(dtype)?, || Step::Cast(x.clone())),
        }
    }
}

impl Tape {
    /// A tape for a step that moves `parameters`.
    pub fn new(parameters: &Parameters) -> Self {
        Self { wanted: parameters.iter().map(|parameter| parameter.var.id()).collect(), entries: Vec::new() }
    }

    /// Keeps an operation if its operands want gradients.
    fn record(&mut self, operands: &[&Tensor], output: Tensor, step: impl FnOnce() -> Step) -> Result<Tensor> {
        // An operation would copy what is not, and the copy would stand nowhere.
        assert!(output.is_contiguous(), "operations on a tape give contiguous tensors");
        if operands.iter().any(|operand| self.wanted.contains(&operand.id())) {
            self.wanted.insert(output.id());
            self.entries.push(Entry { step: step(), output: output.clone() });
        }
        Ok(output)
    }

    /// The gradients to `parameters`, from the `gradient` to what the last operation gave.
    ///
    /// # Errors
    /// [`NnError::NoGradient`] where the output does not depend on a parameter, [`NnError::Candle`] from an operation.
    pub fn backward(
        self,
        output: &Tensor,
        gradient: Tensor,
        parameters: &Parameters,
    ) -> std::result::Result<Gradients<'static>, NnError> {
        let wanted = self.wanted;
        let mut gradients = HashMap::from([(output.id(), gradient)]);
        let mut entries = self.entries;
        while let Some(Entry { step, output }) = entries.pop() {
            let Some(gradient) = gradients.remove(&output.id()) else { continue };
            for (operand, gradient) in step.gradients(&output, &gradient, &wanted)? {
                let sum = match gradients.remove(&operand) {
                    Some(other) => (other + gradient)?,
                    None => gradient,
                };
                gradients.insert(operand, sum);
            }
        }
        let of_parameters = parameters.iter().map(|parameter| {
            let gradient = gradients.remove(&parameter.var.id());
            let gradient = gradient.ok_or_else(|| NnError::NoGradient { name: parameter.name.clone() })?;
            Ok(gradient.contiguous()?)
        });
        Ok(Gradients::from_tensors(of_parameters.collect::<std::result::Result<_, NnError>>()?))
    }
}

impl Step {
    /// The gradients to the operands that want one.
    fn gradients(
        &self,
        output: &Tensor,
        gradient: &Tensor,
        wanted: &HashSet<TensorId>,
    ) -> Result<Vec<(TensorId, Tensor)>> {
        let of = |x: &Tensor, gradient: Tensor| Ok(vec![(x.id(), gradient)]);
        match self {
            Self::One(op, x) => {
                Ok(op.bwd(x, output, gradient)?.map(|gradient| (x.id(), gradient)).into_iter().collect())
            }
            Self::Three(op, operands) => {
                let asked = operands.each_ref().map(|operand| wanted.contains(&operand.id()));
                let gradients = op.gradients(operands.each_ref(), output, gradient, asked)?;
                let with_ids = operands.iter().zip(gradients);
                Ok(with_ids.filter_map(|(operand, gradient)| Some((operand.id(), gradient?))).collect())
            }
            Self::Sum(operands) => {
                let asked = operands.iter().filter(|operand| wanted.contains(&operand.id()));
                Ok(asked.map(|operand| (operand.id(), gradient.clone())).collect())
            }
            Self::Flatten(x) => {
                let (n, height, width, channels) = x.dims4()?;
                let planes = gradient.reshape((n, channels, height, width))?;
                of(x, planes.permute((0, 2, 3, 1))?.contiguous()?)
            }
            Self::Reshape(x) => of(x, gradient.reshape(x.shape())?),
            Self::Cast(x) => of(x, gradient.to_dtype(x.dtype())?),
        }
    }
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}
