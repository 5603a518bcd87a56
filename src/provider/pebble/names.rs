//! Lists of names in a query. The server also splits at commas (section 2.1), so a value with one would silently select
//! something else: it is refused.

use crate::error::{Error, Result};
use crate::transport::query::Query;

/// Adds lists to a query.
pub(super) trait Names: Sized {
    /// Adds a list by repeating the parameter.
    fn list(self, key: &str, values: &[String]) -> Result<Self>;
}

impl Names for Query {
    fn list(mut self, key: &str, values: &[String]) -> Result<Self> {
        for value in values {
            if value.contains(',') {
                return Err(Error::usage(format!("cannot select `{value}`: Pebble splits names at commas")));
            }
            self = self.with(key, value);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_comma_is_refused() {
        assert!(Query::new("/v1/services").list("names", &["a,b".into()]).is_err());
    }
}
