//! What a layer and the plan consist of (section 6 of the reference), in the order in which the daemon writes it.

use super::scalars::{Factor, Span, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Names and what they stand for, sorted.
pub(super) type Named<T> = BTreeMap<String, T>;

/// A layer, and also the plan, which is all layers combined.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Plan {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) services: Named<Service>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) checks: Named<Check>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) log_targets: Named<LogTarget>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) workloads: Named<Workload>,
    #[serde(skip_serializing_if = "Pairing::is_unset")]
    pub(super) pairing: Pairing,
}

/// A process that the daemon keeps (section 6.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Service {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) summary: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) description: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) startup: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) r#override: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) command: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) after: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) before: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) requires: Vec<Text>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) workload: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) environment: Named<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) user: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) group: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) working_dir: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) on_success: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) on_failure: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) on_check_failure: Named<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff_delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff_factor: Option<Factor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) backoff_limit: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kill_delay: Option<Span>,
}

/// Something that is looked after (section 6.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Check {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) r#override: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) level: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) startup: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) period: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<Span>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) threshold: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<HttpCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tcp: Option<TcpCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exec: Option<ExecCheck>,
}

/// A request that must succeed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct HttpCheck {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) url: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: Named<Text>,
}

/// A port that must accept connections.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TcpCheck {
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) port: i64,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) host: Text,
}

/// A command that must succeed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExecCheck {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) command: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) service_context: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) environment: Named<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) user: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) group: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) working_dir: Text,
}

/// Where logs would be forwarded to (section 6.4). It is kept in the plan; nothing is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LogTarget {
    #[serde(rename = "type", skip_serializing_if = "Text::is_empty")]
    pub(super) kind: Text,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) location: Text,
    pub(super) services: Vec<Text>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) r#override: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) labels: Named<Text>,
}

/// An identity that services run as (section 6.4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Workload {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) r#override: Text,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) environment: Named<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) user: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<u32>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) group: Text,
}

/// Whether clients may pair. Pairing needs HTTPS, which is not simulated; the setting is kept in the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Pairing {
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub(super) mode: Text,
}

impl Pairing {
    fn is_unset(&self) -> bool {
        self.mode.is_empty()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What the daemon does when a service ends or a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Start it again.
    Restart,
    /// End the daemon with success.
    SuccessShutdown,
    /// End the daemon with failure.
    FailureShutdown,
    /// Leave it.
    Ignore,
}

impl Service {
    /// Whether it starts with the daemon.
    pub(super) fn is_enabled(&self) -> bool {
        &*self.startup == "enabled"
    }

    /// How long it has between SIGTERM and SIGKILL.
    pub(super) fn kill_delay(&self) -> Duration {
        self.kill_delay.map_or(Duration::from_secs(5), |span| span.0)
    }

    /// How long the daemon waits before it starts it again the `times`-th time in a row; jitter comes on top.
    pub(super) fn backoff(&self, times: u32) -> Duration {
        let first = self.backoff_delay.map_or(Duration::from_millis(500), |span| span.0);
        let factor = self.backoff_factor.map_or(2.0, |factor| factor.0);
        let exponent = i32::try_from(times.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = first.as_secs_f64() * factor.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.backoff_limit()).min(self.backoff_limit())
    }

    /// The longest delay, and the uptime after which the delays begin anew.
    pub(super) fn backoff_limit(&self) -> Duration {
        self.backoff_limit.map_or(Duration::from_secs(30), |span| span.0)
    }

    /// What follows its end.
    pub(super) fn on_exit(&self, success: bool) -> Action {
        match (if success { &*self.on_success } else { &*self.on_failure }, success) {
            ("ignore", _) => Action::Ignore,
            ("shutdown", true) | ("success-shutdown", _) => Action::SuccessShutdown,
            ("shutdown", false) | ("failure-shutdown", _) => Action::FailureShutdown,
            _ => Action::Restart,
        }
    }
}

impl Check {
    /// Whether it runs without being started.
    pub(super) fn is_enabled(&self) -> bool {
        &*self.startup != "disabled"
    }

    /// The time between two runs.
    pub(super) fn period(&self) -> Duration {
        self.period.map_or(Duration::from_secs(10), |span| span.0)
    }

    /// How long a run may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout.map_or(Duration::from_secs(3), |span| span.0).min(self.period())
    }

    /// What changes and messages call it.
    pub(super) fn kind(&self) -> &'static str {
        match (&self.http, &self.tcp) {
            (Some(_), _) => "HTTP",
            (_, Some(_)) => "TCP",
            _ => "exec",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_up_to_its_limit() {
        let service = Service::default();
        let delays: Vec<u128> = (1..=8).map(|times| service.backoff(times).as_millis()).collect();
        assert_eq!(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(service.backoff(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn a_run_of_a_check_ends_before_the_next_one() {
        let check = Check { period: Some(Span(Duration::from_secs(1))), ..Check::default() };
        assert_eq!(check.timeout(), Duration::from_secs(1));
        assert_eq!(Check::default().timeout(), Duration::from_secs(3));
    }
}
