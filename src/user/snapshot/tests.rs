use super::*;
use crate::event::Version;
use crate::user::record::Status;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const DIRECTORY: &str = "http https://users.example.com/{subject}";

type Marks = Content<(String, u64)>;

fn key() -> Secret {
    Secret::new(&[7; 32])
}

fn user(number: u64) -> SavedUser {
    let user = User {
        id: Some(format!("u-{number}").into()),
        status: Status::Disabled,
        roles: Box::new(["admin".into(), "ü,\n\"".into()]),
        attributes: Box::new([("email".into(), Box::new(["a@example.com".into()]))]),
        lacks: Some("plan".into()),
        version: Some(Version::Number(number)),
    };
    SavedUser {
        realm: "https://id.example.com".into(),
        issuer: "https://id.example.com".into(),
        tenant: Some("acme".into()),
        subject: format!("s-{number}").into(),
        user: Arc::new(user),
        answered: Timestamp::from_secs(1_800_000_000 - number),
        etag: Some("\"7\"".into()),
    }
}

fn plain() -> SavedUser {
    SavedUser {
        realm: "people".into(),
        issuer: "https://b.example.com".into(),
        tenant: None,
        subject: "s".into(),
        user: Arc::default(),
        answered: Timestamp::from_secs(0),
        etag: None,
    }
}

fn content() -> Marks {
    Content {
        saved: Timestamp::from_millis(1_800_000_000_123),
        users: vec![user(1), plain(), user(2)],
        marks: vec![("deleted".to_owned(), 1), ("disabled".to_owned(), 2)],
    }
}

fn of_our_directory(taken: Taken<(String, u64)>) -> Marks {
    Content {
        saved: taken.saved,
        users: taken.users.unwrap(),
        marks: taken.marks,
    }
}

/// A folder with a snapshot in it.
struct Place {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        Self { folder, path }
    }

    fn with(content: &Marks) -> Self {
        let place = Self::empty();
        assert_eq!(place.write(content).unwrap(), content.users.len());
        place
    }

    fn write(&self, content: &Marks) -> Result<usize, SnapshotError> {
        write(&self.path, &key(), DIRECTORY, content)
    }

    fn read(&self) -> Result<Marks, SnapshotError> {
        read(&self.path, &key(), DIRECTORY, 100).map(of_our_directory)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(&self.path, bytes).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

/// A file with these lines after the first, under a MAC that holds.
fn sealed(lines: &[&str]) -> Place {
    let place = Place::empty();
    let mac = seal::key(&key()).unwrap();
    let mut file = Sealing::new(File::create(&place.path).unwrap(), &mac);
    for line in lines {
        file.line(line.as_bytes()).unwrap();
    }
    file.finish().unwrap();
    place
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(Place::with(&content()).read().unwrap(), content());
    let none = Content {
        users: Vec::new(),
        marks: Vec::new(),
        ..content()
    };
    assert_eq!(Place::with(&none).read().unwrap(), none);
}

#[test]
fn texts_that_users_share_are_kept_once() {
    let read = Place::with(&content()).read().unwrap();
    let [one, _, two] = read.users.as_slice() else {
        panic!("three users");
    };
    assert!(Arc::ptr_eq(&one.realm, &two.realm) && Arc::ptr_eq(&one.issuer, &two.issuer));
    let tenants = (one.tenant.as_ref().unwrap(), two.tenant.as_ref().unwrap());
    assert!(Arc::ptr_eq(tenants.0, tenants.1));
}

#[test]
fn of_too_many_users_the_first_are_read_and_every_mark() {
    let place = Place::with(&content());
    let read = of_our_directory(read(&place.path, &key(), DIRECTORY, 1).unwrap());
    assert_eq!(read.users, [user(1)]);
    assert_eq!(read.marks, content().marks);
}

#[test]
fn the_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
    let place = Place::with(&content());
    let mode = fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.names(), ["users"]);
}

#[test]
fn a_new_snapshot_replaces_the_old_one_and_its_rights() {
    let place = Place::with(&content());
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    let leftover = format!(".users.{}.new", std::process::id());
    fs::write(place.folder.path().join(leftover), "half").unwrap();
    let other = Content {
        users: vec![plain()],
        ..content()
    };
    place.write(&other).unwrap();
    assert_eq!(place.read().unwrap(), other);
    let mode = fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.names(), ["users"]);
}

#[test]
fn a_symbolic_link_is_replaced_and_what_it_points_to_stays() {
    let place = Place::empty();
    let victim = place.folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, &place.path).unwrap();
    place.write(&content()).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(!place.path.is_symlink());
    assert_eq!(place.read().unwrap(), content());
}

#[test]
fn what_cannot_be_written_leaves_the_old_snapshot() {
    let place = Place::with(&content());
    let long = Content {
        marks: vec![("x".repeat(LONGEST_LINE), 1)],
        ..content()
    };
    let error = place.write(&long).unwrap_err();
    assert!(matches!(error, SnapshotError::LongMark(_)), "{error}");
    assert_eq!(place.read().unwrap(), content());
    assert_eq!(place.names(), ["users"]);
    let nowhere = place.folder.path().join("nowhere/users");
    let error = write(&nowhere, &key(), DIRECTORY, &content()).unwrap_err();
    assert!(matches!(error, SnapshotError::Write { .. }), "{error}");
}

#[test]
fn a_user_whose_record_takes_more_than_a_line_is_left_out() {
    let mut long = user(1);
    long.etag = Some("x".repeat(LONGEST_LINE).into());
    let place = Place::empty();
    let written = place.write(&Content {
        users: vec![long, user(2)],
        ..content()
    });
    assert_eq!(written.unwrap(), 1);
    assert_eq!(place.read().unwrap().users, [user(2)]);
}

#[test]
fn a_missing_file_is_told_from_one_that_is_no_file() {
    let place = Place::empty();
    let error = place.read().unwrap_err();
    assert!(matches!(error, SnapshotError::Missing(_)), "{error}");
    let folder: Result<Taken<()>, _> = read(place.folder.path(), &key(), DIRECTORY, 1);
    assert!(matches!(folder.unwrap_err(), SnapshotError::NotAFile(_)));
    let device: Result<Taken<()>, _> = read(Path::new("/dev/zero"), &key(), DIRECTORY, 1);
    assert!(matches!(device.unwrap_err(), SnapshotError::NotAFile(_)));
}

#[test]
fn a_pipe_does_not_hold_the_start_up() {
    let place = Place::empty();
    let made = std::process::Command::new("mkfifo")
        .arg(&place.path)
        .status();
    assert!(made.unwrap().success());
    let error = place.read().unwrap_err();
    assert!(matches!(error, SnapshotError::NotAFile(_)), "{error}");
}

#[test]
fn a_file_larger_than_any_snapshot_is_not_read() {
    let place = Place::with(&content());
    let file = OpenOptions::new().write(true).open(&place.path).unwrap();
    // Sparse: it takes no room.
    file.set_len(1 << 40).unwrap();
    let error = place.read().unwrap_err();
    assert!(matches!(error, SnapshotError::TooLarge { .. }), "{error}");
}

#[test]
fn no_beginning_of_a_snapshot_is_one() {
    let place = Place::with(&content());
    let whole = place.bytes();
    for length in 0..whole.len() {
        place.put(&whole[..length]);
        let error = place.read().unwrap_err();
        assert!(
            matches!(error, SnapshotError::Truncated(_)),
            "{length}: {error}"
        );
    }
}

#[test]
fn no_byte_can_be_changed() {
    let place = Place::with(&content());
    let whole = place.bytes();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        place.put(&changed);
        let error = place.read().unwrap_err();
        assert!(
            matches!(
                error,
                SnapshotError::Mac(_)
                    | SnapshotError::NotASnapshot(_)
                    | SnapshotError::Version(_)
                    | SnapshotError::Truncated(_)
            ),
            "{at}: {error}"
        );
    }
}

#[test]
fn nothing_can_be_added() {
    let place = Place::with(&content());
    let mut file = OpenOptions::new().append(true).open(&place.path).unwrap();
    file.write_all(b"u{}\n").unwrap();
    let error = place.read().unwrap_err();
    assert!(matches!(error, SnapshotError::Truncated(_)), "{error}");
}

#[test]
fn users_of_another_directory_are_not_read_and_every_mark_is() {
    let place = Place::with(&content());
    let read: Taken<(String, u64)> = read(&place.path, &key(), "another", 100).unwrap();
    assert_eq!(read.users, None);
    assert_eq!(read.marks, content().marks);
    assert_eq!(read.saved, content().saved);
}

#[test]
fn another_key_another_version_and_another_file_are_told_apart() {
    let place = Place::with(&content());
    let error = |key: &[u8]| {
        let read: Result<Taken<(String, u64)>, _> =
            read(&place.path, &Secret::new(key), DIRECTORY, 1);
        read.unwrap_err()
    };
    assert!(matches!(error(&[8; 32]), SnapshotError::Mac(_)));
    let short = error(&[7; 31]);
    assert!(matches!(short, SnapshotError::ShortKey(31)));
    let text = String::from_utf8(place.bytes()).unwrap();
    place.put(text.replacen("users 1", "users 2", 1).as_bytes());
    assert!(matches!(
        place.read().unwrap_err(),
        SnapshotError::Version(_)
    ));
    place.put(b"users: [{subject: alice, id: u-1}] # and so on, for a while\n");
    assert!(matches!(
        place.read().unwrap_err(),
        SnapshotError::NotASnapshot(_)
    ));
}

#[test]
fn lines_that_are_ours_and_not_of_this_version_are_named() {
    let mut line = Vec::new();
    line::put(
        &mut line,
        Kind::Head,
        &Head::new(Timestamp::from_secs(1), DIRECTORY),
    )
    .unwrap();
    let head = String::from_utf8(line).unwrap();
    let rows: [(&[&str], u64); 8] = [
        (&["u{}\n"], 2),
        (&[&head, &head], 3),
        (&[&head, "x{}\n"], 3),
        (&[&head, "\n"], 3),
        (&[&head, "m{\n"], 3),
        (
            &[
                &head,
                "s[\"a\",\"b\"]\n",
                "u{\"n\":1,\"s\":\"x\",\"a\":1,\"u\":{}}\n",
            ],
            4,
        ),
        (
            &[
                &head,
                "s[\"a\",\"b\"]\n",
                "u{\"n\":0,\"s\":\"x\",\"a\":-1,\"u\":{}}\n",
            ],
            4,
        ),
        (&[&head, "m[\"without end\",1]"], 3),
    ];
    for (lines, expected) in rows {
        let error = sealed(lines).read().unwrap_err();
        assert!(
            matches!(error, SnapshotError::Malformed { line, .. } if line == expected),
            "{lines:?}: {error}"
        );
    }
}

#[test]
fn an_error_tells_nothing_out_of_the_file_or_the_key() {
    let place = sealed(&["h{\"saved\":\"alice@example.com\"}\n"]);
    let error = place.read().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
}

#[test]
fn only_nothing_an_empty_file_and_a_snapshot_may_be_replaced() {
    let place = Place::empty();
    assert!(may_replace(&place.path));
    place.put(b"");
    assert!(may_replace(&place.path));
    place.write(&content()).unwrap();
    assert!(may_replace(&place.path));
    place.put(b"users: []\n");
    assert!(!may_replace(&place.path));
    assert!(!may_replace(place.folder.path()));
}

#[test]
fn a_snapshot_that_was_cut_in_its_first_word_is_replaced_and_another_file_stays_as_it_is() {
    let place = Place::empty();
    place.put(b"subg");
    place.write(&content()).unwrap();
    assert!(place.read().is_ok());
    for other in [&b"users: []\n"[..], &[0; 4096], b"Subgate users 1\n"] {
        place.put(other);
        assert!(matches!(
            place.write(&content()),
            Err(SnapshotError::NotASnapshot(_))
        ));
        assert_eq!(fs::read(&place.path).unwrap(), other);
    }
}

#[test]
fn a_user_takes_few_bytes() {
    let users: Vec<_> = (0..1000).map(user).collect();
    let place = Place::with(&Content { users, ..content() });
    assert!(place.bytes().len() < 1000 * 256, "{}", place.bytes().len());
}

proptest::proptest! {
    #[test]
    fn no_bytes_under_a_mac_make_it_panic(
        lines in proptest::collection::vec("[hmsux][\\[\\]{}\":,a-c0-9]{0,40}\n?", 0..6),
    ) {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let _ = sealed(&lines).read();
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(bytes: Vec<u8>) {
        let place = Place::empty();
        place.put(&bytes);
        proptest::prop_assert!(place.read().is_err());
    }
}
