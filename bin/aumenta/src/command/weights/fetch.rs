//! `aumenta weights fetch`: a file of weights from the Hugging Face hub, through the cache that its own tools keep.

use std::env;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use aumenta_models::{Pretrained, PublishedFile};
use hf_hub::Cache;
use hf_hub::api::sync::{ApiBuilder, ApiError};

use super::{Pin, Source, check_out, import, pretrained, sha256};
use crate::failure::{Advised, BadUse};

/// Where the hub is, unless `HF_ENDPOINT` says otherwise.
const ENDPOINT: &str = "https://huggingface.co";

/// How many hexadecimal digits a SHA-256 has.
const DIGITS: usize = 64;

/// Fetch weights from the Hugging Face hub, check them and write them as `import` does.
///
/// What was fetched once stays in a cache, which is that of the hub's own tools, and a download that was cut off goes on where it
/// stopped. `HF_ENDPOINT` names another server.
#[derive(clap::Args)]
pub struct FetchArgs {
    /// The model: one of `aumenta weights list`.
    model: String,
    /// The file to write, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The cache [default: `HF_HUB_CACHE`, `HF_HOME`/hub, `XDG_CACHE_HOME`/huggingface/hub or ~/.cache/huggingface/hub].
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// The SHA-256 that the fetched file must have, in hexadecimal digits.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    sha256: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn hash(text: &str) -> Result<String, String> {
    let is_hash = text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash { Ok(text.to_ascii_lowercase()) } else { Err(format!("it must be {DIGITS} hexadecimal digits")) }
}

impl FetchArgs {
    pub fn run(self) -> Result<()> {
        let pretrained = pretrained(&self.model)?;
        check_out(&self.out)?;
        let cache = self.cache.map_or_else(default_cache, Ok)?;
        let endpoint = env::var("HF_ENDPOINT").unwrap_or_else(|_| ENDPOINT.to_string());
        let path = download(&endpoint, &cache, pretrained.hub)
            .map_err(|error| unreached(error, &endpoint, pretrained, &self.out))?;
        let fetched = Fetched { sha256: sha256(&path)?, path };
        fetched.check_whole()?;
        let expected = self.sha256.as_deref().or(pretrained.hub_sha256);
        fetched.check(expected)?;
        let name = format!("{} {}, revision {}", pretrained.hub, Pretrained::HUB_FILE, fetched.revision());
        let pin = if expected.is_some() { Pin::Kept } else { Pin::Unknown };
        let Fetched { path, sha256 } = fetched;
        import(pretrained, &Source { path, name, sha256, pin }, &self.out, self.json)
    }
}

/// The file of `repository`, from the cache where it is there.
fn download(endpoint: &str, cache: &Path, repository: &str) -> Result<PathBuf, ApiError> {
    // The files are public: whoever the user is, the server need not know.
    let api = ApiBuilder::from_cache(Cache::new(cache.to_path_buf()))
        .with_endpoint(endpoint.to_string())
        .with_token(None)
        .with_progress(std::io::stderr().is_terminal())
        .build()?;
    api.model(repository.to_string()).get(Pretrained::HUB_FILE)
}

/// The failure of a download, with what does without one.
fn unreached(error: ApiError, endpoint: &str, pretrained: &Pretrained, out: &Path) -> anyhow::Error {
    let imports = pretrained.files().map(|PublishedFile { place, .. }| {
        let (download, file, out) = (place.download(), place.downloaded(), out.display());
        format!("`{download}`, then `aumenta weights import {file} --model {} --out {out}`", pretrained.model)
    });
    let imports = imports.collect::<Vec<_>>().join("; or ");
    let hint = format!("a file that was downloaded elsewhere will do as well: {imports}");
    let what = format!("cannot fetch the weights of `{}` from {endpoint}", pretrained.model);
    Advised::wrap(anyhow::Error::new(error).context(what), hint)
}

/// The folder in which the hub's own tools keep what they fetch.
fn default_cache() -> Result<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let hub = || {
        let cache = folder("XDG_CACHE_HOME").or_else(|| env::home_dir().map(|home| home.join(".cache")));
        folder("HF_HOME").or_else(|| cache.map(|cache| cache.join("huggingface"))).map(|home| home.join("hub"))
    };
    folder("HF_HUB_CACHE")
        .or_else(hub)
        .ok_or_else(|| BadUse::message("there is no home folder for the cache: --cache FOLDER names one".to_string()))
}

/// A file in the cache.
struct Fetched {
    path: PathBuf,
    sha256: String,
}

impl Fetched {
    /// The commit whose file it is, which its folder is named after.
    fn revision(&self) -> String {
        let folder = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        folder.to_string_lossy().into_owned()
    }

    /// Whether it is the file that the hub has: it names large files by their SHA-256, and so does the cache. What is not is
    /// removed, so that another call fetches it anew.
    fn check_whole(&self) -> Result<()> {
        let blob = fs_err::canonicalize(&self.path)?;
        let name = blob.file_name().unwrap_or_default().to_string_lossy();
        if hash(&name).is_err() || name == self.sha256 {
            return Ok(());
        }
        fs_err::remove_file(&self.path)?;
        fs_err::remove_file(&blob)?;
        Err(anyhow!(
            "the fetched file is damaged and was removed from the cache: its SHA-256 is {}, the server's file has {name}",
            self.sha256
        ))
    }

    /// Whether its hash is the expected one, where one is.
    fn check(&self, expected: Option<&str>) -> Result<()> {
        match expected {
            Some(expected) if expected != self.sha256 => Err(anyhow!(
                "`{}` is another file than expected: its SHA-256 is {}, expected {expected}",
                self.path.display(),
                self.sha256
            )),
            _ => Ok(()),
        }
    }
}
