//! The widths of vector instructions that a kernel is compiled for, and the choice among them at run time.

#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};
use pulp::{Arch, Simd, WithSimd};

/// Vector instructions that this machine has.
#[derive(Clone, Copy, Debug)]
pub enum Vectors {
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
    /// AVX2 and fused multiplication and addition.
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    /// What every processor of the kind has; on x86-64, single numbers.
    Baseline(Arch),
}

impl Vectors {
    /// All kinds of this machine, the widest first.
    pub fn available() -> impl Iterator<Item = Self> {
        let baseline = std::iter::once_with(Self::baseline);
        #[cfg(target_arch = "x86_64")]
        return std::iter::once_with(|| V4::try_new().map(Self::Avx512))
            .chain(std::iter::once_with(|| V3::try_new().map(Self::Avx2)))
            .flatten()
            .chain(baseline);
        #[cfg(not(target_arch = "x86_64"))]
        return baseline;
    }

    /// The widest kind of this machine.
    pub fn widest() -> Self {
        Self::available().next().unwrap_or_else(Self::baseline)
    }

    fn baseline() -> Self {
        Self::Baseline(if cfg!(target_arch = "x86_64") { Arch::Scalar } else { Arch::new() })
    }

    /// Runs `kernel` compiled for these instructions. What it calls must be inlined into it to be compiled so.
    pub fn run<K: WithSimd>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, kernel),
            Self::Baseline(arch) => arch.dispatch(kernel),
        }
    }

    /// How many f32 numbers a vector holds.
    pub fn lanes(self) -> usize {
        struct Lanes;

        impl WithSimd for Lanes {
            type Output = usize;

            fn with_simd<S: Simd>(self, _simd: S) -> usize {
                S::F32_LANES
            }
        }

        self.run(Lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_vectors_come_first() {
        let lanes: Vec<usize> = Vectors::available().map(Vectors::lanes).collect();
        assert!(lanes.is_sorted_by(|a, b| a >= b), "{lanes:?}");
        assert_eq!(lanes[0], Vectors::widest().lanes());
    }
}
