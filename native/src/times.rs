//! Times in the forms that need no second look -> unix milliseconds; `logdrain/drain/times.py` reads all others.

pub const TIME_MAX_MS: i64 = 253_402_300_799_999;
const SECONDS_BELOW: i64 = 100_000_000_000;
const MILLISECONDS_BELOW: i64 = 100_000_000_000_000;
const MICROSECONDS_BELOW: i64 = 100_000_000_000_000_000;

/// A whole number's unit follows from its size.
pub fn whole_time_ms(value: i64) -> Option<i64> {
    let time_ms = match value {
        _ if value < 0 => return None,
        _ if value < SECONDS_BELOW => value * 1000,
        _ if value < MILLISECONDS_BELOW => value,
        _ if value < MICROSECONDS_BELOW => value / 1000,
        _ => value / 1_000_000,
    };
    within(time_ms)
}

/// Seconds with a fraction, rounded to microseconds as Python's `round` does, then cut.
pub fn fractional_time_ms(value: f64) -> Option<i64> {
    if !(0.0..SECONDS_BELOW as f64).contains(&value) {
        return None;
    }
    within((value * 1_000_000.0).round_ties_even() as i64 / 1000)
}

/// `2026-11-29T12:00:00[.123456](Z|+01:00)`, cut to milliseconds.
pub fn text_time_ms(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if signs.iter().any(|&(at, sign)| date_time[at] != sign) {
        return None;
    }
    let part = |from: usize, to: usize| digits(&date_time[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    if !is_time || !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let (fraction_ms, zone) = fraction(rest)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_s(zone)?;
    within(seconds * 1000 + fraction_ms)
}

/// Milliseconds, and what stands behind them: one to six digits, as Python's `fromisoformat` reads them.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    if rest.first() != Some(&b'.') {
        return Some((0, rest));
    }
    let count = rest[1..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (fraction, zone) = rest[1..].split_at(count);
    let fraction_ms = match count {
        1 => digits(fraction)? * 100,
        2 => digits(fraction)? * 10,
        3..=6 => digits(&fraction[..3])?,
        _ => return None,
    };
    Some((fraction_ms, zone))
}

/// `Z`, `+01:00`
fn offset_s(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let offset_s = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'+' { offset_s } else { -offset_s })
        }
        _ => None,
    }
}

fn digits(octets: &[u8]) -> Option<i64> {
    octets.iter().try_fold(0_i64, |number, octet| {
        octet.is_ascii_digit().then(|| number * 10 + i64::from(octet - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the Gregorian calendar; years start in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

fn within(time_ms: i64) -> Option<i64> {
    (0..=TIME_MAX_MS).contains(&time_ms).then_some(time_ms)
}
