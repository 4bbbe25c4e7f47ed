//! The store itself: what its contract says, on a real server, and what many at once come to.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use tidings::checkpoint::s3::Bucket;
use tidings::checkpoint::{CheckpointError, Store};

use crate::place::Place;

#[test]
fn names_are_given_once_and_have_all_their_bytes() {
    let place = Place::new();
    let variables = place.environment().into_iter().collect();
    let store = Bucket::at(&place.address(), &variables).unwrap();
    assert_eq!(store.read("manifests/1").unwrap(), None);
    assert_eq!(store.list("manifests").unwrap(), Vec::<String>::new());
    assert!(store.create("manifests/1", b"one").unwrap());
    assert!(!store.create("manifests/1", b"two").unwrap());
    // An answer that was lost: what is there is what was to be written.
    assert!(store.create("manifests/1", b"one").unwrap());
    assert_eq!(store.read("manifests/1").unwrap().as_deref(), Some(&b"one"[..]));
    store.replace("leases/1", b"a").unwrap();
    store.replace("leases/1", b"bc").unwrap();
    assert_eq!(store.read("leases/1").unwrap().as_deref(), Some(&b"bc"[..]));
    // More than a part, and not a multiple of one.
    let large: Vec<u8> = (0..21_000_000u32).map(|at| (at % 251) as u8).collect();
    let mut writing = store.begin("segments/1").unwrap();
    for piece in large.chunks(1 << 18) {
        writing.write_all(piece).unwrap();
    }
    assert_eq!(store.size("segments/1").unwrap(), None, "not before it is whole");
    writing.finish().unwrap();
    assert_eq!(store.size("segments/1").unwrap(), Some(large.len() as u64));
    for range in [0..1, 8_388_600..8_388_616, 16_777_000..20_999_999, 20_999_990..21_000_000] {
        let (from, to) = (range.start as usize, range.end as usize);
        assert!(store.read_range("segments/1", range).unwrap() == large[from..to]);
    }
    let behind = store.read_range("segments/1", 20_999_999..21_000_001);
    assert!(matches!(behind, Err(CheckpointError::Damaged { .. })), "{behind:?}");
    assert_eq!(store.list("segments").unwrap(), ["segments/1"]);
    // Given up, with and without parts that were sent.
    for size in [1000, 9 << 20] {
        let mut writing = store.begin("segments/2").unwrap();
        writing.write_all(&vec![7; size]).unwrap();
        drop(writing);
        assert_eq!(store.size("segments/2").unwrap(), None);
    }
    store.delete("segments/1").unwrap();
    store.delete("segments/1").unwrap();
    assert_eq!(store.size("segments/1").unwrap(), None);
    // Of many who want a name at once one gets it.
    let made = AtomicU32::new(0);
    for round in 0..20 {
        std::thread::scope(|scope| {
            for who in 0..8 {
                let (store, made) = (&store, &made);
                scope.spawn(move || {
                    let bytes = format!("written by {who}");
                    if store.create(&format!("manifests/{round:020}"), bytes.as_bytes()).unwrap() {
                        made.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(made.load(Ordering::Relaxed), round + 1);
    }
    // More names than one answer lists.
    for number in 0..1100 {
        store.replace(&format!("generations/{number:020}"), b"\n").unwrap();
    }
    let listed = store.list("generations").unwrap();
    assert!(listed.len() == 1100 && listed.is_sorted());
}
