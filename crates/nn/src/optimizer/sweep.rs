//! The one pass of a step over all parameters together, whatever the rule.
//!
//! Parameters are cut into fixed pieces, which threads take one by one; within a piece each element, its gradient and
//! what is remembered of it are read and written once.

use candle_core::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Member;
use crate::error::NnError;
use crate::kernel::vectors::Vectors;
use crate::storage::{with_f32s, with_f32s_mut};

/// Elements that a thread takes at once.
const PIECE: usize = 1 << 14;

/// Parameters that are open at once: opening them takes stack, see [`with_f32s_mut`].
const OPEN: usize = 64;

/// How an optimizer moves one element of a parameter, of which it remembers `N` numbers.
pub trait Rule<const N: usize>: Copy + Send {
    /// The element and what is remembered of it after a step of size `rate`, from those before and the gradient.
    fn update(self, rate: f32, parameter: f32, gradient: f32, state: [f32; N]) -> (f32, [f32; N]);
}

/// What a step works on.
pub struct Sweep<'a> {
    /// What is remembered of each parameter, and its own settings.
    pub members: &'a mut [Member],
    /// Each member's values and gradient: contiguous f32 on the CPU, of the member's shape.
    pub tensors: &'a [(&'a Tensor, &'a Tensor)],
    /// The step size before a group scales it.
    pub learning_rate: f32,
    /// The factor of all gradients that clipping asks for.
    pub gradient_scale: f32,
}

impl Sweep<'_> {
    /// Moves all parameters by a rule whose weight decay is coupled: added to the gradient.
    pub fn run<const N: usize>(self, rule: impl Rule<N>) -> Result<(), NnError> {
        self.run_with(rule, Decay::Coupled)
    }

    /// Moves all parameters by a rule whose weight decay is decoupled: each parameter `p` first becomes
    /// `p - rate * weight_decay * p`.
    pub fn run_decoupled<const N: usize>(self, rule: impl Rule<N>) -> Result<(), NnError> {
        self.run_with(rule, Decay::Decoupled)
    }

    fn run_with<const N: usize>(self, rule: impl Rule<N>, decay: Decay) -> Result<(), NnError> {
        let vectors = Vectors::widest();
        for (members, tensors) in self.members.chunks_mut(OPEN).zip(self.tensors.chunks(OPEN)) {
            let (parameters, gradients): (Vec<&Tensor>, Vec<&Tensor>) = tensors.iter().copied().unzip();
            with_f32s("optimizer", &gradients, |gradients| {
                with_f32s_mut("optimizer", &parameters, &mut |parameters| {
                    let mut pieces = Vec::new();
                    for ((member, parameter), gradient) in members.iter_mut().zip(parameters).zip(gradients) {
                        let terms = member.terms(self.learning_rate, decay);
                        let scale = self.gradient_scale;
                        let gradients = gradient.chunks(PIECE);
                        let states = states(&mut member.state);
                        for ((parameter, gradient), state) in parameter.chunks_mut(PIECE).zip(gradients).zip(states) {
                            pieces.push(Piece { rule, terms, scale, parameter, gradient, state });
                        }
                    }
                    pieces.into_par_iter().for_each(|piece| vectors.run(piece));
                })
            })??;
        }
        Ok(())
    }
}

/// The pieces of all slots side by side, without end where there is no slot.
fn states<const N: usize>(slots: &mut [Vec<f32>]) -> impl Iterator<Item = [&mut [f32]; N]> {
    let slots: &mut [Vec<f32>; N] = slots.try_into().expect("an optimizer makes as many slots as its rule has");
    let mut chunks = slots.each_mut().map(|slot| slot.chunks_mut(PIECE));
    std::iter::repeat_with(move || chunks.each_mut().map(|chunks| chunks.next().unwrap_or_default()))
}

/// Where weight decay enters a step.
#[derive(Clone, Copy)]
pub enum Decay {
    /// It is added to the gradient.
    Coupled,
    /// It moves the parameter by itself.
    Decoupled,
}

/// What stands around the rule, for one parameter.
#[derive(Clone, Copy)]
pub struct Terms {
    pub rate: f32,
    /// What a value is multiplied by to be added to its gradient.
    pub l2: f32,
    pub l1: f32,
    pub decay: f32,
}

/// A piece of a parameter, its gradient and what is remembered of it, all of one length.
struct Piece<'a, R, const N: usize> {
    rule: R,
    terms: Terms,
    /// The factor of the gradient.
    scale: f32,
    parameter: &'a mut [f32],
    gradient: &'a [f32],
    state: [&'a mut [f32]; N],
}

impl<R: Rule<N>, const N: usize> WithSimd for Piece<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { rule, terms, scale, parameter, gradient, state } = self;
        let len = parameter.len();
        let gradient = &gradient[..len];
        let state = state.map(|slot| &mut slot[..len]);
        for i in 0..len {
            let before = parameter[i];
            let mut slope = scale * gradient[i];
            if terms.l2 != 0.0 {
                slope += terms.l2 * before;
            }
            if terms.l1 != 0.0 {
                slope += terms.l1 * sign(before);
            }
            // A factor of 1 - decay would round a small decay away.
            let decayed = if terms.decay == 0.0 { before } else { before - terms.decay * before };
            let remembered = std::array::from_fn(|slot| state[slot][i]);
            let (after, remembered) = rule.update(terms.rate, decayed, slope, remembered);
            parameter[i] = after;
            for slot in 0..N {
                state[slot][i] = remembered[slot];
            }
        }
    }
}

/// The gradient of the absolute value, 0 at 0.
#[inline(always)]
fn sign(value: f32) -> f32 {
    let above = if value > 0.0 { 1.0 } else { 0.0 };
    let below = if value < 0.0 { 1.0 } else { 0.0 };
    above - below
}
