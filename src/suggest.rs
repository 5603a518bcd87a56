//! Near misses: what somebody probably meant (ux 1.7).

/// The candidate nearest to `word`, if it is near enough to be a slip of the fingers.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= slack(word.chars().count().max(candidate.chars().count())))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many slips a word of this length may hold: none in one letter, one in a short word, a third of a long one.
const fn slack(len: usize) -> usize {
    match len {
        0 | 1 => 0,
        2..=5 => 1,
        _ => len / 3,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let known = ["socket", "url", "pebble", "web"];
        assert_eq!(nearest("scoket", known), Some("socket"));
        assert_eq!(nearest("pbble", known), Some("pebble"));
        assert_eq!(nearest("wbe", known), Some("web"));
        assert_eq!(nearest("URL", known), Some("url"));
        assert_eq!(nearest("database", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
