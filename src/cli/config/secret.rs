//! Recognises credentials that were written into the config itself, so that they are refused and never repeated.

/// Words before `=` that announce a credential.
const CREDENTIAL_WORDS: [&str; 13] = [
    "password",
    "passwd",
    "pwd",
    "secret_access_key",
    "aws_session_token",
    "access_token",
    "accountkey",
    "sharedaccesssignature",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "?sig",
    "&sig",
];

/// Whether a literal looks like a credential: an AWS access key id, `password=…`, or `scheme://user:password@…`.
///
/// A credential that is itself an environment reference (`password=${DB_PASSWORD}`) is none.
pub(super) fn looks_secret(literal: &str) -> bool {
    has_aws_key(literal) || has_credential_word(literal) || has_url_password(literal)
}

/// `AKIA` or `ASIA` and sixteen capital letters or digits, not inside a longer word.
fn has_aws_key(literal: &str) -> bool {
    literal.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

fn has_credential_word(literal: &str) -> bool {
    let lower = literal.to_ascii_lowercase();
    CREDENTIAL_WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(start, _)| {
            let Some(value) = lower[start + word.len()..].trim_start().strip_prefix('=') else { return false };
            is_spelled_out(value.trim_start())
        })
    })
}

fn has_url_password(literal: &str) -> bool {
    literal.match_indices("://").any(|(start, separator)| {
        let authority = literal[start + separator.len()..].split(['/', '?', '#', ' ']).next().unwrap_or_default();
        // A password may itself hold `@`: the host comes after the last one.
        let Some((user_info, _host)) = authority.rsplit_once('@') else { return false };
        user_info.split_once(':').is_some_and(|(_user, password)| is_spelled_out(password))
    })
}

fn is_spelled_out(value: &str) -> bool {
    !value.is_empty() && !value.starts_with("${")
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn credentials_are_recognised_and_ordinary_values_are_not() {
        for secret in [
            "AKIAIOSFODNN7EXAMPLE",
            "s3://bucket?key=AKIAIOSFODNN7EXAMPLE",
            "host=db password=hunter2",
            "PWD = hunter2",
            "postgres://reader:hunter2@db/ledger",
            "postgres://reader:hun@ter2@db/ledger",
            "az://tables/sales?sv=2020-08-04&sig=abc",
            "https://bucket.s3.amazonaws.com/x?X-Amz-Signature=abc",
            "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=abc==",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for plain in [
            "AKIA",
            "AKIAIOSFODNN7EXAMPLELONGER",
            "password=${DB_PASSWORD}",
            "password",
            "s3://reader@bucket/ledger",
            "s3://reader:${PW}@bucket/ledger",
            "s3://bucket/12:30@noon",
            "sig = 3 AND design = 4",
            "s3://bucket/part-?.parquet",
            "date <= DATE '1997-09-30'",
        ] {
            assert!(!looks_secret(plain), "{plain}");
        }
    }
}
