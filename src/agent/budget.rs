//! What a run may cost. Nobody over there keeps to it: it is counted here, and the run is stopped.

use crate::error::Error;
use crate::model::AgentUsage;

/// The limits of a run; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Calls of the model.
    pub turns: Option<u64>,
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// Tokens, all kinds of them.
    pub tokens: Option<u64>,
}

impl Budget {
    /// The limit that is used up after so much, if one is. `goes_on` says whether the agent would call its model again:
    /// the last turn may use a limit up to its end.
    pub fn exceeded(&self, used: &AgentUsage, turns: u64, goes_on: bool) -> Option<Error> {
        let over = |used: u64, limit: Option<u64>| limit.filter(|limit| used > *limit || (used == *limit && goes_on));
        if let Some(limit) = over(turns, self.turns) {
            return Some(used_up(format!("{limit} {} (--max-turns)", if limit == 1 { "turn" } else { "turns" })));
        }
        if let Some(limit) = over(used.total_tokens, self.tokens) {
            return Some(used_up(format!("{limit} tokens (--max-tokens)")));
        }
        let cost = used.cost_usd.unwrap_or_default();
        match self.cost_usd {
            Some(limit) if cost > limit || (cost >= limit && goes_on) => {
                Some(used_up(format!("{limit} US dollars (--max-cost)")))
            }
            _ => None,
        }
    }

    /// Whether a limit cannot be kept, since the agent knows no prices.
    pub fn is_blind(&self, used: &AgentUsage) -> bool {
        self.cost_usd.is_some() && used.cost_usd.is_none() && used.total_tokens > 0
    }
}

fn used_up(what: String) -> Error {
    Error::limit(format!("the budget is used up: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn used(tokens: u64, cost: f64) -> AgentUsage {
        AgentUsage { total_tokens: tokens, cost_usd: Some(cost), ..AgentUsage::default() }
    }

    #[test]
    fn a_limit_may_be_used_to_its_end_and_not_beyond() {
        let budget = Budget { turns: Some(2), tokens: Some(100), cost_usd: Some(0.5) };
        assert!(budget.exceeded(&used(10, 0.1), 1, true).is_none());
        assert!(budget.exceeded(&used(100, 0.5), 2, false).is_none());
        for (used, turns, goes_on, named) in [
            (used(10, 0.1), 2, true, "2 turns (--max-turns)"),
            (used(10, 0.1), 3, false, "--max-turns"),
            (used(101, 0.1), 1, false, "100 tokens (--max-tokens)"),
            (used(10, 0.51), 1, false, "0.5 US dollars (--max-cost)"),
        ] {
            let error = budget.exceeded(&used, turns, goes_on).expect(named);
            assert_eq!(error.kind(), ErrorKind::Limit);
            assert!(error.to_string().contains(named), "{error}");
        }
        assert!(Budget::default().exceeded(&used(u64::MAX, 1e9), u64::MAX, true).is_none());
    }

    #[test]
    fn without_prices_a_limit_of_cost_cannot_be_kept() {
        let budget = Budget { cost_usd: Some(1.0), ..Budget::default() };
        assert!(budget.is_blind(&AgentUsage { total_tokens: 1, ..AgentUsage::default() }));
        assert!(!budget.is_blind(&used(1, 0.0)) && !budget.is_blind(&AgentUsage::default()));
    }
}
