//! What the label of a choice means: consent, refusal, or nothing that a program may rely on.
//!
//! Whole words count, and negations ("do not allow" is a refusal). What is not plain means nothing, and where not
//! exactly one label means what is wanted, none is chosen: the question stays open, or is refused.

use std::ops::ControlFlow;

/// A decision about what an agent wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This once.
    Allow,
    /// Now and whenever it is asked again.
    AllowAlways,
    /// No.
    Deny,
}

/// What a label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meaning {
    consents: bool,
    always: bool,
}

const CONSENT: &[&str] = &[
    "accept", "agree", "allow", "allowed", "approve", "approved", "confirm", "continue", "grant", "ok", "okay",
    "permit", "proceed", "yes",
];

const REFUSAL: &[&str] = &[
    "abort",
    "block",
    "blocked",
    "blocking",
    "cancel",
    "decline",
    "denied",
    "deny",
    "disagree",
    "disallow",
    "disapprove",
    "forbid",
    "no",
    "refuse",
    "reject",
    "rejected",
];

const NEGATION: &[&str] = &["cannot", "don't", "dont", "never", "not", "without", "won't", "wont"];

const LASTING: &[&str] = &["all", "always", "every", "forever", "permanently", "remember", "session"];

/// The label that says `decision`, if exactly one does.
pub fn choose<S: AsRef<str>>(labels: &[S], decision: Decision) -> Option<usize> {
    let meanings: Vec<_> = labels.iter().map(|label| meaning(label.as_ref())).collect();
    let only = |wanted: Meaning| {
        let mut found = meanings.iter().enumerate().filter(|(_, meaning)| **meaning == Some(wanted));
        found.next().map(|(at, _)| at).filter(|_| found.next().is_none())
    };
    let once = |consents| only(Meaning { consents, always: false });
    match decision {
        Decision::Allow => once(true),
        Decision::AllowAlways => only(Meaning { consents: true, always: true }).or_else(|| once(true)),
        Decision::Deny => once(false),
    }
}

/// Whether the labels let somebody consent or refuse.
pub fn is_permission<S: AsRef<str>>(labels: &[S]) -> bool {
    let has = |consents| labels.iter().filter_map(|label| meaning(label.as_ref())).any(|m| m.consents == consents);
    has(true) && has(false)
}

/// What somebody typed as the answer to a question about permission.
pub fn typed(text: &str) -> Option<Decision> {
    // Only the words that mean nothing else: free text is no consent.
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "ok" | "allow" | "approve" => Some(Decision::Allow),
        "a" | "always" => Some(Decision::AllowAlways),
        "" | "n" | "no" | "deny" => Some(Decision::Deny),
        _ => None,
    }
}

fn meaning(label: &str) -> Option<Meaning> {
    let lower = label.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
    let always = words.iter().any(|word| LASTING.contains(word));
    let mut negated = false;
    let consents = words.iter().try_fold(None, |found, word| {
        let consents = if NEGATION.contains(word) {
            negated = true;
            return ControlFlow::Continue(found);
        } else if CONSENT.contains(word) {
            !std::mem::take(&mut negated)
        } else if REFUSAL.contains(word) {
            // "Do not cancel" is no consent to anything.
            if std::mem::take(&mut negated) {
                return ControlFlow::Break(None);
            }
            false
        } else {
            return ControlFlow::Continue(found);
        };
        match found {
            Some(other) if other != consents => ControlFlow::Break(None),
            _ => ControlFlow::Continue(Some(consents)),
        }
    });
    let consents = match consents {
        ControlFlow::Continue(consents) => consents?,
        ControlFlow::Break(none) => none?,
    };
    // "Allow, do not ask again": a negation of something else.
    (!negated).then_some(Meaning { consents, always })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Decision::*;

    fn chosen(labels: &[&'static str], decision: Decision) -> Option<&'static str> {
        choose(labels, decision).map(|at| labels[at])
    }

    #[test]
    fn whole_words_and_negations_count() {
        assert_eq!(chosen(&["Approve", "Deny"], Allow), Some("Approve"));
        assert_eq!(chosen(&["Disapprove", "Approve"], Deny), Some("Disapprove"));
        assert_eq!(chosen(&["Keep blocking", "Notify and continue"], Deny), Some("Keep blocking"));
        assert_eq!(chosen(&["Keep blocking", "Notify and continue"], Allow), Some("Notify and continue"));
        assert_eq!(chosen(&["Do not allow", "Allow once"], Allow), Some("Allow once"));
        assert_eq!(chosen(&["Do not allow", "Allow once"], Deny), Some("Do not allow"));
        assert_eq!(chosen(&["Don\u{2019}t allow", "Allow"], Deny), Some("Don\u{2019}t allow"));
        assert_eq!(chosen(&["Always allow", "Allow once", "Deny"], Allow), Some("Allow once"));
        assert_eq!(chosen(&["Always allow", "Allow once", "Deny"], AllowAlways), Some("Always allow"));
        assert_eq!(chosen(&[" YES \u{1f600}", "no!"], Allow), Some(" YES \u{1f600}"));
        assert_eq!(chosen(&["Yes", "No", "Never allow"], Deny), None, "two refuse");
    }

    #[test]
    fn what_is_not_plain_is_not_chosen() {
        for labels in [
            &["Allow", "Allow"][..],
            &[],
            &["Red", "Green"],
            &["Yes, and don't ask again", "Maybe"],
            &["Allow or deny"],
            &["Notebook", "Bookmark"],
            &["Do not cancel", "Cancelled"],
        ] {
            assert_eq!(chosen(labels, Allow), None, "{labels:?}");
            assert_eq!(chosen(labels, Deny), None, "{labels:?}");
        }
        assert!(!is_permission(&["Red", "Green"]));
        assert!(is_permission(&["Allow", "Block"]));
    }

    #[test]
    fn free_text_is_no_consent() {
        assert_eq!(typed("no, look at the book"), None);
        assert_eq!(typed(" Y "), Some(Allow));
        assert_eq!(typed(""), Some(Deny));
    }
}
