//! Numbers as a page shows them.

/// A count in groups of three: `28,735`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Three digits that tell something, as on an axis: `0.25`, `12.5`, `320`, `1.5k`, `12M`.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    let (scaled, unit) = match size {
        size if size >= 999_500_000.0 => (number / 1e9, "G"),
        size if size >= 999_500.0 => (number / 1e6, "M"),
        // Up to ten thousand the whole number is no longer.
        size if size >= 9_999.5 => (number / 1e3, "k"),
        _ => (number, ""),
    };
    format!("{}{unit}", digits(scaled, 3))
}

/// With so many digits, those before the point whatever they are, and no zeros at the end.
fn digits(number: f64, digits: u32) -> String {
    let size = number.abs();
    if size <= 0.0 || !size.is_finite() {
        return "0".to_owned();
    }
    let before = libm::floor(libm::log10(size)) + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let after = (f64::from(digits) - before).clamp(0.0, 9.0) as usize;
    let text = format!("{number:.after$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share in per cent, with a digit behind the point: `91.9 %`. What is not all does not look so.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1} %", 100.0 * share);
    match text.as_str() {
        "100.0 %" if share < 1.0 => "> 99.9 %".to_owned(),
        "0.0 %" if share > 0.0 => "< 0.1 %".to_owned(),
        _ => text,
    }
}

/// A share in whole per cent, as on an axis.
pub(super) fn whole_percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A rate: `319/s`.
pub(super) fn rate(per_second: f64) -> String {
    format!("{}/s", short(per_second))
}

/// Milliseconds in the unit that people say: `40 µs`, `12.5 ms`, `3 s`.
pub(super) fn millis(ms: f64) -> String {
    match ms.abs() {
        size if size <= 0.0 => "0 ms".to_owned(),
        size if size < 0.9995 => format!("{} µs", digits(1e3 * ms, 3)),
        size if size < 999.5 => format!("{} ms", digits(ms, 3)),
        _ => seconds(ms / 1e3),
    }
}

/// A time: `3 s`, `1 min 30 s`, `2 h`.
pub(crate) fn seconds(s: f64) -> String {
    if s < 119.5 {
        return format!("{} s", digits(s, 3));
    }
    let all = libm::round(s);
    let (hours, minutes, seconds) = (libm::floor(all / 3600.0), libm::floor(all / 60.0) % 60.0, all % 60.0);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0.0).map(|(number, unit)| format!("{number} {unit}")).collect();
    parts.join(" ")
}

/// A number of a picture, to a tenth of a pixel.
pub(super) fn px(place: f64) -> String {
    let text = format!("{place:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{count, millis, percent, px, seconds, short};

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1000, 28_735, 1_234_567].map(count), ["0", "999", "1,000", "28,735", "1,234,567"]);
    }

    #[test]
    fn numbers_have_the_digits_that_tell() {
        let shown = [0.0, 0.25, 12.5, 319.4, 1500.0, 9999.0, 12_000.0, 1_500_000.0, 2e9, -0.5].map(short);
        assert_eq!(shown, ["0", "0.25", "12.5", "319", "1500", "9999", "12k", "1.5M", "2G", "-0.5"]);
        let shares = [0.919, 1.0, 0.9996, 0.0, 0.0004].map(percent);
        assert_eq!(shares, ["91.9 %", "100.0 %", "> 99.9 %", "0.0 %", "< 0.1 %"]);
    }

    #[test]
    fn times_are_in_the_unit_that_people_say() {
        assert_eq!(
            [0.0, 0.04, 12.5, 250.0, 999.9, 3000.0].map(millis),
            ["0 ms", "40 µs", "12.5 ms", "250 ms", "1 s", "3 s"]
        );
        assert_eq!(
            [0.5, 25.0, 90.0, 120.0, 150.0, 7200.0].map(seconds),
            ["0.5 s", "25 s", "90 s", "2 min", "2 min 30 s", "2 h"]
        );
    }

    #[test]
    fn places_are_short() {
        assert_eq!([0.0, -0.01, 12.34, 7.0].map(px), ["0", "0", "12.3", "7"]);
    }
}
