//! JSON whose floats come back to the last bit.

use serde_json::Value;

/// Marks a number that stands as a text.
const MARK: &str = "\u{1}number ";

/// JSON with every float read to the nearest number: the parser by itself may be off by one in the last place.
pub(super) fn parse_exactly(text: &str) -> Option<Value> {
    let mut marked = String::with_capacity(text.len() + text.len() / 4);
    let (mut in_text, mut escaped) = (false, false);
    let mut number = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if !in_text
            && (c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E') && !number.is_empty() || c == '-')
        {
            number.push(c);
            continue;
        }
        if number.contains(['.', 'e', 'E']) {
            marked.push_str("\"\\u0001number ");
            marked.push_str(&number);
            marked.push('"');
        } else {
            marked.push_str(&number);
        }
        number.clear();
        in_text ^= c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        marked.push(c);
    }
    let mut value = serde_json::from_str(&marked).ok()?;
    unmark(&mut value)?;
    Some(value)
}

fn unmark(value: &mut Value) -> Option<()> {
    match value {
        Value::String(text) => {
            if let Some(number) = text.strip_prefix(MARK) {
                *value = Value::Number(serde_json::Number::from_f64(number.parse().ok()?)?);
            }
        }
        Value::Array(values) => values.iter_mut().try_for_each(unmark)?,
        Value::Object(values) => values.values_mut().try_for_each(unmark)?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_read_to_the_last_bit_and_texts_are_left_alone() {
        let text = r#"{"a": [2.345683744089724, -1.5e-11, 3, -7], "b": "1.5 \" 2.5", "c\\": {"d": 1e3}}"#;
        let found = parse_exactly(text).unwrap();
        assert_eq!(found["a"][0].as_f64().map(f64::to_bits), Some(2.345_683_744_089_724_f64.to_bits()));
        assert_eq!(found["a"][1].as_f64(), Some(-1.5e-11));
        assert_eq!((&found["a"][2], &found["a"][3]), (&json!(3), &json!(-7)));
        assert_eq!((&found["b"], found["c\\"]["d"].as_f64()), (&json!("1.5 \" 2.5"), Some(1_000.0)));
        for damaged in ["", "{", "[1.2.3]", "[1e999]", "[-]"] {
            assert!(parse_exactly(damaged).is_none(), "{damaged}");
        }
    }
}
