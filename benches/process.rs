//! Processes under measurement: pinned to a core, watched through `/proc`, ended with the run.

use crate::Result;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A core to bind a process to; none on a machine that gives us one only.
pub(crate) type Core = Option<u32>;

/// The two cores that a run uses, however many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// For what is measured, alone.
    pub(crate) measured: Core,
    /// For what asks, and for what Envoy asks.
    pub(crate) asking: Core,
}

impl Cores {
    /// The first two that this process may use.
    pub(crate) fn allowed() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let allowed = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .ok_or("no Cpus_allowed_list in /proc/self/status")?;
        let mut cores = Vec::new();
        for range in allowed.trim().split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            cores.extend(first.parse::<u32>()?..=last.parse()?);
        }
        let both = cores.first_chunk().copied();
        Ok(Self {
            measured: both.map(|[measured, _]| measured),
            asking: both.map(|[_, asking]| asking),
        })
    }
}

/// Binds the calling process, so far single-threaded.
pub(crate) fn pin_self(core: Core) -> Result {
    let Some(number) = core else {
        return Ok(());
    };
    let pinned = Command::new("taskset")
        .args(["--pid", "--cpu-list", &number.to_string()])
        .arg(std::process::id().to_string())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| needs_taskset(&error))?;
    if pinned.success() {
        Ok(())
    } else {
        Err(format!("taskset could not bind this process to core {number}").into())
    }
}

fn needs_taskset(error: &io::Error) -> String {
    format!("expected `taskset` (package util-linux) to bind processes to cores: {error}")
}

/// A child process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with one tokio worker thread on a core; what it says goes to `{name}.log`
    /// in `dir`.
    pub(crate) fn start(
        name: &str,
        core: Core,
        program: &Path,
        arguments: &[&str],
        dir: &Path,
    ) -> Result<Self> {
        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let mut command = core.map_or_else(
            || Command::new(program),
            |number| {
                let mut command = Command::new("taskset");
                command
                    .args(["--cpu-list", &number.to_string()])
                    .arg(program);
                command
            },
        );
        let child = command
            .args(arguments)
            .env("TOKIO_WORKER_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| needs_taskset(&error))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Says what it wrote, if it has ended.
    pub(crate) fn expect_alive(&mut self) -> Result {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let said = fs::read_to_string(&self.log)?;
                Err(format!("{} ended with {status}:\n{said}", self.name).into())
            }
        }
    }

    /// The time all its threads have spent on a core.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            let on_core = schedstat.split(' ').next().unwrap_or_default();
            nanos += on_core.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Its resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u32> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .ok_or("no VmRSS in /proc/PID/status")?;
        Ok(resident.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
