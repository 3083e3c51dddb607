//! Checksums of pages: CRC-32 of a page's bytes as they stand in the file, where its writer has put one into the page's header.
//! Decoders leave them unread, and a bit that has turned over would be another amount.
//!
//! Source: Apache Parquet format, `parquet.thrift`, `PageHeader.crc`; ITU-T V.42 (the polynomial); Kounavis & Berry, Novel
//! table lookup-based algorithms for high-performance CRC generation (2008): eight bytes a step.

use std::{fs::File, os::unix::fs::FileExt, panic};

use camino::Utf8Path;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};

use super::ReadError;

/// Bytes in which a page's header is looked for first. It holds statistics, so that it may be longer.
const HEADER: usize = 512;

/// Bytes of a page that are in memory at a time.
const PIECE: usize = 1 << 20;

/// What a page's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Header {
    /// Bytes of the header.
    length: u64,
    /// Bytes of the page behind it.
    page: u64,
    crc: Option<u32>,
}

/// Whether the first page of a file has a checksum: a writer gives one to all or to none.
pub(super) fn has_checksums(handle: &File, metadata: &ParquetMetaData) -> bool {
    let chunk = metadata.row_groups().iter().find_map(|group| group.columns().first());
    let header = chunk.and_then(place).and_then(|(start, end)| header(handle, start, end));
    header.is_some_and(|header| header.crc.is_some())
}

/// Holds the pages of columns against their checksums.
///
/// # Errors
/// [`ReadError::Decode`] with row group and column of the first page that differs, [`ReadError::Io`].
pub(super) fn check(file: &Utf8Path, is_used: impl Fn(&str) -> bool) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { file: file.to_owned(), source };
    let damaged = |reason: String| ReadError::Decode { file: file.to_owned(), reason };
    let handle = File::open(file).map_err(io)?;
    let parsed = panic::catch_unwind(|| ParquetMetaDataReader::new().parse_and_finish(&handle));
    let Ok(Ok(metadata)) = parsed else { return Err(ReadError::Changed { file: file.to_owned() }) };
    let mut piece = vec![0; PIECE];
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for chunk in row_group.columns() {
            let name = chunk.column_path().parts().first().map_or("", String::as_str);
            let Some((mut start, end)) = place(chunk).filter(|_| is_used(name)) else { continue };
            let told = |what: &str| damaged(format!("row group {group}, column `{name}`: {what}"));
            while start < end {
                let header = header(&handle, start, end).ok_or_else(|| told("the header of a page makes no sense"))?;
                start += header.length;
                let page_end = start.saturating_add(header.page);
                if page_end > end {
                    return Err(told("a page is longer than its column"));
                }
                match header.crc {
                    Some(crc) if crc != checksum(&handle, start, page_end, &mut piece).map_err(io)? => {
                        return Err(told("a page does not have the checksum in its header"));
                    }
                    _ => start = page_end,
                }
            }
        }
    }
    Ok(())
}

/// First byte of a column's pages, and the first byte behind them.
fn place(chunk: &ColumnChunkMetaData) -> Option<(u64, u64)> {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let start = u64::try_from(start).ok()?;
    Some((start, start.checked_add(u64::try_from(chunk.compressed_size()).ok()?)?))
}

fn checksum(handle: &File, mut start: u64, end: u64, piece: &mut [u8]) -> std::io::Result<u32> {
    let mut crc = 0;
    while start < end {
        let length = piece.len().min((end - start) as usize);
        handle.read_exact_at(&mut piece[..length], start)?;
        crc = crc32(crc, &piece[..length]);
        start += length as u64;
    }
    Ok(crc)
}

/// The header that begins at a byte; `None` where there is none.
fn header(handle: &File, start: u64, end: u64) -> Option<Header> {
    let most = usize::try_from(end.checked_sub(start)?).ok()?;
    let mut length = HEADER.min(most);
    loop {
        let mut bytes = vec![0; length];
        handle.read_exact_at(&mut bytes, start).ok()?;
        match (parse(&bytes), length < most) {
            (None, true) => length = most.min(length * 8),
            (header, _) => return header,
        }
    }
}

/// A header in Thrift's compact protocol: sizes are fields 2 and 3, the checksum is field 4; nested structs are skipped.
fn parse(bytes: &[u8]) -> Option<Header> {
    let mut rest = Thrift(bytes);
    let (mut field, mut header, mut page) = (0, Header::default(), None);
    loop {
        let (id, kind) = rest.field(field)?;
        field = id;
        match (kind, id) {
            (0, _) => break,
            (5, 3) => page = u64::try_from(rest.integer()?).ok(),
            (5, 4) => header.crc = Some(rest.integer()? as u32),
            _ => rest.skip(kind, 0)?,
        }
    }
    header.length = (bytes.len() - rest.0.len()) as u64;
    header.page = page?;
    Some(header)
}

/// Bytes in Thrift's compact protocol.
struct Thrift<'a>(&'a [u8]);

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A zigzag integer.
    fn integer(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Number and kind of the next field after the field `last`; kind 0 ends a struct.
    fn field(&mut self, last: i64) -> Option<(i64, u8)> {
        let byte = self.byte()?;
        let (step, kind) = (i64::from(byte >> 4), byte & 0x0f);
        let id = if kind == 0 {
            last
        } else if step == 0 {
            self.integer()?
        } else {
            last + step
        };
        Some((id, kind))
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Option<()> {
        match kind {
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.integer()?),
            7 => self.0 = self.0.get(8..)?,
            8 => {
                let length = usize::try_from(self.unsigned()?).ok()?;
                self.0 = self.0.get(length..)?;
            }
            12 if depth < 8 => {
                let mut last = 0;
                loop {
                    let (id, kind) = self.field(last)?;
                    last = id;
                    match kind {
                        0 => break,
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            // Page headers have neither lists nor maps.
            _ => return None,
        }
        Some(())
    }
}

/// Tables of eight bytes a step: the first is that of a single byte.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// CRC-32 of bytes that follow others; `crc` is that of the others, 0 at the beginning.
fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    let mut crc = !crc;
    let mut eights = bytes.chunks_exact(8);
    for eight in &mut eights {
        let mut next = 0;
        for (place, byte) in eight.iter().enumerate() {
            let mixed = if place < 4 { byte ^ (crc >> (8 * place)) as u8 } else { *byte };
            next ^= TABLES[7 - place][usize::from(mixed)];
        }
        crc = next;
    }
    for byte in eights.remainder() {
        crc = (crc >> 8) ^ TABLES[0][usize::from(byte ^ crc as u8)];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard_in_one_piece_or_several() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).map(|byte: u8| byte.wrapping_mul(31)).collect();
        for cut in [0, 1, 7, 8, 9, 500, 1_000] {
            assert_eq!(crc32(crc32(0, &bytes[..cut]), &bytes[cut..]), crc32(0, &bytes), "{cut}");
        }
    }

    #[test]
    fn a_header_is_read_whole_and_a_cut_one_is_none() {
        // Type 0, sizes 10 and 8, checksum -1, a data page header with statistics of two texts, stop.
        let header = [
            0x15, 0x00, 0x15, 0x14, 0x15, 0x10, 0x15, 0x01, 0x1c, 0x15, 0x06, 0x15, 0x00, 0x1c, 0x18, 0x02, b'a', b'b',
            0x18, 0x01, b'c', 0x00, 0x00, 0x00,
        ];
        let whole = Header { length: header.len() as u64, page: 8, crc: Some(u32::MAX) };
        assert_eq!(parse(&header), Some(whole));
        assert_eq!(parse(&[&header[..], &[0xff; 9]].concat()), Some(whole));
        for length in 0..header.len() {
            assert_eq!(parse(&header[..length]), None, "{length}");
        }
    }
}
