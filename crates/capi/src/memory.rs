//! The host's memory: pointers are checked here, turned into values once, and not seen again.
//!
//! In-parameters become `&str` or copies of structures; out-parameters become [`Slot`]s that are
//! checked before a call does anything and written after it has succeeded.

use crate::types::{PkText, Structure};
use pos_kernel_core::limits::SIGNER_TEXT_BYTES_MAX;
use pos_kernel_core::limits::{
    KEY_BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGE_KIND_BYTES_MAX, REASON_BYTES_MAX,
    REFERENCE_BYTES_MAX, RULE_ATTRIBUTES_BYTES_MAX, RULE_NAME_BYTES_MAX, RULE_SOURCE_BYTES_MAX,
    SKU_BYTES_MAX, STORE_BYTES_MAX, SYSTEM_CONFIG_BYTES_MAX, TAX_CLASS_BYTES_MAX,
    TERMINAL_ID_BYTES_MAX, TEXT_BYTES_MAX,
};
use pos_kernel_core::{Code, Error, Result};
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

/// Bytes of an operation for a kernel service.
pub(crate) const OPERATION_BYTES_MAX: usize = 1 << 20;

/// Bytes of a path.
const PATH_BYTES_MAX: usize = 4096;

/// A kind of text: how long it may be and what a longer one is refused with. A length beyond the
/// limit is refused before one byte is read, so a wild length does no harm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    what: &'static str,
    bytes_max: usize,
    code: Code,
}

impl Kind {
    const fn new(what: &'static str, bytes_max: usize, code: Code) -> Self {
        Self { what, bytes_max, code }
    }
}

pub(crate) const ROOT: Kind = Kind::new("root", PATH_BYTES_MAX, Code::BadText);
pub(crate) const ID: Kind = Kind::new("terminal id", TERMINAL_ID_BYTES_MAX, Code::BadId);
pub(crate) const HOST: Kind = Kind::new("host_version", REFERENCE_BYTES_MAX, Code::BadText);
pub(crate) const STORE: Kind = Kind::new("store", STORE_BYTES_MAX, Code::BadText);
pub(crate) const CURRENCY: Kind = Kind::new("currency", 3, Code::BadCurrency);
pub(crate) const REFERENCE: Kind = Kind::new("reference", REFERENCE_BYTES_MAX, Code::BadText);
pub(crate) const KEY: Kind = Kind::new("key", KEY_BYTES_MAX, Code::BadKey);
pub(crate) const SKU: Kind = Kind::new("sku", SKU_BYTES_MAX, Code::BadText);
pub(crate) const TEXT: Kind = Kind::new("text", TEXT_BYTES_MAX, Code::BadText);
pub(crate) const GOODS_CLASS: Kind =
    Kind::new("goods_class", RULE_ATTRIBUTES_BYTES_MAX, Code::Limit);
pub(crate) const ATTRIBUTE_NAME: Kind = Kind::new("name", RULE_NAME_BYTES_MAX, Code::BadArgument);
pub(crate) const ATTRIBUTE_TEXT: Kind = Kind::new("text", RULE_ATTRIBUTES_BYTES_MAX, Code::Limit);
pub(crate) const RULE_SOURCE: Kind = Kind::new("source", RULE_SOURCE_BYTES_MAX, Code::Limit);
pub(crate) const REASON: Kind = Kind::new("reason", REASON_BYTES_MAX, Code::BadText);
pub(crate) const OPERATOR: Kind = Kind::new("operator", REFERENCE_BYTES_MAX, Code::BadText);
pub(crate) const AUTH: Kind = Kind::new("auth", REFERENCE_BYTES_MAX, Code::BadText);
pub(crate) const TAX_CLASS: Kind = Kind::new("tax_class", TAX_CLASS_BYTES_MAX, Code::BadText);
pub(crate) const TICKET: Kind = Kind::new("ticket", 96, Code::BadArgument);
pub(crate) const ANCHOR: Kind = Kind::new("anchor", 64, Code::BadArgument);
pub(crate) const SIGNER: Kind = Kind::new("signer", SIGNER_TEXT_BYTES_MAX, Code::BadText);
pub(crate) const ALGORITHM: Kind = Kind::new("algorithm", 32, Code::BadArgument);
pub(crate) const PLACE: Kind = Kind::new("place", SIGNER_TEXT_BYTES_MAX, Code::BadText);
pub(crate) const KEYS: Kind = Kind::new("trusted_keys", PATH_BYTES_MAX, Code::BadArgument);
pub(crate) const MESSAGE_ID: Kind = Kind::new("id", KEY_BYTES_MAX, Code::BadMessage);
pub(crate) const MESSAGE_KIND: Kind = Kind::new("kind", MESSAGE_KIND_BYTES_MAX, Code::BadMessage);
pub(crate) const MESSAGE_BODY: Kind = Kind::new("body", MESSAGE_BYTES_MAX, Code::Limit);
pub(crate) const CONFIG_VALUES: Kind =
    Kind::new("values", 2 * SYSTEM_CONFIG_BYTES_MAX, Code::Limit);
pub(crate) const SOCKET: Kind = Kind::new("socket", PATH_BYTES_MAX, Code::BadText);
pub(crate) const OPERATION: Kind = Kind::new("operation", OPERATION_BYTES_MAX, Code::Limit);
pub(crate) const ARCHIVE: Kind = Kind::new("archive", PATH_BYTES_MAX, Code::BadText);

/// Reads a text; null with length 0 is the empty one.
///
/// # Safety
/// `data` is null or points to `size` readable bytes, unless `size` is over the limit of its kind;
/// they stay as they are for `'a`.
#[inline]
pub(crate) unsafe fn text<'a>(kind: Kind, data: *const u8, size: usize) -> Result<&'a str> {
    if size == 0 {
        return Ok("");
    }
    if data.is_null() {
        return Err(null(kind.what));
    }
    if size > kind.bytes_max {
        return Err(too_long(kind, size));
    }
    // SAFETY: not null, and the caller promises that this many bytes can be read.
    let bytes = unsafe { slice::from_raw_parts(data, size) };
    if is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8; nearly every text of a till is, and the check is several times as
        // fast as the general one.
        return Ok(unsafe { std::str::from_utf8_unchecked(bytes) });
    }
    std::str::from_utf8(bytes).map_err(|error| not_utf8(kind, size, error.valid_up_to()))
}

/// Whether a text is ASCII: in words, of which the last overlaps the one before it.
fn is_ascii(bytes: &[u8]) -> bool {
    const UPPER: u64 = 0x8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(0, |all, byte| all | byte) < 0x80;
    };
    let (words, _) = bytes.as_chunks::<8>();
    let last = u64::from_ne_bytes(*last);
    words.iter().fold(last, |all, word| all | u64::from_ne_bytes(*word)) & UPPER == 0
}

/// Reads a text that may be left out: without bytes there is none.
///
/// # Safety
/// As [`text`].
#[inline]
pub(crate) unsafe fn optional<'a>(
    kind: Kind,
    data: *const u8,
    size: usize,
) -> Result<Option<&'a str>> {
    // SAFETY: the caller's promise is the same.
    let read = unsafe { text(kind, data, size) }?;
    Ok((size > 0).then_some(read))
}

/// Reads bytes; a null pointer is none.
///
/// # Safety
/// `data` is null or has `size` readable bytes.
pub(crate) unsafe fn bytes<'a>(
    what: &'static str,
    data: *const u8,
    size: usize,
    most: usize,
) -> Result<&'a [u8]> {
    if size == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(null(what));
    }
    if size > most {
        let message = format!("{what} has {size} bytes, over the limit of {most}");
        return Err(Error::new(Code::Limit, message)
            .with("what", what)
            .with("value", size)
            .with("limit", most));
    }
    // SAFETY: not null, and the caller promises that this many bytes can be read.
    Ok(unsafe { slice::from_raw_parts(data, size) })
}

/// Reads a text of a structure.
///
/// # Safety
/// As [`text`].
#[inline]
pub(crate) unsafe fn field<'a>(kind: Kind, field: PkText) -> Result<&'a str> {
    // SAFETY: the caller's promise is the same.
    unsafe { text(kind, field.data, field.size) }
}

/// Reads a text of a structure that may be left out.
///
/// # Safety
/// As [`text`].
#[inline]
pub(crate) unsafe fn optional_field<'a>(kind: Kind, field: PkText) -> Result<Option<&'a str>> {
    // SAFETY: the caller's promise is the same.
    unsafe { optional(kind, field.data, field.size) }
}

/// Reads a structure; the fields behind its size are zero.
///
/// # Safety
/// `from` is null or points to a structure of the size that its first four bytes say.
#[inline]
pub(crate) unsafe fn structure<T: Structure>(what: &'static str, from: *const T) -> Result<T> {
    // SAFETY: the caller promises at least the size field.
    let size = unsafe { size_of_structure(what, from) }?;
    if size == size_of::<T>() {
        // SAFETY: not null and aligned, and the caller promises a structure of this size.
        return Ok(unsafe { from.read() });
    }
    // SAFETY: `size` is at most the size of T, and the caller promises that many readable bytes.
    Ok(unsafe { shorter(from, size) })
}

/// A structure of an older header.
///
/// # Safety
/// `size` bytes, at most the size of T, can be read.
#[cold]
unsafe fn shorter<T: Structure>(from: *const T, size: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller promises the bytes, and that they are not more than T has.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), size) };
    // SAFETY: every structure is valid when zeroed, and any bytes are valid integers and pointers.
    unsafe { value.assume_init() }
}

/// Reads a value that has no size of its own.
///
/// # Safety
/// `from` is null or can be read.
pub(crate) unsafe fn plain<T: Copy>(what: &'static str, from: *const T) -> Result<T> {
    aligned(what, from)?;
    // SAFETY: not null and aligned; the caller promises the rest.
    Ok(unsafe { from.read() })
}

/// What stands in an array of structures whose first element tells the distance between them.
///
/// # Safety
/// As [`structure`], for `count` elements at that distance.
pub(crate) unsafe fn array<T: Structure, U>(
    what: &'static str,
    from: *const T,
    count: usize,
    count_max: usize,
    mut read: impl FnMut(&T) -> Result<U>,
) -> Result<Vec<U>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > count_max {
        return Err(too_many(what, count, count_max));
    }
    // SAFETY: the caller promises at least the size field of the first element.
    let distance = unsafe { size_of_structure(what, from) }?;
    let mut values = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the caller promises `count` elements at this distance, so the address is inside.
        let element = unsafe { from.byte_add(index * distance) };
        // SAFETY: the caller promises a structure there.
        let value = unsafe { structure(what, element) }?;
        values.push(read(&value)?);
    }
    Ok(values)
}

/// An array of numbers; null with count 0 is the empty one.
///
/// # Safety
/// `from` is null or points to `count` readable numbers, unless `count` is over the limit; they stay
/// as they are for `'a`.
pub(crate) unsafe fn items<'a, T: Number>(
    what: &'static str,
    from: *const T,
    count: usize,
    count_max: usize,
) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    aligned(what, from)?;
    if count > count_max {
        return Err(too_many(what, count, count_max));
    }
    // SAFETY: not null and aligned; the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(from, count) })
}

/// What any bytes are a value of.
pub(crate) trait Number: Copy {}

impl Number for u8 {}
impl Number for u32 {}
impl Number for u64 {}

#[inline]
unsafe fn size_of_structure<T: Structure>(what: &'static str, from: *const T) -> Result<usize> {
    aligned(what, from)?;
    // SAFETY: not null and aligned, and the caller promises that the size field can be read.
    let size = unsafe { *from.cast::<u32>() } as usize;
    let known = 8..=size_of::<T>();
    if known.contains(&size) && size.is_multiple_of(8) {
        return Ok(size);
    }
    Err(wrong_size(what, size, size_of::<T>()))
}

/// An out-parameter: checked, not yet written.
#[derive(Debug)]
pub(crate) struct Slot<T>(*mut T);

impl<T> Slot<T> {
    /// Checks where an answer shall go.
    pub(crate) fn new(what: &'static str, to: *mut T) -> Result<Self> {
        aligned(what, to)?;
        Ok(Self(to))
    }

    /// Gives the answer.
    ///
    /// # Safety
    /// The pointer that the slot was made from can still be written.
    pub(crate) unsafe fn set(self, value: T) {
        // SAFETY: not null and aligned; the caller promises the rest.
        unsafe { self.0.write(value) };
    }
}

/// An out-parameter that is a structure, or left out.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    to: *mut T,
    size: usize,
}

impl<T: Structure> Answer<T> {
    /// Checks where a structure shall go. Null means that the host does not want it.
    ///
    /// # Safety
    /// `to` is null or points to a structure of the size that its first four bytes say.
    #[inline]
    pub(crate) unsafe fn new(what: &'static str, to: *mut T) -> Result<Self> {
        if to.is_null() {
            return Ok(Self { to, size: 0 });
        }
        // SAFETY: the caller promises at least the size field.
        let size = unsafe { size_of_structure(what, to) }?;
        Ok(Self { to, size })
    }

    /// As [`Self::new`]; null is refused.
    ///
    /// # Safety
    /// As [`Self::new`].
    pub(crate) unsafe fn needed(what: &'static str, to: *mut T) -> Result<Self> {
        if to.is_null() {
            return Err(null(what));
        }
        // SAFETY: the caller's promise is the same.
        unsafe { Self::new(what, to) }
    }

    /// Gives the answer, as much of it as the host has room for; its size field stays.
    ///
    /// # Safety
    /// The pointer that the answer was made from can still be written.
    #[inline]
    pub(crate) unsafe fn set(self, value: &T) {
        if self.to.is_null() {
            return;
        }
        let (from, to) = (ptr::from_ref(value).cast::<u8>(), self.to.cast::<u8>());
        // SAFETY: `size` is at least 8 and at most the size of T; the caller promises the target.
        unsafe { ptr::copy_nonoverlapping(from.add(4), to.add(4), self.size - 4) };
    }
}

/// Where an array of structures shall go: the size of the first is the distance between them, so an
/// older host gets elements as long as it knows them.
#[derive(Debug)]
pub(crate) struct Answers<T> {
    to: *mut T,
    size: usize,
    capacity: usize,
    count: Slot<usize>,
}

impl<T: Structure> Answers<T> {
    /// Checks where they shall go; null with capacity 0 asks how many there are.
    ///
    /// # Safety
    /// `to` is null or points to a structure of the size that its first four bytes say.
    pub(crate) unsafe fn new(
        what: &'static str,
        to: *mut T,
        capacity: usize,
        count: *mut usize,
    ) -> Result<Self> {
        let count = Slot::new("out_count", count)?;
        if to.is_null() && capacity == 0 {
            return Ok(Self { to, size: 0, capacity, count });
        }
        // SAFETY: the caller promises at least the size field of the first.
        let size = unsafe { size_of_structure(what, to) }?;
        Ok(Self { to, size, capacity, count })
    }

    /// Gives how many there are, and all of them when there is room.
    ///
    /// # Safety
    /// The count can still be written, and room for `capacity` structures of that size.
    pub(crate) unsafe fn give(self, items: &[T]) -> Result<()> {
        // SAFETY: the caller promises that it can be written.
        unsafe { self.count.set(items.len()) };
        if items.len() > self.capacity {
            return Err(too_small(items.len(), self.capacity));
        }
        for (index, item) in items.iter().enumerate() {
            let size = u32::try_from(self.size).expect("it was read from four bytes");
            // SAFETY: the capacity is not 0 here, so `to` is not null and has room for this many.
            let to = unsafe { self.to.cast::<u8>().add(index * self.size) };
            // SAFETY: each begins with its size; what is a multiple of 8 away is aligned as well.
            unsafe { to.cast::<u32>().write(size) };
            let from = ptr::from_ref(item).cast::<u8>();
            // SAFETY: `size` is at least 8 and at most the size of T.
            unsafe { ptr::copy_nonoverlapping(from.add(4), to.add(4), self.size - 4) };
        }
        Ok(())
    }
}

/// Where a text of unknown length shall go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffer {
    /// First byte.
    pub(crate) to: *mut u8,
    /// How many bytes it has.
    pub(crate) capacity: usize,
    /// Where the length that is needed goes; may be null.
    pub(crate) need: *mut usize,
}

impl Buffer {
    /// Gives a text, or says how much room it needs. No terminator is written.
    ///
    /// # Safety
    /// `to` is null or has `capacity` writable bytes; `need` is null or can be written.
    pub(crate) unsafe fn give(self, text: &str) -> Result<()> {
        self.check()?;
        if !self.need.is_null() {
            // SAFETY: not null and aligned; the caller promises the rest.
            unsafe { self.need.write(text.len()) };
        }
        if text.len() > self.capacity {
            return Err(too_small(text.len(), self.capacity));
        }
        if !text.is_empty() {
            // SAFETY: the capacity is not 0 here, so `to` is not null and has that many bytes; a
            // buffer of the host does not overlap a text of ours.
            unsafe { ptr::copy_nonoverlapping(text.as_ptr(), self.to, text.len()) };
        }
        Ok(())
    }

    /// Makes sure of room before a call does what cannot be undone, or says how much it needs.
    ///
    /// # Safety
    /// As [`Self::give`].
    pub(crate) unsafe fn hold(self, most: usize) -> Result<()> {
        self.check()?;
        if self.capacity >= most {
            return Ok(());
        }
        if !self.need.is_null() {
            // SAFETY: not null and aligned; the caller promises the rest.
            unsafe { self.need.write(most) };
        }
        Err(too_small(most, self.capacity))
    }

    /// Whether it is one, before a call does anything.
    pub(crate) fn check(self) -> Result<()> {
        if self.to.is_null() && self.capacity > 0 {
            return Err(null("buffer"));
        }
        if !self.need.is_null() {
            aligned("need", self.need)?;
        }
        Ok(())
    }
}

/// Gives as many items as there is room for, and how many there are.
///
/// # Safety
/// `to` is null or has room for `capacity` items; `count` can be written when it is not null.
pub(crate) unsafe fn give_all<T: Copy>(
    items: &[T],
    to: *mut T,
    capacity: usize,
    count: *mut usize,
) -> Result<()> {
    if to.is_null() && capacity > 0 {
        return Err(null("array"));
    }
    if !to.is_null() {
        aligned("array", to)?;
    }
    let slot = Slot::new("count", count)?;
    // SAFETY: the caller promises that the count can be written.
    unsafe { slot.set(items.len()) };
    if items.len() > capacity {
        return Err(too_small(items.len(), capacity));
    }
    if !items.is_empty() {
        // SAFETY: the capacity is not 0 here, so `to` is not null and has room for them.
        unsafe { ptr::copy_nonoverlapping(items.as_ptr(), to, items.len()) };
    }
    Ok(())
}

#[inline]
fn aligned<T>(what: &'static str, pointer: *const T) -> Result<()> {
    if pointer.is_null() {
        return Err(null(what));
    }
    if pointer.is_aligned() { Ok(()) } else { Err(not_aligned(what, align_of::<T>())) }
}

#[cold]
fn not_aligned(what: &'static str, bytes: usize) -> Error {
    let message = format!("{what} is not aligned to {bytes} bytes");
    Error::new(Code::BadArgument, message).with("argument", what)
}

#[cold]
pub(crate) fn null(what: &'static str) -> Error {
    Error::new(Code::BadArgument, format!("{what} is null")).with("argument", what)
}

#[cold]
fn too_long(kind: Kind, size: usize) -> Error {
    let Kind { what, bytes_max, code } = kind;
    Error::new(code, format!("{what} has {size} bytes, over the limit of {bytes_max}"))
        .with("what", what)
        .with("bytes", size)
        .with("limit", bytes_max)
}

#[cold]
fn too_many(what: &'static str, count: usize, count_max: usize) -> Error {
    let message = format!("{what}: {count} is over the limit of {count_max}");
    Error::new(Code::Limit, message)
        .with("what", what)
        .with("value", count)
        .with("limit", count_max)
}

#[cold]
fn not_utf8(kind: Kind, size: usize, good: usize) -> Error {
    let what = kind.what;
    let message = format!(
        "{what} is not UTF-8 behind byte {good} of {size}; give the length in bytes, not in \
         characters"
    );
    Error::new(Code::BadUtf8, message).with("what", what).with("bytes", size).with("good", good)
}

#[cold]
fn wrong_size(what: &'static str, size: usize, known: usize) -> Error {
    let message = format!(
        "{what}: struct_size {size} is not 8 to {known} in steps of 8; set it to sizeof and build \
         against the header of this library"
    );
    Error::new(Code::StructSize, message)
        .with("argument", what)
        .with("value", size)
        .with("limit", known)
}

#[cold]
pub(crate) fn too_small(need: usize, capacity: usize) -> Error {
    let message = format!("{need} are needed and there is room for {capacity}");
    Error::new(Code::BufferTooSmall, message).with("need", need).with("capacity", capacity)
}
