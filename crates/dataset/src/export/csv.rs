//! A CSV file of a manifest.

use std::io::Write;
use std::path::Path;

use super::columns::{HEADER, rows};
use crate::atomic::write_file;
use crate::error::{DatasetError, ExportFault};
use crate::manifest::Manifest;

pub(super) fn write(manifest: &Manifest, out: &Path) -> Result<usize, DatasetError> {
    let failed = |source| DatasetError::from(ExportFault::WriteCsv { path: out.to_owned(), source });
    write_file(out, |file| write_rows(manifest, file).map_err(failed))?;
    Ok(rows(manifest).count())
}

fn write_rows(manifest: &Manifest, file: impl Write) -> Result<(), csv::Error> {
    let mut table = csv::Writer::from_writer(file);
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    table.write_record(HEADER)?;
    for (split, label, record) in rows(manifest) {
        table.write_record([
            &record.id.to_string(),
            split.name(),
            &record.path,
            &record.class.to_string(),
            label,
            &record.width.to_string(),
            &record.height.to_string(),
            &record.size.to_string(),
            &record.hash,
            &number(record.group),
            &number(record.near),
            record.declared.as_deref().unwrap_or_default(),
        ])?;
    }
    Ok(table.flush()?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::dataset;
    use super::*;
    use crate::sample;

    #[test]
    fn a_row_an_image_says_all_that_the_manifest_does() {
        let (folder, dataset) = dataset(&sample::cats_and_dogs(4));
        let mut manifest = dataset.manifest().clone();
        manifest.test[1].declared = Some("a, \"b\"".to_owned());
        manifest.test[1].group = Some(3);
        let path = folder.path().join("data.csv");
        assert_eq!(write(&manifest, &path).unwrap(), 8);
        let text = fs_err::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 9);
        assert_eq!(lines[0], "id,split,path,class,label,width,height,size,hash,group,near,declared");
        let record = &manifest.test[1];
        let expected = format!("7,test,{},1,dog,4,3,{},{},3,,\"a, \"\"b\"\"\"", record.path, record.size, record.hash);
        assert_eq!(lines[8], expected);
    }
}
