//! The schemas as data, and a writer that makes messages of them: by random values or by defaults
//! alone.

use bytes::{BufMut, BytesMut};
use protocol::{DecodeError, EncodeError, Message, decode_exact};

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Struct(&'static str),
    Array(&'static Kind),
}

type Versions = Option<(i16, i16)>;

pub struct Field {
    kind: Kind,
    versions: Versions,
    nullable: Versions,
    tagged: Option<(u32, Versions)>,
    default: Option<&'static str>,
    never_flexible: bool,
}

pub const fn field(kind: Kind, versions: Versions) -> Field {
    Field { kind, versions, nullable: None, tagged: None, default: None, never_flexible: false }
}

impl Field {
    pub const fn nullable(mut self, low: i16, high: i16) -> Field {
        self.nullable = Some((low, high));
        self
    }

    pub const fn tagged(mut self, tag: u32, low: i16, high: i16) -> Field {
        self.tagged = Some((tag, Some((low, high))));
        self
    }

    pub const fn default(mut self, text: &'static str) -> Field {
        self.default = Some(text);
        self
    }

    pub const fn never_flexible(mut self) -> Field {
        self.never_flexible = true;
        self
    }
}

pub struct Structure {
    pub name: &'static str,
    pub fields: &'static [Field],
}

pub struct Schema {
    pub set: &'static str,
    pub name: &'static str,
    pub versions: (i16, i16),
    pub flexible: Versions,
    pub structs: &'static [Structure],
    /// Decodes by the generated code and encodes again.
    pub recode: fn(&[u8], i16) -> Result<Vec<u8>, DecodeError>,
    /// Encodes the generated type's default.
    pub write_default: fn(i16) -> Result<Vec<u8>, EncodeError>,
}

pub fn recode<M: Message>(bytes: &[u8], version: i16) -> Result<Vec<u8>, DecodeError> {
    let message: M = decode_exact(bytes, version)?;
    let mut writer = BytesMut::new();
    message
        .encode(&mut writer, version)
        .expect("what was decoded in a version can be encoded in it");
    Ok(writer.to_vec())
}

pub fn write_default<M: Message + Default>(version: i16) -> Result<Vec<u8>, EncodeError> {
    let mut writer = BytesMut::new();
    M::default().encode(&mut writer, version)?;
    Ok(writer.to_vec())
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn within(versions: Versions, version: i16) -> bool {
    versions.is_some_and(|(low, high)| low <= version && version <= high)
}

/// Writes one message of a schema. Without `random` every field has its default.
pub struct Writer<'a> {
    pub schema: &'a Schema,
    pub version: i16,
    pub random: Option<Random>,
}

impl Writer<'_> {
    pub fn message(&mut self) -> Vec<u8> {
        let mut out = BytesMut::new();
        self.structure(&mut out, self.schema.name);
        out.to_vec()
    }

    fn structure(&mut self, out: &mut BytesMut, name: &str) {
        let structs = self.schema.structs;
        let structure =
            structs.iter().find(|structure| structure.name == name).expect("structures are listed");
        let mut tagged = Vec::new();
        let version = self.version;
        for field in structure.fields.iter().filter(|field| within(field.versions, version)) {
            match field.tagged {
                Some((tag, versions)) if within(versions, version) => tagged.push((tag, field)),
                _ => self.field(out, field, false),
            }
        }
        if within(self.schema.flexible, self.version) {
            tagged.sort_by_key(|(tag, _)| *tag);
            self.tags(out, &tagged);
        }
    }

    fn tags(&mut self, out: &mut BytesMut, tagged: &[(u32, &Field)]) {
        let mut present = Vec::new();
        for (tag, field) in tagged {
            let mut bytes = BytesMut::new();
            self.field(&mut bytes, field, true);
            let mut default = BytesMut::new();
            Writer { schema: self.schema, version: self.version, random: None }.field(
                &mut default,
                field,
                true,
            );
            if bytes != default {
                present.push((*tag, bytes));
            }
        }
        uvarint(out, present.len());
        for (tag, bytes) in present {
            uvarint(out, tag as usize);
            uvarint(out, bytes.len());
            out.put_slice(&bytes);
        }
    }

    fn field(&mut self, out: &mut BytesMut, field: &Field, tagged: bool) {
        let flexible = within(self.schema.flexible, self.version) && !field.never_flexible;
        let nullable = within(field.nullable, self.version);
        let null = match &mut self.random {
            Some(random) => nullable && random.below(4) == 0,
            None => field.default == Some("null"),
        };
        assert!(
            !null || nullable,
            "a default of null in version {} of {}",
            self.version,
            self.schema.name
        );
        if let Kind::Struct(name) = field.kind {
            match (nullable, tagged) {
                (true, true) => uvarint(out, usize::from(!null)),
                (true, false) => out.put_i8(if null { -1 } else { 1 }),
                (false, _) => (),
            }
            if !null {
                self.structure(out, name);
            }
        } else if null {
            match field.kind {
                _ if flexible => out.put_u8(0),
                Kind::String => out.put_i16(-1),
                _ => out.put_i32(-1),
            }
        } else {
            self.value(out, field.kind, flexible, field.default);
        }
    }

    fn value(&mut self, out: &mut BytesMut, kind: Kind, flexible: bool, default: Option<&str>) {
        let number = match &mut self.random {
            // Small numbers as often as large ones.
            Some(random) => random.next() >> (8 * random.below(8)),
            None => number(default.unwrap_or("0")),
        };
        match kind {
            Kind::Bool => out.put_u8(number as u8 & 1),
            Kind::Int8 => out.put_u8(number as u8),
            Kind::Int16 | Kind::Uint16 => out.put_u16(number as u16),
            Kind::Int32 | Kind::Uint32 => out.put_u32(number as u32),
            Kind::Int64 => out.put_u64(number),
            Kind::Float64 => out.put_f64(number as f64),
            Kind::Uuid => out.put_u128(u128::from(number) << 64 | u128::from(number)),
            Kind::String | Kind::Bytes => {
                let text: String = match &mut self.random {
                    Some(random) => (0..random.below(6))
                        .map(|_| ['a', '-', 'é', '雪', '7'][random.below(5)])
                        .collect(),
                    None => String::new(),
                };
                match kind {
                    _ if flexible => uvarint(out, text.len() + 1),
                    Kind::String => out.put_i16(text.len() as i16),
                    _ => out.put_i32(text.len() as i32),
                }
                out.put_slice(text.as_bytes());
            }
            Kind::Array(element) => {
                let count = self.random.as_mut().map_or(0, |random| random.below(4));
                if flexible {
                    uvarint(out, count + 1)
                } else {
                    out.put_i32(count as i32)
                }
                for _ in 0..count {
                    match *element {
                        Kind::Struct(name) => self.structure(out, name),
                        scalar => self.value(out, scalar, flexible, None),
                    }
                }
            }
            Kind::Struct(_) => unreachable!("written by its name"),
        }
    }
}

fn number(text: &str) -> u64 {
    match (text, text.strip_prefix("0x")) {
        ("" | "false", _) => 0,
        ("true", _) => 1,
        (_, Some(digits)) => u64::from_str_radix(digits, 16).expect("defaults are numbers"),
        (_, None) => text.parse::<i64>().expect("defaults are numbers") as u64,
    }
}

fn uvarint(out: &mut BytesMut, value: usize) {
    let mut value = value;
    while value > 0x7f {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// A message of random values; the same for the same seed.
pub fn random_message(schema: &Schema, version: i16, seed: u64) -> Vec<u8> {
    Writer { schema, version, random: Some(Random(seed)) }.message()
}
