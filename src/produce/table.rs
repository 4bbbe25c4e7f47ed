//! Rows of a CSV file as posts.
//!
//! Idea: the first row names the columns; each further row becomes a JSON object with a field a column, so that it is a
//! post in a shape that the engine knows: `text`, `created_at`, `id`, `lang`, `screen_name`. Columns of other names are renamed
//! by the user. A time without a zone is taken for UTC. A cell that is empty says nothing, but for the text.
//! Invariant: a row is one line of JSON, whatever is in its cells; a row that is longer than a line may be, or whose quote is
//! never closed, is an error that says where, and never takes all memory.
//! Cost: one copy and one escaping a cell.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::lines::{LONGEST, Piece};

/// How many bytes of rows are handed on at once, at most.
const PIECE: usize = 128 << 10;
/// How much is read of the input at once.
const READ: usize = 64 << 10;
/// What is read behind an input's end: where all quotes are closed a last row of one cell, else the end of the cell that is not.
const END: &[u8] = b"\n\0";
/// The field that every post has.
const TEXT: &str = "text";
/// Fields of a status that no cell can hold, or that are those of another shape: tables have columns of these names as well.
const OTHERS: [&str; 8] = [
    "user",
    "entities",
    "extended_tweet",
    "retweeted_status",
    "is_retweet",
    "createdAt",
    "author_id",
    "edit_history_tweet_ids",
];
/// The field that holds a time.
const TIME: &str = "created_at";

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// What stands between cells.
    pub delimiter: u8,
    /// The field for a column of another name.
    pub renamed: BTreeMap<String, String>,
}

/// What stands between cells where the name says that it is a table.
pub fn delimiter_of(file: &Path) -> Option<u8> {
    let name = file.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "csv" => Some(b','),
        "tsv" => Some(b'\t'),
        _ => None,
    }
}

/// Hands on the rows of one input as lines of JSON, until it ends or `hand_on` returns false.
///
/// # Errors
/// Where it cannot be read, is no CSV, has no column for the text, or a row is too long.
pub fn rows(input: impl Read, columns: &Columns, mut hand_on: impl FnMut(Piece) -> bool) -> io::Result<()> {
    let gate = Gate { input, total: Arc::default(), row: Arc::default(), end: END };
    let (total, begun) = (gate.total.clone(), gate.row.clone());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(columns.delimiter)
        .buffer_capacity(READ)
        .flexible(true)
        .from_reader(gate);
    let names = names(reader.byte_headers().map_err(wrong)?, columns)?;
    let (mut row, mut bytes) = (csv::ByteRecord::new(), Vec::new());
    loop {
        begun.store(total.load(Ordering::Relaxed), Ordering::Relaxed);
        let at = reader.position().line();
        let more = reader.read_byte_record(&mut row).map_err(|error| {
            let error = wrong(error);
            io::Error::new(error.kind(), format!("the row that begins at line {at}: {error}"))
        })?;
        let (position, read) = (reader.position().byte(), total.load(Ordering::Relaxed));
        // A row that ends with the input takes the first byte behind it.
        let has_ended = !more || position >= read + END.len() as u64;
        let is_open = has_ended && !row.is_empty() && row[row.len() - 1].ends_with(END);
        if !has_ended {
            line(&row, &names, &mut bytes);
        }
        // Before the input is waited for, what it brought goes on.
        if (has_ended || position >= read || bytes.len() >= PIECE)
            && !bytes.is_empty()
            && !hand_on(Piece::of(std::mem::take(&mut bytes)))
        {
            return Ok(());
        }
        if is_open {
            let text =
                format!("the row that begins at line {at} has a quote that is not closed; it was not taken");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if has_ended {
            return Ok(());
        }
    }
}

/// The field of each column.
fn names(headers: &csv::ByteRecord, columns: &Columns) -> io::Result<Vec<String>> {
    let own: Vec<String> = headers
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let fail = |why: String| {
        let text =
            format!("{why}; the columns are {}: --column text=NAME says which is which", own.join(", "));
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    if let Some(missing) = columns.renamed.keys().find(|name| !own.contains(name)) {
        return Err(fail(format!("there is no column {missing:?}")));
    }
    let taken = |field: &String| columns.renamed.values().any(|renamed| renamed == field);
    let names: Vec<String> = own
        .iter()
        .map(|name| match columns.renamed.get(name) {
            Some(field) => field.clone(),
            // Another column is to stand in this one's place.
            None if taken(name) || OTHERS.contains(&name.as_str()) => format!("_{name}"),
            None => name.clone(),
        })
        .collect();
    match names.iter().any(|name| name == TEXT) {
        true => Ok(names),
        false => Err(fail("there is no column \"text\"".to_owned())),
    }
}

/// One row as a line of JSON. The author's name stands in an object of its own, as in the shapes of X.
fn line(row: &csv::ByteRecord, names: &[String], bytes: &mut Vec<u8>) {
    let mut post = Map::new();
    for (name, cell) in names.iter().zip(row.iter()) {
        if cell.is_empty() && name != TEXT {
            continue;
        }
        let cell = String::from_utf8_lossy(cell);
        let cell = if name == TIME { in_utc(&cell) } else { cell.into_owned() };
        match name.as_str() {
            "screen_name" => post.insert("user".to_owned(), json!({ "screen_name": cell })),
            "id" => post.insert("id_str".to_owned(), cell.into()),
            name => post.insert(name.to_owned(), cell.into()),
        };
    }
    serde_json::to_writer(&mut *bytes, &Value::Object(post))
        .expect("strings are JSON, and memory takes them");
    bytes.push(b'\n');
}

/// A time whose zone is not said is in UTC: `2017-08-27 00:05:34` is `2017-08-27T00:05:34Z`.
fn in_utc(cell: &str) -> String {
    match cell.trim().parse::<jiff::civil::DateTime>() {
        Ok(time) if cell.trim().parse::<jiff::Timestamp>().is_err() => format!("{time}Z"),
        _ => cell.trim().to_owned(),
    }
}

fn wrong(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("no CSV: {other:?}")),
    }
}

/// Counts what is read, ends a row that does not end, and says where the input does.
struct Gate<R> {
    input: R,
    /// What is still to be given behind the input's end.
    end: &'static [u8],
    total: Arc<AtomicU64>,
    /// How much had been read when the row began.
    row: Arc<AtomicU64>,
}

impl<R: Read> Read for Gate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let had = self.total.load(Ordering::Relaxed);
        if had - self.row.load(Ordering::Relaxed) > LONGEST as u64 {
            let text = format!("longer than {} MiB: is a quote not closed?", LONGEST >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let got = self.input.read(into)?;
        if got == 0 && had > 0 {
            return self.end.read(into);
        }
        self.total.store(had + got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns(renamed: &[(&str, &str)]) -> Columns {
        let renamed = renamed.iter().map(|(name, field)| ((*name).to_owned(), (*field).to_owned()));
        Columns { delimiter: b',', renamed: renamed.collect() }
    }

    fn posts(table: &[u8], columns: &Columns) -> io::Result<Vec<Value>> {
        let mut posts = Vec::new();
        rows(table, columns, |piece| {
            posts.extend(piece.lines().map(|line| serde_json::from_slice::<Value>(line).unwrap()));
            true
        })?;
        Ok(posts)
    }

    #[test]
    fn tables_are_known_by_their_names() {
        for (name, is) in [("a.csv", Some(b',')), ("A.TSV.gz", Some(b'\t')), ("a.csv.zst", Some(b','))] {
            assert_eq!(delimiter_of(Path::new(name)), is, "{name}");
        }
        assert!(
            ["a.jsonl.gz", "csv", "-", "a.gz"].iter().all(|name| delimiter_of(Path::new(name)).is_none())
        );
    }

    #[test]
    fn rows_are_posts_with_times_in_utc() {
        let table = "\u{feff}id,text,created_at,screen_name,more\n\
            9007199254740993,\"a \"\"b\"\",\nc\",2017-08-27 00:05:34,ann,x\n\n2,d,2017-08-27T00:05:34+02:00,bob\n";
        assert_eq!(
            posts(table.as_bytes(), &columns(&[])).unwrap(),
            [
                json!({ "id_str": "9007199254740993", "text": "a \"b\",\nc", "created_at": "2017-08-27T00:05:34Z",
                    "user": { "screen_name": "ann" }, "more": "x" }),
                json!({ "id_str": "2", "text": "d", "created_at": "2017-08-27T00:05:34+02:00",
                    "user": { "screen_name": "bob" } }),
            ]
        );
    }

    #[test]
    fn columns_of_other_names_are_renamed() {
        let table = b"body,text,posted\nb,t,1503792334\n";
        let renamed = columns(&[("body", "text"), ("posted", "created_at")]);
        assert_eq!(
            posts(table, &renamed).unwrap(),
            [json!({ "text": "b", "_text": "t", "created_at": "1503792334" })]
        );
        let refused = posts(b"body,posted\nb,t\n", &columns(&[])).unwrap_err().to_string();
        assert!(refused.contains("body, posted") && refused.contains("--column text="), "{refused}");
        let refused = posts(b"text\nb\n", &columns(&[("corpse", "text")])).unwrap_err().to_string();
        assert!(refused.contains("corpse"), "{refused}");
    }

    /// Tables have columns of the names of fields in which a status has what no cell can hold.
    #[test]
    fn whatever_columns_there_are_rows_are_posts() {
        let table = "target,id,created_at,flag,user,text,screen_name,is_retweet,entities,author_id,lang\n\
            0,7,2017-08-27 00:05:34,,ann,hello #there,bob,false,{},9,\n0,,,,,second,,,,,en\n";
        let rows = posts(table.as_bytes(), &columns(&[])).unwrap();
        let decoder = crate::posts::Decoder::new(crate::posts::Format::Auto, &Default::default()).unwrap();
        let read: Vec<_> = rows
            .iter()
            .map(|row| {
                let row = row.to_string();
                match decoder.decode(Some(row.as_bytes())) {
                    Ok(crate::posts::Record::Post(post)) => {
                        let text = |of: Option<std::borrow::Cow<'_, str>>| of.map(|of| of.into_owned());
                        (post.text.to_string(), post.time, text(post.id), text(post.lang))
                    }
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        let some = |text: &str| Some(text.to_owned());
        let at = crate::posts::OwnTime::At(1_503_792_334_000);
        assert_eq!(read[0], ("hello #there".to_owned(), at, some("7"), None));
        assert_eq!(read[1], ("second".to_owned(), crate::posts::OwnTime::Absent, None, some("en")));
        assert_eq!((&rows[0]["user"]["screen_name"], &rows[0]["_user"]), (&json!("bob"), &json!("ann")));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error_that_says_where() {
        let table = [b"text\na\n\"".as_slice(), &vec![b'x'; LONGEST + (1 << 20)]].concat();
        let refused = posts(&table, &columns(&[])).unwrap_err().to_string();
        assert!(refused.contains("line 3") && refused.contains("quote"), "{refused}");
    }

    #[test]
    fn nothing_is_taken_of_a_row_whose_quote_is_open_at_the_end() {
        for (table, line) in
            [("n,text\n1,a\n2,\"b\n3,c\n", 3), ("text,n\na,1\n\"b", 3), ("n,text\n1,a\n2,\"b\"\"\n\n", 3)]
        {
            let mut taken = 0;
            let refused = rows(table.as_bytes(), &columns(&[]), |piece| {
                taken += piece.lines().count();
                true
            });
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(&format!("line {line}")) && refused.contains("not closed"), "{refused}");
            assert_eq!(taken, 1, "the row before");
        }
        for whole in [
            "text\na\n\"b\n\"",
            "text\na\nb",
            "text\na\nb\n",
            "text\na\nb\r\n",
            "text\na\nb\n\n\n",
            "text\na\nb\r",
        ] {
            assert_eq!(posts(whole.as_bytes(), &columns(&[])).unwrap().len(), 2, "{whole:?}");
        }
        for none in ["text\n", "text", "text\n\n"] {
            assert_eq!(posts(none.as_bytes(), &columns(&[])).unwrap().len(), 0, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_in_a_cell_comes_out_of_it(
            cells in prop::collection::vec("[a\",\r\n é]{1,12}", 1..30),
            ends_in_a_line: bool,
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["text", "n"]).unwrap();
            cells.iter().for_each(|cell| writer.write_record([cell, "1"]).unwrap());
            let mut table = writer.into_inner().unwrap();
            if !ends_in_a_line {
                table.pop();
            }
            let posts = posts(&table, &columns(&[])).unwrap();
            let texts: Vec<&str> = posts.iter().map(|post| post["text"].as_str().unwrap()).collect();
            prop_assert_eq!(texts, cells);
        }
    }
}
