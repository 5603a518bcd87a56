//! What is left alone, at both ends.

use crate::glob;

/// A pattern of `--exclude`.
///
/// Without a slash it matches names at any depth, with one the whole path below the ends. A slash at its end makes it
/// match directories only. What is below an excluded directory is excluded with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude {
    glob: String,
    is_path: bool,
    only_directories: bool,
}

impl Exclude {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let only_directories = text.ends_with('/');
        let text = text.trim_end_matches('/');
        let is_path = text.contains('/');
        let glob = text.trim_start_matches('/').to_owned();
        if glob.is_empty() {
            return Err("it would match everything, or nothing".to_owned());
        }
        Ok(Self { glob, is_path, only_directories })
    }

    /// Whether it means this path below the ends.
    pub fn matches(&self, path: &[u8], is_directory: bool) -> bool {
        if self.only_directories && !is_directory {
            return false;
        }
        let name = if self.is_path { path } else { path.rsplit(|byte| *byte == b'/').next().unwrap_or_default() };
        glob::matches(&self.glob, &String::from_utf8_lossy(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_paths_and_directories_are_told_apart() {
        let matches = |pattern: &str, path: &str, is_directory| {
            Exclude::parse(pattern).unwrap().matches(path.as_bytes(), is_directory)
        };
        assert!(matches("*.o", "a.o", false) && matches("*.o", "src/deep/a.o", false));
        assert!(!matches("*.o", "a.obj", false));
        assert!(matches("/build", "build", true) && !matches("/build", "src/build", true));
        assert!(matches("src/*.tmp", "src/x.tmp", false) && !matches("src/*.tmp", "lib/src/x.tmp", false));
        assert!(matches("cache/", "a/cache", true) && !matches("cache/", "a/cache", false));
        assert_eq!([Exclude::parse("/").is_err(), Exclude::parse("").is_err()], [true, true]);
    }
}
