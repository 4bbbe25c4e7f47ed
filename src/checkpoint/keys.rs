//! Names of files and objects below the root.
//!
//! Idea: numbers have leading zeros, so that names order as numbers do; what a name says can be read back.
//! Invariant: a name is never used twice for different bytes, but for that of a lease, and where it is damaged and a run begins
//! anew that of the cluster.

/// Whose directory it is.
pub const CLUSTER: &str = "cluster.json";
/// Where manifests stand.
pub const MANIFESTS: &str = "manifests";
/// Where runs are noted.
pub const GENERATIONS: &str = "generations";
/// Where leases stand.
pub const LEASES: &str = "leases";
/// Where rows stand.
pub const SEGMENTS: &str = "segments";

/// Of a manifest.
pub fn manifest(number: u64) -> String {
    format!("{MANIFESTS}/{number:020}")
}

/// Of a run.
pub fn generation(generation: u64) -> String {
    format!("{GENERATIONS}/{generation:020}")
}

/// Of a run's lease.
pub fn lease(generation: u64) -> String {
    format!("{LEASES}/{generation:020}")
}

/// Of rows; `part` tells a process's segments of one checkpoint apart.
pub fn segment(generation: u64, number: u64, process: usize, part: &str) -> String {
    format!("{SEGMENTS}/{generation:020}-{number:020}-{process:04}-{part}")
}

/// What a name is of, for failpoints: `manifest` of one below `manifests`.
pub fn kind(key: &str) -> &str {
    key.split('/').next().unwrap_or_default().trim_end_matches('s')
}

/// The number at the end of a name below a folder; `None`: it is not one of ours.
pub fn number(key: &str) -> Option<u64> {
    let name = key.rsplit('/').next()?;
    (name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok()).flatten()
}

/// Which run wrote a segment for which manifest; `None`: it is not one of ours.
pub fn of_segment(key: &str) -> Option<(u64, u64)> {
    let name = key.strip_prefix(SEGMENTS)?.strip_prefix('/')?;
    let mut parts = name.splitn(4, '-');
    let (generation, number) = (parts.next()?, parts.next()?);
    parts.next()?;
    parts.next()?;
    Some((self::number(generation)?, self::number(number)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        assert_eq!(number(&manifest(345)), Some(345));
        assert_eq!(number(&lease(u64::MAX)), Some(u64::MAX));
        assert_eq!(of_segment(&segment(12, 345, 1, "open")), Some((12, 345)));
        for foreign in ["segments/x", "segments/00000000000000000001", "manifests/7", "other/0-0-0-0"] {
            assert_eq!(of_segment(foreign), None, "{foreign}");
            assert_eq!(number(foreign).filter(|_| !foreign.starts_with(SEGMENTS)), None, "{foreign}");
        }
        assert!(manifest(9) < manifest(10));
    }
}
