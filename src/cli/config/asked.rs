//! What readers ask of a config, path by path: the parser's own keys and words, noted while it reads.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

/// In how many documents something was asked: several readers may ask it of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) documents: u32,
    last: u32,
}

impl Count {
    /// Asked in this document.
    pub(super) fn see(&mut self, document: u32) {
        if self.last != document {
            self.last = document;
            self.documents += 1;
        }
    }
}

/// What was asked of one path, by any reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "what one path takes is any mixture of these")]
pub(super) struct Shape {
    /// Keys of a mapping, each with how often it had to be there.
    pub(super) keys: BTreeMap<String, Count>,
    /// How often a mapping with these keys was read.
    pub(super) mappings: Count,
    /// A mapping of the user's own names.
    pub(super) is_named: bool,
    /// One or several.
    pub(super) is_list: bool,
    /// One of these words.
    pub(super) words: BTreeSet<String>,
    /// A number.
    pub(super) is_number: bool,
    /// Text, or a scalar that its reader looks at itself.
    pub(super) is_text: bool,
}

/// What was asked of every path.
#[derive(Debug, Default)]
pub(super) struct Asked {
    shapes: RefCell<BTreeMap<String, Shape>>,
    document: Cell<u32>,
}

impl Asked {
    /// Notes what is asked of a path, in which document.
    pub(super) fn note(&self, path: &str, note: impl FnOnce(&mut Shape, u32)) {
        let (mut shapes, document) = (self.shapes.borrow_mut(), self.document.get());
        match shapes.get_mut(path) {
            Some(shape) => note(shape, document),
            None => note(shapes.entry(path.to_owned()).or_default(), document),
        }
    }

    /// Another document begins.
    #[cfg(test)]
    pub(super) fn begin(&self) {
        self.document.set(self.document.get() + 1);
    }

    /// All that was asked so far.
    #[cfg(test)]
    pub(super) fn shapes(&self) -> BTreeMap<String, Shape> {
        self.shapes.borrow().clone()
    }
}
