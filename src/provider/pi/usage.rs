//! What the model took, counted once for each of its calls (section 4.2): `turn_end`, and nothing else, has it whole.

use super::api;
use crate::model::AgentUsage;

/// The sums of a session, from where it was opened here.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// All calls.
    pub(super) usage: AgentUsage,
    /// How many.
    pub(super) turns: u64,
}

impl Totals {
    /// Adds a call. A call that was counted nowhere took nothing.
    pub(super) fn add(&mut self, usage: Option<&api::Usage>) -> AgentUsage {
        let turn = usage.map(measured).unwrap_or_default();
        self.usage += turn;
        self.turns += 1;
        turn
    }
}

/// The wire's numbers as ours. A price of nothing for tokens that were used is a price that nobody knows.
pub(super) fn measured(usage: &api::Usage) -> AgentUsage {
    let count = |number: Option<f64>| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, and NaN is none")]
        let count = number.unwrap_or_default() as u64;
        count
    };
    let (input, output) = (count(usage.input), count(usage.output));
    let (read, write) = (count(usage.cache_read), count(usage.cache_write));
    let total = [input, output, read, write].into_iter().fold(0u64, u64::saturating_add);
    let cost = usage.cost.and_then(|cost| cost.total).filter(|cost| cost.is_finite() && *cost >= 0.0);
    AgentUsage {
        input_tokens: input,
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: write,
        total_tokens: total,
        cost_usd: cost.filter(|cost| *cost > 0.0 || total == 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> AgentUsage {
        measured(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn cached_tokens_are_not_input_and_the_total_is_the_sum() {
        let usage = usage(r#"{"input":100,"output":8,"cacheRead":20,"totalTokens":999,"cost":{"total":0.000118}}"#);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (100, 8, 128));
        assert_eq!(usage.cost_usd, Some(0.000_118));
    }

    #[test]
    fn an_unknown_price_is_not_free() {
        assert_eq!(usage(r#"{"input":1,"cost":{"total":0}}"#).cost_usd, None);
        assert_eq!(usage(r#"{"input":1}"#).cost_usd, None);
        assert_eq!(usage(r#"{"input":0,"cost":{"total":0}}"#).cost_usd, Some(0.0));
        assert_eq!(usage(r#"{"input":-5,"output":1e300}"#).output_tokens, u64::MAX);
        assert_eq!(usage(r#"{"input":null}"#), AgentUsage::default());
    }

    #[test]
    fn a_resumed_session_has_a_baseline() {
        let mut totals = Totals::default();
        totals.add(None);
        let one = serde_json::from_str(r#"{"input":3,"output":4,"cost":{"total":0.5}}"#).unwrap();
        assert_eq!(totals.add(Some(&one)).total_tokens, 7);
        let baseline = totals.usage;
        totals.add(Some(&one));
        assert_eq!((totals.turns, (totals.usage - baseline).input_tokens), (3, 3));
        assert_eq!((totals.usage - baseline).cost_usd, Some(0.5));
    }
}
