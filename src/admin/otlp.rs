//! The numbers in a push of client metrics: `MetricsData` of OTLP 1.x, as clients send it
//! (KIP-714).
//!
//! Pure: bytes in, points out. Read with a cursor of its own rather than with `prost`: a message of
//! two bytes becomes a structure of a hundred there, and a client says how many there are. Nothing
//! is allocated here but the labels of one point. What clients do not send (histograms, exemplars)
//! is passed over. Never: believes a length beyond the bytes that are there.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a field ends behind its message")]
    Truncated,
    #[error("a field has a number or a type that protobuf does not have")]
    Tag,
    #[error("a name is no text")]
    Text,
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gauge,
    Sum { is_delta: bool, is_monotonic: bool },
}

/// A number of a metric.
#[derive(Debug, PartialEq)]
pub struct Point<'a> {
    pub metric: &'a str,
    pub kind: Kind,
    pub value: f64,
    /// Of the point, then of the client that sends it.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
}

/// Labels of one point: more than any client has.
const LABELS_MAX: usize = 32;

/// The value of a field.
#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes().unwrap_or_default()).map_err(|_| Malformed::Text)
    }
}

/// The fields of a message, in their order.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Tag)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let bytes = self.take(8)?;
                Value::Fixed64(u64::from_le_bytes(bytes.try_into().expect("eight were taken")))
            }
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => {
                self.take(4)?;
                Value::Fixed32
            }
            _ => return Err(Malformed::Tag),
        };
        match tag >> 3 {
            0 => Err(Malformed::Tag),
            number => Ok((number, value)),
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Runs `each` with the messages that are field `number` of this one.
fn messages<'a>(
    message: &'a [u8],
    number: u64,
    mut each: impl FnMut(&'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    for field in Fields(message) {
        let (found, value) = field?;
        if let Some(bytes) = value.bytes().filter(|_| found == number) {
            each(bytes)?;
        }
    }
    Ok(())
}

/// Runs `each` with every number of a push. Err: the rest cannot be read.
pub fn read<'a>(push: &'a [u8], mut each: impl FnMut(Point<'a>)) -> Result<(), Malformed> {
    const RESOURCE_METRICS: u64 = 1;
    const RESOURCE: u64 = 1;
    const SCOPE_METRICS: u64 = 2;
    const METRICS: u64 = 2;
    messages(push, RESOURCE_METRICS, |of_resource| {
        let mut resource = Vec::new();
        messages(of_resource, RESOURCE, |found| labels(found, 1, &mut resource))?;
        messages(of_resource, SCOPE_METRICS, |of_scope| {
            messages(of_scope, METRICS, |metric| read_metric(metric, &resource, &mut each))
        })
    })
}

fn read_metric<'a>(
    metric: &'a [u8],
    resource: &[(&'a str, Cow<'a, str>)],
    each: &mut impl FnMut(Point<'a>),
) -> Result<(), Malformed> {
    const NAME: u64 = 1;
    const GAUGE: u64 = 5;
    const SUM: u64 = 7;
    let (mut name, mut data) = ("", None);
    for field in Fields(metric) {
        match field? {
            (NAME, value) => name = value.text()?,
            (GAUGE, Value::Bytes(gauge)) => data = Some((Kind::Gauge, gauge)),
            (SUM, Value::Bytes(sum)) => data = Some((sum_kind(sum)?, sum)),
            _ => {}
        }
    }
    let Some((kind, points)) = data else { return Ok(()) };
    messages(points, 1, |point| {
        if let Some((value, mut labels)) = read_point(point)? {
            labels.extend(resource.iter().cloned());
            each(Point { metric: name, kind, value, labels });
        }
        Ok(())
    })
}

fn sum_kind(sum: &[u8]) -> Result<Kind, Malformed> {
    const TEMPORALITY: u64 = 2;
    const MONOTONIC: u64 = 3;
    const DELTA: u64 = 1;
    let (mut is_delta, mut is_monotonic) = (false, false);
    for field in Fields(sum) {
        match field? {
            (TEMPORALITY, Value::Varint(temporality)) => is_delta = temporality == DELTA,
            (MONOTONIC, Value::Varint(monotonic)) => is_monotonic = monotonic != 0,
            _ => {}
        }
    }
    Ok(Kind::Sum { is_delta, is_monotonic })
}

/// `None`: it has no value.
fn read_point(point: &[u8]) -> Result<Option<(f64, Vec<(&str, Cow<'_, str>)>)>, Malformed> {
    const AS_DOUBLE: u64 = 4;
    const AS_INT: u64 = 6;
    const ATTRIBUTES: u64 = 7;
    let (mut value, mut found) = (None, Vec::new());
    for field in Fields(point) {
        match field? {
            (AS_DOUBLE, Value::Fixed64(bits)) => value = Some(f64::from_bits(bits)),
            (AS_INT, Value::Fixed64(bits)) => value = Some(bits as i64 as f64),
            _ => {}
        }
    }
    labels(point, ATTRIBUTES, &mut found)?;
    Ok(value.map(|value| (value, found)))
}

/// The attributes that are field `number` of a message. Values that are no text, number or truth
/// are left out.
fn labels<'a>(
    message: &'a [u8],
    number: u64,
    labels: &mut Vec<(&'a str, Cow<'a, str>)>,
) -> Result<(), Malformed> {
    messages(message, number, |attribute| {
        let (mut key, mut value) = ("", None);
        for field in Fields(attribute) {
            match field? {
                (1, name) => key = name.text()?,
                (2, Value::Bytes(any)) => value = any_value(any)?,
                _ => {}
            }
        }
        if let Some(value) = value.filter(|_| labels.len() < LABELS_MAX) {
            labels.push((key, value));
        }
        Ok(())
    })
}

fn any_value(any: &[u8]) -> Result<Option<Cow<'_, str>>, Malformed> {
    let mut found = None;
    for field in Fields(any) {
        match field? {
            (1, text) => found = Some(text.text()?.into()),
            (2, Value::Varint(truth)) => found = Some((truth != 0).to_string().into()),
            (3, Value::Varint(number)) => found = Some((number as i64).to_string().into()),
            (4, Value::Fixed64(bits)) => found = Some(f64::from_bits(bits).to_string().into()),
            _ => {}
        }
    }
    Ok(found)
}

/// Writes what is read above, for tests.
#[cfg(test)]
pub mod writing {
    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    pub fn number(field: u64, value: u64) -> Vec<u8> {
        [varint(field << 3), varint(value)].concat()
    }

    pub fn fixed(field: u64, bits: u64) -> Vec<u8> {
        [varint(field << 3 | 1), bits.to_le_bytes().to_vec()].concat()
    }

    pub fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
        let content = parts.concat();
        [varint(field << 3 | 2), varint(content.len() as u64), content].concat()
    }

    pub fn text(field: u64, text: &str) -> Vec<u8> {
        message(field, &[text.as_bytes().to_vec()])
    }

    pub fn attribute(field: u64, key: &str, value: &str) -> Vec<u8> {
        message(field, &[text(1, key), message(2, &[text(1, value)])])
    }

    pub fn point(value: f64, labels: &[(&str, &str)]) -> Vec<u8> {
        let mut parts = vec![fixed(3, 1), fixed(4, value.to_bits())];
        parts.extend(labels.iter().map(|(key, value)| attribute(7, key, value)));
        message(1, &parts)
    }

    pub fn gauge(name: &str, points: &[Vec<u8>]) -> Vec<u8> {
        message(2, &[text(1, name), message(5, points)])
    }

    /// Monotonic.
    pub fn sum(name: &str, is_delta: bool, points: &[Vec<u8>]) -> Vec<u8> {
        let kind = [number(2, if is_delta { 1 } else { 2 }), number(3, 1)].concat();
        message(2, &[text(1, name), message(7, &[points.concat(), kind])])
    }

    /// A whole push.
    pub fn push(resource: &[(&str, &str)], metrics: &[Vec<u8>]) -> Vec<u8> {
        let attributes: Vec<Vec<u8>> =
            resource.iter().map(|(key, value)| attribute(1, key, value)).collect();
        let scope = message(2, &[message(1, &[text(1, "scope")]), metrics.concat()]);
        message(1, &[message(1, &attributes), scope])
    }
}

#[cfg(test)]
mod tests {
    use super::writing::*;
    use super::*;

    fn points(push: &[u8]) -> Result<Vec<Point<'_>>, Malformed> {
        let mut points = Vec::new();
        read(push, |point| points.push(point)).map(|()| points)
    }

    fn whole() -> Vec<u8> {
        let integer = message(1, &[fixed(6, -3i64 as u64), number(8, 1)]);
        push(
            &[("client_rack", "r1")],
            &[
                gauge("a", &[point(1.5, &[("node", "7")]), point(2.0, &[])]),
                sum("b", true, &[integer]),
                message(2, &[text(1, "a histogram"), message(9, &[number(2, 1)])]),
                gauge("no value", &[message(1, &[fixed(3, 1)])]),
            ],
        )
    }

    #[test]
    fn gauges_and_sums_are_read_with_their_labels() {
        let push = whole();
        let read = points(&push).unwrap();
        let rack = ("client_rack", Cow::from("r1"));
        let sum = Kind::Sum { is_delta: true, is_monotonic: true };
        assert_eq!(
            read,
            [
                Point {
                    metric: "a",
                    kind: Kind::Gauge,
                    value: 1.5,
                    labels: vec![("node", "7".into()), rack.clone()],
                },
                Point { metric: "a", kind: Kind::Gauge, value: 2.0, labels: vec![rack.clone()] },
                Point { metric: "b", kind: sum, value: -3.0, labels: vec![rack] },
            ]
        );
        assert_eq!(points(&[]), Ok(vec![]));
    }

    #[test]
    fn attributes_that_are_no_text_are_shown_as_text() {
        let any = |value: Vec<u8>| message(7, &[text(1, "k"), message(2, &[value])]);
        let parts = [
            fixed(4, 0),
            any(number(2, 1)),
            any(number(3, -5i64 as u64)),
            any(fixed(4, 0.5f64.to_bits())),
            any(message(5, &[])),
        ];
        let push = push(&[], &[gauge("a", &[message(1, &parts)])]);
        let read = points(&push).unwrap();
        let values: Vec<&str> = read[0].labels.iter().map(|(_, value)| &**value).collect();
        assert_eq!(values, ["true", "-5", "0.5"]);
    }

    #[test]
    fn what_is_cut_off_is_an_error_or_less_and_never_more() {
        let push = whole();
        for end in 0..push.len() {
            assert!(points(&push[..end]).is_err() || end == 0, "cut at {end}");
        }
        // Any byte may be another one.
        for at in 0..push.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut bent = push.clone();
                bent[at] ^= bits;
                if let Ok(points) = points(&bent) {
                    // Each has a value of eight bytes, and its tag.
                    assert!(points.len() * 9 <= bent.len(), "byte {at}");
                }
            }
        }
        assert_eq!(points(&[0x0b]), Err(Malformed::Tag));
        assert_eq!(points(&[0x02, 0]), Err(Malformed::Tag));
        assert_eq!(points(&[0xff; 11]), Err(Malformed::Tag));
        let huge = [vec![0x0a], vec![0xff; 9], vec![1]].concat();
        assert_eq!(points(&huge), Err(Malformed::Truncated));
        let not_text = message(1, &[message(2, &[message(2, &[message(1, &[vec![0xff]])])])]);
        assert_eq!(points(&not_text), Err(Malformed::Text));
    }
}
