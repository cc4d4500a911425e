//! The log as other programs read it: a Parquet table, and a file of TensorBoard's events.
//!
//! Both are made from `log.ndjson`, so they are as repeatable as it is. Wall time is nowhere in them: an
//! event carries the number of its step in its place.

use std::path::Path;

use lotwise_market::table::{ColumnData, write_parquet};
use serde_json::Value;

use super::state::write_whole;
use crate::Error;

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    stage: String,
    epoch: i64,
    step: i64,
    /// `train` or `validation`.
    part: &'static str,
    name: String,
    value: f64,
}

/// Writes `log.parquet` and `events.out.tfevents.lotwise` beside a log.
///
/// # Errors
/// Where the log cannot be read or a file cannot be written.
pub fn write_curves(log: &Path) -> Result<(), Error> {
    let text = std::fs::read_to_string(log).map_err(Error::file("read", log))?;
    let points = points(&text);
    write_whole(&log.with_file_name("events.out.tfevents.lotwise"), &events(&points))?;
    let column = |of: fn(&Point) -> i64| points.iter().map(|point| Some(of(point))).collect::<Vec<_>>();
    fn texts(points: &[Point], of: fn(&Point) -> &str) -> Vec<Option<&str>> {
        points.iter().map(|point| Some(of(point))).collect()
    }
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    write_parquet(
        log.with_extension("parquet"),
        &[
            ("stage", ColumnData::Text(&texts(&points, |point| &point.stage))),
            ("epoch", ColumnData::Integer(&column(|point| point.epoch))),
            ("step", ColumnData::Integer(&column(|point| point.step))),
            ("part", ColumnData::Text(&texts(&points, |point| point.part))),
            ("name", ColumnData::Text(&texts(&points, |point| &point.name))),
            ("value", ColumnData::Float(&values)),
        ],
    )?;
    Ok(())
}

/// The numbers of all epochs, in order.
fn points(log: &str) -> Vec<Point> {
    let mut points = Vec::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let (Some(stage), Some(epoch), Some(step)) =
            (line["stage"].as_str(), line["epoch"].as_i64(), line["step"].as_i64())
        else {
            continue;
        };
        for part in ["train", "validation"] {
            for (name, value) in line[part].as_object().into_iter().flatten() {
                if let Some(value) = value.as_f64() {
                    let (stage, name) = (stage.to_owned(), name.clone());
                    points.push(Point { stage, epoch, step, part, name, value });
                }
            }
        }
    }
    points
}

/// Records of the form length, check of the length, event, check of the event.
fn events(points: &[Point]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut version = vec![0x09];
    version.extend(0.0_f64.to_le_bytes());
    field(&mut version, 3, b"brain.Event:2");
    record(&mut file, &version);
    for point in points {
        // Event { 1: wall_time, 2: step, 5: Summary { 1: Value { 1: tag, 2: simple_value } } }
        let mut value = Vec::new();
        field(&mut value, 1, format!("{}/{}", point.part, point.name).as_bytes());
        value.push(0x15);
        value.extend((point.value as f32).to_le_bytes());
        let mut summary = Vec::new();
        field(&mut summary, 1, &value);
        let mut event = vec![0x09];
        event.extend((point.step as f64).to_le_bytes());
        event.push(0x10);
        number(&mut event, point.step.unsigned_abs());
        field(&mut event, 5, &summary);
        record(&mut file, &event);
    }
    file
}

fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(data);
    file.extend(masked(data).to_le_bytes());
}

/// A protocol buffer's field of bytes.
fn field(to: &mut Vec<u8>, tag: u8, data: &[u8]) {
    to.push(tag << 3 | 2);
    number(to, data.len() as u64);
    to.extend(data);
}

/// A protocol buffer's number: seven bits a byte, the lowest first.
fn number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The check of a record: CRC-32C, turned and shifted so that a check over checks is not weak.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli 1993), bit by bit: a log is short.
pub(super) fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_those_of_the_standard() {
        // RFC 3720, B.4.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn a_number_of_the_log_stands_in_an_event() {
        let log = r#"{"event":"epoch","stage":"one","epoch":2,"step":300,"train":{"losses/total":1.5},"validation":{}}
{"event":"stage","stage":"one"}
half a line"#;
        let points = points(log);
        assert_eq!(points.len(), 1);
        let file = events(&points);
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let second = &file[12 + length + 4..];
        let length = u64::from_le_bytes(second[..8].try_into().unwrap()) as usize;
        let event = &second[12..12 + length];
        assert_eq!(second[12 + length..], masked(event).to_le_bytes());
        // Step 300 is 0xac 0x02; the tag and the value end the event.
        assert_eq!(event[9..12], [0x10, 0xac, 0x02]);
        assert_eq!(&event[length - 5..], [&[0x15][..], &1.5_f32.to_le_bytes()].concat());
        assert!(event.windows(18).any(|part| part == b"train/losses/total"));
    }
}
