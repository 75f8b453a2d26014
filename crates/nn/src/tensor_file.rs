//! Named tensors of f32 numbers as a safetensors file: what weights, an optimizer's memory and averages have in common.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde_json::Value;

use crate::error::NnError;

/// A tensor that stands outside a network, under the name that it has in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Unique within a file.
    pub name: String,
    /// Sizes, the slowest first.
    pub shape: Vec<usize>,
    /// As many as the sizes multiply to, in row-major order.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// A tensor of little-endian numbers of the type `dtype`: f16, bf16, f32, or f64, which is rounded.
    ///
    /// # Errors
    /// [`NnError::Weights`] where the numbers are of another type, [`NnError::Candle`] where there are not as many as the shape
    /// says.
    ///
    /// ```
    /// use aumenta_nn::NamedTensor;
    /// use candle_core::DType;
    ///
    /// let tensor = NamedTensor::from_bytes("bias".to_string(), vec![2], DType::BF16, &[0x80, 0x3f, 0, 0xc0])?;
    /// assert_eq!(tensor.values, [1.0, -2.0]);
    /// # Ok::<(), aumenta_nn::NnError>(())
    /// ```
    pub fn from_bytes(name: String, shape: Vec<usize>, dtype: DType, bytes: &[u8]) -> Result<Self, NnError> {
        if !is_float(dtype) {
            return Err(NnError::Weights { reason: format!("`{name}` is {dtype:?} and not of floats") });
        }
        let tensor = Tensor::from_raw_buffer(bytes, dtype, &shape, &Device::Cpu)?;
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        Ok(Self { name, shape, values })
    }
}

fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
}

/// What a safetensors file holds.
///
/// ```
/// use aumenta_nn::{NamedTensor, TensorFile};
///
/// let tensor = NamedTensor { name: "dense1.bias".to_string(), shape: vec![2], values: vec![0.5, -1.0] };
/// let file = TensorFile { tensors: vec![tensor], metadata: [("classes".to_string(), "cat,dog".to_string())].into() };
/// assert_eq!(TensorFile::from_bytes(&file.to_bytes()?)?, file);
/// # Ok::<(), aumenta_nn::NnError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorFile {
    /// All tensors; by name where they were read from a file.
    pub tensors: Vec<NamedTensor>,
    /// Text in the file's header, by key.
    pub metadata: HashMap<String, String>,
}

impl TensorFile {
    /// The file's bytes, all numbers little-endian. The same tensors and metadata give the same bytes.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where a tensor has not as many values as its shape says.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NnError> {
        let bytes_of = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let values: Vec<Vec<u8>> = self.tensors.iter().map(|tensor| bytes_of(&tensor.values)).collect();
        let views = self.tensors.iter().zip(&values).map(|(NamedTensor { name, shape, .. }, bytes)| {
            Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>, NnError>>()?;
        let mut file = safetensors::serialize(views, Some(self.metadata.clone()))?;
        if self.metadata.len() > 1 {
            sort_header(&mut file)?;
        }
        Ok(file)
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where they are no safetensors file, [`NnError::Weights`] where a tensor is not f32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NnError> {
        let tensors = views(bytes)?.into_iter().map(|(name, view)| {
            if view.dtype() != Dtype::F32 {
                return Err(NnError::Weights { reason: format!("`{name}` is {:?} instead of F32", view.dtype()) });
            }
            let values = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok(NamedTensor { name, shape: view.shape().to_vec(), values })
        });
        Ok(Self { tensors: tensors.collect::<Result<_, _>>()?, metadata: metadata(bytes)? })
    }

    /// Reads the bytes of a file that another program wrote: f16, bf16 and f64 become f32, and tensors of integers, such as
    /// PyTorch's counts of batches, are left out.
    ///
    /// # Errors
    /// [`NnError::Safetensors`] where they are no safetensors file.
    pub fn floats_from_bytes(bytes: &[u8]) -> Result<Self, NnError> {
        let floats = views(bytes)?.into_iter().filter_map(|(name, view)| {
            let dtype = DType::try_from(view.dtype()).ok().filter(|dtype| is_float(*dtype))?;
            Some(NamedTensor::from_bytes(name, view.shape().to_vec(), dtype, view.data()))
        });
        Ok(Self { tensors: floats.collect::<Result<_, _>>()?, metadata: metadata(bytes)? })
    }

    /// Adds tensors under names that begin with `prefix`.
    pub fn push_all(&mut self, prefix: &str, tensors: impl IntoIterator<Item = NamedTensor>) {
        let prefixed =
            tensors.into_iter().map(|tensor| NamedTensor { name: format!("{prefix}{}", tensor.name), ..tensor });
        self.tensors.extend(prefixed);
    }

    /// Takes out the tensors whose names begin with `prefix`, without it.
    pub fn take_all(&mut self, prefix: &str) -> Vec<NamedTensor> {
        let taken = self.tensors.extract_if(.., |tensor| tensor.name.starts_with(prefix));
        taken.map(|tensor| NamedTensor { name: tensor.name[prefix.len()..].to_string(), ..tensor }).collect()
    }
}

/// The tensors of a file by name.
fn views(bytes: &[u8]) -> Result<Vec<(String, TensorView<'_>)>, NnError> {
    let mut views = SafeTensors::deserialize(bytes)?.tensors();
    views.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(views)
}

fn metadata(bytes: &[u8]) -> Result<HashMap<String, String>, NnError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    Ok(header.metadata().clone().unwrap_or_default())
}

/// Puts the keys of a file's header in order: the library writes metadata in one that changes from call to call.
fn sort_header(file: &mut [u8]) -> Result<(), NnError> {
    let invalid = |error| NnError::Safetensors(SafeTensorError::InvalidHeaderDeserialization(error));
    let Some((len, rest)) = file.split_first_chunk_mut::<8>() else { return Ok(()) };
    let header = &mut rest[..u64::from_le_bytes(*len) as usize];
    let entries: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(header).map_err(invalid)?;
    let sorted = serde_json::to_vec(&entries).map_err(invalid)?;
    // Spaces at the end align what follows.
    header.fill(b' ');
    header[..sorted.len()].copy_from_slice(&sorted);
    Ok(())
}

/// The tensor named `name` of `tensors`, which must have `shape`; what is wrong where it is not there so.
pub(crate) fn find<'a>(tensors: &'a [NamedTensor], name: &str, shape: &[usize]) -> Result<&'a NamedTensor, String> {
    let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
        return Err(format!("`{name}` is missing"));
    };
    if tensor.shape == shape { Ok(tensor) } else { Err(format!("`{name}` is {:?} instead of {shape:?}", tensor.shape)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, values: &[f32]) -> NamedTensor {
        NamedTensor { name: name.to_string(), shape: vec![values.len()], values: values.to_vec() }
    }

    fn names(tensors: &[NamedTensor]) -> Vec<&str> {
        tensors.iter().map(|tensor| tensor.name.as_str()).collect()
    }

    #[test]
    fn tensors_of_several_owners_share_a_file_and_part_again() {
        let mut file = TensorFile { tensors: vec![tensor("a", &[1.0])], ..TensorFile::default() };
        file.push_all("optimizer/", [tensor("a", &[2.0, 3.0]), tensor("b", &[f32::NAN])]);
        let mut read = TensorFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert_eq!(names(&read.tensors), ["a", "optimizer/a", "optimizer/b"]);
        let taken = read.take_all("optimizer/");
        assert_eq!((names(&taken), names(&read.tensors)), (vec!["a", "b"], vec!["a"]));
        assert_eq!(taken[0].values, [2.0, 3.0]);
        assert!(taken[1].values[0].is_nan());
    }

    #[test]
    fn several_entries_of_metadata_give_the_same_bytes_each_time() {
        let entries = ["model", "classes", "width", "epoch", "a \"quoted\" one"];
        let file = || TensorFile {
            tensors: vec![tensor("b", &[1.0]), tensor("a", &[2.0, 3.0])],
            metadata: entries.map(|key| (key.to_string(), format!("the {key}"))).into(),
        };
        let first = file().to_bytes().unwrap();
        for _ in 0..8 {
            assert_eq!(file().to_bytes().unwrap(), first);
        }
        let read = TensorFile::from_bytes(&first).unwrap();
        assert_eq!((names(&read.tensors), read.metadata), (vec!["a", "b"], file().metadata));
    }

    #[test]
    fn what_is_no_file_of_f32_tensors_is_refused() {
        let whole = TensorFile { tensors: vec![tensor("a", &[0.0; 99])], ..TensorFile::default() }.to_bytes().unwrap();
        for bytes in [&whole[..whole.len() / 2], b"not a safetensors file"] {
            assert!(matches!(TensorFile::from_bytes(bytes), Err(NnError::Safetensors(_))));
        }
        let halves = TensorView::new(Dtype::F16, vec![1], &[0, 0]).unwrap();
        let bytes = safetensors::serialize([("a", halves)], None).unwrap();
        let error = TensorFile::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.ends_with("`a` is F16 instead of F32"), "{error}");
    }

    #[test]
    fn floats_of_all_widths_of_another_program_become_f32_and_integers_are_left_out() {
        let view = |dtype, bytes| TensorView::new(dtype, vec![2], bytes).unwrap();
        let (double, single): (Vec<u8>, Vec<u8>) = (
            [0.1f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect(),
            [0.1f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect(),
        );
        let views = [
            ("double", view(Dtype::F64, &double)),
            ("half", view(Dtype::F16, &[0, 0x3c, 0, 0xc0])),
            ("integers", view(Dtype::I64, &[0; 16])),
            ("short", view(Dtype::BF16, &[0x80, 0x3f, 0, 0xc0])),
            ("single", view(Dtype::F32, &single)),
        ];
        let read = TensorFile::floats_from_bytes(&safetensors::serialize(views, None).unwrap()).unwrap();
        assert_eq!(names(&read.tensors), ["double", "half", "short", "single"]);
        let values: Vec<&[f32]> = read.tensors.iter().map(|tensor| &tensor.values[..]).collect();
        assert_eq!(values, [[0.1, -2.0], [1.0, -2.0], [1.0, -2.0], [0.1, -2.0]]);
        let counts = NamedTensor::from_bytes("counts".to_string(), vec![1], DType::I64, &[0; 8]);
        assert!(counts.unwrap_err().to_string().ends_with("`counts` is I64 and not of floats"));
        assert!(NamedTensor::from_bytes("short".to_string(), vec![3], DType::F32, &[0; 8]).is_err());
    }

    #[test]
    fn a_tensor_with_too_few_values_is_no_file() {
        let short = NamedTensor { shape: vec![3], ..tensor("a", &[0.0]) };
        let file = TensorFile { tensors: vec![short], ..TensorFile::default() };
        assert!(matches!(file.to_bytes(), Err(NnError::Safetensors(_))));
    }
}
