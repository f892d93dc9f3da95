//! Compiles the wire definitions, without protoc, and stamps the build.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-env-changed=SUBGATE_COMMIT");
    let files = protox::compile(["proto/external_auth.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    config.compile_fds(files)?;
    directory()?;
    println!("cargo:rustc-env=SUBGATE_COMMIT={}", commit());
    Ok(())
}

/// The messages of the directory, and those of `google.protobuf` in them.
fn directory() -> Result<(), Box<dyn Error>> {
    let files = protox::compile(["proto/subgate/directory/v1/directory.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    config
        .btree_map(["."])
        .bytes([".subgate"])
        .compile_well_known_types()
        .compile_fds(files)?;
    Ok(())
}

/// The commit this is built from: given by a packager, asked of git, or `unknown` in a tarball.
fn commit() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script has no configuration file"
    )]
    let given = env::var("SUBGATE_COMMIT");
    if let Ok(given) = given {
        return given;
    }
    for watched in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", watched]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let asked = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(asked.stdout).ok()?;
    asked.status.success().then(|| text.trim().to_owned())
}
