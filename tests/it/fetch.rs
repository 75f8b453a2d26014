//! `aumenta weights fetch`, from a server of the test's own that answers as the Hugging Face hub does.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aumenta_models::ModelConfig;
use aumenta_nn::TensorFile;
use aumenta_seed::Seed;
use candle_core::Device;
use sha2::{Digest as _, Sha256};

use crate::command::{Said, Workspace};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server has, and what it was asked.
#[derive(Default)]
struct Served {
    file: Vec<u8>,
    /// The hash that it says the file has.
    sha256: String,
    /// It hangs up after so many bytes of the file.
    cut: Option<usize>,
    /// The ranges that it was asked for, without those of a single byte.
    ranges: Vec<String>,
}

/// A hub with one file, under whatever name.
struct Hub {
    address: String,
    served: Arc<Mutex<Served>>,
}

impl Hub {
    fn new(file: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let sha256 = sha256(&file);
        let served = Arc::new(Mutex::new(Served { file, sha256, ..Served::default() }));
        let shared = Arc::clone(&served);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up is no failure of the server.
                let _ = answer(&stream.unwrap(), &mut shared.lock().unwrap());
            }
        });
        Self { address, served }
    }

    fn fetch(&self, workspace: &Workspace, more: &[&str]) -> Said {
        fetch(workspace, &self.address, more)
    }
}

/// As the hub does, a file's address leads to another one, which has the bytes.
fn answer(mut stream: &TcpStream, served: &mut Served) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next().unwrap()?.split(' ').nth(1).unwrap().to_string();
    let headers: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    if path != "/bytes" {
        let Served { sha256, .. } = served;
        let found = format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{}/bytes\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-ETag: \"{sha256}\"\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            stream.local_addr()?
        );
        return stream.write_all(found.as_bytes());
    }
    let range =
        headers.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_string));
    let range = range.unwrap();
    let (from, to) = range.split_once('-').unwrap();
    let (from, len) = (from.parse::<usize>().unwrap(), served.file.len());
    let to = to.parse::<usize>().map_or(len, |last| last + 1);
    if range != "0-0" {
        served.ranges.push(range.clone());
    }
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{len}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        to - 1,
        to - from
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&served.file[from..to.min(served.cut.unwrap_or(len)).max(from)])
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn fetch(workspace: &Workspace, endpoint: &str, more: &[&str]) -> Said {
    let args = ["weights", "fetch", "mobilenet-v2", "--out", "ours.safetensors", "--cache", "cache"];
    workspace.run_with(&[&args[..], more].concat(), &[("HF_ENDPOINT", endpoint)])
}

/// Weights of MobileNetV2 as a file.
pub fn mobilenet() -> Vec<u8> {
    let architecture = ModelConfig::named("mobilenet-v2").unwrap().architecture().unwrap();
    let tensors = architecture.build(Seed::new(3), &Device::Cpu).unwrap().parameters().tensors().unwrap();
    TensorFile { tensors, ..TensorFile::default() }.to_bytes().unwrap()
}

#[test]
fn a_download_that_was_cut_off_goes_on_and_a_second_one_needs_no_server() {
    let workspace = Workspace::new();
    let (file, half) = (mobilenet(), 5_000_000);
    let hub = Hub::new(file.clone());
    hub.served.lock().unwrap().cut = Some(half);
    let said = hub.fetch(&workspace, &[]).assert_code(1).stderr.clone();
    assert!(said.starts_with("error: cannot fetch the weights of `mobilenet-v2` from http://127.0.0.1:"), "{said}");
    assert!(!workspace.path("ours.safetensors").exists());

    hub.served.lock().unwrap().cut = None;
    let said = hub.fetch(&workspace, &[]).assert_code(0).stdout.clone();
    let hash = sha256(&file);
    let expected = format!(
        "wrote ours.safetensors: 262 tensors of mobilenet-v2 with its head\nSHA-256 of the source: {hash} (no file is pinned)\n"
    );
    assert_eq!(said, expected);
    assert_eq!(hub.served.lock().unwrap().ranges, ["0-".to_string(), format!("{half}-")]);
    let ours = TensorFile::from_bytes(&fs_err::read(workspace.path("ours.safetensors")).unwrap()).unwrap();
    assert!(ours.tensors == TensorFile::from_bytes(&file).unwrap().tensors);
    let source = format!("timm/mobilenetv2_100.ra_in1k model.safetensors, revision {COMMIT}");
    assert_eq!((&ours.metadata["source"], &ours.metadata["source-sha256"]), (&source, &hash));

    fs_err::remove_file(workspace.path("ours.safetensors")).unwrap();
    let said = fetch(&workspace, "http://127.0.0.1:1", &["--sha256", &hash.to_uppercase()]);
    assert!(said.assert_code(0).stdout.ends_with("(as pinned)\n"), "{}", said.stdout);
}

#[test]
fn a_file_with_another_hash_is_refused() {
    let workspace = Workspace::new();
    let hub = Hub::new(mobilenet());
    let other = "ab".repeat(32);
    let said = hub.fetch(&workspace, &["--sha256", &other]).assert_code(1).stderr.clone();
    assert!(said.contains("is another file than expected") && said.contains(&format!("expected {other}")), "{said}");

    // The server's own hash: what is damaged does not stay in the cache.
    fs_err::remove_dir_all(workspace.path("cache")).unwrap();
    let whole = std::mem::replace(&mut hub.served.lock().unwrap().sha256, other.clone());
    let said = hub.fetch(&workspace, &[]).assert_code(1).stderr.clone();
    let expected = format!(
        "error: the fetched file is damaged and was removed from the cache: its SHA-256 is {whole}, the server's file has \
         {other}\n"
    );
    assert_eq!(said, expected);
    hub.served.lock().unwrap().sha256 = whole;
    hub.fetch(&workspace, &[]).assert_code(0);
}

#[test]
fn without_a_server_the_error_says_how_to_import_a_file() {
    let workspace = Workspace::new();
    let said = |model: &str, more: &[&str]| {
        let args = ["weights", "fetch", model, "--out", "ours.safetensors", "--cache", "cache"];
        workspace.run_with(&[&args[..], more].concat(), &[("HF_ENDPOINT", "http://127.0.0.1:1")]).whole()
    };
    let all =
        [said("vgg16", &[]), said("efficientnet-lite0", &[]), said("lenet", &[]), said("vgg16", &["--sha256", "12"])];
    insta::assert_snapshot!("unreached", all.join("\n"));
}
