//! Weight files: the safetensors format, in and out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::{Array, Error, Params, Shape};

/// The header's length is a multiple of this many bytes.
const ALIGNMENT: usize = 8;

/// Named arrays and a header of texts, as a safetensors file holds them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// The arrays.
    pub tensors: BTreeMap<String, Array>,
    /// Free text under keys: what the numbers mean.
    pub header: BTreeMap<String, String>,
}

/// What loading by name found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Taken over.
    pub loaded: Vec<String>,
    /// Parameters that the file lacks; they keep their values.
    pub missing: Vec<String>,
    /// Tensors of the file that no parameter is named after.
    pub extra: Vec<String>,
    /// Parameters whose tensor has another shape, with the file's and ours; they keep their values.
    pub reshaped: Vec<(String, Shape, Shape)>,
}

impl LoadReport {
    /// Refuses anything but a complete match.
    ///
    /// # Errors
    /// Names what is missing, extra or of another shape.
    pub fn complete(&self) -> Result<(), Error> {
        let mut faults = Vec::new();
        let list = |names: &[String]| names.join(", ");
        if !self.missing.is_empty() {
            faults.push(format!("missing: {}", list(&self.missing)));
        }
        if !self.extra.is_empty() {
            faults.push(format!("not known here: {}", list(&self.extra)));
        }
        for (name, found, wanted) in &self.reshaped {
            faults.push(format!("{name} is {found:?}, not {wanted:?}"));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Misfit(faults.join("; "))) }
    }
}

impl Weights {
    /// The present values of parameters, with an empty header.
    #[must_use]
    pub fn of(params: &Params) -> Self {
        let tensors = params.all.iter().map(|param| (param.name.clone(), param.value.clone())).collect();
        Self { tensors, header: BTreeMap::new() }
    }

    /// Writes values into the parameters of the same name and shape, and tells what else there was.
    pub fn load_into(&self, params: &mut Params) -> LoadReport {
        let mut report = LoadReport::default();
        for param in &mut params.all {
            let name = param.name.clone();
            match self.tensors.get(&name) {
                None => report.missing.push(name),
                Some(tensor) if tensor.shape() != param.value.shape() => {
                    report.reshaped.push((name, tensor.shape(), param.value.shape()));
                }
                Some(tensor) => {
                    param.value = tensor.clone();
                    report.loaded.push(name);
                }
            }
        }
        report.extra = self.tensors.keys().filter(|name| params.find(name).is_none()).cloned().collect();
        report
    }

    /// Reads a file; f16 and bf16 become f32.
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged, or holds other types of numbers.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| file_error("read", path, source))?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// Reads the bytes of a file; `place` is how messages call them.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, Error> {
        let format = |source| Error::Format { place: place.to_owned(), source };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(format)?;
        let header = metadata.metadata().iter().flatten().map(|(key, text)| (key.clone(), text.clone())).collect();
        let mut tensors = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(bytes).map_err(format)?.iter() {
            if view.shape().len() > Shape::MOST {
                return Err(Error::Dimensions { name: name.to_owned(), found: view.shape().len() });
            }
            let numbers = numbers(&view)
                .ok_or_else(|| Error::NumberType { name: name.to_owned(), found: view.dtype().to_string() })?;
            tensors.insert(name.to_owned(), Array::new(view.shape(), numbers));
        }
        Ok(Self { tensors, header })
    }

    /// The bytes of a file: the same for the same content, which is why the header is put together here
    /// (the format's library writes it in an order of chance).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut entries = serde_json::Map::new();
        if !self.header.is_empty() {
            entries.insert("__metadata__".into(), serde_json::json!(self.header));
        }
        let mut end = 0;
        for (name, array) in &self.tensors {
            let start = end;
            end += size_of_val(array.data());
            let entry = serde_json::json!({"dtype": "F32", "shape": &*array.shape(), "data_offsets": [start, end]});
            entries.insert(name.clone(), entry);
        }
        let mut header = serde_json::Value::Object(entries).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        let mut bytes = Vec::with_capacity(ALIGNMENT + header.len() + end);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        bytes.extend(self.tensors.values().flat_map(|array| array.data()).flat_map(|x| x.to_le_bytes()));
        bytes
    }

    /// Writes a file whole or not at all: beside the place first, then renamed.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let bytes = self.to_bytes();
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let written = std::fs::File::create(&partial).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&partial, path)).map_err(|source| {
            // The first fault is the one to tell; the rest may not even exist.
            let _ = std::fs::remove_file(&partial);
            file_error("write", path, source)
        })
    }
}

fn file_error(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.to_owned(), source }
}

/// The numbers of a tensor as f32; `None` for types that are not read.
fn numbers(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        _ => return None,
    })
}
