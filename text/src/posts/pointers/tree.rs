//! Pointers (RFC 6901) as one tree of steps.
//!
//! Idea: pointers that begin alike share their first steps, so that a record has to be walked but once.
//! Invariant: a tree has no more leaves than pointers were put into it, and none lies deeper than [`MAX_STEPS`].

/// The most steps that a pointer may have: well within what the JSON reader allows.
const MAX_STEPS: usize = 64;

/// Why a pointer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It is neither empty nor begins with `/`.
    #[error(
        "posts.{field} = {pointer:?} does not begin with `/`; `/{pointer}` is the field {pointer:?} of the record"
    )]
    NoSlash {
        /// The key in `[posts]`.
        field: &'static str,
        /// As it stands in the settings.
        pointer: String,
    },
    /// A `~` in it is followed by neither 0 nor 1.
    #[error("posts.{field} = {pointer:?} has a `~` that is not part of `~0` (for `~`) or `~1` (for `/`)")]
    Tilde {
        /// The key in `[posts]`.
        field: &'static str,
        /// As it stands in the settings.
        pointer: String,
    },
    /// It has more steps than any record is walked.
    #[error("posts.{field} has a pointer of {steps} steps; at most {MAX_STEPS} are valid")]
    TooDeep {
        /// The key in `[posts]`.
        field: &'static str,
        /// How many it has.
        steps: usize,
    },
}

/// A place in a record that at least one pointer passes.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The fields whose pointers end here.
    pub(super) fields: Vec<usize>,
    /// The steps on from here; never more than there are fields.
    pub(super) steps: Vec<Step>,
}

/// One step of a pointer.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The key to follow in an object.
    pub(super) key: String,
    /// The index to follow in an array: the key, where it is a number without leading zeros.
    pub(super) index: Option<usize>,
    /// Where it leads.
    pub(super) node: Node,
}

impl Node {
    /// Puts a field's pointer into the tree that begins here; `name` is its key in the settings.
    ///
    /// # Errors
    /// Where the pointer is not valid.
    pub(super) fn insert(
        &mut self,
        field: usize,
        name: &'static str,
        pointer: &str,
    ) -> Result<(), PointerError> {
        let mut node = self;
        for key in keys(name, pointer)? {
            node = node.child(key);
        }
        node.fields.push(field);
        Ok(())
    }

    /// The node that the key leads to, made where it is not there yet.
    fn child(&mut self, key: String) -> &mut Node {
        let at = self.steps.iter().position(|step| step.key == key).unwrap_or_else(|| {
            let index = key.parse().ok().filter(|index: &usize| index.to_string() == key);
            self.steps.push(Step { key, index, node: Node::default() });
            self.steps.len() - 1
        });
        &mut self.steps[at].node
    }
}

/// The keys of a pointer's steps, unescaped.
fn keys(field: &'static str, pointer: &str) -> Result<Vec<String>, PointerError> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let owned = || pointer.to_owned();
    let rest = pointer.strip_prefix('/').ok_or_else(|| PointerError::NoSlash { field, pointer: owned() })?;
    let keys: Vec<&str> = rest.split('/').collect();
    if keys.len() > MAX_STEPS {
        return Err(PointerError::TooDeep { field, steps: keys.len() });
    }
    if pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        return Err(PointerError::Tilde { field, pointer: owned() });
    }
    // `~1` first, so that `~01` becomes `~1` and not `/`.
    Ok(keys.into_iter().map(|key| key.replace("~1", "/").replace("~0", "~")).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_pointer_is_valid_or_named_as_not(pointer in "/?([a~/01]{0,6}|.*)") {
            let valid = Node::default().insert(0, "text", &pointer).is_ok();
            let steps = pointer.matches('/').count();
            let escaped = pointer.replace("~0", "x").replace("~1", "x");
            let expected = pointer.is_empty() || pointer.starts_with('/') && !escaped.contains('~') && steps <= MAX_STEPS;
            prop_assert_eq!(valid, expected);
        }
    }

    #[test]
    fn pointers_that_begin_alike_share_their_steps() {
        let mut root = Node::default();
        for (field, pointer) in ["/a/b", "/a/~1~01", "", "/a/b", "/a/0/c", "/a/00"].into_iter().enumerate() {
            root.insert(field, "text", pointer).unwrap();
        }
        assert_eq!(root.fields, [2]);
        let [a] = &root.steps[..] else { panic!("{root:?}") };
        let below: Vec<_> =
            a.node.steps.iter().map(|step| (&*step.key, step.index, &step.node.fields[..])).collect();
        let expected: [(_, _, &[usize]); 4] =
            [("b", None, &[0, 3]), ("/~1", None, &[1]), ("0", Some(0), &[]), ("00", None, &[5])];
        assert_eq!(below, expected);
    }

    #[test]
    fn what_is_wrong_with_a_pointer_is_said() {
        let error = |pointer: &str| Node::default().insert(0, "text", pointer).unwrap_err().to_string();
        assert!(error("body").contains("`/body`"));
        assert!(error("/a~2b").contains("`~1`"));
        assert!(error(&"/a".repeat(65)).contains("65 steps"));
    }
}
