//! Reading a file, whole or in part.

use super::spot::{Failure, is_dir};
use crate::error::Error;
use crate::playground::sprites::disk::View;
use crate::playground::sprites::errors::{Answer, Refusal, code};
use crate::stream;
use crate::transport::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use crate::transport::server::{Body, Request, Response};
use crate::transport::{HeaderValue, StatusCode};
use bytes::{Bytes, BytesMut};
use rustix::fs::{OFlags, fstat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How much is read at once, and how many of those are read ahead.
const CHUNK: usize = 256 * 1024;
const AHEAD: usize = 4;

/// Which part of a file is asked for.
pub(super) struct Asked {
    start: Option<u64>,
    end: Option<u64>,
    range: Option<String>,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let number = |name| request.query.text(name).and_then(|text| text.parse().ok());
        Self { start: number("start"), end: number("end"), range: request.header(&RANGE).map(str::to_owned) }
    }
}

/// `GET fs/read`.
pub(super) async fn read(view: Arc<View>, path: PathBuf, asked: Asked) -> Answer {
    let Asked { start, end, range } = asked;
    let opened = tokio::task::spawn_blocking(move || {
        let open = || {
            let file = view.open(&path, OFlags::RDONLY | OFlags::NONBLOCK, 0)?;
            let stat = fstat(&file)?;
            if is_dir(&stat) { Err(Errno::ISDIR) } else { Ok((File::from(file), stat)) }
        };
        open().map_err(|errno| Failure::new("open", &path, errno))
    });
    let (file, stat) = opened.await.map_err(Refusal::internal)?.map_err(|failure| failure.refusal())?;
    let size = u64::try_from(stat.st_size).unwrap_or_default();
    let part = match range.as_deref() {
        Some(range) => parse_range(range, size),
        // As a slice: the end is not in it.
        None if start.is_some() || end.is_some() => {
            let start = start.unwrap_or_default();
            let end = end.unwrap_or(size).min(size);
            if start > end { Part::Outside } else { Part::Some(start..end) }
        }
        None => Part::All,
    };
    let (status, range) = match part {
        Part::All => (StatusCode::OK, 0..size),
        Part::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Part::Outside => {
            let refusal = Refusal::text(416, "invalid range: failed to overlap");
            return Err(refusal.header("content-range", format!("bytes */{size}")));
        }
    };
    // What the kernel makes up as it is read has no size.
    let made_up = size == 0 && status == StatusCode::OK;
    let len = (!made_up).then(|| range.end - range.start);
    let mut response = Response::empty(code(status.as_u16()))
        .header(crate::transport::header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .header(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT && range.end > range.start {
        let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        response = response.header(CONTENT_RANGE, HeaderValue::try_from(shown).expect("digits are valid in a header"));
    }
    let limit = if made_up { u64::MAX } else { range.end - range.start };
    response.body = Body::Stream { body: content(file, range.start, limit), len };
    Ok(response.into())
}

/// The bytes of a file, read by a thread a little ahead of whoever takes them.
fn content(mut file: File, start: u64, limit: u64) -> stream::ByteStream {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Error>>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let failed = |error| Error::failure("cannot read a file of the sprite").source(error);
        if start > 0
            && let Err(error) = file.seek(SeekFrom::Start(start))
        {
            let _ = sender.blocking_send(Err(failed(error)));
            return;
        }
        let mut left = limit;
        while left > 0 {
            let mut chunk = BytesMut::zeroed(CHUNK.min(usize::try_from(left).unwrap_or(CHUNK)));
            let sent = match file.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => {
                    left -= count as u64;
                    chunk.truncate(count);
                    sender.blocking_send(Ok(chunk.freeze()))
                }
                Err(error) => sender.blocking_send(Err(failed(error))),
            };
            if sent.is_err() {
                // Nobody reads any more.
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.transpose().map(|chunk| chunk.map(|chunk| (chunk, receiver)))
    })
}

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Some(Range<u64>),
    Outside,
}

/// Reads a `Range` header. Several ranges, or what is no range, mean the whole (RFC 9110 section 14.2).
fn parse_range(text: &str, size: u64) -> Part {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|text| text.split_once('-')) else {
        return Part::All;
    };
    let number = |text: &str| text.trim().parse::<u64>();
    match (number(from), number(to)) {
        (Ok(from), _) if from >= size => Part::Outside,
        (Ok(from), Ok(to)) if to >= from => Part::Some(from..to.saturating_add(1).min(size)),
        (Ok(from), Err(_)) if to.trim().is_empty() => Part::Some(from..size),
        (Err(_), Ok(last)) if from.trim().is_empty() => {
            if last == 0 || size == 0 {
                Part::Outside
            } else {
                Part::Some(size.saturating_sub(last)..size)
            }
        }
        _ => Part::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_http() {
        for (text, part) in [
            ("bytes=0-3", Part::Some(0..4)),
            ("bytes=4-", Part::Some(4..10)),
            ("bytes=8-99", Part::Some(8..10)),
            ("bytes=-3", Part::Some(7..10)),
            ("bytes=-99", Part::Some(0..10)),
            ("bytes=10-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=0-1,4-5", Part::All),
            ("bytes=5-2", Part::All),
            ("lines=1-2", Part::All),
        ] {
            assert_eq!(parse_range(text, 10), part, "{text}");
        }
    }
}
