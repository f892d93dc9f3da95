//! What one tenant does to its own users, and with their tokens, changes no answer about another's.

use super::in_paused_time;
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::event::{self, Event, Kind, Version, Whom};
use crate::load::Load;
use crate::user::directory::{Answer, Answered, Directory, Question, Unanswered};
use crate::user::tests::world::{self, key, secs};
use crate::user::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

const ATTACKER: &str = "mallory";

const VICTIMS: [&str; 3] = ["acme", "globex", "initech"];

/// Users of each tenant.
const USERS: usize = 6;

/// What happens, at a second of its own.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    /// A user of the first victim comes or goes: no other loses any.
    Victim {
        user: usize,
        exists: bool,
    },
    /// A user of a victim is asked for.
    Asked {
        victim: usize,
        user: usize,
    },
    /// An event of a victim's user.
    Told {
        user: usize,
        kind: Kind,
        version: Option<u64>,
    },
    Attack(Attack),
}

/// What an attacker may do.
#[derive(Clone, Debug)]
enum Attack {
    /// All of so many users come or go.
    Turn { users: usize, exist: bool },
    /// So many users ask, in a tenant that their tokens need not prove.
    Ask {
        users: usize,
        tenant: &'static str,
        young: bool,
    },
    /// Something happens to one of them, of whatever version.
    Tell {
        user: usize,
        kind: Kind,
        version: Option<u64>,
        by_id: bool,
    },
}

#[derive(Clone, Default)]
struct Town(Arc<Mutex<HashSet<(String, String)>>>);

impl fmt::Debug for Town {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Town")
    }
}

/// The subject of a tenant's user: no two tenants' users share one.
fn subject(tenant: &str, user: usize) -> String {
    format!("{tenant}-{user}")
}

impl Town {
    fn turn(&self, tenant: &str, user: usize, exists: bool) {
        let who = (tenant.to_owned(), subject(tenant, user));
        let people = &mut *self.0.lock();
        if exists {
            people.insert(who);
        } else {
            people.remove(&who);
        }
    }
}

impl Directory for Town {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = Result<Answered, Unanswered>> + Send + 'd>> {
        let Query {
            tenant, subject, ..
        } = question.query;
        let who = (tenant.unwrap().to_string(), subject.to_string());
        let answer = if self.0.lock().contains(&who) {
            Answer::Found(User {
                id: Some(format!("id-{subject}").into()),
                version: Some(Version::Number(5)),
                ..User::default()
            })
        } else {
            Answer::NotFound
        };
        Box::pin(std::future::ready(Ok(answer.into())))
    }

    fn proves_tenant(&self) -> bool {
        true
    }

    fn names_by_subject(&self) -> bool {
        false
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::UserCreated),
        Just(Kind::UserUpdated),
        Just(Kind::UserDisabled),
        Just(Kind::UserEnabled),
        Just(Kind::UserDeleted),
    ]
}

fn attack() -> impl Strategy<Value = Attack> {
    let tenant = prop_oneof![
        4 => Just(ATTACKER),
        1 => (0..VICTIMS.len()).prop_map(|victim| VICTIMS[victim]),
    ];
    let version = || proptest::option::of(any::<u64>());
    prop_oneof![
        3 => (1..30_usize, any::<bool>()).prop_map(|(users, exist)| Attack::Turn { users, exist }),
        5 => (1..30_usize, tenant, any::<bool>())
            .prop_map(|(users, tenant, young)| Attack::Ask { users, tenant, young }),
        2 => (0..30_usize, kind(), version(), any::<bool>())
            .prop_map(|(user, kind, version, by_id)| Attack::Tell { user, kind, version, by_id }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let version = proptest::option::of(0..10_u64);
    prop_oneof![
        4 => (1..15_u64).prop_map(Step::Pass),
        2 => (0..USERS, any::<bool>()).prop_map(|(user, exists)| Step::Victim { user, exists }),
        8 => (0..VICTIMS.len(), 0..USERS).prop_map(|(victim, user)| Step::Asked { victim, user }),
        1 => (0..USERS, kind(), version)
            .prop_map(|(user, kind, version)| Step::Told { user, kind, version }),
        8 => attack().prop_map(Step::Attack),
    ]
}

struct Stage {
    users: Users,
    ledger: Ledger,
    town: Town,
    load: Load,
}

impl Stage {
    fn new() -> Self {
        let mut config = world::config();
        config.creation_grace = secs(30);
        config.cache.stale_while_revalidate = secs(4);
        config.vanish_guard = VanishGuard {
            share: 0.2,
            window: secs(60),
            min: 3,
        };
        config.canaries = vec![Canary {
            realm: "realm".into(),
            issuer: "https://id.example.com".into(),
            tenant: Some(VICTIMS[1].into()),
            subject: subject(VICTIMS[1], 0).into(),
        }];
        let town = Town::default();
        for tenant in VICTIMS {
            for user in 0..USERS {
                town.turn(tenant, user, true);
            }
        }
        let ledger = Ledger::new(
            event::Settings {
                fence_for: config.longest_answer(),
                tombstone_for: config.cache.tombstone_for,
                alias_for: config.alias_for,
            },
            event::TenantForm::as_written(),
        );
        let users = Users::new(
            config,
            Box::new(town.clone()),
            ledger.clone(),
            Arc::new(SystemClock),
        );
        Self {
            users,
            ledger,
            town,
            load: Load::new(100, 100),
        }
    }

    /// What is said of the victims' users.
    async fn play(&self, steps: &[Step], is_attacked: bool) -> Vec<String> {
        let mut said = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            // Whole seconds: no user's jitter decides what is fresh.
            tokio::time::sleep(secs(1)).await;
            match step.clone() {
                Step::Pass(time) => tokio::time::sleep(secs(time)).await,
                Step::Victim { user, exists } => self.town.turn(VICTIMS[0], user, exists),
                Step::Asked { victim, user } => {
                    let tenant = VICTIMS[victim];
                    let answer = self.ask(tenant, &subject(tenant, user), None).await;
                    said.push(format!("{at}: {tenant} {user}: {answer}"));
                }
                Step::Told {
                    user,
                    kind,
                    version,
                } => {
                    let whom = Whom::Subject(subject(VICTIMS[0], user).into());
                    self.tell(VICTIMS[0], whom, kind, version);
                }
                Step::Attack(attack) if is_attacked => self.attack(attack).await,
                Step::Attack(_) => {}
            }
        }
        said
    }

    async fn attack(&self, attack: Attack) {
        match attack {
            Attack::Turn { users, exist } => {
                for user in 0..users {
                    self.town.turn(ATTACKER, user, exist);
                }
            }
            Attack::Ask {
                users,
                tenant,
                young,
            } => {
                for user in 0..users {
                    let issued = young.then_some(secs(1));
                    self.ask(tenant, &subject(ATTACKER, user), issued).await;
                }
            }
            Attack::Tell {
                user,
                kind,
                version,
                by_id,
            } => {
                let name = subject(ATTACKER, user);
                let whom = if by_id {
                    Whom::Id(format!("id-{name}").into())
                } else {
                    Whom::Subject(name.into())
                };
                self.tell(ATTACKER, whom, kind, version);
            }
        }
    }

    async fn ask(&self, tenant: &str, subject: &str, issued: Option<Duration>) -> String {
        let now = Instant::now();
        let key = key(tenant, subject);
        let place = self.load.admit(now + secs(60)).unwrap();
        let asked = Asked { now, issued };
        let found = self.users.find(key.query(), asked, &place).await;
        format!("{found:?}")
    }

    fn tell(&self, tenant: &str, whom: Whom, kind: Kind, version: Option<u64>) {
        let event = Event {
            kind,
            time: Timestamp::from_secs(1_700_000_000),
            realm: "realm".into(),
            tenant: Some(tenant.into()),
            whom: Some(whom),
            version: version.map(Version::Number),
        };
        event::apply(&event, &self.ledger, SystemClock.now()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_attacker_changes_no_answer_about_another_tenants_users(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let undisturbed = in_paused_time(async { Stage::new().play(&steps, false).await });
        let attacked = in_paused_time(async { Stage::new().play(&steps, true).await });
        prop_assert_eq!(undisturbed, attacked);
    }
}
