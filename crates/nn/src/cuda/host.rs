//! The kernels of the GPU on the CPU: compiled by the C compiler and run one thread after the other in a process of their own, so
//! that they can be compared with the CPU's kernels where there is no GPU. Reads and writes outside of a buffer end the process.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::source::Source;

/// What a kernel takes after its count.
#[derive(Clone, Debug)]
pub enum Value {
    Int(i32),
    Float(f32),
    U64(u64),
    /// A struct of integers.
    Sizes(Vec<i32>),
    Ints(Vec<i32>),
    Bytes(Vec<u8>),
    U32s(Vec<u32>),
    Floats(Vec<f32>),
    Bf16s(Vec<u16>),
    Doubles(Vec<f64>),
    /// Where buffers of floats lie.
    Addresses(Vec<Vec<f32>>),
}

impl Value {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Int(value) => value.to_le_bytes().to_vec(),
            Self::Float(value) => value.to_le_bytes().to_vec(),
            Self::U64(value) => value.to_le_bytes().to_vec(),
            Self::Sizes(values) | Self::Ints(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Bytes(values) => values.clone(),
            Self::U32s(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Floats(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Bf16s(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Doubles(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Self::Addresses(buffers) => buffers.iter().flatten().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    /// Replaces what a pointer leads to by what the process gave back; what is left of that.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        fn fill<'a, T: Copy, const N: usize>(values: &mut [T], bytes: &'a [u8], read: fn([u8; N]) -> T) -> &'a [u8] {
            let (own, rest) = bytes.split_at(values.len() * N);
            let (parts, _) = own.as_chunks::<N>();
            values.iter_mut().zip(parts).for_each(|(value, part)| *value = read(*part));
            rest
        }
        match self {
            Self::Ints(values) => fill(values, bytes, i32::from_le_bytes),
            Self::Bytes(values) => fill(values, bytes, u8::from_le_bytes),
            Self::U32s(values) => fill(values, bytes, u32::from_le_bytes),
            Self::Floats(values) => fill(values, bytes, f32::from_le_bytes),
            Self::Bf16s(values) => fill(values, bytes, u16::from_le_bytes),
            Self::Doubles(values) => fill(values, bytes, f64::from_le_bytes),
            Self::Addresses(buffers) => buffers.iter_mut().fold(bytes, |rest, b| fill(b, rest, f32::from_le_bytes)),
            Self::Int(_) | Self::Float(_) | Self::U64(_) | Self::Sizes(_) => bytes,
        }
    }

    pub fn floats(&self) -> &[f32] {
        let Self::Floats(values) = self else { panic!("{self:?} are no floats") };
        values
    }
}

/// Runs a kernel of `count` threads on `values`, what its pointers lead to being changed in place.
#[track_caller]
pub fn run(kernel: &str, count: usize, values: &mut [Value]) {
    let mut input = (count as i32).to_le_bytes().to_vec();
    for value in values.iter() {
        let bytes = value.bytes();
        match value {
            Value::Int(_) | Value::Float(_) | Value::U64(_) | Value::Sizes(_) => {}
            Value::Addresses(buffers) => {
                input.extend((buffers.len() as u64).to_le_bytes());
                input.extend(buffers.iter().flat_map(|buffer| (buffer.len() as u64 * 4).to_le_bytes()));
            }
            _ => input.extend((bytes.len() as u64).to_le_bytes()),
        }
        input.extend(bytes);
    }
    let mut command = Command::new(program());
    let mut child = command
        .arg(kernel)
        .env("ASAN_OPTIONS", "detect_leaks=0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "kernel {kernel} ended with {}", output.status);
    let rest = values.iter_mut().fold(output.stdout.as_slice(), |rest, value| value.take(rest));
    assert!(rest.is_empty(), "kernel {kernel} takes other values");
}

/// The program that runs the kernel named by its argument, compiled once for each text.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let text = c_program();
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let program = std::env::temp_dir().join(format!("aumenta-kernels-{:016x}", hasher.finish()));
        if program.exists() {
            return program;
        }
        // Another test run may be compiling it, too: each into a folder of its own, and the last one's takes the place.
        let folder = tempfile::tempdir().unwrap();
        let (source, compiled) = (folder.path().join("kernels.c"), folder.path().join("kernels"));
        fs_err::write(&source, text).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-std=c11", "-O1", "-Wall", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover"]);
        let status = compiler.arg(&source).arg("-o").arg(&compiled).arg("-lm").status().unwrap();
        assert!(status.success(), "the C compiler does not take the kernels with its address sanitizer (libasan)");
        fs_err::rename(&compiled, &program).unwrap();
        program
    })
}

fn c_program() -> String {
    let source = Source::get();
    let mut text = format!("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n{}{READ}", source.text);
    for (name, types) in &source.signatures {
        let _ = writeln!(text, "    if (!strcmp(arguments[1], \"{name}\")) {{");
        for (i, of_c) in types.iter().enumerate() {
            let _ = match of_c.as_str() {
                "const u64 *" => writeln!(text, "        Buffer b{i} = addresses(); u64 *a{i} = b{i}.start;"),
                pointer if pointer.ends_with('*') => {
                    writeln!(text, "        Buffer b{i} = buffer(length()); {pointer}a{i} = b{i}.start;")
                }
                value => writeln!(text, "        {value} a{i} = *({value} *)buffer(sizeof({value})).start;"),
            };
        }
        let arguments: Vec<String> = (0..types.len()).map(|i| format!("a{i}")).collect();
        // A grid has whole blocks, so there are more threads than elements.
        let _ = writeln!(
            text,
            "        for (host_thread = 0; host_thread < (a0 + 255) / 256 * 256; host_thread++) {{ {name}({}); }}",
            arguments.join(", ")
        );
        for (i, _) in types.iter().enumerate().filter(|(_, of_c)| of_c.ends_with('*')) {
            let _ = writeln!(text, "        give(b{i});");
        }
        let _ = writeln!(text, "        return 0;\n    }}");
    }
    text + "    return 3;\n}\n"
}

const READ: &str = r"
typedef struct { void *start; u64 size; u64 buffers; } Buffer;
static Buffer buffer(u64 size) {
    Buffer read = {malloc(size), size, 0};
    if (fread(read.start, 1, size, stdin) != size) { exit(2); }
    return read;
}
static u64 length(void) { return *(u64 *)buffer(8).start; }
static u64 sizes[64];
static Buffer addresses(void) {
    u64 count = length();
    for (u64 i = 0; i < count; i++) { sizes[i] = length(); }
    Buffer read = {malloc(8 * count), 0, count};
    for (u64 i = 0; i < count; i++) { ((u64 *)read.start)[i] = (u64)buffer(sizes[i]).start; }
    return read;
}
static void give(Buffer read) {
    for (u64 i = 0; i < read.buffers; i++) { fwrite((void *)((u64 *)read.start)[i], 1, sizes[i], stdout); }
    fwrite(read.start, 1, read.size, stdout);
}
int main(int count, char **arguments) {
    (void)count;
";
