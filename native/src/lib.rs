//! The compiled core of logdrain: whole tagged lines, from octets to BSON documents, in one pass.
//!
//! `logdrain/drain/bulk.py` is the reference: it says which frames are clean, and gives the same documents. A run of
//! clean frames is one call, with the interpreter's lock released; it ends at the first frame that is not.

mod frames;
mod ids;
mod records;
mod times;

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use ids::IdGenerator;
use records::{begin_container, end_container, write_record};

const NAME_SIZE_MAX: usize = 512;
const HOUR_MS: i64 = 3_600_000;
const ID_ELEMENT: &[u8] = b"\x05_id\x00\x10\x00\x00\x00\x04";
const TIME_ELEMENT: &[u8] = b"\x09time\x00";

/// Who prints: what Python has read of `HOST APP PROCID MSGID`.
#[derive(Clone)]
struct Sender {
    /// Which process, by a number of the delivery's own.
    process: usize,
    is_platform: bool,
    origin_element: Vec<u8>,
}

/// Events of one table.
#[derive(Default)]
struct Table {
    name: String,
    octets: Vec<u8>,
    document_ends: Vec<usize>,
    /// Where in the body each payload begins and ends.
    raws: Vec<(usize, usize)>,
    /// A document's place, by the shape of its record and the hour of event time since 1970.
    shapes: HashMap<(u64, i64), usize>,
}

/// One delivery that is being read.
#[pyclass]
struct CleanFrames {
    ids: IdGenerator,
    size_max: usize,
    senders: HashMap<Vec<u8>, Option<Sender>>,
    tables: HashMap<Vec<u8>, Option<usize>>,
    found: Vec<Table>,
    hashing: RandomState,
    seen: HashSet<usize>,
    begun: Vec<usize>,
    open: HashSet<usize>,
    events: u64,
    app: u64,
    platform: u64,
}

/// Why a run of clean frames ended.
enum Stop {
    /// At the end of the body, or at a frame that is not clean.
    Careful,
    Sender(Vec<u8>),
    Tag(Vec<u8>),
}

#[pymethods]
impl CleanFrames {
    /// `named`: what the ids of the delivery are hashed from; `size_max`: of a payload that is read here.
    #[new]
    fn new(named: &[u8], size_max: usize, hashing: &ShapeHashing) -> Self {
        Self {
            ids: IdGenerator::new(named),
            size_max,
            senders: HashMap::new(),
            tables: HashMap::new(),
            found: Vec::new(),
            hashing: hashing.state.clone(),
            seen: HashSet::new(),
            begun: Vec::new(),
            open: HashSet::new(),
            events: 0,
            app: 0,
            platform: 0,
        }
    }

    /// Take clean frames from `at` on; returns where the first other begins, its position, and the processes whose
    /// first message was taken.
    ///
    /// `find_sender(name)` gives (process, is_platform, origin element) or None, `find_table(tag)` a name or "".
    fn take(
        &mut self,
        py: Python<'_>,
        body: &[u8],
        at: usize,
        position: u64,
        find_sender: &Bound<'_, PyAny>,
        find_table: &Bound<'_, PyAny>,
    ) -> PyResult<(usize, u64, Vec<usize>)> {
        let (mut at, mut position) = (at, position);
        loop {
            let stop = py.detach(|| self.run(body, &mut at, &mut position));
            match stop {
                Stop::Careful => return Ok((at, position, std::mem::take(&mut self.begun))),
                Stop::Sender(name) => {
                    let found: Option<(usize, bool, Vec<u8>)> =
                        find_sender.call1((PyBytes::new(py, &name),))?.extract()?;
                    let sender = found.map(|(process, is_platform, origin_element)| Sender {
                        process,
                        is_platform,
                        origin_element,
                    });
                    self.senders.insert(name, sender);
                }
                Stop::Tag(tag) => {
                    let name: String = find_table.call1((PyBytes::new(py, &tag),))?.extract()?;
                    let index = (!name.is_empty()).then(|| self.table_called(name));
                    self.tables.insert(tag, index);
                }
            }
        }
    }

    /// The careful road has read a message of a process; `is_open`: it is a piece of a line that goes on.
    fn note_process(&mut self, process: usize, is_open: bool) {
        self.seen.insert(process);
        if is_open {
            self.open.insert(process);
        } else {
            self.open.remove(&process);
        }
    }

    /// How many frames were events, plain lines of applications, and lines of the platform.
    fn counts(&self) -> (u64, u64, u64) {
        (self.events, self.app, self.platform)
    }

    /// Of each table: its name, documents, payloads, {(shape, hour): place of a document}.
    #[allow(clippy::type_complexity)]
    fn tables<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
    ) -> PyResult<Vec<(String, Bound<'py, PyList>, Bound<'py, PyList>, HashMap<(u64, i64), usize>)>> {
        self.found
            .iter()
            .filter(|table| !table.raws.is_empty())
            .map(|table| {
                let starts = std::iter::once(0).chain(table.document_ends.iter().copied());
                let documents =
                    starts.zip(&table.document_ends).map(|(start, &end)| PyBytes::new(py, &table.octets[start..end]));
                let raws = table.raws.iter().map(|&(start, end)| PyBytes::new(py, &body[start..end]));
                Ok((
                    table.name.clone(),
                    PyList::new(py, documents.collect::<Vec<_>>())?,
                    PyList::new(py, raws.collect::<Vec<_>>())?,
                    table.shapes.clone(),
                ))
            })
            .collect()
    }
}

impl CleanFrames {
    fn table_called(&mut self, name: String) -> usize {
        self.found.iter().position(|table| table.name == name).unwrap_or_else(|| {
            self.found.push(Table { name, ..Table::default() });
            self.found.len() - 1
        })
    }

    fn run(&mut self, body: &[u8], at: &mut usize, position: &mut u64) -> Stop {
        while let Some(frame) = frames::frame_at(body, *at) {
            let taken = match frames::tagged_line(frame.message) {
                Some(line) => self.take_event(&line, body, *position),
                None if memchr::memmem::find(frame.message, b" @[").is_some() => Err(Stop::Careful),
                None => self.take_plain(frame.message),
            };
            if let Err(stop) = taken {
                return stop;
            }
            *position += 1;
            *at = frame.end;
            // Between frames only a digit is certain to begin the next.
            if !body.get(frame.end).is_some_and(u8::is_ascii_digit) {
                break;
            }
        }
        Stop::Careful
    }

    fn take_event(&mut self, line: &frames::TaggedLine<'_>, body: &[u8], position: u64) -> Result<(), Stop> {
        if line.raw.len() > self.size_max || line.tag.len() >= NAME_SIZE_MAX || line.sender.len() > NAME_SIZE_MAX {
            return Err(Stop::Careful);
        }
        let sender = match self.senders.get(line.sender) {
            None => return Err(Stop::Sender(line.sender.to_vec())),
            Some(Some(sender)) if !sender.is_platform && !self.open.contains(&sender.process) => sender,
            Some(_) => return Err(Stop::Careful),
        };
        let index = match self.tables.get(line.tag) {
            None => return Err(Stop::Tag(line.tag.to_vec())),
            Some(Some(index)) => *index,
            Some(None) => return Err(Stop::Careful),
        };
        let table = &mut self.found[index];
        let start = begin_container(&mut table.octets);
        let id_at = start + 4 + ID_ELEMENT.len();
        table.octets.extend_from_slice(ID_ELEMENT);
        table.octets.extend_from_slice(&[0; 16]);
        table.octets.extend_from_slice(TIME_ELEMENT);
        table.octets.extend_from_slice(&[0; 8]);
        table.octets.extend_from_slice(&sender.origin_element);
        let facts = write_record(line.text, &mut table.octets, &self.hashing);
        let read = facts.and_then(|facts| {
            let time_ms = facts.time_ms.or_else(|| times::text_time_ms(line.time))?;
            Some((facts.shape, time_ms))
        });
        let Some((shape, time_ms)) = read else {
            table.octets.truncate(start);
            return Err(Stop::Careful);
        };
        end_container(&mut table.octets, start);
        table.octets[id_at..id_at + 16].copy_from_slice(&self.ids.at(time_ms, position));
        let time_at = id_at + 16 + TIME_ELEMENT.len();
        table.octets[time_at..time_at + 8].copy_from_slice(&time_ms.to_le_bytes());
        table.shapes.entry((shape, time_ms.div_euclid(HOUR_MS))).or_insert(table.raws.len());
        table.document_ends.push(table.octets.len());
        let raw_at = line.raw.as_ptr().addr() - body.as_ptr().addr();
        table.raws.push((raw_at, raw_at + line.raw.len()));
        if self.seen.insert(sender.process) {
            self.begun.push(sender.process);
        }
        self.events += 1;
        Ok(())
    }

    fn take_plain(&mut self, message: &[u8]) -> Result<(), Stop> {
        let (name, text) = frames::plain_line(message).ok_or(Stop::Careful)?;
        if name.len() > NAME_SIZE_MAX {
            return Err(Stop::Careful);
        }
        let sender = match self.senders.get(name) {
            None => return Err(Stop::Sender(name.to_vec())),
            Some(None) => return Err(Stop::Careful),
            Some(Some(sender)) => sender,
        };
        if sender.is_platform {
            if memchr::memmem::find(text, b"Error L1").is_some() {
                return Err(Stop::Careful);
            }
            self.platform += 1;
            return Ok(());
        }
        let has_more = !self.seen.contains(&sender.process) || self.open.contains(&sender.process);
        if has_more || memchr::memchr(b'@', text).is_some() {
            return Err(Stop::Careful);
        }
        self.app += 1;
        Ok(())
    }
}

/// How shapes are hashed: with a secret of the process, so that nobody outside can make two shapes look the same.
#[pyclass(frozen)]
#[derive(Default)]
struct ShapeHashing {
    state: RandomState,
}

#[pymethods]
impl ShapeHashing {
    #[new]
    fn new() -> Self {
        Self::default()
    }
}

#[pymodule]
fn logdrain_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<CleanFrames>()?;
    module.add_class::<ShapeHashing>()
}
