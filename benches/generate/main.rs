//! Writes fleets, and the snapshot of a cluster in which the reference operator runs them.
//!
//! An independent witness: it shares no code with the library, so that a fault in the library's
//! own builders cannot hide behind the same fault here. It builds what the operator builds, then
//! adds what an API server, a scheduler and a kubelet add. The same seed gives the same bytes.
//! Everything is written as it is made; only one fleet's names and keys are held in memory.

#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own, outside the pure rooms"
)]

mod admission;
mod config;
mod fleet;
mod identity;
mod managed;
mod merge;
mod objects;
mod pod;
mod service;
mod status;
mod toml_text;
mod yaml;

use std::error::Error;
use std::fs;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use serde_json::Value;

use crate::fleet::Fleet;
use crate::objects::{Emit, KINDS, Kind};

/// What a step of the generator gives.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// How the peers of a fleet stand in its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peers {
    /// Every other instance, as the reference writes it: text grows with the square of replicas.
    Full,
    /// Every other instance up to 32 replicas, 32 neighbours above.
    Bounded,
}

/// The notation of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// As `kubectl get -o json` prints.
    Json,
    /// As `kubectl get -o yaml` prints.
    Yaml,
}

/// Writes fleets and the snapshot of a cluster in which the reference operator runs them.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many fleets to make, in turn of the five shapes beside this program.
    #[arg(long, default_value_t = 1)]
    fleets: u32,
    /// Instances of each made fleet; the shape's own number if not said.
    #[arg(long)]
    replicas: Option<u32>,
    /// Make only fleets of this shape: hub, lagoon, atoll, reef, kelp.
    #[arg(long)]
    shape: Option<String>,
    /// Make no fleets: run those of these files, or of the YAML files of these folders.
    #[arg(long, num_args = 1..)]
    specs: Vec<PathBuf>,
    /// The folder to write: `specs/`, and `snapshot.json` or, with --split, `live/`.
    #[arg(long)]
    out: PathBuf,
    /// Changes every UID, node key and address.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How peers stand in the config.
    #[arg(long, value_enum, default_value_t = Peers::Bounded)]
    peers: Peers,
    /// Adds managedFields, as `kubectl get --show-managed-fields` prints.
    #[arg(long)]
    managed_fields: bool,
    /// The notation of the snapshot.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// One file per kind, as separate kubectl calls print.
    #[arg(long)]
    split: bool,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.out)?;
    let source = source(&arguments)?;
    let extension = match arguments.format {
        Format::Json => "json",
        Format::Yaml => "yaml",
    };
    if arguments.split {
        let live = arguments.out.join("live");
        fs::create_dir_all(&live)?;
        for kind in KINDS {
            let path = live.join(format!("{}.{extension}", kind.plural()));
            write_snapshot(&path, &[kind], &source, &arguments)?;
        }
        return Ok(());
    }
    let path = arguments.out.join(format!("snapshot.{extension}"));
    write_snapshot(&path, &KINDS, &source, &arguments)
}

/// Where the fleets come from: texts of documents, made one by one when they are needed.
enum Source {
    Made {
        count: u32,
        shapes: Vec<usize>,
        replicas: Option<u32>,
    },
    Given(Vec<String>),
}

impl Source {
    fn len(&self) -> u32 {
        match self {
            Self::Made { count, .. } => *count,
            Self::Given(texts) => u32::try_from(texts.len()).unwrap_or(u32::MAX),
        }
    }

    fn text(&self, index: u32) -> String {
        match self {
            Self::Made {
                count,
                shapes,
                replicas,
            } => {
                let shape = shapes[index as usize % shapes.len()];
                fleet::made(shape, index, *count, *replicas)
            }
            Self::Given(texts) => texts[index as usize].clone(),
        }
    }
}

/// Finds the fleets, and writes the documents of those that are made.
fn source(arguments: &Arguments) -> Outcome<Source> {
    if !arguments.specs.is_empty() {
        return Ok(Source::Given(given(&arguments.specs)?));
    }
    let source = Source::Made {
        count: arguments.fleets,
        shapes: fleet::shapes(arguments.shape.as_deref())?,
        replicas: arguments.replicas,
    };
    let folder = arguments.out.join("specs");
    fs::create_dir_all(&folder)?;
    for index in 0..source.len() {
        let text = source.text(index);
        let fleet = Fleet::parse(&text, arguments.seed)?;
        fs::write(folder.join(format!("{}.yaml", fleet.name)), text)?;
    }
    Ok(source)
}

fn given(paths: &[PathBuf]) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                files.push(entry?.path());
            }
        } else {
            files.push(path.clone());
        }
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|end| end == "yaml" || end == "json")
    });
    files.sort();
    files
        .iter()
        .map(|file| Ok(fs::read_to_string(file)?))
        .collect()
}

/// Writes the objects of some kinds, one after the other, as one kubectl List.
fn write_snapshot(
    path: &Path,
    kinds: &[Kind],
    source: &Source,
    arguments: &Arguments,
) -> Outcome<()> {
    let mut list = ListWriter::open(path, arguments.format)?;
    for kind in kinds {
        objects::shared(*kind, arguments.seed, &mut list.emitter(arguments))?;
        for index in 0..source.len() {
            let fleet = Fleet::parse(&source.text(index), arguments.seed)?;
            objects::of_fleet(*kind, &fleet, arguments.peers, &mut list.emitter(arguments))?;
        }
    }
    list.close()
}

/// A kubectl List that is written item by item.
struct ListWriter {
    file: BufWriter<File>,
    format: Format,
    is_first: bool,
}

impl ListWriter {
    fn open(path: &Path, format: Format) -> Outcome<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        match format {
            Format::Json => write!(file, "{{\n    \"apiVersion\": \"v1\",\n    \"items\": [")?,
            Format::Yaml => write!(file, "apiVersion: v1\nitems:")?,
        }
        Ok(Self {
            file,
            format,
            is_first: true,
        })
    }

    fn emitter<'a>(&'a mut self, arguments: &'a Arguments) -> impl Emit + 'a {
        move |mut object: Value| {
            if arguments.managed_fields {
                managed::add(&mut object);
            }
            self.write(&object)
        }
    }

    fn write(&mut self, object: &Value) -> Outcome<()> {
        match self.format {
            Format::Json => {
                self.file
                    .write_all(if self.is_first { b"\n" } else { b",\n" })?;
                let mut bytes = Vec::new();
                let pretty = serde_json::ser::PrettyFormatter::with_indent(b"    ");
                let mut writer = serde_json::Serializer::with_formatter(&mut bytes, pretty);
                serde::Serialize::serialize(object, &mut writer)?;
                for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
                    self.file
                        .write_all(if at == 0 { b"        " } else { b"\n        " })?;
                    self.file.write_all(line)?;
                }
            }
            Format::Yaml => self.file.write_all(yaml::item(object).as_bytes())?,
        }
        self.is_first = false;
        Ok(())
    }

    fn close(mut self) -> Outcome<()> {
        match (self.format, self.is_first) {
            (Format::Json, true) => writeln!(self.file, "],")?,
            (Format::Json, false) => write!(self.file, "\n    ],\n")?,
            (Format::Yaml, true) => writeln!(self.file, " []")?,
            (Format::Yaml, false) => writeln!(self.file)?,
        }
        match self.format {
            Format::Json => write!(
                self.file,
                "    \"kind\": \"List\",\n    \"metadata\": {{\n        \
                 \"resourceVersion\": \"\"\n    }}\n}}\n"
            )?,
            Format::Yaml => write!(
                self.file,
                "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
            )?,
        }
        self.file.flush()?;
        Ok(())
    }
}
