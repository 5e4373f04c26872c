//! The programs of one PostgreSQL: those of the system, or a pinned build from npm.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nix::unistd::User;
use ring::digest::{SHA512, digest};
use serde::Deserialize;
use tokio::process::Command;
use tracing::info;

use super::user::unprivileged;
use crate::machine::{cache, fresh, turn};

const OLDEST_USABLE: u32 = 15;
const NPM_VERSION: &str = "17.10.0-beta.17";

/// The programs of one PostgreSQL, and the user that must run them.
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
    run_as: Option<User>,
}

impl Binaries {
    pub(super) async fn find(wanted: Option<u32>) -> Result<Self> {
        let run_as = unprivileged()?;
        match std::env::var("INKFLOW_POSTGRES_BIN").as_deref() {
            Ok("npm") => return Self::fetched(run_as).await,
            Ok("") | Err(_) => {}
            Ok(chosen) => {
                let folder = PathBuf::from(chosen);
                let major = usable(&folder).await.with_context(|| format!("INKFLOW_POSTGRES_BIN={chosen}"))?;
                return Ok(Self { folder, major, run_as });
            }
        }
        let mut found = Vec::new();
        for folder in installed() {
            if let Ok(major) = usable(&folder).await {
                found.push((wanted == Some(major), major, folder));
            }
        }
        found.sort();
        match found.pop() {
            Some((fits, major, folder)) if fits || wanted.is_none() => Ok(Self { folder, major, run_as }),
            // Data made by the fetched server stay with it.
            Some((_, major, folder)) => {
                Ok(Self::fetched(run_as.clone()).await.unwrap_or(Self { folder, major, run_as }))
            }
            None => Self::fetched(run_as).await,
        }
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        // Root's own folder may be closed to the user we step down to.
        command.current_dir("/").env("TZ", "UTC").env_remove("PGDATA").env_remove("LC_ALL").env("LANG", "C");
        if let Some(user) = &self.run_as {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    pub(super) fn give(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.run_as {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(())
    }

    /// The pinned build from npm, fetched once and checked against our own hash; none of its scripts is run.
    async fn fetched(run_as: Option<User>) -> Result<Self> {
        let (package, sha512) = match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => (
                "linux-x64",
                "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
            ),
            ("linux", "aarch64") => (
                "linux-arm64",
                "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
            ),
            ("macos", "aarch64") => (
                "darwin-arm64",
                "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
            ),
            ("macos", "x86_64") => (
                "darwin-x64",
                "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
            ),
            (os, arch) => bail!(
                "no PostgreSQL {OLDEST_USABLE} or newer with btree_gist is installed, and none can be fetched for {os} on \
                 {arch}: install one, or name its bin folder in INKFLOW_POSTGRES_BIN"
            ),
        };
        // Root's cache is closed to the user that must run these programs.
        let cache = if run_as.is_some() { PathBuf::from("/var/cache/inkflow") } else { cache() };
        fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
        let home = cache.join(format!("postgres-{NPM_VERSION}-{package}"));
        let _turn = turn(&cache.join("postgres.lock")).await?;
        if !home.is_dir() {
            info!("no PostgreSQL is installed: fetching {NPM_VERSION} from npm (once)");
            let fresh = fresh(&cache, "postgres-fresh-")?;
            let made =
                fetch(package, sha512, &fresh).await.and_then(|()| Ok(fs::rename(fresh.join("package"), &home)?));
            let _ = fs::remove_dir_all(&fresh);
            made.with_context(|| {
                format!(
                    "no PostgreSQL {OLDEST_USABLE} or newer with btree_gist is installed, and none could be fetched from npm; \
                     install one (Debian: apt-get install postgresql)"
                )
            })?;
        }
        let folder = home.join("native/bin");
        let major = usable(&folder).await?;
        Ok(Self { folder, major, run_as })
    }
}

async fn fetch(package: &str, sha512: &str, fresh: &Path) -> Result<()> {
    fs::create_dir_all(fresh)?;
    let pack = Command::new("npm")
        .args(["pack", "--silent", "--ignore-scripts"])
        .arg(format!("@embedded-postgres/{package}@{NPM_VERSION}"))
        .current_dir(fresh)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running npm")?;
    ensure!(pack.status.success(), "npm pack: {}", String::from_utf8_lossy(&pack.stderr).trim());
    let archive = fresh.join(String::from_utf8_lossy(&pack.stdout).trim());
    let hash = BASE64.encode(digest(&SHA512, &fs::read(&archive)?));
    ensure!(hash == sha512, "{} is not the file it was when this was written: sha512 {hash}", archive.display());
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(fresh).kill_on_drop(true).output().await?;
    ensure!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr).trim());
    link(&fresh.join("package"))?;
    readable_by_all(&fresh.join("package"))
}

/// npm archives hold no symbolic links, so the package lists them in a file.
fn link(package: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Link {
        source: PathBuf,
        target: PathBuf,
    }
    let list = fs::read(package.join("native/pg-symlinks.json"))?;
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list)? {
        let up = target.parent().map_or(0, |parent| parent.components().count());
        let from_there: PathBuf = std::iter::repeat_n("..", up).collect::<PathBuf>().join(&source);
        let same_folder = source.parent() == target.parent();
        let content = source.file_name().filter(|_| same_folder).map_or(from_there, PathBuf::from);
        match std::os::unix::fs::symlink(content, package.join(target)) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn readable_by_all(path: &Path) -> Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let mut mode = found.permissions().mode() | 0o444;
    if found.is_dir() || mode & 0o100 != 0 {
        mode |= 0o111;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            readable_by_all(&entry?.path())?;
        }
    }
    Ok(())
}

/// The folders where distributions put the server, and those on the PATH.
fn installed() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let folder = entry.path().join(below);
            if folder.join("postgres").is_file() {
                folders.push(folder);
            }
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path).filter(|folder| folder.join("postgres").is_file()));
    folders
}

/// The major version of the server in `folder`, if InkFlow can use it.
async fn usable(folder: &Path) -> Result<u32> {
    ensure!(folder.join("initdb").is_file(), "no initdb in {}", folder.display());
    let told = Command::new(folder.join("postgres")).arg("--version").output().await.context("postgres --version")?;
    let told = String::from_utf8_lossy(&told.stdout);
    let number = told.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    let major: String = number.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let major: u32 = major.parse().with_context(|| format!("{} --version says {told:?}", folder.display()))?;
    ensure!(major >= OLDEST_USABLE, "PostgreSQL {major} is older than {OLDEST_USABLE}");
    let mut shares = vec![
        folder.join("../share/postgresql"),
        folder.join("../share"),
        folder.join(format!("../../../../share/postgresql/{major}")),
    ];
    if let Ok(told) = Command::new(folder.join("pg_config")).arg("--sharedir").output().await {
        shares.insert(0, PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    }
    let has_gist = shares.iter().any(|share| share.join("extension/btree_gist.control").is_file());
    ensure!(has_gist, "PostgreSQL in {} comes without btree_gist (Debian: postgresql-contrib)", folder.display());
    Ok(major)
}
