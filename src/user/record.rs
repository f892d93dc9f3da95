//! A user as the directory knows it.

use crate::event::Version;
use serde::{Deserialize, Serialize};

/// What a directory told of a user; small, since a million of them are kept.
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
        self.attributes
            .iter()
            .find(|(own, _)| **own == *name)
            .map(|(_, values)| &**values)
    }

    /// Whether the user has one of these roles.
    pub fn has_any_role(&self, roles: &[String]) -> bool {
        self.roles
            .iter()
            .any(|role| roles.iter().any(|wanted| **wanted == **role))
    }

    /// About what it takes in memory, in bytes, the struct itself included.
    pub(super) fn weight(&self) -> usize {
        let texts = |texts: &[Box<str>]| {
            texts
                .iter()
                .map(|text| 16 + allocated(text.len()))
                .sum::<usize>()
        };
        let Self {
            id,
            status: _,
            roles,
            attributes,
            lacks,
            version: _,
        } = self;
        let single = [id, lacks]
            .into_iter()
            .flatten()
            .map(|text| allocated(text.len()));
        let named = attributes
            .iter()
            .map(|(name, values)| 32 + allocated(name.len()) + texts(values));
        size_of::<Self>() + single.sum::<usize>() + texts(roles) + named.sum::<usize>()
    }
}

/// What an allocator makes of so many bytes.
pub(super) const fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}
