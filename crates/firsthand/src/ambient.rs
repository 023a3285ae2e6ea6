//! The one clock, the one generator, the one way to stop, the one log: made here, handed to everything else.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use proto::{Clock, Millis};
use rand::rngs::{StdRng, SysRng};
use rand::{SeedableRng as _, TryRng as _};
use tokio::sync::watch;

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The system's clock, shared.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// A generator seeded by the system.
///
/// # Errors
/// The system has no randomness to give; nothing may go on without.
pub fn rng() -> anyhow::Result<StdRng> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    SysRng
        .try_fill_bytes(seed.as_mut_slice())
        .map_err(|why| anyhow::anyhow!("the system gives no randomness: {why}"))?;
    Ok(StdRng::from_seed(*seed))
}

/// Keeps the memory of this process out of what others can read: no core file is written when it crashes, and on Linux no
/// other process of the same user can look into it, a debugger neither. What is swapped out is not covered.
pub fn close_memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Neither is worth refusing to run over: a system that has no such limit writes no such file.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Lets this process open as many files as the system allows it: an edge has two for each connection that it serves from the disk.
pub fn allow_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // macOS takes no more than this where there is no limit. Where it is refused the program goes on with what it has.
        let current = maximum.or(Some(10_240));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    }
}

/// Turns true once, when everything is to stop.
pub type Stop = watch::Receiver<bool>;

/// Stops on Ctrl-C, on SIGTERM, and, if asked, when standard input ends.
pub fn stop(until_stdin_ends: bool) -> anyhow::Result<Stop> {
    let (tell, stop) = watch::channel(false);
    let tell = Arc::new(tell);
    let told = Arc::clone(&tell);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        #[cfg(unix)]
        let asked = terminate.recv();
        #[cfg(not(unix))]
        let asked = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = asked => {}
        }
        told.send_replace(true);
    });
    if until_stdin_ends {
        // A thread of its own: a pending read of standard input would keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            tell.send_replace(true);
        });
    }
    Ok(stop)
}

/// Program logs of a role: to standard error, warnings and worse unless `FIRSTHAND_LOG` says otherwise.
pub fn log() {
    let filter = std::env::var("FIRSTHAND_LOG").unwrap_or_else(|_| "warn".into());
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .init();
}

/// Program logs of the demonstration itself: errors only, the rest is its roles' to say.
pub fn quiet_log() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::ERROR)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time()
        .init();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    /// With it no core file is written whatever takes them, and no other process of the user reads this one's memory.
    #[test]
    fn memory_is_closed() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        super::close_memory();
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
    }

    #[test]
    fn as_many_files_are_allowed_as_the_system_lets() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).unwrap();
        super::allow_files();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum, "Linux always has a limit");
    }
}
