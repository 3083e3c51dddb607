//! An expression over columns whose types are known: whole numbers are worked out without overflow, and what compares things of
//! different kinds is refused.

use std::sync::Arc;

use polars::prelude::*;

/// Bits that a whole number may have, its sign apart.
const MOST_BITS: u32 = 126;

/// The expression with every sum, difference and product of whole numbers worked out in 128 bits, where Polars takes the columns' own
/// width and wraps, as in `quantity * 100` of 8 bits; and with constants after IN of the type of what is looked for.
///
/// * `columns`: with their types.
///
/// # Errors
/// What makes no sense: a date or span of time beside a plain number, whole numbers that 128 bits may not hold.
pub(super) fn exact(expression: Expr, columns: &Schema) -> Result<Expr, String> {
    let told = |reason: String| polars_err!(SQLInterface: "{reason}");
    let exact = expression.try_map_expr(|node| of_node(node, columns).map_err(told));
    exact.map_err(|error| super::plain_reason(&error))
}

/// A node whose inputs are exact.
fn of_node(node: Expr, columns: &Schema) -> Result<Expr, String> {
    match node {
        Expr::BinaryExpr { left, op, right } => of_two(left, op, right, columns),
        Expr::Function { mut input, function } => {
            match (function.to_string().as_str(), input.as_mut_slice()) {
                ("abs", [of]) if kind(of, columns).is_some_and(|kind| kind.is_integer()) => *of = wide(of),
                ("pow", numbers) => {
                    for number in numbers {
                        if kind(number, columns).is_some_and(|kind| kind.is_integer()) {
                            *number = number.clone().cast(DataType::Float64);
                        }
                    }
                }
                ("is_in", [of, list]) => {
                    let kind = kind(of, columns);
                    if let Some(values) =
                        listed_values(list).zip(kind.as_ref()).map(|(values, kind)| of_kind(values, kind))
                    {
                        *list = lit(values?).implode(false);
                    }
                }
                _ => {}
            }
            Ok(Expr::Function { input, function })
        }
        node => Ok(node),
    }
}

/// Two operands and what is done with them.
fn of_two(left: Arc<Expr>, op: Operator, right: Arc<Expr>, columns: &Schema) -> Result<Expr, String> {
    // The types of conditions say nothing, and finding them would go down the tree from each of its nodes.
    if matches!(op, Operator::And | Operator::Or) {
        return Ok(Expr::BinaryExpr { left, op, right });
    }
    let (Some(a), Some(b)) = (kind(&left, columns), kind(&right, columns)) else {
        return Ok(Expr::BinaryExpr { left, op, right });
    };
    if (a.is_temporal() && b.is_numeric()) || (a.is_numeric() && b.is_temporal()) {
        let scaled = op == Operator::Multiply && (a.is_duration() || b.is_duration());
        let divides = matches!(op, Operator::RustDivide | Operator::TrueDivide | Operator::FloorDivide);
        if !(scaled || divides && a.is_duration()) {
            return Err(beside_number());
        }
    }
    let whole = |kind: &DataType| kind.is_integer() || kind.is_bool();
    let sums = matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply);
    // 64 bits with a sign and 64 without have no common type but a float.
    let differ = op.is_comparison() && [&a, &b].contains(&&DataType::UInt64) && a != b;
    if !(whole(&a) && whole(&b) && (a.is_integer() || b.is_integer()) && (sums || differ)) {
        return Ok(Expr::BinaryExpr { left, op, right });
    }
    let node = Expr::BinaryExpr { left: Arc::new(wide(&left)), op, right: Arc::new(wide(&right)) };
    if sums && bits(&node, columns) > MOST_BITS {
        return Err("its whole numbers may not fit in 128 bits: CAST one of them AS DOUBLE".to_owned());
    }
    Ok(node)
}

fn beside_number() -> String {
    "a date, or a span of time, stands beside a plain number: write 30 days as INTERVAL '30 days'".to_owned()
}

/// The type of an expression; `None` where it has none.
fn kind(of: &Expr, columns: &Schema) -> Option<DataType> {
    of.to_field(columns).ok().map(|field| field.dtype)
}

fn wide(of: &Expr) -> Expr {
    of.clone().cast(DataType::Int128)
}

/// The values of a list of constants.
fn listed_values(list: &Expr) -> Option<&Series> {
    let Expr::Agg(AggExpr::Implode { input, .. }) = list else { return None };
    match &**input {
        Expr::Literal(LiteralValue::Series(values)) => Some(values),
        _ => None,
    }
}

/// Constants as the type of what is looked for among them: 0.1 of 64 bits is no 0.1 of 32.
fn of_kind(values: &Series, kind: &DataType) -> Result<Series, String> {
    if (kind.is_temporal() && values.dtype().is_numeric()) || (kind.is_numeric() && values.dtype().is_temporal()) {
        return Err(beside_number());
    }
    match kind {
        DataType::Float32 if values.dtype().is_numeric() => values.cast(kind),
        DataType::Int128 if values.dtype().is_integer() => values.cast(kind),
        _ => Ok(values.clone()),
    }
    .map_err(|error| super::plain_reason(&error))
}

/// Bits of a whole number, its sign apart: `|x| ≤ 2^bits`.
fn bits(of: &Expr, columns: &Schema) -> u32 {
    let most = |of: &[&Expr]| of.iter().map(|of| bits(of, columns)).max().unwrap_or_default();
    match of {
        Expr::BinaryExpr { left, op: Operator::Plus | Operator::Minus, right } => most(&[left, right]) + 1,
        Expr::BinaryExpr { left, op: Operator::Multiply, right } => bits(left, columns) + bits(right, columns),
        Expr::Cast { expr, dtype, .. } if dtype.as_literal() == Some(&DataType::Int128) => bits(expr, columns),
        Expr::Ternary { truthy, falsy, .. } => most(&[truthy, falsy]),
        of => match kind(of, columns) {
            // A constant.
            Some(DataType::Unknown(UnknownKind::Int(value))) => u128::BITS - value.unsigned_abs().leading_zeros(),
            Some(DataType::Boolean) => 1,
            Some(DataType::Int8) => 7,
            Some(DataType::UInt8) => 8,
            Some(DataType::Int16) => 15,
            Some(DataType::UInt16) => 16,
            Some(DataType::Int32) => 31,
            Some(DataType::UInt32) => 32,
            Some(DataType::Int64) => 63,
            Some(DataType::UInt64) => 64,
            _ => i128::BITS,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::predicate::{fit, parse},
        *,
    };

    fn frame() -> DataFrame {
        let frame = df!(
            "u8" => [1_i64, 2, 255], "i16" => [-10_i64, 100, 32_767], "i32" => [1_i64, -5, 2_147_483_647],
            "i64" => [1, i64::MAX, i64::MIN], "flag" => [true, false, true], "f32" => [0.1, 0.2, 0.3],
            "day" => [0, 19_000, 20_000], "due" => [0, 19_040, 20_000], "price" => [1.5, 2.5, 3.5],
        )
        .unwrap();
        let days = |name: &str| col(name).cast(DataType::Int32).cast(DataType::Date);
        let cast = [
            col("u8").cast(DataType::UInt8),
            col("i16").cast(DataType::Int16),
            col("i32").cast(DataType::Int32),
            col("u8").cast(DataType::UInt64).alias("u64"),
            col("f32").cast(DataType::Float32),
            days("day"),
            days("due"),
            col("price").cast(DataType::Decimal(10, 2)),
        ];
        frame.lazy().with_columns(cast).collect().unwrap()
    }

    fn told(text: &str) -> Result<Vec<Option<bool>>, String> {
        let frame = frame();
        let expression = fit(parse(text)?, frame.schema(), false)?;
        let told = frame.lazy().select([expression.alias("told")]).collect().unwrap();
        Ok(told.column("told").unwrap().bool().unwrap().iter().collect())
    }

    #[test]
    fn whole_numbers_of_any_width_are_worked_out_without_overflow() {
        for (text, expected) in [
            ("u8 * 100 >= 200", [false, true, true]),
            ("u8 + 255 > 256", [false, true, true]),
            ("u8 - 3 < 0", [true, true, false]),
            ("-u8 < 0", [true; 3]),
            ("ABS(u8 - 3) = 2", [true, false, false]),
            ("u8 + flag > 255", [false, false, true]),
            ("i16 * 400 > 0", [false, true, true]),
            ("i32 + 2147483647 > 0", [true; 3]),
            ("i32 * i32 * 2 > 2147483647", [false, false, true]),
            ("i64 * 4096 > 0", [true, true, false]),
            ("i64 * i64 > 0", [true; 3]),
            ("-i64 > 0", [false, false, true]),
            ("u64 > i64", [false, false, true]),
            ("u8 * 2 IN (2, 4)", [true, true, false]),
            ("u8 * 2 BETWEEN 3 AND 600", [false, true, true]),
            ("(u8 + i16) / 2 > 50", [false, true, true]),
            ("u8 * 2 % 4 = 0", [false, true, false]),
            ("u8 * 2 // 4 = 1", [false, true, false]),
            ("price * (u8 + 1) > 3", [false, true, true]),
            ("u8 * 2 > price", [true; 3]),
            ("u8 * 1.5 > 3", [false, false, true]),
            ("POWER(u8, 2) > 255", [false, false, true]),
            ("CASE WHEN flag THEN u8 * 2 ELSE u8 END > 2", [false, false, true]),
            ("COALESCE(u8 * 2, u8) > 4", [false, false, true]),
            ("f32 IN (0.1, 0.2)", [true, true, false]),
            ("f32 IN (1, 2)", [false; 3]),
            ("f32 = 0.1", [true, false, false]),
            ("due - day > INTERVAL '30 days'", [false, true, false]),
        ] {
            assert_eq!(told(text), Ok(expected.map(Some).to_vec()), "{text}");
        }
    }

    #[test]
    fn what_128_bits_may_not_hold_is_refused_and_so_is_a_day_beside_a_number() {
        let wrong = |text: &str| told(text).unwrap_err();
        assert_eq!(
            wrong("i64 * i64 * i64 > 0"),
            "its whole numbers may not fit in 128 bits: CAST one of them AS DOUBLE"
        );
        for text in [
            "due - day > 30",
            "day > 5",
            "5 < day",
            "day = 19000",
            "day + 30 > due",
            "day IN (1, 2)",
            "day BETWEEN 1 AND 2",
        ] {
            assert_eq!(
                wrong(text),
                "a date, or a span of time, stands beside a plain number: write 30 days as INTERVAL '30 days'",
                "{text}"
            );
        }
    }
}
