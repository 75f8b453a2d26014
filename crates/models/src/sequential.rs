//! A network that a file describes: its layers one after the other, as a configuration holds them whole.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use aumenta_nn::{LayerSpec, NamedLayer, NnError};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::architecture::Architecture;
use crate::error::ModelError;

/// The largest model file in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The most layers of a network, with those within blocks.
const MOST_LAYERS: usize = 2048;

/// The most blocks that stand one within the other.
const MOST_DEPTH: usize = 8;

/// The most numbers of all parameters together, and of all activations of one image: 2 GiB.
const MOST_NUMBERS: usize = 1 << 29;

/// The longest name in characters.
const LONGEST_NAME: usize = 100;

/// A network as a model file describes it.
///
/// A layer without a name has that of its type with its number among the layers of this type: `conv2d1`, `conv2d2`,
/// `batch_norm1`. In a residual block the block's name stands before it, `residual1.conv2d1`, and within its shortcut
/// `residual1.shortcut.conv2d1`. Parameters are named as PyTorch does: `conv2d1.weight`, `batch_norm1.running_mean`.
///
/// ```
/// use aumenta_models::SequentialConfig;
///
/// let config: SequentialConfig = toml::from_str(
///     r#"
///     input = [32, 32, 3]
///
///     [[layers]]
///     type = "conv2d"
///     filters = 16
///     kernel = 3
///     activation = "relu"
///
///     [[layers]]
///     type = "global-avg-pool2d"
///
///     [[layers]]
///     type = "dense"
///     units = 1
///     l2 = 0.001
///     "#,
/// )?;
/// let summary = config.architecture()?.summary();
/// assert_eq!(summary.rows[0].name, "conv2d1");
/// assert_eq!(summary.parameters(), 16 * 27 + 16 + 16 + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SequentialConfig {
    /// The network's name in tables and reports; a file without one gives its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Rows, columns and channels of an image.
    pub input: [usize; 3],
    /// The name of the layer where the head begins; where it is not given, the head is what follows the last `flatten` or
    /// `global-avg-pool2d`, or the last layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The layers, one after the other. The last one computes the logits: one for two classes, otherwise one a class.
    pub layers: Vec<NamedLayer>,
}

impl SequentialConfig {
    /// Reads a model file, which is TOML, checks that it describes a network, and gives all layers their names.
    ///
    /// # Errors
    /// [`ModelError::Read`] where the file cannot be read or is larger than 1 MiB; [`ModelError::Parse`] where it is no TOML
    /// or has keys or values that no model file has; [`ModelError::File`], with the layer's line, where the layers make no
    /// network.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = read_text(path)?;
        let mut config: Self = toml::from_str(&text).map_err(|source| {
            let advice = advice(source.message());
            ModelError::Parse { path: path.to_path_buf(), source: Box::new(source), advice }
        })?;
        if config.title.is_none() {
            let stem = path.file_stem().map(|stem| stem.to_string_lossy());
            config.title =
                stem.map(|stem| stem.chars().filter(|letter| is_printable(*letter)).take(LONGEST_NAME).collect());
        }
        match config.architecture() {
            Ok(_) => {
                name_layers(&mut config.layers, "");
                Ok(config)
            }
            Err(ModelError::Layers { source, .. }) => {
                let line = config.line_of(&source, &text);
                Err(ModelError::File { path: path.to_path_buf(), line, source })
            }
            Err(error) => Err(error),
        }
    }

    /// The network's name: its title, or `sequential`.
    pub fn name(&self) -> &str {
        self.title.as_deref().unwrap_or("sequential")
    }

    /// The layers, which have names.
    ///
    /// # Errors
    /// [`ModelError::Layers`], naming the layer and the shapes that do not fit; or where there are more or larger layers than
    /// any machine trains: 2,048 layers, 8 blocks within each other, 2 GiB of parameters or of activations for one image.
    pub fn architecture(&self) -> Result<Architecture, ModelError> {
        let refuse = |source| ModelError::layers(self.name(), source);
        self.check().map_err(refuse)?;
        let mut layers = self.layers.clone();
        name_layers(&mut layers, "");
        let head = layers.split_off(self.head_of(&layers).map_err(refuse)?);
        let architecture = Architecture::new(self.name(), self.input, layers, head)?;
        check_costs(&architecture).map_err(refuse)?;
        Ok(architecture)
    }

    /// Whether names and the count of layers stay within their limits.
    fn check(&self) -> Result<(), NnError> {
        let name = self.name();
        if !(1..=LONGEST_NAME).contains(&name.chars().count()) || !name.chars().all(is_printable) {
            return Err(refused("", &format!("`title` must be 1 to {LONGEST_NAME} printable characters")));
        }
        if self.layers.is_empty() {
            return Err(refused("", "a network needs at least one layer"));
        }
        let count = check_layers(&mut self.layers.iter(), 0)?;
        if count > MOST_LAYERS {
            return Err(refused("", &format!("there are {count} layers, more than {MOST_LAYERS}")));
        }
        Ok(())
    }

    /// Where the head begins among the `layers`, which have names.
    fn head_of(&self, layers: &[NamedLayer]) -> Result<usize, NnError> {
        if let Some(head) = &self.head {
            let found = layers.iter().position(|layer| layer.name == *head);
            return found.ok_or_else(|| refused(head, "is where the head should begin, but there is no such layer"));
        }
        let is_border =
            |layer: &NamedLayer| matches!(layer.spec, LayerSpec::Flatten {} | LayerSpec::GlobalAvgPool2d {});
        let behind = layers.iter().rposition(is_border).map_or(layers.len(), |border| border + 1);
        Ok(behind.min(layers.len() - 1))
    }

    /// The line, from 1, of the layer that an error names.
    fn line_of(&self, error: &NnError, text: &str) -> Option<usize> {
        let NnError::Layer { layer, .. } = error else { return None };
        let mut layers = self.layers.clone();
        name_layers(&mut layers, "");
        let places: Places = toml::from_str(text).ok()?;
        let at = place_of(layer, &mut layers.iter().zip(&places.layers))?;
        Some(text[..at].lines().count().max(1) + usize::from(text[..at].ends_with('\n')))
    }
}

/// Where layers begin in a file, and those within them.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    layers: Vec<Spanned<Places>>,
    #[serde(default)]
    shortcut: Vec<Spanned<Places>>,
}

/// The byte at which the layer named `name` begins.
fn place_of<'a>(name: &str, layers: &mut dyn Iterator<Item = (&'a NamedLayer, &'a Spanned<Places>)>) -> Option<usize> {
    for (layer, place) in layers {
        if layer.name == name {
            return Some(place.span().start);
        }
        let inner = place.as_ref().layers.iter().chain(&place.as_ref().shortcut);
        if let Some(found) = place_of(name, &mut layer.inner().zip(inner)) {
            return Some(found);
        }
    }
    None
}

fn read_text(path: &Path) -> Result<String, ModelError> {
    let read = || {
        let mut text = String::new();
        fs_err::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(ModelError::Read)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ModelError::TooLong { path: path.to_path_buf(), limit: MOST_BYTES });
    }
    Ok(text)
}

/// What helps someone whose file `message` refuses.
fn advice(message: &str) -> &'static str {
    if message.contains("`softmax`") {
        "; the loss works on logits, so leave a final softmax out: predictions and exports compute it"
    } else if message.starts_with("unknown field") && (message.contains("`kernel`") || message.contains("`units`")) {
        "; besides what its type has, such a layer may have `name`, `initializer`, `l1` and `l2`"
    } else {
        ""
    }
}

fn refused(layer: &str, reason: &str) -> NnError {
    NnError::Layer { layer: layer.to_string(), reason: reason.to_string() }
}

fn is_printable(letter: char) -> bool {
    !letter.is_control()
}

/// Whether names and nesting of layers that stand in `depth` blocks stay within their limits; how many layers there are.
fn check_layers(layers: &mut dyn Iterator<Item = &NamedLayer>, depth: usize) -> Result<usize, NnError> {
    let mut count = 0;
    for layer in layers {
        let name = &layer.name;
        if depth > MOST_DEPTH {
            return Err(refused(name, &format!("it stands in more than {MOST_DEPTH} blocks")));
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.len() > LONGEST_NAME || !name.chars().all(is_plain) {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            let allowed = format!("a name is up to {LONGEST_NAME} letters, digits, `.`, `_` and `-`");
            return Err(refused(&shown.escape_debug().to_string(), &allowed));
        }
        count += 1 + check_layers(&mut layer.inner(), depth + 1)?;
    }
    Ok(count)
}

/// Whether a network's parameters and activations stay within their limits together.
fn check_costs(architecture: &Architecture) -> Result<(), NnError> {
    let summary = architecture.summary();
    let activations = summary.rows.iter().map(|row| row.output.iter().product::<usize>()).sum();
    for (what, count) in [("parameters", summary.parameters()), ("activations for one image", activations)] {
        if count > MOST_NUMBERS {
            let reason = format!("with it, the network has {count} {what}, more than {MOST_NUMBERS}");
            let last = architecture.layers().last().map_or("", |layer| &layer.name);
            return Err(refused(last, &reason));
        }
    }
    Ok(())
}

/// Gives the layers names that have none; `prefix` stands before these.
fn name_layers(layers: &mut [NamedLayer], prefix: &str) {
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    for layer in layers {
        let kind = layer.spec.type_name();
        let count = counts.entry(kind).or_default();
        *count += 1;
        if layer.name.is_empty() {
            layer.name = format!("{prefix}{}{count}", snake_case(kind));
        }
        if let LayerSpec::Residual { layers, shortcut, .. } = &mut layer.spec {
            name_layers(layers, &format!("{}.", layer.name));
            name_layers(shortcut, &format!("{}.shortcut.", layer.name));
        }
    }
}

/// `max_pool2d` for `MaxPool2d`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use aumenta_seed::Seed;
    use rand::RngExt as _;

    use super::*;

    const BLOCKS: &str = r#"
title = "blocks"
input = [16, 16, 3]

[[layers]]
type = "conv2d"
filters = 8
kernel = 3
padding = "same"
bias = false
initializer = "he-normal"

[[layers]]
type = "batch-norm"
activation = "relu"

[[layers]]
type = "residual"
activation = "relu"
layers = [
    { type = "conv2d", filters = 16, kernel = 3, stride = 2, padding = { zeros = 1 }, bias = false },
    { type = "batch-norm" },
]
shortcut = [
    { type = "conv2d", filters = 16, kernel = 1, stride = 2, bias = false },
    { type = "batch-norm" },
]

[[layers]]
type = "depthwise-conv2d"
name = "deep"
kernel = 3

[[layers]]
type = "max-pool2d"
window = 2

[[layers]]
type = "spatial-dropout"
rate = 0.1

[[layers]]
type = "flatten"

[[layers]]
type = "dropout"
rate = 0.5

[[layers]]
type = "dense"
units = 32
activation = "relu"
l1 = 1e-5
l2 = 1e-4

[[layers]]
type = "dense"
units = 4
"#;

    fn blocks() -> SequentialConfig {
        toml::from_str(BLOCKS).unwrap()
    }

    #[test]
    fn layers_without_a_name_are_numbered_by_their_kind() {
        let names: Vec<String> =
            blocks().architecture().unwrap().summary().rows.into_iter().map(|row| row.name).collect();
        assert_eq!(
            names,
            [
                "conv2d1",
                "batch_norm1",
                "residual1",
                "residual1.conv2d1",
                "residual1.batch_norm1",
                "residual1.shortcut.conv2d1",
                "residual1.shortcut.batch_norm1",
                "deep",
                "max_pool2d1",
                "spatial_dropout1",
                "flatten1",
                "dropout1",
                "dense1",
                "dense2",
            ]
        );
    }

    #[test]
    fn the_head_begins_behind_the_last_flattening_or_where_the_file_says() {
        let head = |config: &SequentialConfig| config.architecture().unwrap().head()[0].name.clone();
        assert_eq!(head(&blocks()), "dropout1");
        assert_eq!(head(&SequentialConfig { head: Some("dense2".to_string()), ..blocks() }), "dense2");
        let text = "input = [8, 8, 1]\nlayers = [{ type = \"conv2d\", filters = 3, kernel = 3 }, \
                    { type = \"global-avg-pool2d\" }]";
        assert_eq!(head(&toml::from_str(text).unwrap()), "global_avg_pool2d1");
        let error = SequentialConfig { head: Some("dense3".to_string()), ..blocks() }.architecture().unwrap_err();
        let ModelError::Layers { source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), "layer `dense3`: is where the head should begin, but there is no such layer");
    }

    #[test]
    fn a_written_network_reads_back() {
        let config = blocks();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<SequentialConfig>(&text).unwrap(), config, "{text}");
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<SequentialConfig>(&json).unwrap(), config, "{json}");
    }

    /// Whether a file of `text` is refused by an error whose messages together hold all of `words`.
    #[track_caller]
    fn check_refused(text: &str, words: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.toml");
        fs_err::write(&path, text).unwrap();
        let error = SequentialConfig::read(&path).unwrap_err();
        let messages = messages(&error);
        for word in words.iter().chain(&["net.toml"]) {
            assert!(messages.contains(word), "no {word:?} in {messages}");
        }
    }

    fn messages(error: &dyn std::error::Error) -> String {
        let source = error.source().map(messages).unwrap_or_default();
        format!("{error}: {source}")
    }

    #[test]
    fn files_that_describe_no_network_are_refused_with_line_layer_and_shapes() {
        check_refused("input = [8, 8\n", &["line 1"]);
        check_refused(&BLOCKS.replace("filters = 8", "filter = 8"), &["unknown field `filter`", "line 5", "`l2`"]);
        check_refused(&BLOCKS.replace("input =", "inputs ="), &["unknown field `inputs`", "line 3"]);
        check_refused(&BLOCKS.replace("rate = 0.5", "rate = 1.5"), &["line 45", "`dropout1`", "below 1, got 1.5"]);
        let narrow = BLOCKS.replace("input = [16, 16, 3]", "input = [4, 4, 3]");
        check_refused(&narrow, &["line 29", "`deep`", "3x3 do not fit an input of [2, 2, 16]"]);
        let unequal = BLOCKS.replace("filters = 16, kernel = 1", "filters = 8, kernel = 1");
        check_refused(&unequal, &["line 17", "`residual1`", "make [8, 8, 16]", "shortcut makes [8, 8, 8]"]);
        let inside = BLOCKS.replace("filters = 16, kernel = 1", "filters = 0, kernel = 1");
        check_refused(&inside, &["line 25", "`residual1.shortcut.conv2d1`"]);
        check_refused(&BLOCKS.replace("name = \"deep\"", "name = \"dense1\""), &["`dense1`", "same name"]);
    }

    #[test]
    fn probabilities_at_the_end_are_refused_with_advice() {
        let end = "units = 4\n";
        let sigmoid = BLOCKS.replace(end, "units = 4\nactivation = \"sigmoid\"\n");
        check_refused(&sigmoid, &["line 56", "`dense2`", "Sigmoid", "works on logits"]);
        let softmax = BLOCKS.replace(end, "units = 4\nactivation = \"softmax\"\n");
        check_refused(&softmax, &["unknown variant `softmax`", "works on logits"]);
        let apart = format!("{BLOCKS}[[layers]]\ntype = \"activation\"\nactivation = \"sigmoid\"\n");
        check_refused(&apart, &["`activation1`", "works on logits"]);
        check_refused(&format!("{BLOCKS}[[layers]]\ntype = \"softmax\"\n"), &["works on logits"]);
        let image = "input = [8, 8, 3]\nlayers = [{ type = \"conv2d\", filters = 3, kernel = 3 }]";
        check_refused(image, &["`conv2d1`", "makes [6, 6, 3]", "one number a class"]);
    }

    #[test]
    fn hostile_files_are_refused_before_anything_is_allocated() {
        let layer = |count: usize| "[[layers]]\ntype = \"flatten\"\n".repeat(count);
        check_refused(&format!("input = [8, 8, 3]\n{}", layer(MOST_LAYERS + 1)), &["2049 layers"]);
        check_refused(&format!("input = [8, 8, 3]\n{}", "# long\n".repeat(200_000)), &["longer than 1048576 bytes"]);
        let nested = |depth: usize| {
            let (open, close) = ("[{ type = \"residual\", layers = ", "}]");
            let inner = "[{ type = \"flatten\" }]";
            format!("input = [8, 8, 3]\nlayers = {}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        check_refused(&nested(12), &["more than 8 blocks"]);
        check_refused(&nested(5000), &["line 2"]);
        let headers: Vec<String> = (1..3000).map(|depth| format!("[[layers{}]]", ".layers".repeat(depth))).collect();
        check_refused(&format!("input = [8, 8, 3]\n{}", &headers.join("\n")[..900_000]), &[]);
        let dense = |units: u64| format!("{{ type = \"dense\", units = {units} }}");
        let wide = [dense(1 << 29), dense(1 << 29)].join(", ");
        check_refused(&format!("input = [1, 1, 1]\nlayers = [{{ type = \"flatten\" }}, {wide}]"), &["more than"]);
        let many = vec![dense(20_000); 3].join(", ");
        check_refused(&format!("input = [1, 1, 1]\nlayers = [{{ type = \"flatten\" }}, {many}]"), &["800"]);
        check_refused("input = [99999999999, 99999999999, 3]\nlayers = [{ type = \"flatten\" }]", &["more than"]);
        check_refused(&BLOCKS.replace("name = \"deep\"", "name = \"a\\u001b[2J\""), &["letters, digits"]);
        check_refused(&BLOCKS.replace("title = \"blocks\"", "title = \"a\\u001b[2J\""), &["`title` must be"]);
    }

    #[test]
    fn no_damage_to_a_file_makes_it_panic() {
        let mut rng = Seed::new(7).rng("damage", 0, 0);
        let mut networks = 0;
        for _ in 0..2000 {
            let mut bytes = BLOCKS.as_bytes().to_vec();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                let other = bytes[rng.random_range(0..bytes.len())];
                match rng.random_range(0..3) {
                    0 => bytes[at] = other,
                    1 => bytes.insert(at, other),
                    _ => drop(bytes.drain(at..(at + 12).min(bytes.len()))),
                }
            }
            let config =
                std::str::from_utf8(&bytes).ok().and_then(|text| toml::from_str::<SequentialConfig>(text).ok());
            networks += usize::from(config.is_some_and(|config| config.architecture().is_ok()));
        }
        assert!(networks > 20, "{networks} of them are networks still");
    }

    #[test]
    fn a_file_without_a_title_gives_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my-net.toml");
        fs_err::write(&path, BLOCKS.replace("title = \"blocks\"", "")).unwrap();
        let config = SequentialConfig::read(&path).unwrap();
        assert_eq!((config.name(), config.layers[0].name.as_str()), ("my-net", "conv2d1"));
        assert_eq!(blocks().name(), "blocks");
    }

    #[test]
    fn the_example_of_the_docs_is_a_network() {
        let docs = include_str!("../../../docs/models.md");
        let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config: SequentialConfig = toml::from_str(example).unwrap();
        let architecture = config.architecture().unwrap();
        let implied = SequentialConfig { head: None, ..config }.architecture().unwrap();
        assert_eq!((architecture.name(), architecture.head()), ("small-resnet", implied.head()));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = SequentialConfig::read(Path::new("nowhere/net.toml")).unwrap_err();
        assert!(messages(&error).contains("nowhere/net.toml"), "{}", messages(&error));
    }
}
