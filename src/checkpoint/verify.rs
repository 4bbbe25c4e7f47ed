//! Whether a checkpoint is whole: every byte that it refers to is there as it was written.
//!
//! Invariant: nothing is loaded that has not been verified; what is wrong is told with the name of the file.
//! Cost: one sequential read of all segments.

use super::choose::Verdict;
use super::segment::{read_block, read_index};
use super::store::Store;
use super::{CheckpointError, Manifest, keys};

/// Reads a manifest.
///
/// # Errors
/// `Damaged` where it is not as it was written, `Refused` where a newer version wrote it.
pub fn manifest(store: &dyn Store, number: u64) -> Result<Manifest, CheckpointError> {
    let key = keys::manifest(number);
    let bytes =
        store.read(&key)?.ok_or_else(|| CheckpointError::damaged(&store.show(&key), "it is missing"))?;
    let manifest = Manifest::decode(&store.show(&key), &bytes)?;
    if manifest.number != number {
        return Err(CheckpointError::damaged(&store.show(&key), format!("it is number {}", manifest.number)));
    }
    Ok(manifest)
}

/// Reads all segments of a manifest.
///
/// # Errors
/// `Damaged`, for the first that is not as it was written.
pub fn segments(store: &dyn Store, manifest: &Manifest) -> Result<(), CheckpointError> {
    for segment in &manifest.segments {
        for section in read_index(store, segment)? {
            let (mut rows, mut sum) = (0, 0i64);
            for block in section.blocks {
                read_block(store, &segment.key, block, |_, n| {
                    rows += 1;
                    sum = sum.wrapping_add(n);
                })?;
            }
            if (rows, sum) != (section.placed.rows, section.placed.sum) {
                return Err(CheckpointError::damaged(&store.show(&segment.key), "its rows do not add up"));
            }
        }
    }
    Ok(())
}

/// Judges a checkpoint; returns it where it is whole.
///
/// # Errors
/// What is not damage: it cannot be read, or a newer version wrote it.
pub fn judge(store: &dyn Store, number: u64) -> Result<(Verdict, Option<Manifest>), CheckpointError> {
    let read = manifest(store, number).and_then(|manifest| segments(store, &manifest).map(|()| manifest));
    match read {
        Ok(manifest) => Ok((Verdict::Whole, Some(manifest))),
        Err(damaged @ CheckpointError::Damaged { .. }) => Ok((Verdict::Damaged(damaged.to_string()), None)),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::choose::{Choice, choose};
    use crate::checkpoint::files::Files;
    use crate::checkpoint::manifest::tests::example;
    use crate::checkpoint::manifest::{Place, Segment};
    use crate::checkpoint::segment::Writer;
    use crate::checkpoint::{commit, load};

    type Content = BTreeMap<(u32, Place, Vec<u8>), i64>;

    /// Files by their names.
    type Laid = Vec<(String, Vec<u8>)>;

    /// All files of a folder with two checkpoints, by their names, and what each of them holds.
    static KEPT: LazyLock<(Laid, [Content; 2])> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Files::new(folder.path());
        let write = |key: &str, places: &[(u32, Place, i64)]| -> Segment {
            let mut writer = Writer::new(&store, key).expect("it is begun");
            for (count, place, rows) in places {
                writer.begin(*count, *place).expect("it is begun");
                for n in 0..*rows {
                    writer.push(format!("{key} {n:05}").as_bytes(), n + 1).expect("it is written");
                }
            }
            writer.finish(key.to_owned()).expect("it is written").expect("it has rows")
        };
        let (one, two) = (keys::segment(1, 1, 0, "0-1000"), keys::segment(1, 2, 0, "open"));
        let mut one =
            write(&one, &[(0, Place::Pane(1000, 7), 700), (0, Place::All, 30), (1, Place::Spellings, 5)]);
        let first = Manifest { segments: vec![one.clone()], ..example(1) };
        // What was written anew since is not read where it stood before.
        one.places.retain(|placed| placed.place != Place::All);
        let two = write(&two, &[(0, Place::All, 40), (0, Place::Pane(1000, 8), 9)]);
        let second = Manifest { segments: vec![one, two], ..example(2) };
        let contents = [first, second].map(|manifest| {
            commit::create(&store, &manifest).expect("it is made");
            content(&store, manifest.number)
        });
        let mut files = Vec::new();
        for part in [keys::MANIFESTS, keys::SEGMENTS] {
            for key in store.list(part).expect("it is listed") {
                let bytes = store.read(&key).expect("it is read").expect("it is there");
                files.push((key, bytes));
            }
        }
        (files, contents)
    });

    fn content(store: &dyn Store, number: u64) -> Content {
        let manifest = manifest(store, number).expect("it was judged whole");
        let mut content = Content::new();
        let see = |(count, place, term, n): load::Row<'_>| {
            assert!(content.insert((count, place, term.to_vec()), n).is_none(), "a row is there once");
        };
        load::load(store, &manifest, (0, 1), see, || {}).expect("it was judged whole");
        content
    }

    fn lay(folder: &Path, files: &[(String, Vec<u8>)]) {
        for (key, bytes) in files {
            let path = folder.join(key);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is made");
            fs::write(path, bytes).expect("it is written");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        /// Whatever becomes of any one file, a checkpoint is loaded as it was written, or not at all.
        #[test]
        fn nothing_wrong_is_ever_loaded(
            file in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
            what in 0..5,
            other in any::<prop::sample::Index>(),
        ) {
            let (mut files, contents) = KEPT.clone();
            let harmed = file.index(files.len());
            let name = files[harmed].0.clone();
            let bytes = &mut files[harmed].1;
            match what {
                0 | 1 => {
                    let at = at.index(bytes.len());
                    bytes[at] ^= 1 << bit;
                }
                2 => bytes.truncate(at.index(bytes.len())),
                3 => bytes.extend_from_slice(&[bit; 3]),
                // Whole, and of another.
                _ => files[harmed].1 = files[other.index(files.len())].1.clone(),
            }
            let folder = tempfile::tempdir().expect("a folder");
            lay(folder.path(), &files);
            if what == 2 && at.index(8) == 0 {
                fs::remove_file(folder.path().join(&name)).expect("it was there");
            }
            let store = Files::new(folder.path());
            let numbers = store.list(keys::MANIFESTS).expect("it is listed");
            let numbers = numbers.iter().filter_map(|key| keys::number(key));
            let choice = choose(numbers, |number| judge(&store, number).map(|(verdict, _)| verdict));
            match choice.expect("damage is no other failure") {
                Choice::From(number, damage) => {
                    prop_assert_eq!(&content(&store, number), &contents[number as usize - 1]);
                    prop_assert!(damage.iter().all(|why| why.contains(&name)), "{:?} of {}", damage, name);
                }
                Choice::Refuse(damage) => {
                    prop_assert!(damage.iter().all(|why| why.contains(&name)), "{:?} of {}", damage, name);
                }
                Choice::Anew => prop_assert!(false, "there are two"),
            }
        }
    }
}
