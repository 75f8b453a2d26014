//! [`Inflater`]: deflate, undone without new memory for each stream.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::window::Window;

/// Packed bytes are read in pieces of this size. Those of most images are one piece, and those of an archive within an
/// archive do not stand in memory beside what they unpack to.
const PIECE_BYTES: u64 = 256 << 10;

/// The state and the input that deflated entries share, one after the other.
#[derive(Debug, Default)]
pub(super) struct Inflater {
    state: Option<Decompress>,
    piece: Vec<u8>,
}

impl Inflater {
    /// Inflates the stream at the beginning of `packed` until it ends or `output` is full; says how many bytes came out.
    ///
    /// # Errors
    /// `InvalidInput` where the stream is damaged, `UnexpectedEof` where `packed` ends before it.
    pub(super) fn inflate(&mut self, packed: &Window, output: &mut [u8]) -> io::Result<usize> {
        let state = self.state.get_or_insert_with(|| Decompress::new(false));
        state.reset(false);
        let mut offset = 0;
        loop {
            let count = (packed.len() - offset).min(PIECE_BYTES);
            if self.piece.len() < count as usize {
                self.piece.resize(count as usize, 0);
            }
            let piece = &mut self.piece[..count as usize];
            packed.read_at(offset, piece)?;
            offset += count;
            let is_last = offset == packed.len();
            let flush = if is_last { FlushDecompress::Finish } else { FlushDecompress::None };
            let free = &mut output[state.total_out() as usize..];
            let status = state
                .decompress(piece, free, flush)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "corrupt deflate stream"))?;
            let written = state.total_out() as usize;
            if status == Status::StreamEnd || written == output.len() {
                return Ok(written);
            }
            if is_last {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete deflate stream"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Bytes that deflate does not make smaller.
    fn noise(length: usize) -> Vec<u8> {
        let step = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        };
        std::iter::repeat_n((), length).scan(7, |state, ()| step(state)).collect()
    }

    #[test]
    fn streams_of_one_piece_and_of_many_come_out_whole_one_after_the_other() {
        let mut inflater = Inflater::default();
        for length in [0, 1, 1000, 700_000, 10] {
            let bytes = noise(length);
            let mut output = vec![0; length + 1];
            let written = inflater.inflate(&Window::over(deflated(&bytes)), &mut output).unwrap();
            assert_eq!(&output[..written], bytes);
        }
    }

    #[test]
    fn output_that_is_too_small_is_filled() {
        let mut output = [0; 10];
        assert_eq!(Inflater::default().inflate(&Window::over(deflated(&[3; 5000])), &mut output).unwrap(), 10);
        assert_eq!(output, [3; 10]);
    }

    #[test]
    fn damaged_and_cut_streams_are_errors_and_leave_the_next_one_alone() {
        let (mut inflater, mut output) = (Inflater::default(), vec![0; 2000]);
        let packed = deflated(&noise(1000));
        for length in [0, 1, packed.len() / 2, packed.len() - 1] {
            let error = inflater.inflate(&Window::over(packed[..length].to_vec()), &mut output).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
        }
        let error = inflater.inflate(&Window::over(vec![0xff; 100]), &mut output).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(inflater.inflate(&Window::over(packed), &mut output).unwrap(), 1000);
    }
}
