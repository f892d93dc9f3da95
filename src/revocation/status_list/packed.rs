//! The list itself: statuses of a few bits each, packed into bytes and compressed (section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use std::fmt;

/// The longest list, unpacked, in bytes: two million statuses of eight bits, or sixteen million of one.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A list of statuses, in the packed form; its `Debug` shows its size alone.
pub struct Packed {
    bits: u8,
    bytes: Box<[u8]>,
}

/// Why something is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAList {
    /// A status has another width.
    #[error("`bits` is not 1, 2, 4 or 8")]
    Bits,
    /// The text is not base64url.
    #[error("`lst` is not base64url without padding")]
    Base64,
    /// The bytes are not zlib's, or longer than a list may be.
    #[error("`lst` is not a whole zlib stream of at most {MAX_BYTES} bytes")]
    Zlib,
}

impl Packed {
    /// Unpacks `lst`, whose statuses have so many bits.
    pub fn decode(bits: u64, lst: &str) -> Result<Self, NotAList> {
        let bits = match bits {
            1 => 1,
            2 => 2,
            4 => 4,
            8 => 8,
            _ => return Err(NotAList::Bits),
        };
        let stream = URL_SAFE_NO_PAD.decode(lst).map_err(|_| NotAList::Base64)?;
        let bytes = decompress_to_vec_zlib_with_limit(&stream, MAX_BYTES)
            .map_err(|_| NotAList::Zlib)?
            .into_boxed_slice();
        Ok(Self { bits, bytes })
    }

    /// The status at an index, from the least significant bits up; `None` beyond the end.
    pub fn get(&self, index: u64) -> Option<u8> {
        let per_byte = u64::from(8 / self.bits);
        let byte = self.bytes.get(usize::try_from(index / per_byte).ok()?)?;
        let shift = index % per_byte * u64::from(self.bits);
        Some(byte >> shift & (u8::MAX >> (8 - self.bits)))
    }

    /// What it takes in memory, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed")
            .field("bits", &self.bits)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    pub(in crate::revocation::status_list) fn lst(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(bytes, 9))
    }

    /// The examples of the draft, section 4.1.
    #[test]
    fn tsl_04_statuses_are_read_from_the_least_significant_bit() {
        let one = Packed::decode(1, "eNrbuRgAAhcBXQ").unwrap();
        let statuses: Vec<_> = (0..16).map_while(|index| one.get(index)).collect();
        assert_eq!(statuses, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!(one.get(16), None);
        let two = Packed::decode(2, "eNo76fITAAPfAgc").unwrap();
        let statuses: Vec<_> = (0..12).map_while(|index| two.get(index)).collect();
        assert_eq!(statuses, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
        assert_eq!(two.get(12), None);
        assert_eq!(two.get(u64::MAX), None);
    }

    #[test]
    fn tsl_04_another_width_another_encoding_and_another_compression_are_refused() {
        let good = lst(&[1, 2, 3]);
        for bits in [0, 3, 5, 16, u64::MAX] {
            assert_eq!(Packed::decode(bits, &good).err(), Some(NotAList::Bits));
        }
        for (text, why) in [
            (format!("{good}="), NotAList::Base64),
            ("a+b/".to_owned(), NotAList::Base64),
            (String::new(), NotAList::Zlib),
            (good.split_at(good.len() - 4).0.to_owned(), NotAList::Zlib),
            (URL_SAFE_NO_PAD.encode([1, 2, 3]), NotAList::Zlib),
        ] {
            assert_eq!(Packed::decode(1, &text).err(), Some(why), "{text}");
        }
        let mut wrong_sum = compress_to_vec_zlib(&[7; 9], 6);
        *wrong_sum.last_mut().unwrap() ^= 1;
        let wrong_sum = URL_SAFE_NO_PAD.encode(wrong_sum);
        assert_eq!(Packed::decode(1, &wrong_sum).err(), Some(NotAList::Zlib));
    }

    #[test]
    fn tsl_04_a_list_that_swells_beyond_the_bound_is_refused() {
        let largest = lst(&vec![0; MAX_BYTES]);
        assert_eq!(Packed::decode(8, &largest).unwrap().size(), MAX_BYTES);
        let bomb = lst(&vec![0; 64 * MAX_BYTES]);
        assert!(bomb.len() < 256 * 1024);
        assert_eq!(Packed::decode(8, &bomb).err(), Some(NotAList::Zlib));
    }

    proptest! {
        #[test]
        fn tsl_04_whatever_is_packed_is_read_back(bytes in prop::collection::vec(any::<u8>(), 0..200), bits in 0_u32..4) {
            let bits = 1_u64 << bits;
            let packed = Packed::decode(bits, &lst(&bytes)).unwrap();
            let count = bytes.len() as u64 * 8 / bits;
            for index in 0..count {
                let at = index * bits;
                let expected = u64::from(bytes[usize::try_from(at / 8).unwrap()]) >> (at % 8) & ((1 << bits) - 1);
                prop_assert_eq!(packed.get(index).map(u64::from), Some(expected));
            }
            prop_assert_eq!(packed.get(count), None);
        }

        #[test]
        fn tsl_04_no_bytes_make_a_list_that_knows_more_than_it_holds(stream in prop::collection::vec(any::<u8>(), 0..300), bits in any::<u64>(), index in any::<u64>()) {
            for framed in [stream.clone(), [&[0x78, 0x9c][..], &stream].concat()] {
                for bits in [bits, 1, 2, 4, 8] {
                    if let Ok(packed) = Packed::decode(bits, &URL_SAFE_NO_PAD.encode(&framed)) {
                        let count = packed.size() as u64 * 8 / bits;
                        prop_assert_eq!(packed.get(index).is_some(), index < count);
                        prop_assert_eq!(packed.get(count), None);
                    }
                }
            }
        }
    }
}
