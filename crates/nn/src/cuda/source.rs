//! The text of the kernels, and what each of them takes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

const PRELUDE: &str = include_str!("kernels/prelude.cu");
/// Kernels for activations of either type.
const FOR_REALS: [&str; 7] = [
    include_str!("kernels/activation.cu"),
    include_str!("kernels/batch_norm.cu"),
    include_str!("kernels/conv2d.cu"),
    include_str!("kernels/dropout.cu"),
    include_str!("kernels/layout.cu"),
    include_str!("kernels/pool2d.cu"),
    include_str!("kernels/sums.cu"),
];
/// Kernels for one type alone.
const PLAIN: [&str; 5] = [
    include_str!("kernels/loss.cu"),
    include_str!("kernels/normalize.cu"),
    include_str!("kernels/optimizer.cu"),
    include_str!("kernels/statistics.cu"),
    include_str!("kernels/sum_rows.cu"),
];

/// What `KERNEL`, `REAL`, `LOAD` and `STORE` mean for each type of activations, and what names end with.
const REALS: [(&str, &str, [&str; 2]); 2] = [
    ("f32", "float", ["((p)[i])", "((p)[i] = (v))"]),
    ("bf16", "bf16", ["bf16_to_float((p)[i])", "((p)[i] = float_to_bf16(v))"]),
];

/// All kernels.
#[derive(Debug)]
pub struct Source {
    /// CUDA C++, and C.
    pub text: String,
    /// The C types of what each kernel takes, such as `const float *`.
    pub signatures: HashMap<String, Vec<String>>,
}

impl Source {
    /// The kernels of this crate.
    pub fn get() -> &'static Self {
        static SOURCE: OnceLock<Source> = OnceLock::new();
        SOURCE.get_or_init(Self::assemble)
    }

    fn assemble() -> Self {
        let mut text = PRELUDE.to_string();
        let mut signatures = HashMap::new();
        for (suffix, real, [load, store]) in REALS {
            let _ = write!(
                text,
                "#undef REAL\n#undef NAME\n#undef KERNEL\n#undef LOAD\n#undef STORE\n#define REAL {real}\n\
                 #define NAME(name) name##_{suffix}\n#define KERNEL(name) GLOBAL NAME(name)\n\
                 #define LOAD(p, i) {load}\n#define STORE(p, i, v) {store}\n"
            );
            for kernels in FOR_REALS {
                text.push_str(kernels);
                for (name, parameters) in declared("KERNEL(", kernels) {
                    let types = parameters.into_iter().map(|of_c| of_c.replace("REAL", real)).collect();
                    signatures.insert(format!("{name}_{suffix}"), types);
                }
            }
        }
        for kernels in PLAIN {
            text.push_str(kernels);
            signatures.extend(declared("PLAIN(", kernels));
        }
        Self { text, signatures }
    }
}

/// The names of the kernels that `marker` begins in a text, with the types of what they take.
fn declared(marker: &str, text: &str) -> Vec<(String, Vec<String>)> {
    let macros = parameter_macros(text);
    let beginning = format!("\n{marker}");
    let declarations = text.split(&beginning).skip(1);
    let parsed = declarations.map(|rest| {
        let (name, rest) = rest.split_once(")(").expect("a kernel's name stands in parentheses");
        let (parameters, _) = rest.split_once(')').expect("a kernel's parameters end");
        let parameters = macros.get(parameters).map_or(parameters, String::as_str);
        (name.to_string(), parameters.split(',').map(type_of).collect())
    });
    parsed.collect()
}

/// Lists of parameters that have a name of their own.
fn parameter_macros(text: &str) -> HashMap<String, String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("#define "));
    lines.filter_map(|line| line.split_once(' ')).map(|(name, list)| (name.to_string(), list.to_string())).collect()
}

/// A parameter without its name, its blanks as in `const float *`.
fn type_of(parameter: &str) -> String {
    let words: Vec<&str> = parameter.split_whitespace().collect();
    let (name, rest) = words.split_last().expect("a parameter has a type and a name");
    let pointer = if name.starts_with('*') { " *" } else { "" };
    format!("{}{pointer}", rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_from_the_text() {
        let signatures = &Source::get().signatures;
        let of = |name: &str| signatures[name].join(", ");
        assert_eq!(of("max_pool2d_f32"), "int, const float *, float *, Pooling");
        assert_eq!(of("max_pool2d_bf16"), "int, const bf16 *, bf16 *, Pooling");
        assert_eq!(of("move_running"), "int, float *, const float *, float, float");
        assert_eq!(
            of("adam"),
            "int, const int *, const int *, const int *, const u64 *, const float *, const float *, float, float *, \
             float *, float *"
        );
    }

    #[test]
    fn every_kernel_of_the_text_is_declared() {
        let source = Source::get();
        let in_text = source.text.matches("\nPLAIN(").count() + source.text.matches("\nKERNEL(").count();
        assert_eq!(source.signatures.len(), in_text);
    }
}
