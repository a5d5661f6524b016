//! Parquet files as rows of JSON values.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types as t;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value};

use crate::error::{Problem, ReadError};
use crate::lines::{Chunk, Content, RawRow};
use crate::source::share;

const BATCH_ROWS: usize = 1024;

/// Reads a Parquet file, a chunk of rows at a time.
pub(crate) struct Table {
    name: Arc<str>,
    reader: ParquetRecordBatchReader,
    row: u64,
    rows: u64,
    /// Progress in bytes of the file, told from the share of rows.
    read: Arc<AtomicU64>,
    bytes: u64,
}

impl Table {
    pub(crate) fn open(
        file: File,
        name: &Arc<str>,
        read: Arc<AtomicU64>,
    ) -> Result<Self, ReadError> {
        let bytes = file.metadata().map_or(0, |meta| meta.len());
        let builder = guarded(name, || ParquetRecordBatchReaderBuilder::try_new(file))?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader = guarded(name, || builder.with_batch_size(BATCH_ROWS).build())?;
        Ok(Self { name: name.clone(), reader, row: 0, rows, read, bytes })
    }

    /// The next rows; an empty chunk at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Chunk, ReadError> {
        let reader = &mut self.reader;
        let batch = guarded(&self.name, || reader.by_ref().find_map(not_empty).transpose())?;
        let Some(batch) = batch else { return Ok(Chunk::default()) };
        let first = self.row;
        self.row += batch.num_rows() as u64;
        self.read.store(share(self.row, self.rows, self.bytes), Ordering::Relaxed);
        let rows = (first..self.row).zip(0..).map(|(row, i)| {
            let content = Content::Columns(columns(&batch, i));
            RawRow { number: row + 1, row, offset: 0, content }
        });
        Ok(Chunk { bytes: Vec::new(), rows: rows.collect() })
    }
}

fn not_empty<E>(batch: Result<RecordBatch, E>) -> Option<Result<RecordBatch, E>> {
    Some(batch).filter(|batch| !batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0))
}

/// The Parquet library panics on some damaged files; that is an error of the file like any other.
fn guarded<T, E: std::fmt::Display>(
    name: &Arc<str>,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, ReadError> {
    let detail = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it is damaged".to_owned(),
    };
    Err(ReadError::Parquet { file: name.clone(), detail })
}

fn columns(batch: &RecordBatch, row: usize) -> Result<Map<String, Value>, Problem> {
    let schema = batch.schema_ref();
    let cells = schema.fields().iter().zip(batch.columns());
    cells
        .map(|(field, array)| match cell(array, row) {
            Ok(value) => Ok((field.name().clone(), value)),
            Err(detail) => Err(Problem::Unsupported { column: field.name().clone(), detail }),
        })
        .collect()
}

/// One value. A NaN is how tables write a missing number: null.
fn cell(array: &dyn Array, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => array.as_primitive::<t::Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<t::Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<t::Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<t::Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<t::UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<t::UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<t::UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<t::UInt64Type>().value(row).into(),
        DataType::Float16 => float(array.as_primitive::<t::Float16Type>().value(row).to_f64())?,
        DataType::Float32 => float(array.as_primitive::<t::Float32Type>().value(row).into())?,
        DataType::Float64 => float(array.as_primitive::<t::Float64Type>().value(row))?,
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => utf8(array.as_binary::<i32>().value(row))?,
        DataType::LargeBinary => utf8(array.as_binary::<i64>().value(row))?,
        DataType::BinaryView => utf8(array.as_binary_view().value(row))?,
        _ => return nested(array, row),
    })
}

fn nested(array: &dyn Array, row: usize) -> Result<Value, String> {
    match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns.map(|(field, column)| Ok((field.name().clone(), cell(column, row)?))).collect()
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pair = |i| Ok((key(cell(keys, i)?), cell(values, i)?));
            (0..entries.len()).map(pair).collect()
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            cell(dictionary.values(), keys[row])
        }
        _ => moment(array, row),
    }
}

/// Dates and times as ISO 8601.
fn moment(array: &dyn Array, row: usize) -> Result<Value, String> {
    macro_rules! datetime {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value_as_datetime(row)
        };
    }
    let time = match array.data_type() {
        DataType::Date32 => {
            let date = array.as_primitive::<t::Date32Type>().value_as_date(row);
            return date.map(|d| d.to_string().into()).ok_or_else(|| "a date out of range".into());
        }
        DataType::Date64 => datetime!(t::Date64Type),
        DataType::Timestamp(TimeUnit::Second, _) => datetime!(t::TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => datetime!(t::TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => datetime!(t::TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => datetime!(t::TimestampNanosecondType),
        DataType::Decimal128(..) => {
            return decimal(&array.as_primitive::<t::Decimal128Type>().value_as_string(row));
        }
        other => {
            return Err(format!(
                "the type {other} has no JSON form: convert it to text or numbers"
            ));
        }
    };
    time.map(|t| t.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into())
        .ok_or_else(|| "a time out of range".into())
}

fn list(items: &dyn Array) -> Result<Value, String> {
    (0..items.len()).map(|i| cell(items, i)).collect()
}

fn key(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn float(value: f64) -> Result<Value, String> {
    if value.is_infinite() {
        return Err(format!("{value} is not JSON: write null where there is no number"));
    }
    Ok(Value::from(value))
}

fn decimal(text: &str) -> Result<Value, String> {
    float(text.parse().map_err(|_| format!("{text} is not a number"))?)
}

fn utf8(bytes: &[u8]) -> Result<Value, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err("bytes that are not UTF-8 have no JSON form: convert them to text".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_of_the_library_is_an_error_of_the_file() {
        let result = guarded::<(), String>(&"a.parquet".into(), || panic!("out of bounds"));
        let text = "a.parquet: not a readable Parquet file: it is damaged";
        assert_eq!(result.unwrap_err().to_string(), text);
    }
}
