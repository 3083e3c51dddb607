//! A writer of SVG elements that escapes whatever it is given.

/// SVG text under construction.
#[derive(Default)]
pub(super) struct Svg {
    text: String,
}

/// Attributes of an element, in order.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Svg {
    /// Start tag.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push('>');
    }

    /// End tag.
    pub(super) fn close(&mut self, name: &'static str) {
        self.text.extend(["</", name, ">"]);
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.text.push_str("/>");
    }

    /// An element that holds `content` as text.
    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, content: &str) {
        self.open(name, attributes);
        self.text.push_str(&escaped(content));
        self.close(name);
    }

    /// The finished text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn tag(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.text.extend(["<", name]);
        for (attribute, value) in attributes {
            self.text.extend([" ", attribute, "=\"", &escaped(value), "\""]);
        }
    }
}

/// `text` for an element or a quoted attribute. Characters that XML 1.0 forbids even when escaped become U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

/// A coordinate: at most one decimal, never `-0`, zero when it is no number.
pub(super) fn fixed(value: f64) -> String {
    let tenths = if value.is_finite() { (value * 10.0).round_ties_even() as i64 } else { 0 };
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    if tenth == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{tenth}") }
}

/// Path data of straight lines through `points`.
pub(super) fn polyline(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        path.push(if path.is_empty() { 'M' } else { 'L' });
        path.extend([&fixed(x), " ", &fixed(y)]);
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_in_text_and_attributes_is_harmless() {
        let mut svg = Svg::default();
        svg.leaf("text", &[("class", "a\" onload='x")], "</text><script>alert(1)</script> & \0\u{1b}");
        assert_eq!(
            svg.finish(),
            "<text class=\"a&quot; onload=&#39;x\">&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; \u{fffd}\u{fffd}</text>"
        );
    }

    #[test]
    fn coordinates_have_at_most_one_decimal_and_no_negative_zero() {
        let found = [0.0, -0.04, 1.0, 1.26, -3.55, 959.96, f64::NAN, f64::INFINITY].map(fixed);
        assert_eq!(found, ["0", "0", "1", "1.3", "-3.6", "960", "0", "0"]);
    }

    #[test]
    fn a_polyline_moves_once_and_then_draws() {
        assert_eq!(polyline([(0.0, 1.0), (2.5, 3.0), (4.0, 5.0)]), "M0 1L2.5 3L4 5");
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_markup_and_nothing_that_xml_forbids(text in any::<String>()) {
            let safe = escaped(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'']));
            let allowed = |c: char| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}');
            prop_assert!(safe.chars().all(allowed));
            for rest in safe.split('&').skip(1) {
                let named = ["amp;", "lt;", "gt;", "quot;", "#39;"];
                prop_assert!(named.iter().any(|entity| rest.starts_with(entity)));
            }
        }
    }
}
