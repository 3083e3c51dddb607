//! Tables and figures.

use maud::{Markup, PreEscaped, html};

/// What a cell says in place of a figure of too few customers.
pub(super) const HIDDEN: &str = "–";

/// Characters from which a cell may be broken into lines.
const LONG: usize = 36;

/// A column: its heading, and whether it holds numbers.
pub(super) type Column<'a> = (&'a str, bool);

/// A table with a caption; a wide one scrolls by itself on a narrow page.
pub(super) fn table(caption: &str, columns: &[Column<'_>], rows: &[Vec<String>]) -> Markup {
    let class = |number: usize| columns.get(number).is_some_and(|column| column.1).then_some("n");
    html! {
        div class="scroll" role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for (number, column) in columns.iter().enumerate() {
                    th scope="col" class=[class(number)] { (column.0) }
                } } }
                tbody { @for row in rows { tr {
                    @for (number, cell) in row.iter().enumerate() {
                        @let long = (cell.chars().count() > LONG).then_some("long");
                        @if number == 0 { th scope="row" class=[long] { (cell) } }
                        @else { td class=[class(number).or(long)] { (cell) } }
                    }
                } } }
            }
        }
    }
}

/// The row of a group that is not told.
pub(super) fn untold(name: String, columns: usize) -> Vec<String> {
    let mut row = vec![name];
    row.resize(columns, HIDDEN.to_owned());
    row
}

/// A picture with its heading and the table of its numbers.
///
/// * `picture`: an SVG element of ours, which has escaped its text.
pub(super) fn figure(heading: &str, picture: String, data: &Markup) -> Markup {
    html! {
        figure {
            figcaption { (heading) }
            (PreEscaped(picture))
            details {
                summary { "The numbers of this picture" }
                (data)
            }
        }
    }
}

/// What a part says when the run has nothing for it, and what would give it.
pub(super) fn nothing(what: &str, how: &str) -> Markup {
    html! { p class="nothing" { (prose(what)) " " (prose(how)) } }
}

/// Code in a sentence, between grave accents: set as code.
pub(super) fn prose(text: &str) -> Markup {
    let pieces = text.split('`').enumerate();
    html! { @for (number, piece) in pieces { @if number % 2 == 1 { code { (piece) } } @else { (piece) } } }
}
