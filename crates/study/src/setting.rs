//! Settings by dotted keys, such as `model.dropout`: put into a table, taken out of one, and near to a mistyped one.

use toml::{Table, Value};

use crate::error::StudyError;

/// A setting with its value.
pub type Setting = (String, Value);

/// Keys that say what the other keys of their table mean: a table that gets another of these loses the others.
const KINDS: [&str; 3] = ["name", "dialect", "preset"];

/// What a table keeps of the others: it says how much of whatever the table says.
const KEPT: &str = "strength";

/// The settings of a table, those of tables within it with dots, in its order; kinds first.
///
/// ```
/// let table = toml::from_str("epochs = 3\n[model]\nimage-size = 64\nname = 'cats-dogs-convnet'")?;
/// let keys: Vec<String> = aumenta_study::flatten(&table).into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["epochs", "model.name", "model.image-size"]);
/// # Ok::<(), toml::de::Error>(())
/// ```
pub fn flatten(table: &Table) -> Vec<Setting> {
    let mut settings = Vec::new();
    let (kinds, others): (Vec<_>, Vec<_>) = table.iter().partition(|(key, _)| KINDS.contains(&key.as_str()));
    for (key, value) in kinds.into_iter().chain(others) {
        match value {
            Value::Table(inner) if !inner.is_empty() => {
                settings.extend(flatten(inner).into_iter().map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => settings.push((key.clone(), value.clone())),
        }
    }
    settings
}

/// Puts `setting` into `table`, making the tables on the way.
///
/// A table that gets another `name`, `dialect` or `preset` loses its other keys, which belonged to the old one, but for
/// `strength`.
///
/// # Errors
/// [`StudyError::NotATable`] where a part of the key already is a value.
///
/// ```
/// let mut table = toml::from_str("[optimizer]\nname = 'rmsprop'\nrho = 0.9")?;
/// aumenta_study::set(&mut table, &("optimizer.name".to_string(), "sgd".into()))?;
/// assert_eq!(table, toml::from_str("[optimizer]\nname = 'sgd'")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn set(table: &mut Table, (key, value): &Setting) -> Result<(), StudyError> {
    let mut within = table;
    let mut parts = key.split('.').peekable();
    let mut path = String::new();
    while let Some(part) = parts.next() {
        path = if path.is_empty() { part.to_string() } else { format!("{path}.{part}") };
        if parts.peek().is_none() {
            if KINDS.contains(&part) && path != part && within.get(part) != Some(value) {
                within.retain(|key, _| key == KEPT);
            }
            within.insert(part.to_string(), value.clone());
            break;
        }
        let inner = within.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let not_a_table = StudyError::NotATable { key: key.clone(), within: path.clone(), value: inner.to_string() };
        within = inner.as_table_mut().ok_or(not_a_table)?;
    }
    Ok(())
}

/// At most three of `known` that are near to a mistyped `key`, the nearest first.
///
/// ```
/// assert_eq!(aumenta_study::nearest("droput", ["dropout", "image-size"]), ["dropout"]);
/// assert!(aumenta_study::nearest("colour", ["dropout", "epochs"]).is_empty());
/// ```
pub fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(f64, &str)> = known.into_iter().map(|name| (strsim::jaro_winkler(key, name), name)).collect();
    near.retain(|(likeness, _)| *likeness >= 0.8);
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// A value as a reader sees it: text without quotes.
pub(crate) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[track_caller]
    fn check_set(before: &str, key: &str, value: impl Into<Value>, after: &str) {
        let mut changed = table(before);
        set(&mut changed, &(key.to_string(), value.into())).unwrap();
        assert_eq!(changed, table(after));
    }

    #[test]
    fn tables_are_made_where_there_are_none() {
        check_set("", "model.dropout", 0.5, "[model]\ndropout = 0.5");
        check_set("[model]\nname = 'a'", "model.dropout", 0.5, "[model]\nname = 'a'\ndropout = 0.5");
    }

    #[test]
    fn the_same_name_keeps_the_settings_of_its_table() {
        check_set("[model]\nname = 'a'\ndropout = 0.5", "model.name", "a", "[model]\nname = 'a'\ndropout = 0.5");
        check_set("[model]\nname = 'a'\ndropout = 0.5", "model.name", "b", "[model]\nname = 'b'");
    }

    #[test]
    fn another_preset_has_the_same_strength() {
        let before = "[augment]\nstrength = 0.5\nzoom = 0.1";
        check_set(before, "augment.preset", "book", "[augment]\nstrength = 0.5\npreset = 'book'");
    }

    #[test]
    fn a_value_has_no_settings_of_its_own() {
        let error = set(&mut table("epochs = 3"), &("epochs.first".to_string(), 1.into())).unwrap_err();
        assert_eq!(error.to_string(), "`epochs.first` cannot be set: `epochs` is 3, not a table of settings");
    }

    #[test]
    fn an_empty_table_is_a_value() {
        assert_eq!(flatten(&table("augment = {}")), [("augment".to_string(), Value::Table(Table::new()))]);
    }

    #[test]
    fn the_nearest_names_come_first() {
        assert_eq!(nearest("train-image", ["augment", "train-images", "batch-size"]), ["train-images"]);
    }
}
