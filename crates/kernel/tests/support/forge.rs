//! A forger: takes a journal apart into its records and puts it together again, mending as much as
//! is asked. It knows the format from `docs/reference/journal-format.md` and shares no code with
//! the log, so it is a second implementation of it as well.

use super::store::Store;
use std::sync::LazyLock;

const BLOCK: usize = 4096;
const FRAMES_START: usize = 3 * BLOCK;
pub(crate) const FLAG_CHECKPOINT: u8 = 1;
pub(crate) const FLAG_SEAL: u8 = 2;
pub(crate) const FLAG_OWNER_ENDS: u8 = 8;

/// How much of a changed journal is made to fit again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mend {
    /// Places, lengths, sequences and checksums, so that every frame reads well; no link.
    Checksums,
    /// Every link, header and mark up to the head as well: full knowledge and no secret.
    Everything,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) kind: u16,
    pub(crate) flags: u8,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub(crate) head: [u8; 64],
    pub(crate) records: Vec<Record>,
    pub(crate) link: [u8; 32],
    /// Zeros that stand before it.
    gap: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) header: Vec<u8>,
    marks: [Vec<u8>; 2],
    pub(crate) frames: Vec<Frame>,
    bytes: usize,
}

/// A whole journal, from segment 1 on.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) segments: Vec<Segment>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

static CRC_TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        (0..8).fold(u32::try_from(index).unwrap(), |value, _| {
            if value & 1 == 1 { value >> 1 ^ 0x82F6_3B78 } else { value >> 1 }
        })
    })
});

/// CRC32C of the parts, end to end.
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
    let table = &*CRC_TABLE;
    let mut crc = !0_u32;
    for part in parts {
        for byte in *part {
            crc = crc >> 8 ^ table[usize::from(crc.to_le_bytes()[0] ^ byte)];
        }
    }
    !crc
}

impl Frame {
    fn read(image: &[u8], at: usize, gap: usize) -> Self {
        let frame = &image[at..at + u32_at(image, at + 4) as usize];
        let mut records = Vec::new();
        let mut start = 64;
        for _ in 0..u16_at(frame, 60) {
            let size = u32_at(frame, start) as usize;
            let body = frame[start + 8..start + 8 + size].to_vec();
            records.push(Record { kind: u16_at(frame, start + 4), flags: frame[start + 6], body });
            start += 8 + size;
        }
        let head = frame[..64].try_into().unwrap();
        let link = frame[frame.len() - 32..].try_into().unwrap();
        Self { head, records, link, gap }
    }

    pub(crate) fn flags(&self) -> u8 {
        self.head[63]
    }

    pub(crate) fn sequence(&self) -> u64 {
        u64_at(&self.head, 8)
    }

    /// True when it holds facts and neither a checkpoint nor a seal.
    pub(crate) fn holds_facts(&self) -> bool {
        self.flags() & (FLAG_CHECKPOINT | FLAG_SEAL) == 0
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.head[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The frame's bytes without its checksum, link and the zeros before that.
    fn body(&self) -> Vec<u8> {
        let mut bytes = self.head.to_vec();
        for record in &self.records {
            bytes.extend_from_slice(&u32::try_from(record.body.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(&record.kind.to_le_bytes());
            bytes.extend_from_slice(&[record.flags, 0]);
            bytes.extend_from_slice(&record.body);
        }
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
}

impl Segment {
    fn read(image: &[u8]) -> Self {
        let mut frames = Vec::new();
        let (mut end, mut at) = (FRAMES_START, FRAMES_START);
        loop {
            if at + 8 > image.len() || image[at..at + 8] == [0; 8] {
                let boundary = end.next_multiple_of(BLOCK);
                let more = boundary > at && boundary < image.len();
                if !more || image[boundary..boundary + 8] == [0; 8] {
                    break;
                }
                at = boundary;
            }
            frames.push(Frame::read(image, at, at - end));
            at += u32_at(image, at + 4) as usize;
            end = at;
        }
        let marks = [image[BLOCK..2 * BLOCK].to_vec(), image[2 * BLOCK..3 * BLOCK].to_vec()];
        Self { header: image[..BLOCK].to_vec(), marks, frames, bytes: image.len() }
    }

    fn salt(&self) -> [u8; 8] {
        self.header[24..32].try_into().unwrap()
    }

    /// Lays the frames out again, without gaps where they would not fit otherwise. `sequence` and
    /// `link` are those before its first frame, and then those behind its last one.
    fn write(&mut self, mend: Mend, sequence: &mut u64, link: &mut [u8; 32]) -> Vec<u8> {
        let before = (*sequence, *link);
        let image = self.lay_out(mend, sequence, link);
        if image.len() == self.bytes {
            return image;
        }
        self.frames.iter_mut().for_each(|frame| frame.gap = 0);
        (*sequence, *link) = before;
        self.lay_out(mend, sequence, link)
    }

    fn lay_out(&mut self, mend: Mend, sequence: &mut u64, link: &mut [u8; 32]) -> Vec<u8> {
        let salt = self.salt();
        if mend == Mend::Everything {
            self.header[32..40].copy_from_slice(&(*sequence + 1).to_le_bytes());
            self.header[64..96].copy_from_slice(link);
            let crc = crc32c(&[&self.header[..BLOCK - 4]]);
            self.header[BLOCK - 4..].copy_from_slice(&crc.to_le_bytes());
        }
        *sequence = u64_at(&self.header, 32) - 1;
        *link = *blake3::hash(&self.header[..BLOCK - 4]).as_bytes();
        let mut image = vec![0; FRAMES_START];
        let mut ends = Vec::new();
        for frame in &mut self.frames {
            if frame.gap > 0 {
                image.resize(image.len().next_multiple_of(BLOCK), 0);
            }
            let body = frame.body();
            let length = u32::try_from(body.len() + 32).unwrap();
            let durable = u64_at(&frame.head, 16).min(*sequence);
            frame.put(4, &length.to_le_bytes());
            frame.put(8, &(*sequence + 1).to_le_bytes());
            frame.put(16, &durable.to_le_bytes());
            frame.put(52, &self.header[16..20]);
            frame.put(56, &u32::try_from(image.len() / 8).unwrap().to_le_bytes());
            frame.put(60, &u16::try_from(frame.records.len()).unwrap().to_le_bytes());
            let body = frame.body();
            if mend == Mend::Everything {
                frame.link = *blake3::keyed_hash(link, &body[4..]).as_bytes();
            }
            *link = frame.link;
            let crc = crc32c(&[&salt, &body[4..], &frame.link]);
            frame.put(0, &crc.to_le_bytes());
            image.extend_from_slice(&frame.body());
            image.extend_from_slice(&frame.link);
            *sequence += frame.records.len() as u64;
            ends.push((*sequence, image.len(), frame.link));
        }
        image.resize(self.bytes.max(image.len()), 0);
        image[..BLOCK].copy_from_slice(&self.header);
        for (slot, mark) in self.marks.iter_mut().enumerate() {
            let is_set = mark.iter().any(|byte| *byte != 0);
            if mend == Mend::Everything && is_set {
                let durable = u64_at(mark, 16).min(*sequence);
                let end = ends.iter().rfind(|(last, ..)| *last <= durable);
                let (last, end, link) = *end.unwrap_or(&(0, FRAMES_START, [0; 32]));
                mark[16..24].copy_from_slice(&last.to_le_bytes());
                mark[24..28].copy_from_slice(&u32::try_from(end).unwrap().to_le_bytes());
                mark[32..64].copy_from_slice(&link);
                let crc = crc32c(&[&salt, &mark[..BLOCK - 4]]);
                mark[BLOCK - 4..].copy_from_slice(&crc.to_le_bytes());
            }
            image[(slot + 1) * BLOCK..(slot + 2) * BLOCK].copy_from_slice(mark);
        }
        image
    }
}

impl Journal {
    /// Reads the journal of a store whose terminal is closed.
    pub(crate) fn read(store: &Store) -> Self {
        let mut segments = Vec::new();
        for number in 1.. {
            match store.disk.peek(&Store::segment_file(number)) {
                Some(image) if image.iter().any(|byte| *byte != 0) => {
                    segments.push(Segment::read(&image));
                }
                _ => break,
            }
        }
        Self { segments }
    }

    /// Puts the journal onto the disk of a store.
    pub(crate) fn write(&self, store: &Store, mend: Mend) {
        let (mut sequence, mut link) = (0, [0; 32]);
        let mut segments = self.segments.clone();
        for (segment, number) in segments.iter_mut().zip(1..) {
            let image = segment.write(mend, &mut sequence, &mut link);
            store.disk.poke(&Store::segment_file(number), &image);
        }
    }

    /// Every frame, with segment and index.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (usize, usize, &Frame)> {
        self.segments.iter().enumerate().flat_map(|(segment, frames)| {
            frames.frames.iter().enumerate().map(move |(index, frame)| (segment, index, frame))
        })
    }

    pub(crate) fn frame_mut(&mut self, segment: usize, index: usize) -> &mut Frame {
        &mut self.segments[segment].frames[index]
    }

    /// The records of one kind, in order.
    pub(crate) fn records_mut(&mut self, kind: u16) -> impl Iterator<Item = &mut Record> {
        let frames = self.segments.iter_mut().flat_map(|segment| &mut segment.frames);
        frames.flat_map(|frame| &mut frame.records).filter(move |record| record.kind == kind)
    }
}
