//! The wire format of Protocol Buffers, as far as ONNX needs it: fields with a number and one of three kinds
//! of content.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub struct Message(Vec<u8>);

/// Kinds of content.
const VARINT: u64 = 0;
const BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A whole number; below zero as the two's complement of 64 bits.
    pub fn int(mut self, field: u64, value: i64) -> Self {
        self.key(field, VARINT);
        self.varint(value.cast_unsigned());
        self
    }

    pub fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FOUR_BYTES);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// One field for each of some values.
    pub fn each<T>(self, values: impl IntoIterator<Item = T>, write: impl Fn(Self, T) -> Self) -> Self {
        values.into_iter().fold(self, write)
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        // The numbers of the format's own documentation: 150 in field 1, "testing" in field 2.
        let message = Message::default().int(1, 150).text(2, "testing");
        assert_eq!(message.clone().into_bytes(), *b"\x08\x96\x01\x12\x07testing");
        let outer = Message::default().message(3, &message).float(4, 1.0).int(5, -1);
        let mut wanted = b"\x1a\x0c\x08\x96\x01\x12\x07testing\x25\0\0\x80\x3f\x28".to_vec();
        wanted.extend([0xff; 9]);
        wanted.push(1);
        assert_eq!(outer.into_bytes(), wanted);
    }
}
