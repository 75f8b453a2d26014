//! What PyTorch's `torch.save` writes: a pickle that says which tensors there are, and their numbers.
//!
//! Since version 1.6 the file is a zip archive of `data.pkl` and one entry a storage; before, it was one stream of pickles with
//! the storages behind them. No code of a pickle is run: calls other than those that make tensors are passed over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Cursor;

use aumenta_nn::NamedTensor;
use candle_core::DType;
use candle_core::pickle::{Object, Stack};

use super::file::{Archive, entry};

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
    /// How many numbers lie between neighbors along each axis.
    strides: Vec<usize>,
}

/// The tensors of an archive whose pickle is the entry `index`.
pub(super) fn tensors_of_archive(archive: &mut Archive, index: &str) -> Result<Vec<NamedTensor>, String> {
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
    let found: Vec<Place> = named.clone().filter_map(|(name, value)| place(name, value)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let inner = named.clone().find(|(name, _)| KEYS.contains(&name.as_str()));
    inner.map_or_else(|| Err("its dictionary holds no tensors".to_string()), |(_, inner)| places(inner.clone()))
}

/// Where the numbers of `value` lie, where it is a tensor of floats.
fn place(name: &str, value: &Object) -> Option<Place> {
    let Object::Reduce { callable, args } = value else { return None };
    let (Object::Class { class_name, .. }, Object::Tuple(args)) = (&**callable, &**args) else { return None };
    match (class_name.as_str(), &args[..]) {
        ("_rebuild_parameter", [tensor, ..]) => place(name, tensor),
        ("_rebuild_tensor_v2", [Object::PersistentLoad(storage), offset, shape, strides, ..]) => {
            let Object::Tuple(storage) = &**storage else { return None };
            let [_, Object::Class { class_name, .. }, Object::Unicode(storage), ..] = &storage[..] else { return None };
            let (offset, shape, strides) = (size(offset)?, sizes(shape)?, sizes(strides)?);
            let (name, storage, dtype) = (name.to_string(), storage.clone(), dtype(class_name)?);
            Some(Place { name, storage, dtype, offset, shape, strides })
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
        let bytes = self.bytes(storage).ok_or_else(|| format!("`{}` is cut off", self.name))?;
        NamedTensor::from_bytes(self.name, self.shape, self.dtype, &bytes).map_err(|error| error.to_string())
    }

    /// The bytes of its numbers row by row, which no tensor has more of than its storage.
    fn bytes<'a>(&self, storage: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Self { dtype, offset, shape, strides, .. } = self;
        let size = dtype.size_in_bytes();
        let count = shape.iter().try_fold(1, |count: usize, size| count.checked_mul(*size))?;
        let len = count.checked_mul(size).filter(|len| *len <= storage.len())?;
        if is_row_major(shape, strides) {
            let start = offset.checked_mul(size)?;
            return storage.get(start..start.checked_add(len)?).map(Cow::Borrowed);
        }
        let mut bytes = Vec::with_capacity(len);
        for number in 0..count {
            let (mut at, mut rest) = (*offset, number);
            for (size, stride) in shape.iter().zip(strides).rev() {
                at = at.checked_add((rest % size).checked_mul(*stride)?)?;
                rest /= size;
            }
            bytes.extend_from_slice(storage.get(at.checked_mul(size)?..)?.get(..size)?);
        }
        Some(Cow::Owned(bytes))
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
    fn numbers_outside_a_storage_are_no_tensor() {
        let bytes = |offset, shape: &[usize], strides: &[usize]| {
            let (name, storage) = ("weight".to_string(), "0".to_string());
            let (shape, strides) = (shape.to_vec(), strides.to_vec());
            Place { name, storage, dtype: DType::F16, offset, shape, strides }
                .bytes(&[0, 1, 2, 3, 4, 5, 6, 7])
                .map(Cow::into_owned)
        };
        assert_eq!(bytes(0, &[2, 2], &[1, 2]), Some(vec![0, 1, 4, 5, 2, 3, 6, 7]));
        assert_eq!(bytes(1, &[2], &[2]), Some(vec![2, 3, 6, 7]));
        for (offset, shape, strides) in [
            (1, &[4][..], &[1][..]),
            (2, &[2], &[2]),
            (0, &[5], &[0]),
            (usize::MAX, &[1], &[1]),
            (0, &[2], &[usize::MAX]),
            (0, &[usize::MAX, 2], &[2, 1]),
        ] {
            assert_eq!(bytes(offset, shape, strides), None, "{shape:?} with {strides:?} from {offset}");
        }
    }

    #[test]
    fn a_pickle_of_something_else_is_refused_with_advice() {
        let refused = |object| places(object).err().unwrap();
        assert!(refused(Object::None).ends_with("save its state_dict()"));
        assert_eq!(refused(Object::Dict(Vec::new())), "its dictionary holds no tensors");
    }

    #[test]
    fn a_pickle_that_would_run_a_program_is_data_like_any_other() {
        // `os.system("exit 1")`, alone and as the value of `weight`.
        let call = b"cposix\nsystem\nX\x06\x00\x00\x00exit 1\x85R".as_slice();
        let alone = [b"\x80\x02", call, b"."].concat();
        let within = [b"\x80\x02}X\x06\x00\x00\x00weight", call, b"s."].concat();
        for (pickle, reason) in [(alone, "it holds no dictionary"), (within, "its dictionary holds no tensors")] {
            let object = unpickle(&mut Cursor::new(&pickle)).unwrap();
            let refused = places(object).err().unwrap();
            assert!(refused.starts_with(reason), "{refused}");
        }
        let message = unpickle(&mut Cursor::new(b"\x80\x02}X\x06\x00")).unwrap_err();
        assert!(message.starts_with("it is no pickle of tensors"), "{message}");
    }
}
