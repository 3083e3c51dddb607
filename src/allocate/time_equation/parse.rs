//! Reads the text of a time equation: `equation = [sign] term (sign term)*`, `term = factor (* factor)*`,
//! `factor = number | name | max(0, name [- number])`.

use super::{EquationError, Factor, QUANTITY_DIGITS, Term};
use crate::{
    numeric::decimal::{Decimal, power_of_ten},
    units::Quantity,
};

/// What stands at a place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Number(&'t str),
    Name(&'t str),
    Symbol(char),
    End,
}

struct Reader<'t> {
    text: &'t str,
    /// Byte at which the next token is looked for.
    at: usize,
    quantities: &'t [&'t str],
    flags: &'t [&'t str],
    variables: Vec<String>,
}

/// The names that the text uses, in order of first use, and its terms.
pub(super) fn parse<'t>(
    text: &'t str,
    quantities: &'t [&'t str],
    flags: &'t [&'t str],
) -> Result<(Vec<String>, Vec<Term>), EquationError> {
    let mut reader = Reader { text, at: 0, quantities, flags, variables: Vec::new() };
    let mut negative = reader.take('-');
    if !negative {
        reader.take('+');
    }
    let mut terms = Vec::new();
    loop {
        terms.push(reader.term(negative)?);
        match reader.peek().0 {
            Token::End => return Ok((reader.variables, terms)),
            Token::Symbol(sign @ ('+' | '-')) => negative = reader.take(sign) && sign == '-',
            _ => return Err(reader.expected("`+`, `-`, `*` or the end")),
        }
    }
}

impl<'t> Reader<'t> {
    /// The next token, the byte where it begins and the byte after it.
    fn peek(&self) -> (Token<'t>, usize, usize) {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let length = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (token, length) = match rest.chars().next() {
            None => (Token::End, 0),
            Some(c) if is_digit(c) => {
                let length = length(is_digit);
                (Token::Number(&rest[..length]), length)
            }
            Some(c) if is_letter(c) => {
                let length = length(|c| is_letter(c) || is_digit(c));
                (Token::Name(&rest[..length]), length)
            }
            Some('`') => match rest[1..].find('`') {
                Some(length) => (Token::Name(&rest[1..=length]), length + 2),
                None => (Token::Symbol('`'), 1),
            },
            Some(c) => (Token::Symbol(c), c.len_utf8()),
        };
        (token, start, start + length)
    }

    /// Passes a symbol when it comes next.
    fn take(&mut self, symbol: char) -> bool {
        let (token, _, end) = self.peek();
        let there = token == Token::Symbol(symbol);
        if there {
            self.at = end;
        }
        there
    }

    /// Passes a symbol, or says that it is `expected`.
    fn need(&mut self, symbol: char, expected: &'static str) -> Result<(), EquationError> {
        if self.take(symbol) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn column(&self, byte: usize) -> usize {
        self.text[..byte].chars().count() + 1
    }

    /// The error that something else should come next.
    fn expected(&self, expected: &'static str) -> EquationError {
        let (token, start, _) = self.peek();
        let found = match token {
            Token::Number(text) | Token::Name(text) => format!("`{}`", text.escape_debug()),
            Token::Symbol(symbol) => format!("`{}`", symbol.escape_debug()),
            Token::End => "the end".to_owned(),
        };
        EquationError::Expected { expected, found, column: self.column(start) }
    }

    fn term(&mut self, negative: bool) -> Result<Term, EquationError> {
        let sign = if negative { -1 } else { 1 };
        let mut term = Term { coefficient: Decimal { mantissa: sign, scale: 0 }, factors: Vec::new() };
        loop {
            match self.peek() {
                (Token::Number(_), ..) => {
                    let number = self.number()?;
                    term.coefficient = term.coefficient.multiply(number).ok_or(EquationError::Digits)?;
                }
                (Token::Name("max"), _, end) if self.text[end..].trim_start().starts_with('(') => {
                    self.at = end;
                    term.factors.push(self.excess()?);
                }
                (Token::Name(_), ..) => term.factors.push(self.name()?),
                _ => return Err(self.expected("a number or a term")),
            }
            if !self.take('*') {
                return Ok(term);
            }
        }
    }

    fn number(&mut self) -> Result<Decimal, EquationError> {
        let (token, _, end) = self.peek();
        let number = match token {
            Token::Number(text) => Decimal::parse(text),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected("a number of up to 38 digits"))?;
        self.at = end;
        Ok(number)
    }

    /// A known name; it gets a variable's number at its first use.
    fn name(&mut self) -> Result<Factor, EquationError> {
        let (Token::Name(name), start, end) = self.peek() else {
            return Err(self.expected("a term"));
        };
        let flag = self.flags.contains(&name);
        if !flag && !self.quantities.contains(&name) {
            let (name, column) = (name.escape_debug().to_string(), self.column(start));
            return Err(EquationError::Unknown { name, column, known: self.known() });
        }
        self.at = end;
        let variable = self.variables.iter().position(|known| known == name).unwrap_or_else(|| {
            self.variables.push(name.to_owned());
            self.variables.len() - 1
        });
        Ok(if flag { Factor::Flag(variable) } else { Factor::Quantity(variable) })
    }

    fn known(&self) -> String {
        let names: Vec<String> = self.quantities.iter().chain(self.flags).map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// `(0, name - number)`.
    fn excess(&mut self) -> Result<Factor, EquationError> {
        self.need('(', "`(`")?;
        match self.peek() {
            (Token::Number("0"), _, end) => self.at = end,
            _ => return Err(self.expected("`0`, as in `max(0, lines - 10)`")),
        }
        self.need(',', "`,`")?;
        let before = self.at;
        let Factor::Quantity(variable) = self.name()? else {
            self.at = before;
            return Err(self.expected("a quantity, which a flag is not"));
        };
        let above = if self.take('-') { self.threshold()? } else { 0 };
        self.need(')', "`- number` or `)`")?;
        Ok(Factor::Excess { variable, above })
    }

    /// A number scaled by 10⁶, which must hold it exactly.
    fn threshold(&mut self) -> Result<Quantity, EquationError> {
        let before = self.at;
        let number = self.number()?;
        let exact = number.scale.checked_sub(QUANTITY_DIGITS).and_then(power_of_ten).unwrap_or(1);
        let scaled = number.to_scaled(QUANTITY_DIGITS).filter(|_| number.mantissa % exact == 0);
        scaled.ok_or_else(|| {
            self.at = before;
            self.expected("a number of up to 6 digits after the point")
        })
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text, &["lines", "order-value"], &["export"]).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_term_is_named_with_its_column_and_the_known_ones() {
        let known = "known terms: `lines`, `order-value`, `export`";
        assert_eq!(error("3 + 0.8*line"), format!("column 9: unknown term `line`; {known}"));
        assert_eq!(error("µ*lines"), format!("column 1: unknown term `µ`; {known}"));
        assert_eq!(error("lines*`a\nb`"), format!("column 7: unknown term `a\\nb`; {known}"));
        let none = parse("x", &[], &[]).unwrap_err();
        assert_eq!(none.to_string(), "column 1: unknown term `x`; known terms: none");
    }

    #[test]
    fn text_that_is_no_equation_says_what_could_stand_where() {
        let cases = [
            ("", "column 1: expected a number or a term, found the end"),
            ("3 +", "column 4: expected a number or a term, found the end"),
            ("3 + *lines", "column 5: expected a number or a term, found `*`"),
            ("3 lines", "column 3: expected `+`, `-`, `*` or the end, found `lines`"),
            ("1e5*lines", "column 2: expected `+`, `-`, `*` or the end, found `e5`"),
            ("1.2.3", "column 1: expected a number of up to 38 digits, found `1.2.3`"),
            ("2*max(1, lines)", "column 7: expected `0`, as in `max(0, lines - 10)`, found `1`"),
            ("max(0, export - 1)", "column 8: expected a quantity, which a flag is not, found `export`"),
            ("max(0, lines + 1)", "column 14: expected `- number` or `)`, found `+`"),
            ("max(0, lines - lines)", "column 16: expected a number of up to 38 digits, found `lines`"),
            (
                "max(0, lines - 0.0000001)",
                "column 16: expected a number of up to 6 digits after the point, found `0.0000001`",
            ),
            ("lines\u{7}", "column 6: expected `+`, `-`, `*` or the end, found `\\u{7}`"),
            ("2*`lines", "column 3: expected a number or a term, found ```"),
        ];
        for (text, message) in cases {
            assert_eq!(error(text), message);
        }
    }

    #[test]
    fn a_name_used_twice_is_one_variable_and_numbers_of_a_term_multiply() {
        let (variables, terms) = parse("2*lines*0.5*lines - max (0, lines-1.50)", &["lines"], &[]).unwrap();
        assert_eq!(variables, ["lines"]);
        let (plus, minus) = (Decimal { mantissa: 10, scale: 1 }, Decimal { mantissa: -1, scale: 0 });
        assert_eq!(terms[0], Term { coefficient: plus, factors: vec![Factor::Quantity(0); 2] });
        let above = Factor::Excess { variable: 0, above: 1_500_000 };
        assert_eq!(terms[1], Term { coefficient: minus, factors: vec![above] });
    }
}
