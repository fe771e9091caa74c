//! One sort for lists of all types. The standard library's is compiled for each type anew, with 3 to 7 kB of code; it is
//! the better one for many numbers.

use std::cmp::Ordering;

/// Sorts items, each of which is moved at most twice. Equal items keep their order. A list in order costs one pass.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if items.is_sorted_by(|one, next| compare(one, next).is_le()) {
        return;
    }
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &|one, next| compare(&items[one], &items[next]));
    for start in 0..items.len() {
        // Each place gets its item, then the place that item came from, until the circle closes.
        let mut place = start;
        while places[place] != start {
            let from = std::mem::replace(&mut places[place], place);
            items.swap(place, from);
            place = from;
        }
        places[place] = place;
    }
}

/// Sorts the numbers of items. Compiled once: it does not know what the items are.
fn sort_places(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_unstable_by(|one, next| compare(*one, *next).then(one.cmp(next)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_like_the_standard_library(mut items: Vec<(u8, String)>) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(one, _), (next, _)| one.cmp(next));
            prop_assert_eq!(items, expected);
        }
    }
}
