//! From DHAT's JSON to a list of places: which lines of ours asked for memory, most often first.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
};

/// Frames kept of each backtrace; a task's own lie between those of libraries and those of its
/// thread.
pub const FRAMES_MAX: usize = 60;
/// Frames of ours that are shown per place.
const SHOWN_FRAMES: usize = 4;
/// Where our code is, from the repository's root.
const OURS: [&str; 3] = ["src", "crates/protocol/src", "crates/ring/src"];
/// DHAT keeps so many components of a source file's path.
const PATH_COMPONENTS: usize = 3;

/// Which numbers of a profile are listed.
#[derive(Clone, Copy)]
pub enum Blocks {
    /// All that were asked for.
    Allocated,
    /// Those that were there when the profile ended.
    Kept,
}

/// Reads `profile` and writes the list beside it, with the ending `.txt`: the numbers of one of so
/// many pieces.
pub fn write(profile: &Path, blocks: Blocks, pieces: usize) {
    let (blocks_field, bytes_field) = match blocks {
        Blocks::Allocated => ("tbk", "tb"),
        Blocks::Kept => ("ebk", "eb"),
    };
    let json: Value =
        serde_json::from_slice(&fs::read(profile).expect("DHAT has written it")).expect("JSON");
    let names: Vec<&str> = json["ftbl"]
        .as_array()
        .expect("a table of frames")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let ours = our_files();
    let mut places: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for point in json["pps"].as_array().expect("allocation points") {
        let frames = point["fs"].as_array().expect("frames").iter().filter_map(Value::as_u64);
        let frames: Vec<Frame<'_>> = frames.map(|index| Frame::of(names[index as usize])).collect();
        let place = places.entry(place(&frames, &ours)).or_default();
        place.0 += point[blocks_field].as_u64().expect("a number of blocks");
        place.1 += point[bytes_field].as_u64().expect("a number of bytes");
    }
    let mut places: Vec<_> = places.into_iter().collect();
    places.sort_by_key(|(_, (blocks, _))| std::cmp::Reverse(*blocks));
    let mut text = String::from("of one: allocations, bytes, and who asked\n");
    for (place, (blocks, bytes)) in places {
        let of_one = |count: u64| count as f64 / pieces as f64;
        writeln!(text, "{:8.3} {:10.1} B  {place}", of_one(blocks), of_one(bytes))
            .expect("a string grows");
    }
    fs::write(profile.with_extension("txt"), text).expect("a file beside the profile");
}

/// `0x55…: function (file:line:column)`
struct Frame<'a> {
    function: &'a str,
    file: &'a str,
    line: &'a str,
}

impl<'a> Frame<'a> {
    fn of(text: &'a str) -> Frame<'a> {
        let text = text.split_once(": ").map_or(text, |(_, rest)| rest);
        let (function, position) = text.rsplit_once(" (").unwrap_or((text, ""));
        let mut position = position.trim_end_matches(')').split(':');
        Frame { function, file: position.next().unwrap_or(""), line: position.next().unwrap_or("") }
    }
}

/// The last components of the paths of our own source files, as a profile has them.
fn our_files() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open: Vec<_> = OURS.iter().map(|folder| root.join(folder)).collect();
    let mut found = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let components: Vec<_> = path
                .strip_prefix(root)
                .expect("below the root")
                .iter()
                .map(|part| part.to_string_lossy())
                .collect();
            found.insert(components[components.len().saturating_sub(PATH_COMPONENTS)..].join("/"));
        }
    }
    found
}

/// What was called of the libraries, and the innermost frames of ours.
fn place(frames: &[Frame<'_>], ours: &BTreeSet<String>) -> String {
    let first = frames.iter().position(|frame| ours.contains(frame.file)).unwrap_or(frames.len());
    let mut shown: Vec<String> =
        frames[..first].last().map(|frame| frame.function.to_owned()).into_iter().collect();
    let own = frames[first..].iter().filter(|frame| ours.contains(frame.file)).take(SHOWN_FRAMES);
    shown.extend(own.map(|frame| format!("{}:{} {}", frame.file, frame.line, frame.function)));
    shown.join("\n                         ← ")
}
