//! Text of few different values as Parquet's dictionary encoding, from numbers that are known already.
//!
//! An Arrow writer looks every value of a text column up among those before it. Here the values come as numbers of labels,
//! so that a row costs a look into an array, and rows of one label in a row cost nothing on the disk.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, EncodingMask, PageType, Type, ZstdLevel},
    column::{
        page::{CompressedPage, Page, PageWriter},
        writer::ColumnCloseResult,
    },
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats},
        statistics::Statistics,
        writer::{SerializedPageWriter, TrackedWrite},
    },
    schema::types::ColumnDescPtr,
};

/// Level of zstd, as of all other columns.
pub(super) const LEVEL: i32 = 1;

/// Longest text that is told as smallest or largest of a column.
const LONGEST_BOUND: usize = 64;

/// Number of a row without text.
const NONE: u32 = u32::MAX;

/// The text of one column in one row group.
#[derive(Debug, Default)]
pub(super) struct Coded {
    /// Number of every text so far.
    numbers: BTreeMap<Arc<str>, u32>,
    /// The texts by their numbers.
    texts: Vec<Arc<str>>,
    /// Number of the text of every row, [`NONE`] where there is none.
    rows: Vec<u32>,
}

impl Coded {
    /// Puts rows beneath these.
    ///
    /// * `labels`: text of each number; a row whose number is beyond them has none.
    pub(super) fn label(&mut self, rows: &[u32], labels: &[String]) {
        let mut known = vec![NONE; labels.len()];
        self.rows.reserve(rows.len());
        for row in rows {
            let Some(number) = known.get_mut(*row as usize) else {
                self.rows.push(NONE);
                continue;
            };
            if *number == NONE {
                *number = self.number(&labels[*row as usize]);
            }
            self.rows.push(*number);
        }
    }

    /// Puts rows beneath these.
    pub(super) fn text(&mut self, rows: &[Option<String>]) {
        for text in rows {
            let number = text.as_ref().map_or(NONE, |text| self.number(text));
            self.rows.push(number);
        }
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let (number, text) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// Number of rows without text.
    pub(super) fn nulls(&self) -> usize {
        self.rows.iter().filter(|number| **number == NONE).count()
    }

    /// The column chunk, a page with the texts and a page with the rows, and what the footer says of it.
    ///
    /// * `column`: allows rows without text, if there are any.
    ///
    /// # Errors
    /// [`ParquetError`] of the page writer.
    pub(super) fn close(self, column: &ColumnDescPtr) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let (nulls, body) = (self.nulls(), self.page(column.max_def_level() > 0));
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let texts = pages.write_page(compressed(&self.dictionary(), |buf| Page::DictionaryPage {
            buf,
            num_values: self.texts.len() as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        })?)?;
        let rows = pages.write_page(compressed(&body, |buf| Page::DataPage {
            buf,
            num_values: self.rows.len() as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })?)?;

        // The least and the greatest text, byte by byte, unless they are too long to be told.
        let bounds = [self.numbers.first_key_value(), self.numbers.last_key_value()]
            .map(|bound| bound.map_or(&[][..], |(text, _)| text.as_bytes()));
        let told = bounds.iter().all(|bound| bound.len() <= LONGEST_BOUND);
        let there = !self.texts.is_empty();
        let mut uses = vec![0_i64; self.texts.len()];
        self.rows.iter().filter(|number| **number != NONE).for_each(|number| uses[*number as usize] += 1);
        let plain: i64 = uses.iter().zip(&self.texts).map(|(uses, text)| uses * text.len() as i64).sum();
        let mut builder = ColumnChunkMetaData::builder(Arc::clone(column))
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
            .set_encodings_mask(EncodingMask::new_from_encodings(
                [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY].iter(),
            ))
            .set_page_encoding_stats(vec![
                PageEncodingStats { page_type: PageType::DICTIONARY_PAGE, encoding: Encoding::PLAIN, count: 1 },
                PageEncodingStats { page_type: PageType::DATA_PAGE, encoding: Encoding::RLE_DICTIONARY, count: 1 },
            ])
            .set_total_compressed_size((texts.compressed_size + rows.compressed_size) as i64)
            .set_total_uncompressed_size((texts.uncompressed_size + rows.uncompressed_size) as i64)
            .set_num_values(self.rows.len() as i64)
            .set_dictionary_page_offset(Some(texts.offset as i64))
            .set_data_page_offset(rows.offset as i64)
            .set_unencoded_byte_array_data_bytes(Some(plain));
        let mut index = ColumnIndexBuilder::new(Type::BYTE_ARRAY);
        let [least, greatest] = bounds.map(|bound| (there && told).then(|| ByteArray::from(bound.to_vec())));
        builder = builder.set_statistics(Statistics::byte_array(least, greatest, None, Some(nulls as u64), false));
        if told {
            index.append(!there, bounds[0].to_vec(), bounds[1].to_vec(), nulls as i64, None);
        }
        let mut offsets = OffsetIndexBuilder::new();
        offsets.append_row_count(self.rows.len() as i64);
        offsets.append_offset_and_size(rows.offset as i64, rows.compressed_size as i32);
        offsets.append_unencoded_byte_array_data_bytes(Some(plain));
        let close = ColumnCloseResult {
            bytes_written: texts.bytes_written + rows.bytes_written,
            rows_written: self.rows.len() as u64,
            metadata: builder.build()?,
            bloom_filter: None,
            column_index: told.then(|| index.build()).transpose()?,
            offset_index: Some(offsets.build()),
        };
        Ok((Bytes::from(sink.into_inner()?), close))
    }

    /// The rows: whether there is a text, where there may be none, and its number.
    fn page(&self, nullable: bool) -> Vec<u8> {
        let there = |number: &u32| *number != NONE;
        let mut body = Vec::new();
        if nullable {
            let levels: Vec<u32> = self.rows.iter().map(|number| u32::from(there(number))).collect();
            let mut packed = Vec::new();
            hybrid(&levels, 1, &mut packed);
            body.extend((packed.len() as u32).to_le_bytes());
            body.extend(packed);
        }
        let width = u32::BITS - (self.texts.len().max(2) as u32 - 1).leading_zeros();
        body.push(width as u8);
        if self.rows.iter().all(there) {
            hybrid(&self.rows, width, &mut body);
        } else {
            hybrid(&self.rows.iter().copied().filter(there).collect::<Vec<_>>(), width, &mut body);
        }
        body
    }

    /// The texts one after the other, each after its length.
    fn dictionary(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in &self.texts {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }
}

fn compressed(bytes: &[u8], page: impl FnOnce(Bytes) -> Page) -> Result<CompressedPage, ParquetError> {
    let packed = zstd::bulk::compress(bytes, LEVEL).map_err(|error| ParquetError::External(Box::new(error)))?;
    Ok(CompressedPage::new(page(packed.into()), bytes.len()))
}

/// Parquet's hybrid of run lengths and packed bits: eight or more equal values as a run, others packed by eights.
///
/// * `width`: bits of a value, at least one.
fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut packed_from = 0;
    let mut at = 0;
    while at < values.len() {
        let run = values[at..].iter().take_while(|value| **value == values[at]).count();
        // What is packed before a run ends on an eight, if need be with the run's own first values.
        let fill = (at - packed_from).next_multiple_of(8) - (at - packed_from);
        if run >= fill + 8 {
            pack(&values[packed_from..at + fill], width, out);
            varint(((run - fill) as u32) << 1, out);
            out.extend(&values[at].to_le_bytes()[..width.div_ceil(8) as usize]);
            packed_from = at + run;
        }
        at += run;
    }
    pack(&values[packed_from..], width, out);
}

/// Packed values by eights; the last eight is filled up with zeros.
fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint((values.len().div_ceil(8) as u32) << 1 | 1, out);
    for eight in values.chunks(8) {
        let (mut bits, mut held) = (0_u64, 0);
        for at in 0..8 {
            bits |= u64::from(eight.get(at).copied().unwrap_or(0)) << held;
            held += width;
            while held >= 8 {
                out.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
    }
}

fn varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use arrow_array::{RecordBatch, cast::AsArray};
    use arrow_schema::{DataType, Field, Schema};
    use camino::Utf8Path;
    use parquet::{
        arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector},
        file::metadata::PageIndexPolicy,
    };

    use super::{super::part::PartFile, *};
    use crate::{numeric::keys::Keys, publish::dataset::Values};

    /// The format's own example: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, "RLE/Bit-Packing Hybrid".
    #[test]
    fn eight_numbers_of_three_bits_are_packed_as_the_format_says() {
        let mut bytes = Vec::new();
        hybrid(&[0, 1, 2, 3, 4, 5, 6, 7], 3, &mut bytes);
        assert_eq!(bytes, [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn runs_cost_nothing_and_give_values_to_the_eight_before_them() {
        let mut bytes = Vec::new();
        hybrid(&[300; 1000], 9, &mut bytes);
        assert_eq!(bytes, [0xD0, 0x0F, 44, 1], "1000 << 1 as a varint, then 300 in two bytes");
        bytes.clear();
        let mut values = vec![1, 0, 1];
        values.resize(3 + 13, 0);
        hybrid(&values, 1, &mut bytes);
        assert_eq!(bytes, [0b11, 0b101, 16, 0], "an eight of 1 0 1 0 0 0 0 0, then eight times 0");
    }

    fn file(path: &Utf8Path, nullable: bool, pieces: &[Values]) -> Result<u64, crate::publish::PublishError> {
        let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, nullable)]));
        let ids = Keys::Int(Vec::new());
        let mut file = PartFile::create("test", path, &schema, &ids)?;
        for piece in pieces {
            file.write(std::slice::from_ref(piece), 0, piece.len())?;
        }
        file.finish()
    }

    fn read(path: &Utf8Path, only: Option<RowSelection>) -> Vec<Option<String>> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let file = std::fs::File::open(path).expect("the file");
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).expect("a footer");
        let builder = match only {
            Some(rows) => builder.with_row_selection(rows),
            None => builder,
        };
        let batches: Vec<RecordBatch> = builder.build().expect("a reader").collect::<Result<_, _>>().expect("rows");
        let texts = |batch: &RecordBatch| -> Vec<Option<String>> {
            batch.column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
        };
        batches.iter().flat_map(texts).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = Utf8Path::from_path(scratch.path()).expect("text");
        let texts = |count: usize| -> Arc<Vec<String>> {
            let text = (0..count).map(|number| match number {
                1 => String::new(),
                // Longer than what is told as a bound.
                150 => "z".repeat(70),
                _ => format!("ä{number}"),
            });
            Arc::new(text.collect())
        };
        let mut random = 1_u64;
        let mut next = |limit: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % limit
        };
        for (case, labels) in [1, 2, 3, 200, 70_000].into_iter().enumerate() {
            for nullable in [false, true] {
                let mut rows: Vec<u32> = Vec::new();
                while rows.len() < 200_000 {
                    let number = next(labels as u64 + u64::from(nullable)) as u32;
                    let run = if next(3) == 0 { 1 + next(40) } else { 1 };
                    rows.extend(std::iter::repeat_n(number, run as usize));
                }
                let names = texts(labels);
                let expected: Vec<Option<String>> = rows.iter().map(|row| names.get(*row as usize).cloned()).collect();
                let middle = rows.len() / 3;
                // A second piece has its labels in another order, a third is told as text.
                let turned: Arc<Vec<String>> = Arc::new(names.iter().rev().cloned().collect());
                let turn = |row: &u32| (labels as u32).checked_sub(row + 1).unwrap_or(u32::MAX);
                let pieces = [
                    Values::Label(rows[..middle].to_vec(), Arc::clone(&names)),
                    Values::Label(rows[middle..2 * middle].iter().map(turn).collect(), turned),
                    Values::Text(expected[2 * middle..].to_vec()),
                ];
                let path = folder.join(format!("{case}-{nullable}.parquet"));
                assert_eq!(file(&path, nullable, &pieces).expect("a file"), rows.len() as u64);
                assert!(read(&path, None) == expected, "{labels} labels, null: {nullable}");
                let some = vec![RowSelector::skip(150_000), RowSelector::select(10)];
                assert_eq!(read(&path, Some(some.into())), expected[150_000..150_010]);
            }
        }
    }

    #[test]
    fn a_row_without_text_is_refused_where_none_may_be() {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = Utf8Path::from_path(scratch.path()).expect("text");
        let rows = [Values::Label(vec![0, 1], Arc::new(vec!["a".to_owned()]))];
        let refused = file(&folder.join("a.parquet"), false, &rows).map_err(|error| error.to_string());
        assert_eq!(refused, Err("dataset `test`: text allows no null and holds one".to_owned()));
        assert_eq!(file(&folder.join("b.parquet"), true, &rows).expect("a file"), 2);
        assert_eq!(read(&folder.join("b.parquet"), None), [Some("a".to_owned()), None]);
        let none = [Values::Label(vec![5; 9], Arc::new(Vec::new()))];
        assert_eq!(file(&folder.join("c.parquet"), true, &none).expect("a file"), 9);
        assert_eq!(read(&folder.join("c.parquet"), None), vec![None; 9]);
    }
}
