//! Numbers that PyTorch computed in f64, from `fixtures/gradients`, for the tests of operations and networks.

use candle_core::{Device, Tensor};
use safetensors::{Dtype, SafeTensors};

const OPS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gradients/ops.safetensors"));
const NETWORKS: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gradients/networks.safetensors"));

/// A file of numbers: inputs as f32, results as f64.
pub(crate) struct Stored {
    bytes: &'static [u8],
    file: SafeTensors<'static>,
}

impl Stored {
    pub(crate) fn ops() -> Self {
        Self { bytes: OPS, file: SafeTensors::deserialize(OPS).unwrap() }
    }

    pub(crate) fn networks() -> Self {
        Self { bytes: NETWORKS, file: SafeTensors::deserialize(NETWORKS).unwrap() }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.file.names().into_iter().map(String::from).collect()
    }

    pub(crate) fn metadata(&self, key: &str) -> String {
        let (_, header) = SafeTensors::read_metadata(self.bytes).unwrap();
        header.metadata().as_ref().unwrap()[key].clone()
    }

    fn bytes(&self, entry: &str, dtype: Dtype) -> (&'static [u8], Vec<usize>) {
        let view = self.file.tensor(entry).unwrap();
        assert_eq!(view.dtype(), dtype, "{entry}");
        (view.data(), view.shape().to_vec())
    }

    pub(crate) fn u32s(&self, entry: &str) -> Vec<u32> {
        let (bytes, _) = self.bytes(entry, Dtype::U32);
        bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
    }

    /// An input.
    pub(crate) fn given(&self, entry: &str) -> Tensor {
        let (bytes, shape) = self.bytes(entry, Dtype::F32);
        let numbers: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
    }

    /// Whether `got` equals what PyTorch computed, to 1e-5 of its largest number.
    #[track_caller]
    pub(crate) fn assert_close(&self, entry: &str, got: &Tensor) {
        let (bytes, shape) = self.bytes(entry, Dtype::F64);
        let expected: Vec<f64> = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        assert_eq!(got.dims(), shape, "{entry}");
        let largest = expected.iter().fold(0.0f64, |largest, number| largest.max(number.abs()));
        let got = got.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let error = (f64::from(*got) - expected).abs();
            assert!(error <= 1e-5 * largest, "{entry}, element {i}: {got} instead of {expected}");
        }
    }
}
