//! The contents of the media catalog: parts that come in any order, ranges that are asked for (section 4.6).

use super::refusal::{Answer, Refusal};
use super::store::Id;
use super::times;
use super::world::World;
use crate::stream;
use crate::transport::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use crate::transport::server::{Body, Reply, Request, Response};
use crate::transport::{HeaderValue, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// How much of a file is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

fn path(world: &World, id: &Id) -> PathBuf {
    world.dir.join(id.key.to_string())
}

fn internal(error: &io::Error) -> Refusal {
    Refusal::new(500, error)
}

fn is_catalog(world: &World, id: &Id) -> bool {
    world.store.schema_of(id.table).name == "files"
}

/// What a name says about what is in a file.
pub(super) fn kind(name: &str) -> String {
    const KINDS: &[&str] = &[
        "iso", "img", "qcow", "qcow2", "qed", "raw", "vdi", "vhd", "vhdx", "vmdk", "ova", "ovf", "vmx", "ybvm",
        "nvram", "zip",
    ];
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    KINDS.iter().find(|kind| **kind == extension).map_or_else(|| "raw".to_owned(), |kind| (*kind).to_owned())
}

/// Makes the file that a row is about, of the size that was announced.
pub(super) fn make(world: &mut World, id: &Id) -> Answer<()> {
    let size = world.store.number(id, "allocated_bytes").unsigned_abs();
    let file = File::create(path(world, id)).map_err(|error| internal(&error))?;
    file.set_len(size).map_err(|error| internal(&error))?;
    let kind = kind(&world.store.text(id, "name"));
    world.store.set_all(id, [("filesize", size.into()), ("type", kind.into())]);
    Ok(())
}

/// Writes a part at its place.
pub(super) fn write(world: &mut World, id: &Id, position: u64, bytes: &[u8]) -> Answer<()> {
    if !is_catalog(world, id) {
        return Err(Refusal::not_permitted());
    }
    let size = world.store.number(id, "allocated_bytes").unsigned_abs();
    let end = position + bytes.len() as u64;
    if end > size {
        return Err(Refusal::new(400, "Write beyond the end of the file"));
    }
    let file = OpenOptions::new().write(true).open(path(world, id)).map_err(|error| internal(&error))?;
    file.write_all_at(bytes, position).map_err(|error| internal(&error))?;
    let used = world.store.number(id, "used_bytes").unsigned_abs() + bytes.len() as u64;
    world.store.set_all(id, [("used_bytes", used.min(size).into()), ("modified", times::seconds().into())]);
    Ok(())
}

/// Writes a whole file that the simulator itself made.
pub(super) fn fill(world: &mut World, id: &Id, bytes: &[u8]) -> io::Result<()> {
    fs::write(path(world, id), bytes)?;
    let (size, kind) = (bytes.len(), kind(&world.store.text(id, "name")));
    let cells = [
        ("filesize", size.into()),
        ("used_bytes", size.into()),
        ("allocated_bytes", size.into()),
        ("type", kind.into()),
    ];
    world.store.set_all(id, cells);
    Ok(())
}

/// Removes the contents of a row that is gone.
pub(super) fn forget(world: &World, id: &Id) {
    if is_catalog(world, id) {
        // A row that was never written to has none.
        let _ = fs::remove_file(path(world, id));
    }
}

/// `GET /files/3?download=1`, and the same of a file of cloud-init.
pub(super) fn download(world: &World, id: &Id, request: &Request) -> Answer<Reply> {
    let name = request.query.text("asname").map_or_else(|| world.store.text(id, "name"), std::borrow::Cow::into_owned);
    if !is_catalog(world, id) {
        let contents = match world.store.schema_of(id.table).column("contents") {
            Some(_) => world.store.text(id, "contents"),
            None => return Err(Refusal::not_permitted()),
        };
        let size = contents.len() as u64;
        return Ok(named(Response::bytes(StatusCode::OK, "application/octet-stream", contents), &name, size).into());
    }
    let mut file = File::open(path(world, id)).map_err(|error| internal(&error))?;
    let size = file.metadata().map_err(|error| internal(&error))?.len();
    let asked = request.header(&RANGE).map(|range| self::range(range, size));
    let (start, end, status) = match asked {
        None => (0, size, StatusCode::OK),
        Some(Some((start, end))) => (start, end, StatusCode::PARTIAL_CONTENT),
        Some(None) => {
            let all = HeaderValue::try_from(format!("bytes */{size}")).expect("a size is valid in a header");
            let refused = Response::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            return Ok(refused.header(CONTENT_RANGE, all).into());
        }
    };
    file.seek(SeekFrom::Start(start)).map_err(|error| internal(&error))?;
    let left = end - start;
    let body = stream::unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
        file.read_exact(&mut chunk).map_err(crate::error::Error::internal)?;
        let left = left - chunk.len() as u64;
        Ok(Some((Bytes::from(chunk), (file, left))))
    });
    let mut response = Response::stream(status, "application/octet-stream", body);
    if let Body::Stream { len, .. } = &mut response.body {
        *len = Some(left);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", end - 1);
        response = response.header(CONTENT_RANGE, HeaderValue::try_from(range).expect("digits are valid in a header"));
    }
    Ok(named(response, &name, left).into())
}

fn named(response: Response, name: &str, size: u64) -> Response {
    // What a header cannot hold has no place in it.
    let safe: String = name.chars().filter(|c| c.is_ascii_graphic() && !['"', '\\'].contains(c)).collect();
    let disposition = format!("attachment; filename=\"{safe}\"");
    response
        .header(CONTENT_DISPOSITION, HeaderValue::try_from(disposition).expect("what is left is valid in a header"))
        .header(CONTENT_LENGTH, size.into())
        .header(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
}

/// The bytes that `Range` asks for, the last one excluded; `None` if there are none of them.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.parse::<u64>(), end.parse::<u64>()) {
        (Ok(start), Ok(end)) => (start, end.saturating_add(1).min(size)),
        (Ok(start), Err(_)) if end.is_empty() => (start, size),
        (Err(_), Ok(last)) if start.is_empty() => (size.saturating_sub(last), size),
        _ => return None,
    };
    (start < end).then_some((start, end))
}

/// Refuses to remove what a drive is made from, or shows.
pub(super) fn check_unused(world: &World, id: &Id) -> Answer<()> {
    let drives = world.store.with("machine_drives", "media_source", &id.key.to_value());
    match drives.first().map(|drive| world.store.cell(drive, "name")) {
        Some(Value::String(name)) => Err(Refusal::state(format!("File is in use by drive '{name}'"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        assert_eq!(range("bytes=0-9", 100), Some((0, 10)));
        assert_eq!(range("bytes=90-", 100), Some((90, 100)));
        assert_eq!(range("bytes=-5", 100), Some((95, 100)));
        assert_eq!(range("bytes=95-200", 100), Some((95, 100)));
        for none in ["bytes=100-", "bytes=5-4", "bytes=", "lines=1-2", "bytes=a-b"] {
            assert_eq!(range(none, 100), None, "{none}");
        }
    }
}
