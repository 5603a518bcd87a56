//! This command's own stdin as a body.

use super::read::{AHEAD, CHUNK, chunk};
use crate::error::{Error, Result};
use crate::stream::{self, ByteStream};
use bytes::Bytes;
use tokio::sync::mpsc;

/// Everything on stdin up to its end. Read by a thread that may stay behind in its last read: it ends with the process.
pub fn stdin() -> ByteStream {
    let (sender, receiver) = mpsc::channel::<Result<Bytes>>(AHEAD);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let next = match chunk(&mut stdin, CHUNK) {
                Ok(bytes) if bytes.is_empty() => return,
                Ok(bytes) => Ok(bytes),
                Err(error) => Err(Error::failure("cannot read stdin").source(error)),
            };
            let is_last = next.is_err();
            if sender.blocking_send(next).is_err() || is_last {
                return;
            }
        }
    });
    stream::unfold(receiver, |mut receiver| async move {
        Ok(receiver.recv().await.transpose()?.map(|chunk| (chunk, receiver)))
    })
}
