//! The lists of the draft (Token Status List, appendix "Test vectors for Status List encoding").

use crate::sets;
use std::collections::BTreeMap;
use subgate::revocation::status_list::packed::Packed;

/// In the list of two bits, and not among those that the file names.
const UNNAMED: (u64, u64, u64) = (2, 25_460, 1);

#[test]
fn tsl_04_every_list_of_the_draft_has_the_statuses_that_it_names_and_no_others() {
    let document = sets::json("status-list/vectors.json");
    let vectors = document.as_array().expect("a list of lists");
    let widths: Vec<_> = vectors
        .iter()
        .map(|vector| vector["bits"].as_u64())
        .collect();
    assert_eq!(widths, [Some(1), Some(2), Some(4), Some(8)]);
    for vector in vectors {
        let list = &vector["status_list"];
        let bits = list["bits"].as_u64().expect("a width");
        let text = list["lst"].as_str().expect("a list");
        let packed = Packed::decode(bits, text).expect("a list");
        let size = vector["size"].as_u64().expect("a size");
        assert_eq!(size, 1 << 20);
        let named = vector["nonzero"].as_object().expect("statuses by index");
        let mut named: BTreeMap<u64, u64> = named
            .iter()
            .map(|(index, status)| {
                let index = index.parse().expect("an index");
                (index, status.as_u64().expect("a status"))
            })
            .collect();
        let (width, unnamed, status) = UNNAMED;
        if bits == width {
            assert_eq!(named.insert(unnamed, status), None, "no exception any more");
        }
        for index in 0..size {
            let expected = named.get(&index).copied().unwrap_or(0);
            let found = packed.get(index).map(u64::from);
            assert_eq!(found, Some(expected), "{bits} bits, index {index}");
        }
        assert_eq!(packed.get(size), None, "{bits} bits");
        assert_eq!(packed.size() as u64, size * bits / 8);
    }
}
