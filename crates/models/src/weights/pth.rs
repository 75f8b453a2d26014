//! What PyTorch's `torch.save` writes: a pickle that says which tensors there are, and their numbers.
//!
//! Since version 1.6 the file is a zip archive of `data.pkl` and one entry a storage; before, it was one stream of pickles with
//! the storages behind them. No code of a pickle is run: calls other than those that make tensors are passed over.

use std::collections::HashMap;
use std::io::Cursor;

use aumenta_nn::NamedTensor;
use candle_core::DType;
use candle_core::pickle::{Object, Stack};
use zip::ZipArchive;

use super::file::entry;

/// The pickle of the number that a stream begins with.
const STREAM: &[u8] = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.";

/// Dictionaries within which training programs keep the tensors.
const KEYS: [&str; 2] = ["state_dict", "model"];

/// Where a tensor's numbers lie.
struct Place {
    name: String,
    storage: String,
    dtype: DType,
    /// In numbers, not in bytes.
    offset: usize,
    shape: Vec<usize>,
}

/// The tensors of an archive whose pickle is the entry `index`.
pub(super) fn tensors_of_archive(
    archive: &mut ZipArchive<Cursor<Vec<u8>>>,
    index: &str,
) -> Result<Vec<NamedTensor>, String> {
    let folder = index.trim_end_matches(".pkl").to_string();
    let pickle = entry(archive, index)?;
    let places = places(unpickle(&mut Cursor::new(&pickle[..]))?)?;
    places
        .into_iter()
        .map(|place| {
            let storage = entry(archive, &format!("{folder}/{}", place.storage))?;
            place.tensor(&storage)
        })
        .collect()
}

/// Whether `bytes` are a stream, as versions before 1.6 write it.
pub(super) fn is_stream(bytes: &[u8]) -> bool {
    bytes.starts_with(STREAM)
}

/// The tensors of a stream.
pub(super) fn tensors_of_stream(bytes: &[u8]) -> Result<Vec<NamedTensor>, String> {
    let mut rest = Cursor::new(&bytes[STREAM.len()..]);
    let (_version, _system) = (unpickle(&mut rest)?, unpickle(&mut rest)?);
    let places = places(unpickle(&mut rest)?)?;
    let Object::List(keys) = unpickle(&mut rest)? else { return Err("the list of storages is missing".to_string()) };
    let sizes: HashMap<&str, usize> =
        places.iter().map(|place| (place.storage.as_str(), place.dtype.size_in_bytes())).collect();
    let mut bytes = &bytes[STREAM.len() + rest.position() as usize..];
    let mut storages: HashMap<String, &[u8]> = HashMap::new();
    for key in keys {
        let short = || "the storages are cut off".to_string();
        let key = key.unicode().map_err(|_| "a storage has no name".to_string())?;
        let (count, after) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
        // A storage that no tensor of floats uses is one of counts, of 8 bytes each.
        let size = sizes.get(key.as_str()).copied().unwrap_or(8);
        let len = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(size));
        let (storage, after) = after.split_at_checked(len.ok_or_else(short)?).ok_or_else(short)?;
        storages.insert(key, storage);
        bytes = after;
    }
    let tensor = |place: Place| {
        let storage = storages.get(&place.storage).copied();
        let storage = storage.ok_or_else(|| format!("the storage of `{}` is missing", place.name))?;
        place.tensor(storage)
    };
    places.into_iter().map(tensor).collect()
}

fn unpickle(bytes: &mut Cursor<&[u8]>) -> Result<Object, String> {
    let mut stack = Stack::empty();
    let read = stack.read_loop(bytes).and_then(|()| stack.finalize());
    read.map_err(|error| format!("it is no pickle of tensors ({error})"))
}

/// The tensors of floats that a dictionary names, directly or within one of the known keys.
fn places(object: Object) -> Result<Vec<Place>, String> {
    let Object::Dict(entries) = object else {
        return Err("it holds no dictionary of tensors, but perhaps a whole model: save its state_dict()".to_string());
    };
    let named = entries.iter().filter_map(|(name, value)| match name {
        Object::Unicode(name) => Some((name, value)),
        _ => None,
    });
    let found = named.clone().filter_map(|(name, value)| place(name, value)).collect::<Result<Vec<_>, _>>()?;
    if !found.is_empty() {
        return Ok(found);
    }
    let inner = named.clone().find(|(name, _)| KEYS.contains(&name.as_str()));
    inner.map_or_else(|| Err("its dictionary holds no tensors".to_string()), |(_, inner)| places(inner.clone()))
}

/// Where the numbers of `value` lie, where it is a tensor of floats.
fn place(name: &str, value: &Object) -> Option<Result<Place, String>> {
    let Object::Reduce { callable, args } = value else { return None };
    let (Object::Class { class_name, .. }, Object::Tuple(args)) = (&**callable, &**args) else { return None };
    match (class_name.as_str(), &args[..]) {
        ("_rebuild_parameter", [tensor, ..]) => place(name, tensor),
        ("_rebuild_tensor_v2", [Object::PersistentLoad(storage), offset, shape, strides, ..]) => {
            let Object::Tuple(storage) = &**storage else { return None };
            let [_, Object::Class { class_name, .. }, Object::Unicode(storage), ..] = &storage[..] else { return None };
            let (shape, offset) = (sizes(shape)?, size(offset)?);
            if !is_row_major(&shape, &sizes(strides)?) {
                return Some(Err(format!("`{name}` does not lie in order: save its contiguous() copy")));
            }
            let dtype = dtype(class_name)?;
            Some(Ok(Place { name: name.to_string(), storage: storage.clone(), dtype, offset, shape }))
        }
        _ => None,
    }
}

/// The type of a storage of floats.
fn dtype(class: &str) -> Option<DType> {
    match class {
        "FloatStorage" => Some(DType::F32),
        "DoubleStorage" => Some(DType::F64),
        "HalfStorage" => Some(DType::F16),
        "BFloat16Storage" => Some(DType::BF16),
        _ => None,
    }
}

fn size(object: &Object) -> Option<usize> {
    match object {
        Object::Int(size) => usize::try_from(*size).ok(),
        Object::Long(size) => usize::try_from(*size).ok(),
        _ => None,
    }
}

fn sizes(object: &Object) -> Option<Vec<usize>> {
    let Object::Tuple(sizes) = object else { return None };
    sizes.iter().map(size).collect()
}

fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(size, stride)| {
            let in_order = *size == 1 || *stride == step;
            step = size.saturating_mul(step);
            in_order
        })
}

impl Place {
    /// The tensor, whose numbers lie in `storage`.
    fn tensor(self, storage: &[u8]) -> Result<NamedTensor, String> {
        let Self { name, dtype, offset, shape, .. } = self;
        let size = dtype.size_in_bytes();
        let count = shape.iter().try_fold(size, |count, size| count.checked_mul(*size));
        let start = offset.checked_mul(size);
        let range = start.zip(count).and_then(|(start, count)| Some(start..start.checked_add(count)?));
        let bytes = range.and_then(|range| storage.get(range)).ok_or_else(|| format!("`{name}` is cut off"))?;
        NamedTensor::from_bytes(name, shape, dtype, bytes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_rows_is_told_from_any_other() {
        for (shape, strides, expected) in [
            (&[][..], &[][..], true),
            (&[2, 3], &[3, 1], true),
            (&[2, 3], &[1, 2], false),
            (&[1, 3], &[7, 1], true),
            (&[4, 1, 3], &[3, 9, 1], true),
            (&[2, 3], &[4, 1], false),
            (&[2], &[1, 1], false),
        ] {
            assert_eq!(is_row_major(shape, strides), expected, "{shape:?} with {strides:?}");
        }
    }

    #[test]
    fn a_pickle_of_something_else_is_refused_with_advice() {
        let refused = |object| places(object).err().unwrap();
        assert!(refused(Object::None).ends_with("save its state_dict()"));
        assert_eq!(refused(Object::Dict(Vec::new())), "its dictionary holds no tensors");
    }
}
