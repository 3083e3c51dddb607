//! The user's SQL over columns: read once, and held against the columns before a row is read.

use std::sync::Arc;

use polars::prelude::*;

use super::{columns::listed, exact::exact, plain_reason};

/// Reads an expression; what is divided by zero is null, as in SQL.
///
/// # Errors
/// What is wrong with its SQL.
pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    let words = words(text);
    bounded(&words)?;
    let expression = polars::sql::sql_expr(text).map_err(|error| without_tree(&plain_reason(&error)))?;
    let expression = two_valued(balanced(expression), &words)?;
    expression.try_map_expr(meant).map_err(|error| plain_reason(&error))
}

/// Conditions joined by AND and OR, at most: what works on an expression goes down its tree, on a stack that ends.
const MOST_CONDITIONS: usize = 1_000;

/// Parentheses and CASE within each other, at most: the parser's time doubles with each.
const DEEPEST: usize = 20;

/// Refuses what would take the parser or the engine beyond any measure.
fn bounded(words: &[String]) -> Result<(), String> {
    let joins = words.iter().filter(|word| matches!(word.as_str(), "AND" | "OR")).count();
    if joins >= MOST_CONDITIONS {
        return Err(format!(
            "it has more than {MOST_CONDITIONS} conditions: write x IN (1, 2, 3), or mark the rows in a column"
        ));
    }
    let (mut depth, mut deepest) = (0_usize, 0);
    for word in words {
        match word.as_str() {
            "(" | "CASE" => depth += 1,
            ")" | "END" => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if deepest > DEEPEST {
        return Err(format!("parentheses or CASE stand within each other more than {DEEPEST} deep"));
    }
    Ok(())
}

/// The expression with every chain of ANDs, or of ORs, as a tree as flat as can be: a chain of a thousand is ten deep. Both are
/// associative, of nulls too.
fn balanced(expression: Expr) -> Expr {
    let Expr::BinaryExpr { op: op @ (Operator::And | Operator::Or), .. } = expression else { return expression };
    let (mut parts, mut rest) = (Vec::new(), vec![expression]);
    while let Some(next) = rest.pop() {
        match next {
            Expr::BinaryExpr { left, op: other, right } if other == op => {
                rest.push(Arc::unwrap_or_clone(right));
                rest.push(Arc::unwrap_or_clone(left));
            }
            part => parts.push(balanced(part)),
        }
    }
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut parts_left = parts.into_iter();
        while let Some(left) = parts_left.next() {
            pairs.push(match parts_left.next() {
                Some(right) => Expr::BinaryExpr { left: Arc::new(left), op, right: Arc::new(right) },
                None => left,
            });
        }
        parts = pairs;
    }
    parts.pop().unwrap_or_else(|| lit(true))
}

/// A node as SQL means it.
fn meant(node: Expr) -> PolarsResult<Expr> {
    Ok(match node {
        // Decimals would stop the scan, and floats go on as infinite.
        Expr::BinaryExpr {
            left,
            op: op @ (Operator::RustDivide | Operator::TrueDivide | Operator::FloorDivide),
            right,
        } => {
            let divisor = Arc::unwrap_or_clone(right);
            let divisor = when(divisor.clone().neq(lit(0))).then(divisor).otherwise(lit(NULL));
            Expr::BinaryExpr { left, op, right: Arc::new(divisor) }
        }
        // The parser takes all that follows for the right side: `a IS DISTINCT FROM b AND c` compares with `b AND c`.
        Expr::BinaryExpr { op: Operator::EqValidity | Operator::NotEqValidity, ref right, .. }
            if matches!(**right, Expr::BinaryExpr { op: Operator::And | Operator::Or, .. }) =>
        {
            polars_bail!(SQLInterface: "put parentheses around what IS DISTINCT FROM compares, as in (a IS DISTINCT FROM b) AND c")
        }
        Expr::Cast { ref expr, ref dtype, .. } if dtype.as_literal() == Some(&DataType::Date) => {
            let text = if let Expr::Literal(value) = &**expr { value.extract_str() } else { None };
            // It would be null, and true of nobody. A cast would print that it is deprecated.
            let is_day = |text: &str| {
                let days = StringChunked::from_iter([text]).as_date(None, false);
                days.is_ok_and(|days| days.into_series().null_count() == 0)
            };
            if let Some(text) = text
                && !is_day(text)
            {
                polars_bail!(SQLInterface: "DATE '{text}' is no day of the calendar")
            }
            node
        }
        node => node,
    })
}

/// Whether a node compares with TRUE or FALSE.
fn of_flag(node: &Expr) -> bool {
    let flag = |right: &Expr| matches!(right, Expr::Literal(LiteralValue::Scalar(value)) if value.dtype().is_bool());
    matches!(node, Expr::BinaryExpr { op: Operator::Eq, right, .. } if flag(right))
}

/// `x IS TRUE`, `x IS NOT TRUE` and the like, true or false of a null as well: Polars' SQL reads them as `x = TRUE`, which is null
/// then. Only the text tells the two apart.
fn two_valued(expression: Expr, words: &[String]) -> Result<Expr, String> {
    let written = flags_after_is(words);
    if written == 0 {
        return Ok(expression);
    }
    if expression.into_iter().filter(|node| of_flag(node)).count() != written {
        let instead = "write x for x = TRUE, and NOT x for x = FALSE";
        return Err(format!("it cannot have both IS TRUE (or IS FALSE) and = TRUE (or = FALSE): {instead}"));
    }
    Ok(expression.map_expr(|mut node| {
        let compares = of_flag(&node);
        if let Expr::BinaryExpr { op, .. } = &mut node
            && compares
        {
            *op = Operator::EqValidity;
        }
        node
    }))
}

/// How often TRUE or FALSE stands after IS or IS NOT, outside quotes and comments.
fn flags_after_is(words: &[String]) -> usize {
    let after_is = |at: usize| match &words[..at] {
        [.., last] if last == "IS" => true,
        [.., is, not] => is == "IS" && not == "NOT",
        _ => false,
    };
    (0..words.len()).filter(|at| matches!(words[*at].as_str(), "TRUE" | "FALSE") && after_is(*at)).count()
}

/// The words of some SQL, in capitals, and every other sign as one of its own. What is quoted is a word that says nothing.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = |begin: usize, end: &str| rest[begin..].find(end).map_or("", |at| &rest[begin + at + end.len()..]);
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if rest.starts_with("--") {
            rest = after(2, "\n");
        } else if rest.starts_with("/*") {
            rest = after(2, "*/");
        } else if matches!(first, '\'' | '"' | '`') {
            words.push(String::new());
            rest = after(1, &first.to_string());
        } else {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = rest.find(|letter: char| !is_part(letter)).unwrap_or(rest.len());
            let length = length.max(first.len_utf8());
            words.push(rest[..length].to_uppercase());
            rest = &rest[length..];
        }
    }
    words
}

/// A reason without the syntax tree that Polars prints of what it does not know: `expression Exists is not supported`.
fn without_tree(reason: &str) -> String {
    if !reason.contains(" {") {
        return reason.to_owned();
    }
    let what = reason.split(['{', '(']).next().unwrap_or_default().trim_end();
    match what.strip_prefix("array element") {
        Some(_) => "the values of IN are constants, and no columns".to_owned(),
        None => format!("{what} is not supported"),
    }
}

/// An expression that is true or false of a row with these columns, made exact by their types; no row is read.
///
/// * `csv`: whether every column is text because the file is CSV.
///
/// # Errors
/// What is wrong: a column that is not there, types that do not fit.
pub(crate) fn fit(expression: Expr, columns: &Schema, csv: bool) -> Result<Expr, String> {
    let text = if csv { "; every column of a CSV file is text, as in CAST(amount AS DOUBLE) > 15" } else { "" };
    let absent = expression.into_iter().find_map(|node| match node {
        Expr::Column(name) if !columns.contains(name) => Some(name),
        _ => None,
    });
    if let Some(absent) = absent {
        // The names of a CSV's columns may be the cells of a first row.
        let known: Vec<&str> = columns.iter_names().map(PlSmallStr::as_str).collect();
        let known = if csv { text.to_owned() } else { format!("; the file has: {}", listed(&known)) };
        return Err(format!("no column `{absent}`{known}"));
    }
    let expression = exact(expression, columns).map_err(|reason| format!("{reason}{text}"))?;
    check(&expression, columns).map_err(|reason| format!("{reason}{text}"))?;
    Ok(expression)
}

/// Whether an expression can be worked out over these columns, and is true or false.
fn check(expression: &Expr, columns: &Schema) -> Result<(), String> {
    let frame = DataFrame::empty_with_schema(columns).lazy();
    match frame.select([expression.clone().alias("found")]).collect() {
        Ok(found) if found.columns()[0].dtype() == &DataType::Boolean => Ok(()),
        Ok(_) => Err("it is neither true nor false".to_owned()),
        Err(error) => Err(match plain_reason(&error) {
            absent if absent.starts_with("no column ") => {
                absent.split("; valid columns").next().unwrap_or_default().to_owned()
            }
            // Without a row there is no cell that the message could hold.
            _ => match error.to_string().lines().next().unwrap_or_default() {
                days if days.starts_with("cannot compare 'date/datetime/time' to a string") => {
                    format!("{days}; write a day as DATE '2024-01-31'")
                }
                reason => reason.to_owned(),
            },
        }),
    }
}

/// Whether an expression needs more than the row that it is about; the list of `x IN (1, 2)` is a constant.
pub(crate) fn needs_other_rows(expression: &Expr) -> bool {
    expression.into_iter().any(|node| match node {
        Expr::Agg(AggExpr::Implode { input, .. }) => !matches!(**input, Expr::Literal(_)),
        Expr::Function { function, .. } => OVER_ROWS.contains(&function.to_string().as_str()),
        Expr::Agg(_)
        | Expr::Over { .. }
        | Expr::Len
        | Expr::Sort { .. }
        | Expr::SortBy { .. }
        | Expr::Gather { .. }
        | Expr::Slice { .. }
        | Expr::Filter { .. }
        | Expr::Explode { .. } => true,
        _ => false,
    })
}

/// Functions over several rows that are no aggregates to Polars.
const OVER_ROWS: [&str; 15] = [
    "quantile",
    "pearson_correlation",
    "covariance",
    "n_unique",
    "mode",
    "mode_stable",
    "rank",
    "shift",
    "cum_sum",
    "cum_min",
    "cum_max",
    "cum_count",
    "skew",
    "kurtosis",
    "product",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_conditions_means_the_same_as_a_flat_tree_and_an_endless_one_is_refused() {
        let flags = |seed: u64| -> Vec<Option<bool>> {
            (0..27).map(|row| [None, Some(true), Some(false)][(row / 3_u64.pow(seed as u32) % 3) as usize]).collect()
        };
        let columns = ["a", "b", "c"].iter().zip(0..).map(|(name, seed)| Column::new((*name).into(), flags(seed)));
        let frame = DataFrame::new(27, columns.collect()).unwrap();
        let found = |expression: Expr| {
            let frame = frame.clone().lazy().select([expression.alias("found")]).collect().unwrap();
            frame.columns()[0].as_materialized_series().bool().unwrap().iter().collect::<Vec<_>>()
        };
        for text in
            ["a AND b AND c", "a OR b OR c OR a", "a AND b OR c AND a OR b AND c AND a", "NOT (a AND b AND c) OR b"]
        {
            assert_eq!(found(parse(text).unwrap()), found(polars::sql::sql_expr(text).unwrap()), "{text}");
        }
        let chain = |conditions: usize, join: &str| {
            (0..conditions).map(|number| format!("x = {number}")).collect::<Vec<_>>().join(join)
        };
        let schema = Schema::from_iter([Field::new("x".into(), DataType::Int64)]);
        for join in [" OR ", " AND "] {
            let whole = fit(parse(&chain(1_000, join)).unwrap(), &schema, false).unwrap();
            let rows =
                df!("x" => [0_i64, 999, 1_000]).unwrap().lazy().select([whole.alias("found")]).collect().unwrap();
            let found: Vec<_> = rows.columns()[0].as_materialized_series().bool().unwrap().iter().flatten().collect();
            assert_eq!(found, if join == " OR " { [true, true, false] } else { [false; 3] });
            let told = parse(&chain(1_001, join)).unwrap_err();
            assert_eq!(told, "it has more than 1000 conditions: write x IN (1, 2, 3), or mark the rows in a column");
        }
        let nested = |depth: usize| format!("{}x = 1{}", "NOT (".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(20)).is_ok());
        assert_eq!(parse(&nested(21)).unwrap_err(), "parentheses or CASE stand within each other more than 20 deep");
    }

    #[test]
    fn a_list_of_constants_is_about_one_row_and_a_quantile_is_not() {
        for text in ["a IN ('web')", "a NOT IN ('web', 'shop')", "b IN (1, 2, 3)", "a LIKE 'w%' AND b BETWEEN 1 AND 2"]
        {
            assert!(!needs_other_rows(&parse(text).unwrap()), "{text}");
        }
        for text in [
            "b > QUANTILE_CONT(b, 0.5)",
            "b > AVG(b)",
            "b > COUNT(*)",
            "b = MAX(b) OVER ()",
            "b > MEDIAN(b)",
            "ROW_NUMBER() OVER () < 5",
            "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1",
            "RANK() OVER (ORDER BY b) < 3",
            "DENSE_RANK() OVER (PARTITION BY a ORDER BY b) < 3",
            "LAG(b) OVER () > 5",
            "LEAD(b, 2) OVER (ORDER BY a) > 5",
            "FIRST_VALUE(b) OVER (PARTITION BY a ORDER BY b) = b",
            "SUM(b) OVER (ORDER BY a) < 100",
            "COUNT(b) OVER (ORDER BY a) < 100",
            "STDDEV(b) > 1",
            "VARIANCE(b) > 1",
            "CORR(b, b) > 0",
        ] {
            // What is no SQL here is refused as that.
            assert!(!parse(text).is_ok_and(|expression| !needs_other_rows(&expression)), "{text}");
        }
    }

    #[test]
    fn is_true_and_is_false_are_true_or_false_of_a_null_as_well() {
        let frame = df!("flag" => [Some(true), Some(false), None], "n" => [Some(2), Some(0), None]).unwrap();
        let told = |text: &str| -> Vec<Option<bool>> {
            let expression = fit(parse(text).unwrap(), frame.schema(), false).unwrap();
            let told = frame.clone().lazy().select([expression.alias("told")]).collect().unwrap();
            told.column("told").unwrap().bool().unwrap().iter().collect()
        };
        for (text, expected) in [
            ("flag IS TRUE", [true, false, false]),
            ("flag IS NOT TRUE", [false, true, true]),
            ("flag is /* a flag */ not\nfalse", [true, false, true]),
            ("NOT (flag IS FALSE)", [true, false, true]),
            ("(n > 1) IS NOT TRUE", [false, true, true]),
            ("n > 1 IS NOT TRUE AND 'it''s IS TRUE' <> 'x'", [false, true, true]),
            ("CASE WHEN flag IS NOT TRUE THEN n IS NULL ELSE n = 2 END", [true, false, true]),
        ] {
            assert_eq!(told(text), expected.map(Some), "{text}");
        }
        assert_eq!(told("flag = TRUE"), [Some(true), Some(false), None]);
        assert_eq!(told("NOT (flag = TRUE) AND 'flag IS TRUE' <> \"flag\"::varchar"), [Some(false), Some(true), None]);
        let both = parse("flag IS NOT TRUE OR flag = TRUE").unwrap_err();
        assert!(both.starts_with("it cannot have both IS TRUE (or IS FALSE) and = TRUE (or = FALSE)"), "{both}");
    }

    #[test]
    fn what_would_be_read_in_another_way_than_it_is_written_is_refused() {
        assert_eq!(parse("d <= DATE '2024-02-30'").unwrap_err(), "DATE '2024-02-30' is no day of the calendar");
        assert_eq!(
            parse("d <= CAST('2023-02-29' AS DATE)").unwrap_err(),
            "DATE '2023-02-29' is no day of the calendar"
        );
        assert!(parse("d <= DATE '2024-02-29'").is_ok());
        assert_eq!(
            parse("a IS DISTINCT FROM b AND c").unwrap_err(),
            "put parentheses around what IS DISTINCT FROM compares, as in (a IS DISTINCT FROM b) AND c"
        );
        assert!(parse("(a IS DISTINCT FROM b) AND c").is_ok());
        for (text, expected) in [
            ("EXISTS (SELECT 1)", "expression Exists is not supported"),
            ("(a > 1) IS UNKNOWN", "expression IsUnknown is not supported"),
            ("s SIMILAR TO 'w.*'", "expression SimilarTo is not supported"),
            ("a IN (b, 1)", "the values of IN are constants, and no columns"),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn what_is_divided_by_zero_is_null_and_types_are_held_against_the_columns() {
        let frame = df!("a" => ["x", "y"], "b" => [0_i64, 2]).unwrap();
        let flags = frame.clone().lazy().select([parse("10 / b > 2").unwrap().alias("found")]).collect().unwrap();
        let flags: Vec<Option<bool>> = flags.column("found").unwrap().bool().unwrap().iter().collect();
        assert_eq!(flags, [None, Some(true)]);
        let told = |text: &str, csv| fit(parse(text).unwrap(), frame.schema(), csv).map(|_| ());
        assert_eq!(told("b > 1 AND a IN ('x')", false), Ok(()));
        assert_eq!(told("b + 1", false), Err("it is neither true nor false".to_owned()));
        let days = df!("d" => [0_i32]).unwrap().lazy().select([col("d").cast(DataType::Date)]).collect().unwrap();
        let of_days = |text: &str| fit(parse(text).unwrap(), days.schema(), false).map(|_| ());
        assert_eq!(of_days("d >= DATE '2024-01-31'"), Ok(()));
        assert!(of_days("d >= '2024-01-31'").unwrap_err().ends_with("; write a day as DATE '2024-01-31'"));
        assert_eq!(told("c > 3", false), Err("no column `c`; the file has: a, b".to_owned()));
        assert!(told("c > 3", true).unwrap_err().starts_with("no column `c`; every column of a CSV"));
        assert_eq!(told("a > 3", false), Err("cannot compare string with numeric type (i32)".to_owned()));
        assert!(told("a > 3", true).unwrap_err().ends_with("as in CAST(amount AS DOUBLE) > 15"));
    }
}
