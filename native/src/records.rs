//! A JSON object -> the elements of a BSON document (https://bsonspec.org), its shape and its time, in one pass.
//!
//! Whatever is not certain to come out as in Python is an error, and the line takes the careful road: keys that
//! stand twice, reserved keys, U+0000 in a key, numbers beyond 64 bits, -0, and nesting beyond 32 levels.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::times;

const DEPTH_MAX: usize = 32;
const FEW_KEYS: usize = 16;
const RESERVED_KEYS: [&str; 3] = ["_id", "_origin", "_time"];
/// From here on a double may have been written as a whole number.
const WHOLE_MAX: f64 = 9.2e18;

/// What a record holds beside its elements.
pub struct Facts {
    /// Equal for records with the same keys in the same order, and the same types.
    pub shape: u64,
    /// The record's own `time`.
    pub time_ms: Option<i64>,
}

/// Writes the elements of a record, without its `time`, behind `document`.
pub fn write_record<S: BuildHasher>(text: &[u8], document: &mut Vec<u8>, hashing: &S) -> Option<Facts> {
    let mut facts = Facts { shape: 0, time_ms: None };
    let mut json = serde_json::Deserializer::from_slice(text);
    let top = Top { document, hashing, facts: &mut facts };
    top.deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(facts)
}

struct Top<'a, S> {
    document: &'a mut Vec<u8>,
    hashing: &'a S,
    facts: &'a mut Facts,
}

impl<'de, S: BuildHasher> DeserializeSeed<'de> for Top<'_, S> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: BuildHasher> Visitor<'de> for Top<'_, S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut hasher = self.hashing.build_hasher();
        let mut keys = Keys::default();
        while let Some(key) = entries.next_key::<Key>()? {
            let key = keys.add(key)?;
            if RESERVED_KEYS.contains(&key) {
                return Err(A::Error::custom("a reserved key"));
            }
            if key == "time" {
                self.facts.time_ms = Some(entries.next_value::<Time>()?.0);
                continue;
            }
            let value = Value { key, document: self.document, hashing: self.hashing, depth: 1 };
            let kind = entries.next_value_seed(value)?;
            (key, kind).hash(&mut hasher);
        }
        self.facts.shape = hasher.finish();
        Ok(())
    }
}

/// The keys of one object so far.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    fn add<E: Error>(&mut self, Key(key): Key<'de>) -> Result<&str, E> {
        let is_there =
            if self.few.len() < FEW_KEYS { self.few.contains(&key) } else { !self.remember(&key) };
        if is_there || key.contains('\0') {
            return Err(E::custom("a key that stands twice, or with U+0000"));
        }
        self.few.push(key);
        Ok(self.few.last().map_or("", |last| last))
    }

    /// Whether a key is new, where there are many.
    fn remember(&mut self, key: &Cow<'de, str>) -> bool {
        if self.many.is_empty() {
            self.many.extend(self.few.iter().cloned());
        }
        self.many.insert(key.clone())
    }
}

/// A key, a part of the text where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

/// A `time` that is certain.
struct Time(i64);

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a time that is certain")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Time, E> {
        let whole = i64::try_from(value).ok().and_then(times::whole_time_ms);
        whole.map(Time).ok_or_else(|| E::custom("no time"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Time, E> {
        times::fractional_time_ms(value).map(Time).ok_or_else(|| E::custom("no time"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Time, E> {
        let is_certain = value.ends_with('Z');
        let time_ms = if is_certain { times::text_time_ms(value.as_bytes()) } else { None };
        time_ms.map(Time).ok_or_else(|| E::custom("no time"))
    }
}

/// What a value is, for the shape: BSON's type, and of objects and lists a hash of what is in them.
type Kind = (u8, u64);

const DOUBLE: u8 = 0x01;
const STRING: u8 = 0x02;
const OBJECT: u8 = 0x03;
const ARRAY: u8 = 0x04;
const BOOLEAN: u8 = 0x08;
const NULL: u8 = 0x0A;
const INT32: u8 = 0x10;
const INT64: u8 = 0x12;

struct Value<'a, S> {
    key: &'a str,
    document: &'a mut Vec<u8>,
    hashing: &'a S,
    depth: usize,
}

impl<S> Value<'_, S> {
    fn begin(&mut self, of: u8) {
        self.document.push(of);
        self.document.extend_from_slice(self.key.as_bytes());
        self.document.push(0);
    }

    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < DEPTH_MAX { Ok(self.depth + 1) } else { Err(E::custom("too deep")) }
    }
}

impl<'de, S: BuildHasher> DeserializeSeed<'de> for Value<'_, S> {
    type Value = Kind;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: BuildHasher> Visitor<'de> for Value<'_, S> {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(mut self) -> Result<Kind, E> {
        self.begin(NULL);
        Ok((NULL, 0))
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<Kind, E> {
        self.begin(BOOLEAN);
        self.document.push(u8::from(value));
        Ok((BOOLEAN, 0))
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<Kind, E> {
        if let Ok(short) = i32::try_from(value) {
            self.begin(INT32);
            self.document.extend_from_slice(&short.to_le_bytes());
        } else {
            self.begin(INT64);
            self.document.extend_from_slice(&value.to_le_bytes());
        }
        Ok((INT64, 0))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Kind, E> {
        let value = i64::try_from(value).map_err(|_| E::custom("beyond 64 bits"))?;
        self.visit_i64(value)
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<Kind, E> {
        if value.abs() >= WHOLE_MAX || (value == 0.0 && value.is_sign_negative()) {
            return Err(E::custom("perhaps a whole number"));
        }
        self.begin(DOUBLE);
        self.document.extend_from_slice(&value.to_le_bytes());
        Ok((DOUBLE, 0))
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<Kind, E> {
        let size = i32::try_from(value.len() + 1).map_err(|_| E::custom("too large"))?;
        self.begin(STRING);
        self.document.extend_from_slice(&size.to_le_bytes());
        self.document.extend_from_slice(value.as_bytes());
        self.document.push(0);
        Ok((STRING, 0))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Kind, A::Error> {
        let depth = self.deeper()?;
        self.begin(OBJECT);
        let start = begin_container(self.document);
        let mut hasher = self.hashing.build_hasher();
        let mut keys = Keys::default();
        while let Some(key) = entries.next_key::<Key>()? {
            let key = keys.add(key)?;
            let value = Value { key, document: self.document, hashing: self.hashing, depth };
            (key, entries.next_value_seed(value)?).hash(&mut hasher);
        }
        end_container(self.document, start);
        Ok((OBJECT, hasher.finish()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Kind, A::Error> {
        let depth = self.deeper()?;
        self.begin(ARRAY);
        let start = begin_container(self.document);
        let mut kinds: Vec<Kind> = Vec::new();
        for index in 0_usize.. {
            let key = index.to_string();
            let value = Value { key: &key, document: self.document, hashing: self.hashing, depth };
            let Some(kind) = elements.next_element_seed(value)? else { break };
            if !kinds.contains(&kind) {
                if kinds.len() == FEW_KEYS {
                    return Err(A::Error::custom("a list of many kinds"));
                }
                kinds.push(kind);
            }
        }
        end_container(self.document, start);
        kinds.sort_unstable();
        Ok((ARRAY, self.hashing.hash_one(&kinds)))
    }
}

/// Leaves room for the size of a document; returns where it begins.
pub fn begin_container(document: &mut Vec<u8>) -> usize {
    let start = document.len();
    document.extend_from_slice(&[0; 4]);
    start
}

/// Ends a document and writes its size.
pub fn end_container(document: &mut Vec<u8>, start: usize) {
    document.push(0);
    let size = (document.len() - start) as u32; // a payload of 1 MiB makes less than 2 GiB
    document[start..start + 4].copy_from_slice(&size.to_le_bytes());
}
