use super::*;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

/// Far beyond what a change may take; only a failure waits so long.
const LONG: Duration = Duration::from_secs(30);

struct Place {
    dir: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yaml");
        fs::write(&file, "one").unwrap();
        Self { dir, file }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn watch(&self) -> Watch {
        Watch::new(vec![self.file.clone()])
    }
}

/// Fails where the poll alone would have found it.
async fn is_told(watch: &mut Watch) {
    watch.poll = LONG * 2;
    timeout(LONG, watch.changed()).await.unwrap();
}

async fn says_nothing(watch: &mut Watch) {
    let said = timeout(QUIET * 5, watch.changed()).await;
    assert!(said.is_err(), "told of a change where there was none");
}

#[tokio::test]
async fn a_file_written_in_place_has_changed() {
    let place = Place::new();
    let mut watch = place.watch();
    fs::write(&place.file, "two").unwrap();
    is_told(&mut watch).await;
    says_nothing(&mut watch).await;
}

#[tokio::test]
async fn a_file_replaced_by_rename_has_changed_each_time() {
    let place = Place::new();
    let mut watch = place.watch();
    for content in ["two", "six"] {
        fs::write(place.path("new"), content).unwrap();
        fs::rename(place.path("new"), &place.file).unwrap();
        is_told(&mut watch).await;
    }
}

#[tokio::test]
async fn a_file_deleted_and_made_again_has_changed_twice() {
    let place = Place::new();
    let mut watch = place.watch();
    fs::remove_file(&place.file).unwrap();
    is_told(&mut watch).await;
    fs::write(&place.file, "one").unwrap();
    is_told(&mut watch).await;
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_waited_for() {
    let place = Place::new();
    fs::remove_file(&place.file).unwrap();
    let mut watch = place.watch();
    fs::write(&place.file, "one").unwrap();
    is_told(&mut watch).await;
}

/// As the kubelet does: `config.yaml -> ..data/config.yaml`, `..data -> ..VERSION`, swapped whole.
#[tokio::test]
async fn a_config_map_swapped_under_its_symlink_has_changed_each_time() {
    let place = Place::new();
    let version = |name: &str, content: &str| {
        fs::create_dir(place.path(name)).unwrap();
        fs::write(place.path(name).join("config.yaml"), content).unwrap();
        symlink(name, place.path("..data_tmp")).unwrap();
        fs::rename(place.path("..data_tmp"), place.path("..data")).unwrap();
    };
    fs::remove_file(&place.file).unwrap();
    version("..1", "one");
    symlink("..data/config.yaml", &place.file).unwrap();
    let mut watch = place.watch();
    for (old, new, content) in [("..1", "..2", "two"), ("..2", "..3", "six")] {
        version(new, content);
        fs::remove_dir_all(place.path(old)).unwrap();
        is_told(&mut watch).await;
    }
    assert_eq!(fs::read(&place.file).unwrap(), b"six");
}

#[tokio::test]
async fn a_file_behind_a_symlink_into_another_directory_has_changed() {
    let (place, elsewhere) = (Place::new(), Place::new());
    fs::remove_file(&place.file).unwrap();
    symlink(&elsewhere.file, &place.file).unwrap();
    let mut watch = place.watch();
    fs::write(&elsewhere.file, "two").unwrap();
    is_told(&mut watch).await;
}

#[tokio::test]
async fn a_touched_file_a_like_one_and_its_neighbours_have_not_changed() {
    let place = Place::new();
    let mut watch = place.watch();
    fs::write(&place.file, "one").unwrap();
    fs::write(place.path("new"), "one").unwrap();
    fs::rename(place.path("new"), &place.file).unwrap();
    fs::write(place.path("neighbour"), "two").unwrap();
    says_nothing(&mut watch).await;
}

#[tokio::test]
async fn any_of_several_files_counts_and_a_burst_is_one_change() {
    let (one, two) = (Place::new(), Place::new());
    let mut watch = Watch::new(vec![one.file.clone(), two.file.clone()]);
    for content in ["2", "3", "4"] {
        fs::write(&one.file, content).unwrap();
        fs::write(&two.file, content).unwrap();
    }
    is_told(&mut watch).await;
    says_nothing(&mut watch).await;
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing() {
    let place = Place::new();
    let mut watch = place.watch();
    says_nothing(&mut watch).await;
    fs::write(&place.file, "two").unwrap();
    // Long enough to hear of it, too short to look.
    let _dropped = timeout(QUIET / 2, watch.changed()).await;
    is_told(&mut watch).await;
}

#[tokio::test]
async fn where_the_system_tells_nothing_it_looks_by_itself() {
    let place = Place::new();
    let mut watch = Watch::start(vec![place.file.clone()], None, Duration::from_millis(20));
    fs::write(&place.file, "two").unwrap();
    timeout(LONG, watch.changed()).await.unwrap();
}

#[tokio::test]
async fn what_follows_keeps_going_after_a_refusal() {
    let place = Place::new();
    let watch = place.watch();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let file = place.file.clone();
    let follower = tokio::spawn(watch.follow("test", move || {
        let content = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        tell.send(content.clone()).unwrap();
        match content.as_str() {
            "bad" => Err("bad".to_owned()),
            _ => Ok(()),
        }
    }));
    for content in ["bad", "good"] {
        fs::write(&place.file, content).unwrap();
        let got = timeout(LONG, told.recv()).await.unwrap();
        assert_eq!(got.as_deref(), Some(content));
    }
    follower.abort();
}
