//! JSON rows to Parquet: a first pass finds the type of each column, a second one writes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, NullArray, RecordBatch,
    RecordBatchOptions, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 8 << 20;
/// A row group is closed when it holds this much, so that memory does not grow with the file.
const GROUP_BYTES: usize = 64 << 20;
/// An object with more keys than this is kept as JSON text.
const MAX_KEYS: usize = 512;

/// The type of a column: the least that holds all its values.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Nothing but nulls so far.
    Null,
    Bool,
    Int,
    Float,
    Text,
    List(Box<Kind>),
    Object(Vec<(String, Kind)>),
    /// Values of several types, kept as JSON text.
    Json,
}

impl Kind {
    /// Widens the type to hold `value` as well.
    fn widen(&mut self, value: &Value) {
        match (&mut *self, value) {
            (Self::Json, _) | (_, Value::Null) => {}
            (Self::List(item), Value::Array(items)) => items.iter().for_each(|v| item.widen(v)),
            (Self::Object(fields), Value::Object(map)) => {
                for (key, value) in map {
                    widen_field(fields, key, value);
                }
                if fields.len() > MAX_KEYS {
                    *self = Self::Json;
                }
            }
            (Self::Null, Value::Array(_)) => {
                *self = Self::List(Box::new(Self::Null));
                self.widen(value);
            }
            (Self::Null, Value::Object(_)) => {
                *self = Self::Object(Vec::new());
                self.widen(value);
            }
            (known, value) => {
                let joined = known.join(scalar(value));
                *self = joined;
            }
        }
    }

    fn join(&self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, other) => other,
            (known, other) if *known == other => other,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Json,
        }
    }

    /// Parquet has no objects without keys: they are kept as JSON text.
    fn settle(self) -> Self {
        match self {
            Self::Object(fields) if fields.is_empty() => Self::Json,
            Self::Object(fields) => {
                Self::Object(fields.into_iter().map(|(key, kind)| (key, kind.settle())).collect())
            }
            Self::List(item) => Self::List(Box::new(item.settle())),
            other => other,
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text | Self::Json => DataType::Utf8,
            Self::List(item) => DataType::List(Arc::new(item.field("item"))),
            Self::Object(fields) => DataType::Struct(arrow_fields(fields)),
        }
    }

    fn field(&self, name: &str) -> Field {
        Field::new(name, self.data_type(), true)
    }

    /// The column of `values`, which the type holds.
    fn column(&self, values: &[&Value]) -> ArrayRef {
        match self {
            Self::Null => Arc::new(NullArray::new(values.len())),
            Self::Bool => Arc::new(values.iter().map(|v| v.as_bool()).collect::<BooleanArray>()),
            Self::Int => Arc::new(values.iter().map(|v| v.as_i64()).collect::<Int64Array>()),
            Self::Float => Arc::new(values.iter().map(|v| v.as_f64()).collect::<Float64Array>()),
            Self::Text => Arc::new(values.iter().map(|v| v.as_str()).collect::<StringArray>()),
            Self::Json => {
                let text = |v: &&Value| (!v.is_null()).then(|| v.to_string());
                Arc::new(values.iter().map(text).collect::<StringArray>())
            }
            Self::List(item) => Arc::new(list(item, values)),
            Self::Object(fields) => Arc::new(object(fields, values)),
        }
    }
}

fn scalar(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Number(number) if number.is_i64() => Kind::Int,
        Value::Number(number) if number.is_f64() => Kind::Float,
        Value::String(_) => Kind::Text,
        _ => Kind::Json,
    }
}

fn widen_field(fields: &mut Vec<(String, Kind)>, key: &str, value: &Value) {
    if let Some((_, kind)) = fields.iter_mut().find(|(name, _)| name == key) {
        return kind.widen(value);
    }
    let mut kind = Kind::Null;
    kind.widen(value);
    fields.push((key.to_owned(), kind));
}

fn arrow_fields(fields: &[(String, Kind)]) -> Fields {
    fields.iter().map(|(name, kind)| kind.field(name)).collect()
}

fn list(item: &Kind, values: &[&Value]) -> ListArray {
    let lists = || values.iter().map(|v| v.as_array());
    let items: Vec<&Value> = lists().flatten().flatten().collect();
    let offsets = OffsetBuffer::from_lengths(lists().map(|list| list.map_or(0, Vec::len)));
    let nulls: NullBuffer = lists().map(|list| list.is_some()).collect::<Vec<_>>().into();
    ListArray::new(Arc::new(item.field("item")), offsets, item.column(&items), Some(nulls))
}

fn object(fields: &[(String, Kind)], values: &[&Value]) -> StructArray {
    let child = |(key, kind): &(String, Kind)| {
        let values: Vec<_> = values.iter().map(|v| v.get(key).unwrap_or(&Value::Null)).collect();
        kind.column(&values)
    };
    let nulls: NullBuffer = values.iter().map(|v| v.is_object()).collect::<Vec<_>>().into();
    StructArray::new(arrow_fields(fields), fields.iter().map(child).collect(), Some(nulls))
}

/// Writes the rows of a JSONL file, all of them objects, as a Parquet file.
pub(crate) fn parquet(rows: File, out: &Path) -> io::Result<()> {
    let mut rows = BufReader::with_capacity(256 << 10, rows);
    let mut kind = Kind::Object(Vec::new());
    while let Some(row) = next_row(&mut rows)? {
        kind.widen(&row.0);
    }
    let fields = match kind.settle() {
        Kind::Object(fields) => fields,
        _ => Vec::new(),
    };
    rows.seek(SeekFrom::Start(0))?;
    write(&mut rows, &fields, File::create(out)?)
}

fn write(rows: &mut BufReader<File>, fields: &[(String, Kind)], out: File) -> io::Result<()> {
    let schema = Arc::new(Schema::new(arrow_fields(fields)));
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties)).map_err(other)?;
    loop {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some((row, length)) = next_row(rows)? else { break };
            bytes += length;
            batch.push(row);
        }
        if batch.is_empty() {
            break;
        }
        writer.write(&record_batch(&schema, fields, &batch)?).map_err(other)?;
        if writer.in_progress_size() > GROUP_BYTES {
            writer.flush().map_err(other)?;
        }
    }
    writer.into_inner().map_err(other)?.sync_all()
}

fn record_batch(
    schema: &Arc<Schema>,
    fields: &[(String, Kind)],
    rows: &[Value],
) -> io::Result<RecordBatch> {
    let column = |(key, kind): &(String, Kind)| {
        let values: Vec<_> = rows.iter().map(|row| row.get(key).unwrap_or(&Value::Null)).collect();
        kind.column(&values)
    };
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let columns = fields.iter().map(column).collect();
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(other)
}

/// The next row and its length in bytes.
fn next_row(rows: &mut impl BufRead) -> io::Result<Option<(Value, usize)>> {
    let mut line = Vec::new();
    if rows.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&line)?, line.len())))
}

/// The writer wraps what the disk says (full, say); that must come through.
fn other(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), error.to_string());
        }
        cause = inner.source();
    }
    io::Error::other(error)
}
