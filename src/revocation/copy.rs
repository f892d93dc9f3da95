//! The local copy: what is revoked, found by its name without a lock.
//!
//! A million entries are meant to fit, so a name is kept as a keyed fingerprint, and what most entries
//! have in common in 24 bytes.

mod struck;

use super::name::{Kind, Name};
use super::strike::{Hit, Issued, Strike};
use crate::clock::Timestamp;
use crate::token::VerifiedToken;
use papaya::HashMap;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use struck::Struck;

pub use struck::Cleared;

/// The local copy.
#[derive(Debug)]
pub struct Copy {
    struck: HashMap<Print, Struck, BuildHasherDefault<Printed>>,
    prints: Prints,
    /// Entries by kind: what there is none of is not looked for.
    held: [AtomicUsize; Kind::ALL.len()],
}

/// Makes fingerprints of names, by a key that nobody else knows.
#[derive(Clone, Debug)]
pub struct Prints(Arc<(u64, u64)>);

/// A fingerprint: of 2^64 names two share theirs with even odds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print([u64; 2]);

/// A fingerprint needs no further hashing.
#[derive(Debug, Default)]
struct Printed(u64);

impl Default for Prints {
    fn default() -> Self {
        let draw = || RandomState::new().build_hasher().finish();
        Self(Arc::new((draw(), draw())))
    }
}

impl Prints {
    fn of(&self, name: Name<'_>) -> Print {
        let (one, other) = *self.0;
        let mut hasher = SipHasher13::new_with_keys(one, other);
        name.hash(&mut hasher);
        let hash = hasher.finish128();
        Print([hash.h1, hash.h2])
    }
}

impl Copy {
    /// An empty one.
    pub fn new(prints: Prints) -> Self {
        Self {
            struck: HashMap::with_hasher(BuildHasherDefault::default()),
            prints,
            held: Default::default(),
        }
    }

    /// How it makes fingerprints: copies that are to be united make them alike.
    pub fn prints(&self) -> &Prints {
        &self.prints
    }

    /// Adds a strike to what is known under a name; by one hand at a time.
    pub fn add(&self, name: Name<'_>, strike: Strike) {
        let held = self.struck.pin();
        let print = self.prints.of(name);
        let known = held.get(&print).map_or_else(Vec::new, Struck::strikes);
        let strikes = known.into_iter().chain([strike]).collect();
        let cleared = held.get(&print).and_then(Struck::cleared);
        self.put_print(name.kind, print, Struck::new(name.kind, strikes, cleared));
    }

    /// Puts all that is known under a name: its strikes, and when it was last cleared of others.
    pub fn put(&self, name: Name<'_>, strikes: Vec<Strike>, cleared: Option<Cleared>) {
        let struck = Struck::new(name.kind, strikes, cleared);
        self.put_print(name.kind, self.prints.of(name), struck);
    }

    /// Adds all that is known under a name to what is held, but for what either knows to be cleared.
    pub fn join(&self, name: Name<'_>, strikes: Vec<Strike>, cleared: Option<Cleared>) {
        let print = self.prints.of(name);
        let theirs = Struck::new(name.kind, strikes, cleared);
        let ours = self.struck.pin().get(&print).cloned();
        let joined = ours.map_or_else(|| theirs.clone(), |ours| ours.and(&theirs));
        self.put_print(name.kind, print, joined);
    }

    /// Takes in what another copy knows: under each name what either of them does, but for what was
    /// cleared since.
    pub fn unite(&self, other: &Self) {
        for (print, theirs) in &other.struck.pin() {
            let ours = self.struck.pin().get(print).cloned();
            let united = match ours {
                Some(ours) => ours.and(theirs),
                None => theirs.clone(),
            };
            self.put_print(theirs.kind(), *print, united);
        }
    }

    /// Lets go of what has ended.
    pub fn sweep(&self, now: Timestamp) {
        self.struck.pin().retain(|_, struck| {
            let stays = !struck.is_over(now);
            if !stays {
                self.count(struck.kind()).fetch_sub(1, Ordering::Relaxed);
            }
            stays
        });
    }

    /// How many names are held, by kind.
    pub fn held(&self) -> impl Iterator<Item = (Kind, usize)> + '_ {
        let counts = self.held.iter().map(|count| count.load(Ordering::Relaxed));
        Kind::ALL.into_iter().zip(counts)
    }

    /// Whether a token is revoked, by itself or through its subject or tenant.
    pub fn check(
        &self,
        token: &VerifiedToken,
        tenant: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let url = &*token.issuer().config().issuer;
        let issued = Issued::of(token, now);
        let named = |kind, name: Option<&str>| match name {
            Some(name) => self.look(Name::of_issuer(kind, url, name), issued),
            None => Ok(()),
        };
        named(Kind::Token, token.claims().text("jti"))?;
        named(Kind::Session, token.claims().text("sid"))?;
        named(Kind::Key, Some(token.key().name()))?;
        self.look(Name::issuer(url), issued)?;
        if let Ok(subject) = token.subject() {
            self.check_person(Kind::Subject, token, tenant, subject.normalized(), now)?;
        }
        match tenant {
            Some(tenant) => self.look(Name::tenant(tenant), issued),
            None => Ok(()),
        }
    }

    /// Whether a token is revoked through its subject or its user, in its tenant or in all.
    pub fn check_person(
        &self,
        kind: Kind,
        token: &VerifiedToken,
        tenant: Option<&str>,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Hit> {
        let realm = &*token.issuer().config().realm;
        let issued = Issued::of(token, now);
        let look = |tenant| self.look(Name::of_realm(kind, realm, name, tenant), issued);
        look(None)?;
        tenant.map_or(Ok(()), |tenant| look(Some(tenant)))
    }

    fn look(&self, name: Name<'_>, issued: Issued) -> Result<(), Hit> {
        if self.count(name.kind).load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        match self.struck.pin().get(&self.prints.of(name)) {
            Some(struck) => struck.check(issued),
            None => Ok(()),
        }
    }

    /// Before it is found it is counted: whoever is told of it may look for it at once.
    fn put_print(&self, kind: Kind, print: Print, struck: Struck) {
        self.count(kind).fetch_add(1, Ordering::Relaxed);
        if self.struck.pin().insert(print, struck).is_some() {
            self.count(kind).fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn count(&self, kind: Kind) -> &AtomicUsize {
        let [token, session, key, issuer, subject, user, tenant] = &self.held;
        match kind {
            Kind::Token => token,
            Kind::Session => session,
            Kind::Key => key,
            Kind::Issuer => issuer,
            Kind::Subject => subject,
            Kind::User => user,
            Kind::Tenant => tenant,
        }
    }
}

impl Default for Copy {
    fn default() -> Self {
        Self::new(Prints::default())
    }
}

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

impl Hasher for Printed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is called; this keeps the trait's promise for anything else.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests;
