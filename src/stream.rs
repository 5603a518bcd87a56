//! Owned streams, so that a body can go to an HTTP client or to another provider.

use crate::error::Result;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};

/// A stream of items that may fail; it ends after the first `Err`.
pub type Items<T> = BoxStream<'static, Result<T>>;

/// A stream of bytes. An end without `Err` is a clean end: the content is whole.
pub type ByteStream = Items<Bytes>;

/// A stream over what is there already.
pub fn iter<T: Send + 'static>(items: impl IntoIterator<Item = Result<T>, IntoIter: Send + 'static>) -> Items<T> {
    futures_util::stream::iter(items).boxed()
}

/// A stream with its type left behind.
pub fn boxed<T>(stream: impl Stream<Item = Result<T>> + Send + 'static) -> Items<T> {
    stream.boxed()
}

/// A stream of one failure.
pub fn fail<T: Send + 'static>(error: crate::error::Error) -> Items<T> {
    iter([Err(error)])
}

/// A stream that a step function drives: `Ok(None)` ends it, an `Err` is its last item.
///
/// The state is owned by the stream, and nothing runs until the next item is asked for.
pub fn unfold<T, S, F, Fut>(state: S, step: F) -> Items<T>
where
    T: Send + 'static,
    S: Send + 'static,
    F: FnMut(S) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Option<(T, S)>>> + Send + 'static,
{
    // `None` marks the end, also after a failure.
    let mut step = step;
    futures_util::stream::unfold(Some(state), move |state| {
        let next = state.map(&mut step);
        async move {
            match next?.await {
                Ok(Some((item, state))) => Some((Ok(item), Some(state))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        }
    })
    .boxed()
}

/// Collects a stream, up to its first failure.
pub async fn collect<T>(stream: impl Stream<Item = Result<T>>) -> Result<Vec<T>> {
    let mut stream = std::pin::pin!(stream);
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item?);
    }
    Ok(items)
}
