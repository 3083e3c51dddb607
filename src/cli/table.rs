//! Small tables for people: aligned text of at most 80 columns, or Markdown.

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TableFormat {
    /// Aligned columns.
    #[default]
    Text,
    /// A Markdown table.
    Markdown,
}

/// A table whose first `left` columns hold names, and the others numbers.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// What it is about.
    pub(super) title: String,
    /// Names of the columns.
    pub(super) head: Vec<&'static str>,
    /// Columns that are aligned to the left.
    pub(super) left: usize,
    /// One text a column.
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// The table and an empty line.
    #[must_use]
    pub(super) fn render(&self, format: TableFormat) -> String {
        match format {
            TableFormat::Text => self.text(),
            TableFormat::Markdown => self.markdown(),
        }
    }

    fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.head[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[&str]| {
            let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut text = format!("{}\n\n{}", self.title, line(&self.head));
        text += &line(&rule.iter().map(String::as_str).collect::<Vec<_>>());
        for row in &self.rows {
            text += &line(&row.iter().map(String::as_str).collect::<Vec<_>>());
        }
        text + "\n"
    }

    fn markdown(&self) -> String {
        // A name with a bar would end its cell.
        let line = |cells: &[String]| {
            format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        let head: Vec<String> = self.head.iter().map(|name| (*name).to_owned()).collect();
        let rule: Vec<&str> = (0..head.len()).map(|column| if column < self.left { "---" } else { "---:" }).collect();
        let mut text = format!("**{}**\n\n{}|{}|\n", self.title, line(&head), rule.join("|"));
        for row in &self.rows {
            text += &line(row);
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn names_stand_left_and_numbers_right() {
        let table = Table {
            title: "Profit".to_owned(),
            head: vec!["method", "EUR"],
            left: 1,
            rows: vec![vec!["a|b".to_owned(), "1,234.00".to_owned()], vec!["average".to_owned(), "-5.10".to_owned()]],
        };
        assert_snapshot!(table.render(TableFormat::Text), @r"
        Profit

        method        EUR
        -------  --------
        a|b      1,234.00
        average     -5.10
        ");
        assert_snapshot!(table.render(TableFormat::Markdown), @r"
        **Profit**

        | method | EUR |
        |---|---:|
        | a\|b | 1,234.00 |
        | average | -5.10 |
        ");
    }
}
