//! Whom the server runs as, and where that user can get.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::{Uid, User};
use ring::digest::{SHA512, digest};

use crate::machine::hex;

/// Whom the server runs as, when we are root.
pub(super) fn unprivileged() -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let nobody =
        User::from_name("nobody")?.context("PostgreSQL refuses to run as root, and there is no user `nobody`")?;
    Ok(Some(nobody))
}

/// `folder` itself, or its stand-in under /var/lib when the server's user cannot get there.
pub(super) fn reachable(folder: &Path) -> Result<PathBuf> {
    let Some(user) = unprivileged()? else { return Ok(folder.to_owned()) };
    let absolute = std::path::absolute(folder)?;
    let passable = absolute
        .ancestors()
        .skip(1)
        .filter_map(|above| fs::metadata(above).ok())
        .all(|found| found.mode() & 0o001 != 0 || (found.uid() == user.uid.as_raw() && found.mode() & 0o100 != 0));
    // What is created on the way gets root's usual mode, which may be closed to others.
    let exists = absolute.is_dir() || absolute.parent().is_some_and(Path::is_dir);
    let open = fs::metadata(&absolute).map_or(true, |found| found.mode() & 0o001 != 0);
    if passable && exists && open {
        return Ok(absolute);
    }
    let name = hex(&digest(&SHA512, absolute.as_os_str().as_encoded_bytes()).as_ref()[..8]);
    let stand_in = PathBuf::from("/var/lib/inkflow").join(name);
    fs::create_dir_all(&stand_in)?;
    for path in [Path::new("/var/lib/inkflow"), &stand_in] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(stand_in)
}
