//! Asks for memory that will be read soon, so that what is done until then is not done after waiting for it.
//!
//! Idea: most tables are larger than the nearest cache, and where the next terms stand in them is known some time before they
//! are looked up. A load would do the same, but the processor can only go on for as long as it has room to remember what it
//! has not yet finished, and a load that misses is not finished; a prefetch is at once.
//! Invariant: it changes nothing; what is out of bounds is not asked for.
//! Cost: a comparison and an instruction, nothing at all where we know of none.

/// Asks for what stands at a place, if anything does.
#[inline(always)]
pub fn fetch<T>(all: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(one) = all.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "the standard library has it for raw pointers only")]
        // SAFETY: the place is one of the slice's, and a prefetch reads nothing.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(one).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (all, at);
}
