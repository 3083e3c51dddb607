//! `${NAME}` and `${NAME:-default}` in config values.

/// What came of a value's environment references.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The value with every reference replaced.
    pub(super) text: String,
    /// Variables whose values stand in `text`, so that messages name them and hide what they hold.
    pub(super) variables: Vec<String>,
}

/// Why a value's references could not be replaced.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EnvError {
    /// No `}` follows.
    #[error("`${{` without `}}`")]
    Unclosed,
    /// Not a name of letters, digits and `_`.
    #[error("`${{…}}` holds no variable name (letters, digits and `_`, not a digit first)")]
    Name,
    /// A default that itself refers to a variable.
    #[error("the default of ${{{variable}}} refers to another variable")]
    Nested {
        /// The outer variable.
        variable: String,
    },
    /// Not set, and no default.
    #[error("environment variable {variable} is not set")]
    Unset {
        /// The variable.
        variable: String,
    },
}

impl EnvError {
    /// The one thing to do.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Unclosed | Self::Name => "write ${NAME} or ${NAME:-default}; $${ for the characters ${".to_owned(),
            Self::Nested { .. } => "write a default without ${…}".to_owned(),
            Self::Unset { variable } => format!("set it, or give a default: ${{{variable}:-…}}"),
        }
    }
}

/// Replace `${NAME}` and `${NAME:-default}` (the default also when the variable is empty); `$${` stands for `${`.
///
/// Values are not expanded again: what a variable holds is never read as a reference.
pub(super) fn expand(literal: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, EnvError> {
    let mut expanded = Expanded { text: String::with_capacity(literal.len()), variables: Vec::new() };
    let mut rest = literal;
    while let Some(start) = rest.find("${") {
        if let Some(before) = rest[..start].strip_suffix('$') {
            expanded.text.push_str(before);
            expanded.text.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        expanded.text.push_str(&rest[..start]);
        let (reference, after) = rest[start + 2..].split_once('}').ok_or(EnvError::Unclosed)?;
        replace(reference, env, &mut expanded)?;
        rest = after;
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

fn replace(reference: &str, env: &dyn Fn(&str) -> Option<String>, expanded: &mut Expanded) -> Result<(), EnvError> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if !is_name(name) {
        return Err(EnvError::Name);
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(EnvError::Nested { variable: name.to_owned() });
    }
    match (env(name), default) {
        (Some(value), Some(default)) if value.is_empty() => expanded.text.push_str(default),
        (Some(value), _) => {
            expanded.text.push_str(&value);
            expanded.variables.push(name.to_owned());
        }
        (None, Some(default)) => expanded.text.push_str(default),
        (None, None) => return Err(EnvError::Unset { variable: name.to_owned() }),
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(literal: &str) -> Result<String, EnvError> {
        let env = |name: &str| match name {
            "DAY" => Some("1997-09-30".to_owned()),
            "TRICK" => Some("${DAY}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(literal, &env).map(|expanded| expanded.text)
    }

    #[test]
    fn references_are_replaced_once_with_defaults_for_unset_and_empty() {
        assert_eq!(text("date <= '${DAY}'").as_deref(), Ok("date <= '1997-09-30'"));
        assert_eq!(text("${TRICK}").as_deref(), Ok("${DAY}"));
        assert_eq!(text("${EMPTY}|${EMPTY:-x}|${NONE:-a:-b}|${NONE:-}").as_deref(), Ok("|x|a:-b|"));
        assert_eq!(text("costs $5, $${DAY} and $$").as_deref(), Ok("costs $5, ${DAY} and $$"));
    }

    #[test]
    fn references_that_cannot_be_replaced_are_errors() {
        assert_eq!(text("${DAY"), Err(EnvError::Unclosed));
        assert_eq!(text("${}"), Err(EnvError::Name));
        assert_eq!(text("${1X}"), Err(EnvError::Name));
        assert_eq!(text("${NONE}"), Err(EnvError::Unset { variable: "NONE".to_owned() }));
        assert_eq!(text("${A:-${B}}"), Err(EnvError::Nested { variable: "A".to_owned() }));
    }
}
