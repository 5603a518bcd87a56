//! Asking whoever sits at the terminal for what a server wants to know in the middle of things.

use crate::config::Secret;
use crate::error::{Error, Result};
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

type Answer = dyn Fn(String) -> BoxFuture<'static, Result<Secret>> + Send + Sync;

/// How somebody is asked. Cheap to clone; a default one finds nobody.
#[derive(Clone, Default)]
pub struct Ask(Option<Arc<Answer>>);

impl Ask {
    /// Questions that `answer` answers; what is typed is not shown.
    pub fn new(answer: impl Fn(String) -> BoxFuture<'static, Result<Secret>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(answer)))
    }

    /// The answer to `question`; `Usage` if there is nobody to ask.
    pub async fn secret(&self, question: String) -> Result<Secret> {
        match &self.0 {
            Some(answer) => answer(question).await,
            None => Err(Error::usage(format!("cannot ask for the {question}: nobody is there"))),
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ask")
    }
}
