//! Fields as CBOR: how each type of a fact is written, read and shown.

use crate::money::{Currency, Decimal};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use serde_json::Value;
use std::convert::Infallible;
use std::fmt;

pub(crate) type Writer<'a> = Encoder<&'a mut Vec<u8>>;
pub(crate) type WriteResult = std::result::Result<(), minicbor::encode::Error<Infallible>>;

/// A record whose bytes are not what its kind promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(pub String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(error: minicbor::decode::Error) -> Self {
        Self(error.to_string())
    }
}

/// A BLAKE3 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// One field of a fact.
pub(crate) trait Field: Sized {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult;
    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError>;
    fn show(&self) -> Value;

    /// Left out of the map when absent.
    fn is_absent(&self) -> bool {
        false
    }

    /// What a missing field stands for.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! number_field {
    ($($type:ty, $method:ident);+) => {$(
        impl Field for $type {
            fn write(&self, out: &mut Writer<'_>) -> WriteResult {
                out.$method(*self).map(drop)
            }

            fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Ok(input.$method()?)
            }

            fn show(&self) -> Value {
                Value::from(*self)
            }
        }
    )+};
}

number_field! { u64, u64; u32, u32; i64, i64; bool, bool }

impl Field for String {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.str(self).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(input.str()?.to_owned())
    }

    fn show(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        match self {
            Some(value) => value.write(out),
            None => out.null().map(drop),
        }
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if input.datatype()? == Type::Null {
            input.null()?;
            return Ok(None);
        }
        T::read(input).map(Some)
    }

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, Field::show)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Field> Field for Vec<T> {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.array(self.len() as u64)?;
        self.iter().try_for_each(|item| item.write(out))
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = definite(input.array()?)?;
        // A damaged count must not reserve memory; the items themselves run out soon enough.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::read(input)?);
        }
        Ok(items)
    }

    fn show(&self) -> Value {
        self.iter().map(Field::show).collect()
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A CBOR decimal fraction without its tag: `[-scale, mantissa]` (RFC 8949, section 3.4.4).
impl Field for Decimal {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.array(2)?.i8(-(self.scale().cast_signed()))?.i64(self.mantissa()).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if definite(input.array()?)? != 2 {
            return Err(DecodeError("a decimal is not a pair".to_owned()));
        }
        let exponent = input.i8()?;
        let mantissa = input.i64()?;
        u8::try_from(-i16::from(exponent))
            .ok()
            .and_then(|scale| Self::new(mantissa, scale))
            .ok_or_else(|| DecodeError(format!("a decimal has the exponent {exponent}")))
    }

    fn show(&self) -> Value {
        Value::from(self.to_string())
    }
}

impl Field for Currency {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.str(self.letters()).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Self::parse(input.str()?).map_err(|error| DecodeError(error.to_string()))
    }

    fn show(&self) -> Value {
        Value::from(self.letters())
    }
}

impl Field for Hash {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.bytes(&self.0).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let bytes = input.bytes()?;
        let hash =
            bytes.try_into().map_err(|_| DecodeError("a hash is not 32 bytes".to_owned()))?;
        Ok(Self(hash))
    }

    fn show(&self) -> Value {
        Value::from(self.to_string())
    }
}

/// Opaque bytes, shown in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Field for Bytes {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.bytes(&self.0).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self(input.bytes()?.to_vec()))
    }

    fn show(&self) -> Value {
        Value::from(hex(&self.0))
    }
}

/// Reads a body that is one value and nothing behind it.
pub(crate) fn whole<T: Field>(body: &[u8]) -> Result<T, DecodeError> {
    let mut input = Decoder::new(body);
    let value = T::read(&mut input)?;
    if input.position() == body.len() {
        return Ok(value);
    }
    Err(DecodeError(format!("{} bytes follow the map", body.len() - input.position())))
}

/// Bytes as lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn definite(length: Option<u64>) -> Result<u64, DecodeError> {
    length.ok_or_else(|| DecodeError("an array or map has no length".to_owned()))
}

/// A struct whose fields carry the integer keys of a CBOR map.
macro_rules! map_struct {
    (
        $(#[doc = $doc:literal])+
        $name:ident {
            $( $(#[doc = $field_doc:literal])+ $key:literal $field:ident: $type:ty, )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $field_doc])+ pub $field: $type, )+
        }

        impl $crate::journal::codec::Field for $name {
            fn write(
                &self,
                out: &mut $crate::journal::codec::Writer<'_>,
            ) -> $crate::journal::codec::WriteResult {
                let count = 0 $( + u64::from(!self.$field.is_absent()) )+;
                out.map(count)?;
                $(
                    if !self.$field.is_absent() {
                        out.u8($key)?;
                        self.$field.write(out)?;
                    }
                )+
                Ok(())
            }

            fn read(
                input: &mut minicbor::Decoder<'_>,
            ) -> Result<Self, $crate::journal::codec::DecodeError> {
                $( let mut $field: Option<$type> = None; )+
                for _ in 0..$crate::journal::codec::definite(input.map()?)? {
                    match input.u64()? {
                        $( $key => {
                            let value = <$type>::read(input)?;
                            if $field.replace(value).is_some() {
                                return Err($crate::journal::codec::DecodeError(concat!(
                                    stringify!($name), " has two ", stringify!($field)
                                ).to_owned()));
                            }
                        } )+
                        _ => input.skip()?,
                    }
                }
                Ok(Self {
                    $( $field: $field.or_else(<$type>::absent).ok_or_else(|| {
                        $crate::journal::codec::DecodeError(
                            concat!(stringify!($name), " lacks ", stringify!($field)).to_owned(),
                        )
                    })?, )+
                })
            }

            fn show(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $(
                    if !self.$field.is_absent() {
                        map.insert(
                            $crate::journal::codec::camel_case(stringify!($field)),
                            self.$field.show(),
                        );
                    }
                )+
                serde_json::Value::Object(map)
            }
        }
    };
}
pub(crate) use map_struct;

/// An enum that is written as a small number and shown as its name.
macro_rules! number_enum {
    (
        $(#[doc = $doc:literal])+
        $name:ident { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $number:literal, $text:literal; )+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $( $(#[doc = $variant_doc])+ $variant, )+ }

        impl $name {
            /// The name that hosts see.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }
        }

        impl $crate::journal::codec::Field for $name {
            fn write(
                &self,
                out: &mut $crate::journal::codec::Writer<'_>,
            ) -> $crate::journal::codec::WriteResult {
                out.u8(match self { $( Self::$variant => $number, )+ }).map(drop)
            }

            fn read(
                input: &mut minicbor::Decoder<'_>,
            ) -> Result<Self, $crate::journal::codec::DecodeError> {
                match input.u8()? {
                    $( $number => Ok(Self::$variant), )+
                    other => Err($crate::journal::codec::DecodeError(format!(
                        "{other} is no {}", stringify!($name)
                    ))),
                }
            }

            fn show(&self) -> serde_json::Value {
                serde_json::Value::from(self.name())
            }
        }
    };
}
pub(crate) use number_enum;

pub(crate) fn camel_case(snake: &str) -> String {
    let mut upper = false;
    snake
        .chars()
        .filter_map(|letter| {
            if letter == '_' {
                upper = true;
                return None;
            }
            let letter = if upper { letter.to_ascii_uppercase() } else { letter };
            upper = false;
            Some(letter)
        })
        .collect()
}
