//! Moments: absolute in UTC, or how long ago.

use crate::config::duration;
use crate::error::{Error, Result};
use crate::model::Time;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Reads a moment: RFC 3339, a date (its midnight in UTC, as everything we print), or a duration ago.
pub fn parse_time(text: &str, now: Time) -> Result<Time> {
    if let Ok(time) = text.parse::<Time>() {
        return Ok(time);
    }
    if let Some(midnight) = date(text) {
        return Ok(midnight);
    }
    duration::parse(text).ok().and_then(|ago| now.checked_sub(ago).ok()).ok_or_else(|| {
        Error::usage(format!("invalid time `{text}`"))
            .hint("write `2026-03-01T10:00:00Z`, `2026-03-01`, or a duration ago such as `10m`")
    })
}

fn date(text: &str) -> Option<Time> {
    // jiff also takes `20260301`, which is a number of seconds to us.
    let date = text.parse::<Date>().ok().filter(|_| text.len() == 10 && text.contains('-'))?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// RFC 3339 in UTC, to the second: `2026-11-21T10:00:00Z`.
pub fn absolute(time: Time) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long ago, or how far ahead, in its largest unit; beyond 60 days the date.
pub fn relative(time: Time, now: Time) -> String {
    let past = now.duration_since(time);
    let distance = past.abs();
    if distance > SignedDuration::from_hours(60 * 24) {
        return time.strftime("%Y-%m-%d").to_string();
    }
    let seconds = distance.as_secs();
    let amount = match seconds {
        0 => return "now".to_owned(),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    };
    if past.is_negative() { format!("in {amount}") } else { format!("{amount} ago") }
}

/// The second a moment falls in, for what is compared by what is shown.
#[cfg(test)]
fn whole(time: Time) -> Time {
    time.round(jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Floor)).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn moments_are_read_in_every_form() {
        let now = at("2026-11-21T12:00:00Z");
        let read = |text: &str| absolute(parse_time(text, now).unwrap());
        assert_eq!(read("2026-03-01T10:00:00+02:00"), "2026-03-01T08:00:00Z");
        assert_eq!(read("2026-03-01"), "2026-03-01T00:00:00Z");
        assert_eq!(read("10m"), "2026-11-21T11:50:00Z");
        assert_eq!(read("20260301"), "2026-04-01T00:08:19Z");
        for bad in ["", "yesterday", "2026-13-01", "2026-03-01T10:00:00", "99999d99999d9999999999d"] {
            assert_eq!(parse_time(bad, now).unwrap_err().to_string(), format!("invalid time `{bad}`"));
        }
    }

    #[test]
    fn ages_use_their_largest_unit_up_to_sixty_days() {
        let now = at("2026-11-21T12:00:00Z");
        let age = |text: &str| relative(at(text), now);
        assert_eq!(age("2026-11-21T12:00:00.5Z"), "now");
        assert_eq!(age("2026-11-21T11:59:56Z"), "4s ago");
        assert_eq!(age("2026-11-21T11:00:01Z"), "59m ago");
        assert_eq!(age("2026-11-21T08:30:00Z"), "3h ago");
        assert_eq!(age("2026-09-22T12:00:00Z"), "60d ago");
        assert_eq!(age("2026-09-22T11:59:59Z"), "2026-09-22");
        assert_eq!(age("2026-11-21T12:00:05Z"), "in 5s");
        assert_eq!(age("2027-11-21T12:00:05Z"), "2027-11-21");
    }

    proptest! {
        #[test]
        fn absolute_times_read_back(nanos in -62_000_000_000i128 * 1_000_000_000..253_000_000_000i128 * 1_000_000_000) {
            let time = Time::from_nanosecond(nanos).unwrap();
            prop_assert_eq!(parse_time(&absolute(time), Time::UNIX_EPOCH).unwrap(), whole(time));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[0-9:TZ+-]{0,30}", now in any::<i32>()) {
            let _ = parse_time(&text, Time::from_second(now.into()).unwrap());
        }
    }
}
