//! [`EventFile`]: numbers over steps as TensorBoard reads them.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;
use prost::Message;

use crate::error::RunsError;

/// A file of scalars, each under a tag and at a step.
///
/// It is a `TFRecord` file of `Event` messages (TensorFlow, `core/util/event.proto`): each record is its length, that
/// length's checksum, the message and its checksum, where a checksum is a rotated CRC-32C.
#[derive(Debug)]
pub struct EventFile {
    file: fs::File,
}

impl EventFile {
    /// A new file in `folder`, which is made where it is not there. TensorBoard reads all files of a folder as one run; where
    /// steps come again in a later file, as after a kill, it shows both.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self, RunsError> {
        let fail = RunsError::io("make a file for TensorBoard");
        let create = || {
            fs::create_dir_all(folder)?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let name = format!("events.out.tfevents.{}.{:09}.aumenta", since.as_secs(), since.subsec_nanos());
            fs::OpenOptions::new().write(true).create_new(true).open(folder.join(name))
        };
        let mut events = Self { file: create().map_err(fail)? };
        events.write(&Event {
            wall_time: now(),
            step: 0,
            file_version: Some("brain.Event:2".to_owned()),
            summary: None,
        })?;
        Ok(events)
    }

    /// Adds scalars, each with its tag, at step `step`, and hands them to the system.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the file cannot be written.
    pub fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<(), RunsError> {
        let value =
            |&(tag, value): &(&str, f64)| SummaryValue { tag: tag.to_owned(), simple_value: Some(value as f32) };
        let summary = Summary { value: scalars.iter().map(value).collect() };
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.write(&Event { wall_time: now(), step, file_version: None, summary: Some(summary) })
    }

    fn write(&mut self, event: &Event) -> Result<(), RunsError> {
        self.file.write_all(&record(&event.encode_to_vec())).map_err(RunsError::io("write for TensorBoard"))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), message, &checksum(message)].concat()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of a file, whose checksums must hold.
    fn events(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], checksum(&bytes[..8]));
            let message = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], checksum(message));
            events.push(Event::decode(message).unwrap());
            bytes = &bytes[16 + length..];
        }
        events
    }

    #[test]
    fn scalars_come_back_with_their_steps_after_the_version() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = EventFile::create(&folder.path().join("tensorboard")).unwrap();
        file.scalars(3, &[("train/loss", 0.5), ("train/accuracy", 0.75)]).unwrap();
        file.scalars(4, &[("train/loss", f64::NAN)]).unwrap();
        let path = file.file.path().to_owned();
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
        let events = events(&fs::read(path).unwrap());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert_eq!(events.iter().map(|event| event.step).collect::<Vec<_>>(), [0, 3, 4]);
        let values = &events[1].summary.as_ref().unwrap().value;
        assert_eq!((values[0].tag.as_str(), values[0].simple_value), ("train/loss", Some(0.5)));
        assert_eq!(values[1].simple_value, Some(0.75));
    }

    #[test]
    fn two_files_of_one_folder_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            EventFile::create(folder.path()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_checksum_is_that_of_the_format() {
        // The masked checksum of a record's length 24, as TensorFlow writes it.
        assert_eq!(checksum(&24u64.to_le_bytes()), [0xa3, 0x7f, 0x4b, 0x22]);
    }
}
