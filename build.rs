//! Compiles the wire definitions, without protoc, and stamps the build.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-env-changed=SUBGATE_COMMIT");
    let files = protox::compile(["proto/external_auth.proto"], ["proto"])?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    config.compile_fds(files)?;
    println!("cargo:rustc-env=SUBGATE_COMMIT={}", commit()?);
    Ok(())
}

/// The commit this is built from: given by a packager, asked of git, or `unknown` in a tarball.
fn commit() -> Result<String, Box<dyn Error>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a build script has no configuration file"
    )]
    let given = env::var("SUBGATE_COMMIT");
    if let Ok(given) = given {
        return Ok(given);
    }
    if !Path::new(".git").is_dir() {
        return Ok("unknown".to_owned());
    }
    println!("cargo:rerun-if-changed=.git/HEAD");
    if let Some(branch) = fs::read_to_string(".git/HEAD")?.strip_prefix("ref: ") {
        println!("cargo:rerun-if-changed=.git/{}", branch.trim());
    }
    let asked = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    Ok(match asked {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout)?.trim().to_owned()
        }
        Ok(_) | Err(_) => "unknown".to_owned(),
    })
}
