//! The tools that set themselves up (`tools/dev/setup/`), when several runs want one at the same moment and one of them is killed
//! half-way: each ends with a tool that works, and nobody's is deleted while it is in use.
//!
//! What the scripts fetch from is played here; the scripts, pip and its virtual environments are the real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dev::platform::checkout;

const PATIENCE: Duration = Duration::from_secs(120);

/// A copy of `tools/dev/setup/` with an empty cache, and programs that go before the machine's own.
struct Bench {
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("inkflow-setup-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for part in ["cache", "first", "checkout/tools/dev/setup"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        let bench = Self { folder };
        for entry in fs::read_dir(checkout().join("tools/dev/setup")).expect("tools/dev/setup").flatten() {
            fs::copy(entry.path(), bench.path("checkout/tools/dev/setup").join(entry.file_name())).expect("copied");
        }
        bench
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// A program that is found before any other of its name. `$begun` is where it tells of each installation.
    fn stub(&self, name: &str, script: &str) {
        let path = self.path("first").join(name);
        let begun = self.path("begun");
        fs::write(&path, format!("#!/bin/sh\nbegun='{}'\n{script}\n", begun.display())).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    /// How many installations were begun.
    fn begun(&self) -> usize {
        fs::read_to_string(self.path("begun")).map_or(0, |told| told.lines().count())
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let path = std::env::var("PATH").expect("a PATH");
        command
            .current_dir(self.path("checkout"))
            .env("PATH", format!("{}:{path}", self.path("first").display()))
            .env("INKFLOW_CACHE", self.path("cache"))
            // pip knows no index but this folder.
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", &self.folder)
            .env_remove("INKFLOW_PYTHON")
            .env_remove("CHROMIUM_BIN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn setup(&self, words: &[&str]) -> Child {
        let script = self.path("checkout/tools/dev/setup").join(words[0]);
        self.command(script).args(&words[1..]).spawn().expect("it starts")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a run printed on its last line.
fn end(run: Child) -> PathBuf {
    let done = run.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {said}", done.status);
    PathBuf::from(String::from_utf8_lossy(&done.stdout).trim().lines().last().unwrap_or_default())
}

/// Kills one run in the middle, then starts five at once. `tool` is the program below what the script prints.
fn five_side_by_side_after_one_that_was_killed(bench: &Bench, words: &[&str], tool: &str) {
    let mut killed = bench.setup(words);
    wait_until("an installation begins", || bench.begun() > 0);
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it is dead");

    let mut runs: Vec<Child> = (0..5).map(|_| bench.setup(words)).collect();
    let mut first = None;
    wait_until("one run ends", || {
        first = runs.iter_mut().position(|run| run.try_wait().expect("it can be asked").is_some());
        first.is_some()
    });
    let at = |printed: PathBuf| if tool.is_empty() { printed } else { printed.join(tool) };
    let program = at(end(runs.remove(first.expect("one of them"))));
    let works = || bench.command(&program).arg("--version").output().is_ok_and(|done| done.status.success());
    assert!(works(), "{} does not work", program.display());
    let witness = program.with_file_name("somebody-uses-this");
    fs::write(&witness, "").expect("written");
    while let Some(run) = runs.pop() {
        assert!(works(), "{} does not work any more", program.display());
        assert_eq!(at(end(run)), program, "every run has the same tool");
    }
    assert!(witness.exists(), "the folder was replaced while it was used");
    assert!(works());
    assert_eq!(bench.begun(), 2, "one was killed, one installed it, and the others took what it made");
    let left: Vec<String> = fs::read_dir(bench.path("cache"))
        .expect("the cache")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".making."))
        .collect();
    assert_eq!(left, [""; 0], "what a killed run left behind goes");
}

/// Python with venv that tells of itself and takes a second.
fn slow_venv(bench: &Bench) {
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("python3");
    let python = String::from_utf8_lossy(&python.stdout).trim().to_owned();
    bench.stub(
        "python3",
        &format!("case $* in '-m venv '*) echo begun >>$begun; '{python}' \"$@\" && sleep 1 ;; *) exec '{python}' \"$@\" ;; esac"),
    );
}

/// A wheel with the program `name`, and the list that pins it.
fn wheel(bench: &Bench, name: &str) {
    let make = r#"
import hashlib, sys, zipfile
name, wheel, pins = sys.argv[1:]
info = name + "-1.0.dist-info/"
files = {
    name + ".py": "def main(): print('" + name + " 1.0')\n",
    info + "METADATA": "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n",
    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    info + "entry_points.txt": "[console_scripts]\n" + name + " = " + name + ":main\n",
}
with zipfile.ZipFile(wheel + "/" + name + "-1.0-py3-none-any.whl", "w") as zip:
    for path, text in files.items():
        zip.writestr(path, text)
    zip.writestr(info + "RECORD", "".join(path + ",,\n" for path in [*files, info + "RECORD"]))
hash = hashlib.sha256(open(wheel + "/" + name + "-1.0-py3-none-any.whl", "rb").read()).hexdigest()
open(pins, "w").write(name + "==1.0 --hash=sha256:" + hash + "\n")
"#;
    let pins = bench.path("checkout/tools/dev/setup").join(format!("{name}.txt"));
    let made = Command::new("python3").args(["-c", make, name]).arg(&bench.folder).arg(pins).status();
    assert!(made.expect("python3").success());
}

#[test]
fn runs_side_by_side_share_one_virtual_environment() {
    let bench = Bench::new("pypi");
    slow_venv(&bench);
    wheel(&bench, "sample");
    five_side_by_side_after_one_that_was_killed(&bench, &["from-pypi", "sample"], "sample");
}

#[test]
fn runs_side_by_side_share_one_cargo_deny() {
    let bench = Bench::new("cargo-deny");
    bench.stub("cargo-deny", "exit 1");
    bench.stub(
        "cargo",
        "echo begun >>$begun; sleep 1; while [ \"$1\" != --root ]; do shift; done; mkdir -p \"$2/bin\"; sleep 1; \
         printf '#!/bin/sh\\nexit 0\\n' >\"$2/bin/cargo-deny\"; chmod 755 \"$2/bin/cargo-deny\"",
    );
    five_side_by_side_after_one_that_was_killed(&bench, &["cargo-deny"], "");
}

/// Debian's tools: one package with one program.
fn debian(bench: &Bench, package: &str, program: &str) {
    // Not root, who would install it for the whole machine; and none of those that are installed here works.
    bench.stub("id", "[ \"$1\" = -u ] && echo 1000");
    for installed in [package, "chromium-browser", "google-chrome", "google-chrome-stable"] {
        bench.stub(installed, "exit 1");
    }
    bench.stub(
        "apt-get",
        &format!(
            "case \" $* \" in *' update '*) echo begun >>$begun; sleep 1 ;; *' download '*) sleep 1; echo >'{package}.deb' ;; \
             *' install '*) echo 'Inst {package} (1.0 Debian)' ;; esac"
        ),
    );
    bench.stub(
        "dpkg-deb",
        &format!(
            "mkdir -p \"$3/$(dirname {program})\"; printf '#!/bin/sh\\necho \"<p>ready</p>\"\\n' >\"$3/{program}\"; chmod 755 \"$3/{program}\""
        ),
    );
}

#[test]
fn runs_side_by_side_share_one_pgbouncer() {
    let bench = Bench::new("pgbouncer");
    debian(&bench, "pgbouncer", "usr/sbin/pgbouncer");
    five_side_by_side_after_one_that_was_killed(&bench, &["pgbouncer"], "");
}

#[test]
fn runs_side_by_side_share_one_chromium() {
    let bench = Bench::new("chromium");
    debian(&bench, "chromium", "usr/lib/chromium/chromium");
    five_side_by_side_after_one_that_was_killed(&bench, &["chromium"], "");
}

#[test]
fn a_tool_that_stops_to_work_is_fetched_beside_the_one_that_somebody_uses() {
    let bench = Bench::new("beside");
    debian(&bench, "pgbouncer", "usr/sbin/pgbouncer");
    let used = end(bench.setup(&["pgbouncer"]));
    fs::write(&used, "#!/bin/sh\nexit 1\n").expect("written");
    let fetched = end(bench.setup(&["pgbouncer"]));
    assert_ne!(fetched, used);
    assert!(used.exists(), "another run may be using it, where it works");
    assert_eq!(end(bench.setup(&["pgbouncer"])), fetched);
}

#[test]
fn runs_side_by_side_install_the_packages_of_a_page_once() {
    let bench = Bench::new("npm");
    bench.stub(
        "npm",
        "echo begun >>$begun; rm -rf node_modules; sleep 1; mkdir node_modules; echo whole >node_modules/package",
    );
    let site = bench.path("checkout/site");
    fs::create_dir(&site).expect("a folder");
    fs::write(site.join("package-lock.json"), "{}").expect("written");
    let mut killed = bench.setup(&["npm-packages", "site"]);
    wait_until("npm begins", || bench.begun() > 0);
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it is dead");
    let runs: Vec<Child> = (0..5).map(|_| bench.setup(&["npm-packages", "site"])).collect();
    for run in runs {
        end(run);
        assert_eq!(fs::read_to_string(site.join("node_modules/package")).expect("it is there"), "whole\n");
    }
    assert_eq!(bench.begun(), 2);
    fs::write(site.join("package-lock.json"), "{ }").expect("written");
    end(bench.setup(&["npm-packages", "site"]));
    assert_eq!(bench.begun(), 3, "another lock file is another install");
}

/// Two checkouts with one target folder: `make` in the second must not delete what the first one runs.
#[test]
fn a_second_checkout_waits_for_the_first_one_to_be_done_with_the_target_folder() {
    let bench = Bench::new("target");
    bench.stub("cargo", "echo \"$*\" >>$begun");
    let target = bench.path("target");
    fs::create_dir_all(target.join("debug")).expect("a folder");
    let other = bench.path("other");
    let copied = Command::new("cp").arg("-R").arg(bench.path("checkout")).arg(&other).status();
    assert!(copied.expect("cp").success());
    let makefile = "SHELL := /bin/bash\n.SHELLFLAGS := -euo pipefail -c\nall:\n\t@tools/dev/setup/own-target $$PPID\n\t@touch running\n\t@while [ ! -e done ]; do sleep 0.1; done\n";
    let make = |checkout: &Path| {
        fs::write(checkout.join("Makefile"), makefile).expect("written");
        for part in ["shared", "migrations", "functions/x", "tools/dev", "tools/bench/floors/x"] {
            fs::create_dir_all(checkout.join(part)).expect("a folder");
            fs::write(checkout.join(part).join("Cargo.toml"), "name = \"x\"\n").expect("written");
        }
        let mut make = bench.command("make");
        make.current_dir(checkout).env("CARGO_TARGET_DIR", &target).stdout(Stdio::null());
        // Whoever runs this may be make itself.
        make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").spawn().expect("make starts")
    };
    let first = make(&bench.path("checkout"));
    wait_until("the first one runs", || bench.path("checkout/running").exists());
    let second = make(&other);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!other.join("running").exists(), "the second one deletes what the first one runs");
    assert_eq!(bench.begun(), 1, "cleaned once, by the first one");
    fs::write(bench.path("checkout/done"), "").expect("written");
    end(first);
    wait_until("the second one runs", || other.join("running").exists());
    assert_eq!(bench.begun(), 2);
    fs::write(other.join("done"), "").expect("written");
    let said = String::from_utf8_lossy(&second.wait_with_output().expect("it ends").stderr).into_owned();
    assert!(said.contains("Waiting for make in"), "{said}");
}

/// `make`, the tests of the site and an editor must find the same programs, whatever is set.
#[test]
fn the_target_folder_is_the_checkouts_own_unless_something_says_otherwise() {
    let bench = Bench::new("target-dir");
    let folder = |variables: &[(&str, &str)]| {
        let mut command = bench.command("tools/dev/setup/target-dir");
        command.env_remove("CARGO_TARGET_DIR").env_remove("INKFLOW_SHARED_TARGET").env("HOME", "/home/lou");
        let done = command.envs(variables.iter().copied()).output().expect("it starts");
        assert!(done.status.success(), "{done:?}");
        PathBuf::from(String::from_utf8_lossy(&done.stdout).trim())
    };
    let own = bench.path("checkout").canonicalize().expect("a folder").join("target");
    assert_eq!(folder(&[]), own);
    assert_eq!(folder(&[("INKFLOW_SHARED_TARGET", "0")]), own);
    assert_eq!(folder(&[("INKFLOW_SHARED_TARGET", "1")]), Path::new("/home/lou/.cache/inkflow/target"));
    assert_eq!(folder(&[("INKFLOW_SHARED_TARGET", "1"), ("CARGO_TARGET_DIR", "/fast/disk")]), Path::new("/fast/disk"));
    assert_eq!(folder(&[("CARGO_TARGET_DIR", "elsewhere")]), own.with_file_name("elsewhere"));
}

#[test]
fn a_target_folder_in_the_checkout_is_neither_claimed_nor_cleaned() {
    let bench = Bench::new("own-target");
    bench.stub("cargo", "echo \"$*\" >>$begun");
    let target = bench.path("checkout/target");
    fs::create_dir_all(target.join("debug")).expect("a folder");
    let claim = || {
        let mut command = bench.command("tools/dev/setup/own-target");
        command.env_remove("CARGO_TARGET_DIR").env_remove("INKFLOW_SHARED_TARGET");
        end(command.spawn().expect("it starts"));
    };
    claim();
    assert_eq!((bench.begun(), target.join(".inkflow-users").exists()), (0, false));
    // Another checkout has built there, by CARGO_TARGET_DIR.
    fs::write(target.join(".inkflow-checkout"), "/another\n").expect("written");
    for part in ["shared", "migrations", "functions/x", "tools/dev", "tools/bench/floors/x"] {
        fs::create_dir_all(bench.path("checkout").join(part)).expect("a folder");
        fs::write(bench.path("checkout").join(part).join("Cargo.toml"), "name = \"x\"\n").expect("written");
    }
    claim();
    assert_eq!(bench.begun(), 1, "what it compiled is cleaned");
}
