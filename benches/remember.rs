//! What a remembered user takes, in a process that does nothing else.

use crate::crowd::{self, TENANTS};
use crate::miss::{Asker, configuration};
use crate::population::Person;
use crate::table::{Bound, Row, say};
use crate::{Error, Result};
use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use subgate::user::User;
use subgate::user::directory::{Answer, Answered, Directory, Lifetime, Question, Unanswered};

/// Those who are remembered before it is counted: buffers and tables are there then.
const WARM: usize = 1000;

/// Starts this program anew to remember so many users, and reads what it says.
pub(crate) fn measure(users: usize) -> Result<Row> {
    let output = Command::new(std::env::current_exe()?)
        .args(["remember", &users.to_string()])
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::from(wrong));
    }
    Ok(Row {
        name: format!("memory of a remembered user, of {users}"),
        bound: Bound::AtMost(450.0),
        unit: " B",
        rounds: vec![said.trim().parse()?],
    })
}

/// Remembers so many users, each with an id and two roles, and says what one takes.
pub(crate) async fn remember(users: usize) -> Result {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("users.yaml");
    fs::write(&file, "users: []\n")?;
    let sections = format!(
        "users: {{file: {{path: '{}'}}, cache: {{fresh: 6h, max_memory: 4GiB}}}}\n",
        file.display()
    );
    let config = configuration(&sections, dir.path())?;
    let asker = Asker::asking(config.users, Box::new(Everybody));
    for nth in 0..WARM {
        asker.find(nth / TENANTS, nth % TENANTS).await?;
    }
    let before = resident_kib(Path::new("/proc/self/status"))?;
    for nth in WARM..WARM + users {
        asker.find(nth / TENANTS, nth % TENANTS).await?;
    }
    if asker.remembered() != u64::try_from(WARM + users)? {
        return Err("not all users are remembered".into());
    }
    let grown = resident_kib(Path::new("/proc/self/status"))? - before;
    say(&format!(
        "{}",
        grown * 1024.0 / f64::from(u32::try_from(users)?)
    ))
}

/// Knows everybody at once.
#[derive(Debug)]
struct Everybody;

impl Directory for Everybody {
    fn look_up<'d>(
        &'d self,
        question: Question<'d>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Answered, Unanswered>> + Send + 'd>> {
        Box::pin(async move {
            let person = crowd::person(question.query.subject).unwrap_or_default();
            let user = User {
                id: Some(crowd::user_id(person, 0).into()),
                roles: Person::ROLES.map(Box::from).into(),
                ..User::default()
            };
            Ok(Answered {
                answer: Answer::Found(user),
                lifetime: Lifetime::default(),
                etag: None,
            })
        })
    }

    fn proves_tenant(&self) -> bool {
        true
    }

    fn names_by_subject(&self) -> bool {
        false
    }
}

fn resident_kib(status: &Path) -> Result<f64> {
    let status = fs::read_to_string(status)?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .ok_or("no VmRSS in /proc/self/status")?;
    Ok(resident.trim().parse()?)
}
