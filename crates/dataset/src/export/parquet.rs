//! A Parquet file of a manifest.

use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::columns::rows;
use super::mark::MARK;
use crate::atomic::write_file;
use crate::error::{DatasetError, ExportFault};
use crate::manifest::Manifest;
use crate::record::Record;
use crate::split::Split;

/// The columns of [`HEADER`](super::columns::HEADER).
const SCHEMA: &str = "message image {
    required int32 id;
    required binary split (utf8);
    required binary path (utf8);
    required int32 class;
    required binary label (utf8);
    required int32 width;
    required int32 height;
    required int64 size;
    required binary hash (utf8);
    optional int32 group;
    optional int32 near;
    optional binary declared (utf8);
}";

/// Images of one row group, which is as much as the writer keeps in memory.
const ROWS: usize = 1 << 20;

type Row<'a> = (Split, &'a str, &'a Record);

pub(super) fn write(manifest: &Manifest, out: &Path) -> Result<usize, DatasetError> {
    let rows: Vec<Row<'_>> = rows(manifest).collect();
    write_file(out, |file| {
        let mut write = || {
            let properties = WriterProperties::builder().set_created_by(MARK.to_owned()).build();
            let schema = Arc::new(parse_message_type(SCHEMA)?);
            let mut writer = SerializedFileWriter::new(&mut *file, schema, Arc::new(properties))?;
            for rows in rows.chunks(ROWS) {
                let mut group = writer.next_row_group()?;
                write_rows(&mut group, rows)?;
                group.close()?;
            }
            writer.close()?;
            Ok::<_, ParquetError>(())
        };
        write().map_err(|source| DatasetError::from(ExportFault::WriteParquet { path: out.to_owned(), source }))
    })?;
    Ok(rows.len())
}

/// Writes the columns in the schema's order.
fn write_rows<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[Row<'_>],
) -> Result<(), ParquetError> {
    let integers = |value: fn(&Record) -> u32| rows.iter().map(|(.., record)| Some(value(record) as i32)).collect();
    let optional =
        |value: fn(&Record) -> Option<u32>| rows.iter().map(|(.., record)| value(record).map(|id| id as i32)).collect();
    let texts = |value: fn(&Row<'_>) -> Option<ByteArray>| rows.iter().map(value).collect();
    let sizes: Vec<i64> = rows.iter().map(|(.., record)| record.size as i64).collect();

    write_integers(group, integers(|record| record.id))?;
    write_texts(group, texts(|(split, ..)| Some(split.name().into())))?;
    write_texts(group, texts(|(.., record)| Some(record.path.as_str().into())))?;
    write_integers(group, integers(|record| record.class))?;
    write_texts(group, texts(|(_, label, _)| Some((*label).into())))?;
    write_integers(group, integers(|record| record.width))?;
    write_integers(group, integers(|record| record.height))?;
    let mut column = group.next_column()?.ok_or_else(too_few_columns)?;
    column.typed::<Int64Type>().write_batch(&sizes, None, None)?;
    column.close()?;
    write_texts(group, texts(|(.., record)| Some(record.hash.as_str().into())))?;
    write_integers(group, optional(|record| record.group))?;
    write_integers(group, optional(|record| record.near))?;
    write_texts(group, texts(|(.., record)| record.declared.as_deref().map(Into::into)))
}

fn write_integers<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<Option<i32>>,
) -> Result<(), ParquetError> {
    let levels = levels(&values);
    let present: Vec<i32> = values.into_iter().flatten().collect();
    let mut column = group.next_column()?.ok_or_else(too_few_columns)?;
    column.typed::<Int32Type>().write_batch(&present, Some(&levels), None)?;
    column.close()
}

fn write_texts<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<Option<ByteArray>>,
) -> Result<(), ParquetError> {
    let levels = levels(&values);
    let present: Vec<ByteArray> = values.into_iter().flatten().collect();
    let mut column = group.next_column()?.ok_or_else(too_few_columns)?;
    column.typed::<ByteArrayType>().write_batch(&present, Some(&levels), None)?;
    column.close()
}

/// Definition levels: 1 where there is a value. A required column passes them over.
fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

fn too_few_columns() -> ParquetError {
    ParquetError::General("the schema has too few columns".to_owned())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::super::columns::HEADER;
    use super::super::tests::dataset;
    use super::*;
    use crate::sample;

    #[test]
    fn a_row_an_image_is_read_again_by_the_format_s_own_library() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let mut manifest = dataset.manifest().clone();
        manifest.test[1].declared = Some("burst 7".to_owned());
        manifest.test[1].group = Some(3);
        let path = folder.path().join("data.parquet");
        assert_eq!(write(&manifest, &path).unwrap(), 8);
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        let schema = reader.metadata().file_metadata().schema();
        let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, HEADER);
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows.len(), 8);
        let record = &manifest.test[1];
        assert_eq!(
            rows[7],
            format!(
                "{{id: 7, split: \"test\", path: \"{}\", class: 1, label: \"dog\", width: 4, height: 3, size: {}, hash: \
                 \"{}\", group: 3, near: null, declared: \"burst 7\"}}",
                record.path, record.size, record.hash
            )
        );
    }
}
