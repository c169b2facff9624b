//! The manifest of an archive: text that says what each segment was, under one hash.

use crate::journal::hex;
use pos_kernel_wal::Link;
use std::fmt::Write;

const TITLE: &str = "pos-kernel archive 1";

/// One segment of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedSegment {
    /// Number.
    pub segment: u32,
    /// Size of the file.
    pub bytes: u64,
    /// First and last sequence.
    pub sequences: (u64, u64),
    /// First and last receipt completed in it; the last is one below the first when there is none.
    pub receipts: (u64, u64),
    /// Its last link.
    pub link: Link,
    /// BLAKE3 of the file.
    pub hash: [u8; 32],
}

/// Who vouches for a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestSignature {
    /// Algorithm.
    pub algorithm: String,
    /// Public key.
    pub key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// What was moved into an archive at once. It holds at least one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Terminal.
    pub terminal: String,
    /// When, nanoseconds since 1970-01-01 UTC.
    pub made_ns: i64,
    /// Link before the first segment.
    pub link_in: Link,
    /// The segments, ascending and without a gap.
    pub segments: Vec<ArchivedSegment>,
    /// Who vouches for it.
    pub signature: Option<ManifestSignature>,
}

impl Manifest {
    /// The first segment and the last.
    #[must_use]
    pub fn ends(&self) -> (&ArchivedSegment, &ArchivedSegment) {
        let first = self.segments.first().expect("a manifest holds a segment");
        (first, self.segments.last().expect("a manifest holds a segment"))
    }

    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        let (first, last) = self.ends();
        format!("archive-{:06}-{:06}.manifest", first.segment, last.segment)
    }

    fn body(&self) -> String {
        let (first, last) = self.ends();
        let mut text = format!("{TITLE}\nterminal {}\nmade {}\n", self.terminal, self.made_ns);
        let mut line = |line: std::fmt::Arguments<'_>| {
            writeln!(text, "{line}").expect("writing to memory cannot fail");
        };
        line(format_args!("segments {} {}", first.segment, last.segment));
        line(format_args!("sequences {} {}", first.sequences.0, last.sequences.1));
        line(format_args!("receipts {} {}", first.receipts.0, last.receipts.1));
        line(format_args!("link-in {}", hex(&self.link_in)));
        line(format_args!("link-out {}", hex(&last.link)));
        for it in &self.segments {
            line(format_args!(
                "segment {} bytes {} sequences {} {} receipts {} {} link {} blake3 {}",
                it.segment,
                it.bytes,
                it.sequences.0,
                it.sequences.1,
                it.receipts.0,
                it.receipts.1,
                hex(&it.link),
                hex(&it.hash)
            ));
        }
        text
    }

    /// The hash over all that it says.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(self.body().as_bytes()).as_bytes()
    }

    /// Its text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.body();
        text.push_str(&format!("blake3 {}\n", hex(&self.hash())));
        if let Some(ManifestSignature { algorithm, key, signature }) = &self.signature {
            text.push_str(&format!("signature {algorithm} {} {}\n", hex(key), hex(signature)));
        }
        text
    }

    /// Reads a manifest; `None` when any byte is not as it is written.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        field(TITLE.strip_suffix(" 1")?)?;
        let terminal = field("terminal")?.to_owned();
        let made_ns = field("made")?.parse().ok()?;
        for name in ["segments", "sequences", "receipts"] {
            field(name)?;
        }
        let link_in = unhex(field("link-in")?)?.try_into().ok()?;
        field("link-out")?;
        let lines = text.lines().skip(8);
        let segments: Vec<_> =
            lines.clone().map_while(|line| line.strip_prefix("segment ")).map(segment).collect();
        let segments: Vec<ArchivedSegment> = segments.into_iter().collect::<Option<_>>()?;
        let signature = lines.skip(segments.len() + 1).map(signature).next();
        let signature = match signature {
            Some(signature) => Some(signature?),
            None => None,
        };
        let manifest = Self { terminal, made_ns, link_in, segments, signature };
        let one_up =
            |two: &[ArchivedSegment]| two[0].segment.checked_add(1) == Some(two[1].segment);
        let is_whole = !manifest.segments.is_empty() && manifest.segments.windows(2).all(one_up);
        (is_whole && manifest.to_text() == text).then_some(manifest)
    }
}

fn segment(line: &str) -> Option<ArchivedSegment> {
    let words: Vec<&str> = line.split(' ').collect();
    let [
        number,
        "bytes",
        bytes,
        "sequences",
        s0,
        s1,
        "receipts",
        r0,
        r1,
        "link",
        link,
        "blake3",
        hash,
    ] = words[..]
    else {
        return None;
    };
    Some(ArchivedSegment {
        segment: number.parse().ok()?,
        bytes: bytes.parse().ok()?,
        sequences: (s0.parse().ok()?, s1.parse().ok()?),
        receipts: (r0.parse().ok()?, r1.parse().ok()?),
        link: unhex(link)?.try_into().ok()?,
        hash: unhex(hash)?.try_into().ok()?,
    })
}

fn signature(line: &str) -> Option<ManifestSignature> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["signature", algorithm, key, signature] = words[..] else { return None };
    let algorithm = algorithm.to_owned();
    Some(ManifestSignature { algorithm, key: unhex(key)?, signature: unhex(signature)? })
}

/// The bytes of a hexadecimal text; `None` when it is none.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    rest.is_empty().then_some(bytes).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let segment = |segment, from: u64| ArchivedSegment {
            segment,
            bytes: 65_536,
            sequences: (from, from + 9),
            receipts: (from, from - 1),
            link: [u8::try_from(segment).unwrap(); 32],
            hash: [7; 32],
        };
        let signature =
            ManifestSignature { algorithm: "x".to_owned(), key: vec![1, 2], signature: vec![3] };
        Manifest {
            terminal: "REGISTER_01".to_owned(),
            made_ns: 5,
            link_in: [0; 32],
            segments: vec![segment(1, 1), segment(2, 11)],
            signature: Some(signature),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_no_other_byte_is() {
        let signed = manifest();
        let unsigned = Manifest { signature: None, ..signed.clone() };
        for manifest in [signed, unsigned] {
            let text = manifest.to_text();
            assert_eq!(Manifest::from_bytes(text.as_bytes()), Some(manifest.clone()));
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                // The signature alone is outside the hash; another one is for its check to refuse.
                let read = Manifest::from_bytes(&bytes);
                assert!(read.is_none_or(|read| read.signature != manifest.signature), "{at}");
                let cut = Manifest::from_bytes(&text.as_bytes()[..at]);
                assert!(cut.is_none_or(|cut| cut.signature != manifest.signature), "{at}");
            }
        }
    }
}
