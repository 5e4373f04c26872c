//! A host of one instance that gets out of the way: it speaks the Lambda runtime API over plain blocking sockets, so
//! that what it measures is the function's and not its own.
//!
//! `dev::host` is the one that behaves like Lambda; this one knows no timeout but its own patience, and no pool.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// How long anything may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that speaks the runtime API, and what it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the tables call it.
    pub name: String,
    /// The command: the bootstrap itself, or an interpreter and its script.
    pub command: Vec<PathBuf>,
    /// Its settings. It sees nothing else of our environment.
    pub env: Vec<(String, String)>,
    /// Where what it prints goes.
    pub log: PathBuf,
}

impl Program {
    /// The same with one setting replaced.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut this = self.clone();
        this.env.retain(|(known, _)| known != name);
        this.env.push((name.to_owned(), value.to_owned()));
        this
    }
}

/// What one start took, from the fork to the first request for work.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// On the clock.
    pub wall: Duration,
    /// On the processor.
    pub cpu: Duration,
}

/// What one invocation took.
#[derive(Debug)]
pub struct Invocation {
    /// From the event's first byte to the answer's last.
    pub wall: Duration,
    /// On the processor, until the instance asks for more.
    pub cpu: Duration,
    pub answer: Vec<u8>,
}

enum Call {
    Next(TcpStream, Instant),
    Answer { failed: bool, body: Vec<u8>, at: Instant },
}

/// A running instance, waiting for work. Dropping it kills it.
pub struct Instance {
    name: String,
    log: PathBuf,
    child: Child,
    calls: Receiver<Call>,
    waiting: TcpStream,
    start: Start,
    number: u64,
}

impl Instance {
    /// Starts a program and waits until it asks for work.
    ///
    /// # Errors
    /// It does not come up; the words say where its log is.
    pub fn start(program: &Program) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, calls) = channel();
        // Ends with the first connection that cannot be accepted, at the latest with this process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                let sender = sender.clone();
                thread::spawn(move || converse(&stream, &sender));
            }
        });
        let (executable, arguments) = program.command.split_first().context("no command")?;
        let log = File::create(&program.log).with_context(|| format!("creating {}", program.log.display()))?;
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", ":UTC")
            .env("LANG", "en_US.UTF-8")
            .env("_HANDLER", "bootstrap")
            .env("AWS_REGION", dev::host::REGION)
            .env("AWS_DEFAULT_REGION", dev::host::REGION)
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &program.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", program.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let begun = Instant::now();
        let mut child = command.spawn().with_context(|| format!("starting {}", executable.display()))?;
        let (waiting, at) = match calls.recv_timeout(PATIENCE) {
            Ok(Call::Next(stream, at)) => (stream, at),
            other => {
                let _ = child.kill();
                let _ = child.wait();
                let what = if other.is_err() { "never asks for work" } else { "answers before it was asked" };
                bail!("{} {what}: see {}", program.name, program.log.display());
            }
        };
        let cpu = cpu_of(&child)?;
        let start = Start { wall: at - begun, cpu };
        let (name, log) = (program.name.clone(), program.log.clone());
        Ok(Self { name, log, child, calls, waiting, start, number: 0 })
    }

    pub fn start_cost(&self) -> Start {
        self.start
    }

    /// Hands it one event and waits until it asks for the next.
    ///
    /// # Errors
    /// It fails, dies or takes too long.
    pub fn invoke(&mut self, event: &[u8]) -> Result<Invocation> {
        self.number += 1;
        let deadline = SystemTime::now() + PATIENCE;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut message = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{:012x}\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:{}:{}:function:{}\r\n\
             lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\r\n",
            event.len(),
            self.number,
            dev::host::REGION,
            dev::host::ACCOUNT,
            self.name,
        )
        .into_bytes();
        message.extend_from_slice(event);
        let cpu = cpu_of(&self.child)?;
        let begun = Instant::now();
        self.waiting.write_all(&message).with_context(|| self.trouble("hung up"))?;
        let (answer, at) = match self.calls.recv_timeout(PATIENCE) {
            Ok(Call::Answer { failed: false, body, at }) => (body, at),
            Ok(Call::Answer { body, .. }) => bail!("{}: {}", self.trouble("failed"), String::from_utf8_lossy(&body)),
            Ok(Call::Next(..)) => bail!(self.trouble("asked for more without an answer")),
            Err(_) => bail!(self.trouble("did not answer")),
        };
        match self.calls.recv_timeout(PATIENCE) {
            Ok(Call::Next(stream, _)) => self.waiting = stream,
            _ => bail!(self.trouble("did not ask for more")),
        }
        Ok(Invocation { wall: at - begun, cpu: cpu_of(&self.child)?.saturating_sub(cpu), answer })
    }

    /// Asks it to end, so that a tool around it can write what it saw.
    pub fn ask_to_end(mut self, signal: nix::sys::signal::Signal) -> Result<()> {
        nix::sys::signal::kill(Pid::from_raw(self.child.id().cast_signed()), signal)?;
        self.child.wait()?;
        Ok(())
    }

    /// The most memory it ever had, in kibibytes.
    ///
    /// # Errors
    /// It is gone.
    pub fn peak_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    fn trouble(&self, what: &str) -> String {
        format!("{} {what}: see {}", self.name, self.log.display())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cpu_of(child: &Child) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(child.id().cast_signed())).context("the process is gone")?;
    Ok(clock_gettime(clock)?.into())
}

/// Serves one connection of the instance until it closes.
fn converse(stream: &TcpStream, calls: &Sender<Call>) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Ok(Some((path, body))) = read_request(&mut reader) {
        let at = Instant::now();
        let call = if path.ends_with("/invocation/next") {
            stream.try_clone().map(|stream| Call::Next(stream, at))
        } else {
            let accepted = "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"status\":\"OK\"}\n";
            let mut out = stream;
            out.write_all(accepted.as_bytes()).map(|()| Call::Answer { failed: path.ends_with("/error"), body, at })
        };
        let Ok(call) = call else { return };
        if calls.send(call).is_err() {
            return;
        }
    }
}

/// Path and body of the next request; none when the peer has hung up.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).context("no path")?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        ensure!(reader.read_line(&mut line)? > 0, "the head is cut short");
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
        ensure!(!name.eq_ignore_ascii_case("transfer-encoding"), "a body in chunks is not expected here");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, body)))
}

/// The size of a file, and what is left of it in a zip.
pub fn sizes(path: &Path) -> io::Result<(u64, u64)> {
    // Local header, central directory and end record of a zip with one entry of this name.
    const ENVELOPE: u64 = 30 + 46 + 22 + 2 * "bootstrap".len() as u64;
    let content = std::fs::read(path)?;
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    deflated.write_all(&content)?;
    Ok((content.len() as u64, deflated.finish()?.len() as u64 + ENVELOPE))
}
