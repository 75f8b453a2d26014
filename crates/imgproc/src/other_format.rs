//! [`OtherFormat`]: what a file is that should be an image and is none.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a file is that is no image of a known [`Format`](crate::Format), by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherFormat {
    /// A web page, such as a server's message that there is no such image.
    Html,
    /// A drawing in SVG.
    Svg,
    /// Another XML document, such as a storage service's refusal.
    Xml,
    /// A JSON document.
    Json,
    /// Text of no known kind.
    Text,
    /// HEIC or AVIF, the photographs of some telephones.
    Heif,
    /// JPEG XL.
    JpegXl,
    /// An icon.
    Icon,
    /// A video or a sound.
    Media,
    /// A PDF document.
    Pdf,
    /// A zip archive, or a document packed as one.
    Zip,
    /// Data compressed by gzip.
    Gzip,
    /// Nothing but zeros, as a disk leaves for what was never written.
    Zeros,
}

impl OtherFormat {
    /// What `bytes` begin like.
    ///
    /// ```
    /// use aumenta_imgproc::OtherFormat;
    ///
    /// assert_eq!(OtherFormat::sniff(b"\n<!DOCTYPE html><html>"), Some(OtherFormat::Html));
    /// assert_eq!(OtherFormat::sniff(b"not found"), Some(OtherFormat::Text));
    /// assert_eq!(OtherFormat::sniff(b"\x93\x01\xfe\x80"), None);
    /// ```
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        let head = &bytes[..bytes.len().min(LOOKED_AT)];
        by_signature(head).or_else(|| {
            if !bytes.is_empty() && bytes.iter().all(|&byte| byte == 0) { Some(Self::Zeros) } else { as_text(head) }
        })
    }

    /// Its name in a sentence, with an article where it needs one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "a web page (HTML)",
            Self::Svg => "a drawing (SVG)",
            Self::Xml => "an XML document",
            Self::Json => "a JSON document",
            Self::Text => "text",
            Self::Heif => "a HEIC or AVIF image, which is not read here",
            Self::JpegXl => "a JPEG XL image, which is not read here",
            Self::Icon => "an icon",
            Self::Media => "a video or a sound",
            Self::Pdf => "a PDF document",
            Self::Zip => "a zip archive",
            Self::Gzip => "data compressed by gzip",
            Self::Zeros => "nothing but zeros",
        }
    }
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes that decide.
const LOOKED_AT: usize = 512;

fn by_signature(head: &[u8]) -> Option<OtherFormat> {
    // The boxes of MPEG-4, of which HEIF is one kind, begin with a length.
    if head.get(4..8) == Some(b"ftyp") {
        let is_still = head.get(8..12).is_some_and(|brand| matches!(brand, b"heic" | b"heix" | b"mif1" | b"avif"));
        return Some(if is_still { OtherFormat::Heif } else { OtherFormat::Media });
    }
    let signatures: [(&[u8], OtherFormat); 12] = [
        (b"PK\x03\x04", OtherFormat::Zip),
        (b"PK\x05\x06", OtherFormat::Zip),
        (b"\x1f\x8b", OtherFormat::Gzip),
        (b"%PDF-", OtherFormat::Pdf),
        (b"\0\0\x01\0", OtherFormat::Icon),
        (b"\0\0\0\x0cJXL ", OtherFormat::JpegXl),
        (b"\xff\x0a", OtherFormat::JpegXl),
        (b"\x1a\x45\xdf\xa3", OtherFormat::Media),
        (b"ID3", OtherFormat::Media),
        (b"OggS", OtherFormat::Media),
        (b"RIFF", OtherFormat::Media),
        (b"FLV", OtherFormat::Media),
    ];
    signatures.into_iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, format)| format)
}

/// What kind of text it is, if it is text.
fn as_text(head: &[u8]) -> Option<OtherFormat> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    // The last character may have been cut.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    if text.is_empty() || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return None;
    }
    let text = text.trim_start().to_ascii_lowercase();
    Some(match text.as_bytes().first() {
        Some(b'<') if text.contains("<svg") => OtherFormat::Svg,
        Some(b'<') if ["<html", "<!doctype html", "<head", "<body"].iter().any(|tag| text.contains(tag)) => {
            OtherFormat::Html
        }
        Some(b'<') => OtherFormat::Xml,
        Some(b'{' | b'[') => OtherFormat::Json,
        _ => OtherFormat::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_is_known_by_its_first_bytes() {
        let cases: [(&[u8], Option<OtherFormat>); 16] = [
            (b"<!DOCTYPE html>\n<html>", Some(OtherFormat::Html)),
            (b"  <HTML><body>404", Some(OtherFormat::Html)),
            (b"<?xml version=\"1.0\"?><svg xmlns=", Some(OtherFormat::Svg)),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied", Some(OtherFormat::Xml)),
            (b"{\"error\": 404}", Some(OtherFormat::Json)),
            ("\u{feff}später".as_bytes(), Some(OtherFormat::Text)),
            (&"später".as_bytes()[..4], Some(OtherFormat::Text)),
            (b"\0\0\0\x20ftypheic\0\0", Some(OtherFormat::Heif)),
            (b"\0\0\0\x20ftypisom\0\0", Some(OtherFormat::Media)),
            (b"%PDF-1.7\n", Some(OtherFormat::Pdf)),
            (b"PK\x03\x04\x14\0", Some(OtherFormat::Zip)),
            (b"\x1f\x8b\x08\0", Some(OtherFormat::Gzip)),
            (&[0; 2000], Some(OtherFormat::Zeros)),
            (b"\x01\x02text", None),
            (b"\xc3\x28", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(OtherFormat::sniff(bytes), expected, "{bytes:?}");
        }
    }
}
