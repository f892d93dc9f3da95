//! A user as the directory knows it.

use crate::event::Version;
use serde::{Deserialize, Serialize};

/// What a directory told of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct User {
    /// The canonical id; `None` where the subject is the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// Whether the user may act.
    pub status: Status,
    /// The roles.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub roles: Box<[Box<str>]>,
    /// Attributes, by their configured names; several values where the record has a list.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub attributes: Box<[Attribute]>,
    /// The first required attribute that the record lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Box<str>>,
    /// The record's version, where it is one that can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// A name and its values.
pub type Attribute = (Box<str>, Box<[Box<str>]>);

/// Whether a user may act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The user may.
    #[default]
    Active,
    /// The user may not.
    Disabled,
}

impl User {
    /// The values of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&[Box<str>]> {
        named(&self.attributes, name)
    }
}

/// The values of an attribute.
pub(super) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a [Box<str>]> {
    attributes
        .iter()
        .find(|(own, _)| **own == *name)
        .map(|(_, values)| &**values)
}

/// About what texts take in memory, in bytes, beside their list.
pub(super) fn weigh(texts: &[Box<str>]) -> usize {
    texts.iter().map(|text| allocated(text.len())).sum()
}

/// What an allocator makes of so many bytes.
pub(super) const fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}
