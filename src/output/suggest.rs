//! "Did you mean": the nearest of a set of names (U1.7).

/// The candidate that `text` was probably meant to be, if one is near enough to say so.
pub fn did_you_mean<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&text.to_lowercase(), &candidate.to_lowercase()), candidate))
        // The threshold clap uses for its own suggestions, on the variant that favours a common start.
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        let names = ["name", "state", "since", "startup"];
        assert_eq!(did_you_mean("nmae", names), Some("name"));
        assert_eq!(did_you_mean("Stat", names), Some("state"));
        assert_eq!(did_you_mean("zzz", names), None);
        assert_eq!(did_you_mean("", names), None);
    }
}
