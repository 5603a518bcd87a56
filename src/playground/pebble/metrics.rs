//! The metrics (section 2.3).

use super::daemon::Book;
use std::fmt::Write as _;

/// All of them, as text.
pub(super) fn text(book: &Book) -> String {
    let mut groups = Vec::new();
    for (name, service) in &book.services {
        let active = u64::from(service.current() == "active");
        let about = "Whether the service is currently active (1) or not (0)";
        groups.push(series("pebble_service_active", about, "gauge", "service", name, active));
        let about = "Number of times the service has started";
        groups.push(series("pebble_service_start_count", about, "counter", "service", name, service.starts));
    }
    for (name, check) in &book.checks {
        if check.status() != "inactive" {
            let about = "Whether the health check is up (1) or not (0)";
            groups.push(series("pebble_check_up", about, "gauge", "check", name, u64::from(check.status() == "up")));
        }
        let about = "Number of times the check has succeeded";
        groups.push(series("pebble_check_success_count", about, "counter", "check", name, check.successes));
        let about = "Number of times the check has failed";
        groups.push(series("pebble_check_failure_count", about, "counter", "check", name, check.all_failures));
    }
    groups.join("\n")
}

fn series(metric: &str, about: &str, kind: &str, label: &str, name: &str, value: u64) -> String {
    let mut escaped = String::new();
    for c in name.chars() {
        match c {
            '\\' | '"' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    let mut text = String::new();
    let _ = writeln!(text, "# HELP {metric} {about}");
    let _ = writeln!(text, "# TYPE {metric} {kind}");
    let _ = writeln!(text, "{metric}{{{label}=\"{escaped}\"}} {value}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_stands_by_itself() {
        let text = series("pebble_x", "About it", "gauge", "check", "a\"b", 1);
        assert_eq!(text, "# HELP pebble_x About it\n# TYPE pebble_x gauge\npebble_x{check=\"a\\\"b\"} 1\n");
    }
}
