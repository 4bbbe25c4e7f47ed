//! What can be asked about terms, and how the answers of several processes become one.
//!
//! Idea: a question is data. Whoever owns terms that it is about answers for those, from the snapshots of its own workers,
//! in one step: counts and displays are where the terms are. As no two processes own the same term, putting together is
//! taking turns, merging lists or keeping the first places. One process alone answers its own question as a whole.
//! Invariant: what is put together from the answers of all who were asked is what one process with all workers would have
//! answered. Indices and lengths that come from another process are checked before they are used.
//! Cost: that of `tidings_dataflows::reads`; where others are asked, a list a process more.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidings_dataflows::reads::View;
use tidings_dataflows::snapshot::Snapshot;

use super::owners::Owners;
use super::reader::CountInfo;

/// Something that can be asked about terms. Counts are meant by the numbers of their sheets, windows by theirs on the sheet.
pub trait Question: Clone + Send + Sync + 'static {
    /// What a process answers for the terms that it owns.
    type Part: Serialize + DeserializeOwned + Send + 'static;

    /// What a process has to be asked; `None` where it owns nothing that this is about.
    fn share(&self, owners: &Owners, process: usize) -> Option<Self>;

    /// As it goes over the wire.
    fn asked(self) -> Asked;

    /// Answers for the terms that these snapshots hold; `None` where there is no such count or window.
    fn answer(&self, own: &Own<'_>) -> Option<Self::Part>;

    /// Whether this may be an answer.
    fn fits(&self, part: &Self::Part) -> bool;

    /// Puts the answers of all who were asked their shares together, each with its process.
    fn join(&self, owners: &Owners, parts: Vec<(usize, Self::Part)>) -> Self::Part;
}

/// Any question, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// Rankings.
    Tops(Tops),
    /// Terms.
    Terms(Terms),
    /// A course.
    Series(Series),
    /// Terms in their order.
    Page(Page),
}

/// What one process holds at an epoch.
pub struct Own<'a> {
    /// The snapshots of its workers.
    pub snapshots: &'a [Arc<Snapshot>],
    /// What is counted, sheet by sheet.
    pub counts: &'a [CountInfo],
}

impl<'a> Own<'a> {
    fn view(&self, count: usize, window: usize) -> Option<View<'a>> {
        let plan = &self.counts.get(count)?.plan;
        (window <= plan.len()).then(|| View::new(self.snapshots, count, plan))
    }
}

/// A term with its count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Its key.
    pub term: String,
    /// Its commonest spelling, where spellings are kept and it has one.
    pub display: Option<String>,
    /// How often it occurs in the window.
    pub count: i64,
}

/// The first `k` places of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// The count.
    pub count: usize,
    /// The window.
    pub window: usize,
    /// Places.
    pub k: usize,
}

/// Rankings, all at the same epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tops(pub Vec<Top>);

impl Question for Tops {
    type Part = Vec<Vec<Counted>>;

    fn share(&self, _owners: &Owners, _process: usize) -> Option<Tops> {
        Some(self.clone())
    }

    fn asked(self) -> Asked {
        Asked::Tops(self)
    }

    fn answer(&self, own: &Own<'_>) -> Option<Self::Part> {
        let places = |top: &Top| {
            let view = own.view(top.count, top.window)?;
            let place = |(count, term): (i64, String)| {
                let display = view.spelling(term.as_bytes());
                Counted { term, display, count }
            };
            Some(view.top(top.window, top.k).into_iter().map(place).collect())
        };
        self.0.iter().map(places).collect()
    }

    fn fits(&self, part: &Self::Part) -> bool {
        part.len() == self.0.len()
    }

    fn join(&self, _owners: &Owners, parts: Vec<(usize, Self::Part)>) -> Self::Part {
        let mut whole: Vec<Vec<Counted>> = vec![Vec::new(); self.0.len()];
        for (_, part) in parts {
            whole.iter_mut().zip(part).for_each(|(places, more)| places.extend(more));
        }
        for (places, top) in whole.iter_mut().zip(&self.0) {
            places.sort_by(|one, two| (Reverse(one.count), &one.term).cmp(&(Reverse(two.count), &two.term)));
            places.truncate(top.k);
        }
        whole
    }
}

/// The counts of some terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The count.
    pub count: usize,
    /// The window.
    pub window: usize,
    /// Keys, any number of times each.
    pub terms: Vec<String>,
}

impl Question for Terms {
    /// Of each term, in the order asked for: its count and its commonest spelling.
    type Part = Vec<(i64, Option<String>)>;

    fn share(&self, owners: &Owners, process: usize) -> Option<Terms> {
        let own = self.terms.iter().filter(|term| owners.process_of(term) == process);
        let terms: Vec<String> = own.cloned().collect();
        (!terms.is_empty()).then_some(Terms { terms, ..*self })
    }

    fn asked(self) -> Asked {
        Asked::Terms(self)
    }

    fn answer(&self, own: &Own<'_>) -> Option<Self::Part> {
        let view = own.view(self.count, self.window)?;
        let look_up =
            |term: &String| (view.total(self.window, term.as_bytes()), view.spelling(term.as_bytes()));
        Some(self.terms.iter().map(look_up).collect())
    }

    fn fits(&self, part: &Self::Part) -> bool {
        part.len() == self.terms.len()
    }

    fn join(&self, owners: &Owners, parts: Vec<(usize, Self::Part)>) -> Self::Part {
        let mut by_process: Vec<_> = (0..owners.processes).map(|_| Vec::new().into_iter()).collect();
        for (process, part) in parts {
            by_process[process] = part.into_iter();
        }
        // Each owner has answered for its own in the order in which they were asked for.
        let answered = |term: &String| by_process[owners.process_of(term)].next();
        self.terms.iter().map(answered).map(|found| found.expect("each part fits its share")).collect()
    }
}

/// A term's count in each pane of a sliding window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The count.
    pub count: usize,
    /// The window.
    pub window: usize,
    /// The key.
    pub term: String,
}

impl Question for Series {
    /// The counts of all panes in their order.
    type Part = Vec<i64>;

    fn share(&self, owners: &Owners, process: usize) -> Option<Series> {
        (owners.process_of(&self.term) == process).then(|| self.clone())
    }

    fn asked(self) -> Asked {
        Asked::Series(self)
    }

    fn answer(&self, own: &Own<'_>) -> Option<Self::Part> {
        let view = own.view(self.count, self.window)?;
        let slides = self.window < own.counts.get(self.count)?.plan.len();
        let series = || view.series(self.window, self.term.as_bytes());
        slides.then(|| series().into_iter().map(|(_, count)| count).collect())
    }

    fn fits(&self, _part: &Self::Part) -> bool {
        true
    }

    fn join(&self, _owners: &Owners, parts: Vec<(usize, Self::Part)>) -> Self::Part {
        parts.into_iter().next().map(|(_, part)| part).unwrap_or_default()
    }
}

/// Terms with a prefix in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The count.
    pub count: usize,
    /// The window.
    pub window: usize,
    /// What keys begin with.
    pub prefix: String,
    /// What they come after.
    pub after: Option<String>,
    /// Terms at most.
    pub limit: usize,
}

impl Question for Page {
    /// The terms, and whether there are more.
    type Part = (Vec<Counted>, bool);

    fn share(&self, _owners: &Owners, _process: usize) -> Option<Page> {
        Some(self.clone())
    }

    fn asked(self) -> Asked {
        Asked::Page(self)
    }

    fn answer(&self, own: &Own<'_>) -> Option<Self::Part> {
        let view = own.view(self.count, self.window)?;
        let after = self.after.as_deref().map(str::as_bytes);
        let (found, more) = view.with_prefix(self.window, self.prefix.as_bytes(), after, self.limit);
        let counted = |(term, count): (&[u8], i64)| Counted {
            term: String::from_utf8_lossy(term).into_owned(),
            display: view.spelling(term),
            count,
        };
        Some((found.into_iter().map(counted).collect(), more))
    }

    fn fits(&self, part: &Self::Part) -> bool {
        part.0.len() <= self.limit
    }

    fn join(&self, _owners: &Owners, parts: Vec<(usize, Self::Part)>) -> Self::Part {
        let (mut terms, mut more) = (Vec::new(), false);
        for (_, (found, has_more)) in parts {
            terms.extend(found);
            more |= has_more;
        }
        terms.sort_by(|one, two| one.term.cmp(&two.term));
        more |= terms.len() > self.limit;
        terms.truncate(self.limit);
        (terms, more)
    }
}
