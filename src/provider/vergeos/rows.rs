//! Reading rows: projections, filters, and pages until one is short (sections 2.3 to 2.5).

use super::api::TABLES;
use super::client::Client;
use crate::error::Result;
use crate::stream::{self, Items};
use crate::transport::query::Query;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// Rows that are asked for at once.
const PAGE: usize = 1000;
/// How many rows a page has that is not the first.
const FURTHER: usize = 4 * PAGE;

/// What is asked of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Select {
    /// The table.
    pub table: String,
    /// Its projection: without one most tables answer their keys alone.
    pub fields: String,
    /// Which rows.
    pub filter: Option<String>,
    /// In which order.
    pub sort: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
}

impl Select {
    pub(super) fn new(table: &str, fields: &str) -> Self {
        Self { table: table.to_owned(), fields: fields.to_owned(), ..Self::default() }
    }

    pub(super) fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    pub(super) fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    fn path(&self, limit: Option<usize>, offset: usize) -> String {
        let fields = Some(&self.fields).filter(|fields| !fields.is_empty());
        Query::new(&self.table)
            .maybe("filter", self.filter.as_ref())
            .maybe("fields", fields)
            .maybe("sort", self.sort.as_ref())
            .maybe("limit", limit.map(|limit| limit.to_string()))
            .maybe("offset", (offset > 0).then(|| offset.to_string()))
            .build()
    }
}

impl Client {
    /// The rows in one answer; for what is known to be few.
    pub(super) async fn rows<T: DeserializeOwned>(&self, what: &str, select: &Select) -> Result<Vec<T>> {
        self.page(what, &select.path(select.limit, 0)).await
    }

    /// The only row of a table, or its first.
    pub(super) async fn row<T: DeserializeOwned>(&self, what: &str, select: &Select) -> Result<Option<T>> {
        Ok(self.rows(what, select).await?.into_iter().next())
    }

    /// All rows, page by page.
    pub(super) fn pages<T: DeserializeOwned + Send + 'static>(&self, what: &str, select: Select) -> Items<T> {
        struct State<T> {
            client: Client,
            what: String,
            select: Select,
            offset: usize,
            ready: VecDeque<T>,
            is_last: bool,
        }
        let state = State {
            client: self.clone(),
            what: what.to_owned(),
            select,
            offset: 0,
            ready: VecDeque::new(),
            is_last: false,
        };
        stream::unfold(state, |mut state| async move {
            loop {
                if let Some(row) = state.ready.pop_front() {
                    return Ok(Some((row, state)));
                }
                // Each page costs the server a look at all rows, so whoever reads on gets larger ones.
                let size = if state.offset == 0 { PAGE } else { FURTHER };
                let left = state.select.limit.map_or(size, |limit| limit.saturating_sub(state.offset).min(size));
                if state.is_last || left == 0 {
                    return Ok(None);
                }
                let path = state.select.path(Some(left), state.offset);
                state.ready = state.client.page(&state.what, &path).await?.into();
                state.offset += state.ready.len();
                // No answer tells the total: the last page is the one that is not full, also for a server that gives no
                // more than a usual page at once.
                state.is_last = state.ready.len() < left.min(PAGE);
            }
        })
    }

    /// A list; one object is a table of one row, and null is none.
    async fn page<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<Vec<T>> {
        let request = || crate::transport::Request::get(format!("{TABLES}{path}"));
        let body = self.repeat(what, &request).await?;
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Ok(Vec::new()),
            Some(b'{') => Ok(vec![self.read(what, &body)?]),
            Some(_) => Ok(self.read::<Option<Vec<T>>>(what, &body)?.unwrap_or_default()),
        }
    }
}
