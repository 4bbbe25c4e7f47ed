//! Counts as they are counted: each on one sheet, or on several where windows were added to it later.
//!
//! Idea: a window that reaches further back than what is kept begins now, while the others of its count go on. Windows of one
//! count share panes, and those that began at different offsets cannot; so the later ones are counted on a sheet of their
//! own, which to the dataflow is a count like any other. Readers see one count, and ask here where its windows are.
//! Invariant: every window of a count is on one sheet, and all of a sheet count from the same offsets. All processes of a
//! cluster have the same sheets, since they are those of the manifest with which the run began.
//! Cost: a sheet more costs what a count more does.

use tidings_dataflows::windows::{Span, Windows};

use super::error::EngineError;
use super::reader::{CountInfo, WindowInfo};
use crate::config::{Config, Count};

/// Windows of a count that began to count at the same offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The index of the count in the configuration.
    pub count: usize,
    /// The indices of its windows there, ascending.
    pub windows: Vec<usize>,
}

/// Each count on one sheet.
pub fn whole(config: &Config) -> Vec<Sheet> {
    let sheet = |(count, of): (usize, &Count)| Sheet { count, windows: (0..of.windows.len()).collect() };
    config.counts.iter().enumerate().map(sheet).collect()
}

/// The configuration by which the sheets are counted: it has each of them as a count.
pub fn spread(config: &Config, sheets: &[Sheet]) -> Config {
    let count = |sheet: &Sheet| {
        let whole = &config.counts[sheet.count];
        let windows = sheet.windows.iter().map(|window| whole.windows[*window].clone()).collect();
        Count { windows, ..whole.clone() }
    };
    Config { counts: sheets.iter().map(count).collect(), ..config.clone() }
}

/// Where the window of a count is found: its sheet, and its number on it as the dataflow counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The sheet.
    pub sheet: usize,
    /// The window's number.
    pub window: usize,
}

/// The sheets as readers need them.
#[derive(Clone, Debug)]
pub(super) struct Sheets {
    /// What is on each of them.
    pub(super) infos: Vec<CountInfo>,
    /// For each count and each of its windows, in the order of the configuration.
    places: Vec<Vec<Place>>,
}

impl Sheets {
    /// Each count on its own.
    pub(super) fn whole(counts: &[CountInfo]) -> Sheets {
        let place = |(sheet, count): (usize, &CountInfo)| {
            count.windows.iter().map(|window| Place { sheet, window: window.index }).collect()
        };
        Sheets { infos: counts.to_vec(), places: counts.iter().enumerate().map(place).collect() }
    }

    /// These; `infos` are what is on each of them.
    pub(super) fn new(sheets: &[Sheet], infos: Vec<CountInfo>) -> Sheets {
        let counts = sheets.iter().map(|sheet| sheet.count + 1).max().unwrap_or(0);
        let of = |count: usize| {
            let mut places: Vec<(usize, Place)> = Vec::new();
            for (number, sheet) in sheets.iter().enumerate().filter(|(_, sheet)| sheet.count == count) {
                let windows = sheet.windows.iter().zip(&infos[number].windows);
                places.extend(windows.map(|(at, info)| (*at, Place { sheet: number, window: info.index })));
            }
            places.sort_unstable_by_key(|(at, _)| *at);
            places.into_iter().map(|(_, place)| place).collect()
        };
        let places = (0..counts).map(of).collect();
        Sheets { infos, places }
    }

    /// Where a window is found; both by their indices in the configuration.
    pub(super) fn place(&self, count: usize, window: usize) -> Place {
        self.places[count][window]
    }
}

/// A count and its windows, as the dataflow numbers them.
///
/// # Errors
/// Where its windows do not fit together.
pub(super) fn info(count: &Count) -> Result<CountInfo, EngineError> {
    let spans: Vec<_> = count.windows.iter().filter_map(|window| window.span).collect();
    let all = count.windows.iter().any(|window| window.span.is_none());
    let sliding = spans.iter().map(|span| Span { size: span.size_ms, slide: span.slide_ms }).collect();
    let plan = Windows::new(sliding, all).map_err(|unfit| {
        EngineError::Config(format!("count {:?}: windows do not fit together: {unfit:?}", count.name))
    })?;
    let mut sliding = 0..;
    let windows = count.windows.iter().map(|window| WindowInfo {
        name: window.name.clone(),
        span: window.span,
        index: window.span.and_then(|_| sliding.next()).unwrap_or(spans.len()),
    });
    Ok(CountInfo { name: count.name.clone(), of: count.of, windows: windows.collect(), plan })
}

/// The same for all counts of a configuration.
///
/// # Errors
/// Those of the first that has any.
pub(super) fn infos(config: &Config) -> Result<Vec<CountInfo>, EngineError> {
    config.counts.iter().map(info).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn config(windows: &str) -> Config {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tidings.toml");
        let text = format!(
            "[[count]]\nname = \"a\"\nof = \"words\"\n[[count]]\nname = \"b\"\nof = \"hashtags\"\nwindows = {windows}\n"
        );
        std::fs::write(&file, text).expect("it is written");
        load(Some(&file), [], Vec::new()).expect("valid").config
    }

    #[test]
    fn windows_are_found_on_their_sheets() {
        let config = config("[\"all\", \"1m/1s\", \"1h/1m\", \"5m/1s\"]");
        let whole = Sheets::whole(&infos(&config).expect("they fit"));
        assert_eq!(whole.place(1, 0), Place { sheet: 1, window: 3 });
        assert_eq!(whole.place(1, 3), Place { sheet: 1, window: 2 });
        let sheets = [
            Sheet { count: 0, windows: (0..config.counts[0].windows.len()).collect() },
            Sheet { count: 1, windows: vec![1, 3] },
            Sheet { count: 1, windows: vec![0, 2] },
        ];
        let spread = spread(&config, &sheets);
        let names =
            |count: &Count| count.windows.iter().map(|window| window.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&spread.counts[1]), names(&spread.counts[2])),
            (vec!["1m/1s".to_owned(), "5m/1s".to_owned()], vec!["all".to_owned(), "1h/1m".to_owned()],)
        );
        let sheets = Sheets::new(&sheets, infos(&spread).expect("they fit"));
        let found: Vec<Place> = (0..4).map(|window| sheets.place(1, window)).collect();
        let expected = [(2, 1), (1, 0), (2, 0), (1, 1)].map(|(sheet, window)| Place { sheet, window });
        assert_eq!(found, expected);
        assert_eq!(sheets.place(0, 0), Place { sheet: 0, window: sheets.infos[0].windows[0].index });
    }
}
