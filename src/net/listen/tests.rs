use super::*;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn parsed(text: &str) -> Result<Address, AddressError> {
    text.parse()
}

fn at(dir: &TempDir) -> Address {
    Address::Unix {
        path: dir.path().join("check.sock"),
        mode: Some(0o620),
    }
}

fn path(address: &Address) -> &Path {
    match address {
        Address::Unix { path, .. } => path,
        Address::Tcp(_) | Address::Abstract(_) => panic!("{address} has no path"),
    }
}

async fn carries_bytes(listener: &Listener) {
    let address = listener.local_addr();
    let client = async {
        let mut stream = connect(&address).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let server = async {
        let mut said = Vec::new();
        let mut stream = listener.accept().await;
        stream.read_to_end(&mut said).await.unwrap();
        said
    };
    let ((), said) = tokio::join!(client, server);
    assert_eq!(said, b"ping");
}

#[test]
fn every_form_of_address_reads_as_it_is_written() {
    for text in [
        "127.0.0.1:19191",
        "[::1]:19191",
        "unix:/run/subgate/check.sock",
        "unix:/run/subgate/check.sock?mode=0660",
        "unix:check.sock",
        "unix:@subgate",
    ] {
        assert_eq!(parsed(text).unwrap().to_string(), text);
    }
    let short = parsed("unix:/x?mode=660").unwrap();
    assert_eq!(short.to_string(), "unix:/x?mode=0660");
}

#[test]
fn what_is_no_address_is_told_what_was_expected() {
    for text in ["", "localhost:80", "127.0.0.1", "/run/x.sock", "19191"] {
        assert_eq!(parsed(text), Err(AddressError::Tcp(text.to_owned())));
    }
    for text in ["unix:", "unix:@", "unix:?mode=0660"] {
        assert_eq!(parsed(text), Err(AddressError::Empty));
    }
    for query in [
        "mode=",
        "mode=rw",
        "mode=0888",
        "mode=01777",
        "mode=+66",
        "user=x",
        "",
    ] {
        let text = format!("unix:/x?{query}");
        assert_eq!(parsed(&text), Err(AddressError::Query(query.to_owned())));
    }
    assert_eq!(parsed("unix:/a\0b"), Err(AddressError::Nul));
}

#[test]
fn a_name_may_have_107_bytes_and_not_one_more() {
    for prefix in ["unix:/", "unix:@"] {
        let room = LONGEST_NAME - usize::from(prefix == "unix:/");
        parsed(&format!("{prefix}{}", "x".repeat(room))).unwrap();
        assert_eq!(
            parsed(&format!("{prefix}{}", "x".repeat(room + 1))),
            Err(AddressError::TooLong(LONGEST_NAME + 1))
        );
    }
}

const LONGEST_NAME: usize = 107;

#[tokio::test]
async fn the_longest_names_can_be_bound() {
    let dir = tempfile::tempdir().unwrap();
    let room = LONGEST_NAME - dir.path().as_os_str().len() - 1;
    let path = dir.path().join("x".repeat(room));
    let long = Address::Unix { path, mode: None };
    carries_bytes(&bind(&long).await.unwrap()).await;
    let name = format!("{}-{}", std::process::id(), "x".repeat(LONGEST_NAME));
    let long = Address::Abstract(name.chars().take(LONGEST_NAME).collect());
    carries_bytes(&bind(&long).await.unwrap()).await;
}

#[tokio::test]
async fn a_port_asked_for_as_zero_becomes_known() {
    let listener = bind(&parsed("127.0.0.1:0").unwrap()).await.unwrap();
    carries_bytes(&listener).await;
    let taken = bind(&listener.local_addr()).await.unwrap_err();
    assert!(matches!(taken, BindError::Io { .. }), "{taken}");
}

#[tokio::test]
async fn an_abstract_name_is_taken_while_its_listener_lives() {
    let address = Address::Abstract(format!("subgate-test-{}", std::process::id()));
    let listener = bind(&address).await.unwrap();
    carries_bytes(&listener).await;
    bind(&address).await.unwrap_err();
    drop(listener);
    bind(&address).await.unwrap();
}

#[tokio::test]
async fn a_socket_file_has_its_mode_and_goes_with_its_listener() {
    let dir = tempfile::tempdir().unwrap();
    let address = at(&dir);
    let listener = bind(&address).await.unwrap();
    let file = fs::metadata(path(&address)).unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o620);
    assert_eq!(listener.local_addr(), address);
    carries_bytes(&listener).await;
    drop(listener);
    assert!(!path(&address).exists());
}

#[tokio::test]
async fn a_dead_socket_file_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let address = at(&dir);
    drop(std::os::unix::net::UnixListener::bind(path(&address)).unwrap());
    assert!(path(&address).exists());
    carries_bytes(&bind(&address).await.unwrap()).await;
}

#[tokio::test]
async fn a_live_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let address = at(&dir);
    let first = bind(&address).await.unwrap();
    let error = bind(&address).await.unwrap_err();
    assert!(matches!(error, BindError::Live(_)), "{error}");
    // The attempt itself waits in the queue.
    drop(first.accept().await);
    carries_bytes(&first).await;
}

#[tokio::test]
async fn what_is_not_a_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let address = at(&dir);
    fs::write(path(&address), "precious").unwrap();
    let error = bind(&address).await.unwrap_err();
    assert!(matches!(error, BindError::NotSocket(_)), "{error}");
    assert_eq!(fs::read(path(&address)).unwrap(), b"precious");
}

#[tokio::test]
async fn a_file_that_another_put_in_place_of_ours_stays() {
    let dir = tempfile::tempdir().unwrap();
    let address = at(&dir);
    let listener = bind(&address).await.unwrap();
    let other = dir.path().join("other");
    fs::write(&other, "another's").unwrap();
    fs::rename(&other, path(&address)).unwrap();
    drop(listener);
    assert_eq!(fs::read(path(&address)).unwrap(), b"another's");
}
