//! What the private area waits for. There is one, whoever many windows are open; it lives in memory only.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use client::{Passphrase, Session, cleaning::Looked};
use proto::{DeskId, Digest, Millis};
use rand::CryptoRng;

use crate::App;

/// Without a step for this long, the area locks.
pub(crate) const IDLE: Duration = Duration::from_secs(5 * 60);

/// Ties the open area to the window in which it was opened: 32 hex digits, in every form of that window and in no
/// address. Another window does not have it and finds the area locked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PageKey(String);

impl PageKey {
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> PageKey {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        PageKey(hex::encode(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An unlocked mailbox. Dropping the last handle locks it.
pub(crate) struct Open {
    pub(crate) session: Session,
    /// Kept to refuse a message that holds it.
    pub(crate) passphrase: Arc<Passphrase>,
    /// A file that was chosen and looked at, and is not on its way yet. In memory only.
    attached: Mutex<Option<Attached>>,
    sent: Mutex<Option<Sent>>,
}

impl Open {
    pub(crate) fn new(session: Session, passphrase: Arc<Passphrase>) -> Open {
        Open { session, passphrase, attached: Mutex::default(), sent: Mutex::default() }
    }

    /// Held while a message is sent, so that a second press of the same button waits for the first.
    pub(crate) fn sent(&self) -> MutexGuard<'_, Option<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attached(&self) -> MutexGuard<'_, Option<Attached>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message that was sent last.
pub(crate) struct Sent {
    /// The load whose form sent it.
    pub(crate) load: String,
    pub(crate) text: Digest,
    /// From when on it is kept.
    pub(crate) kept_by: Millis,
}

/// A file, and the desk it is meant for.
pub(crate) struct Attached {
    pub(crate) desk: DeskId,
    pub(crate) looked: Looked,
}

/// The one private area of this device.
#[derive(Default)]
pub(crate) struct Area {
    expect: Expect,
    /// Grows whenever the area is closed or an opening starts: what was begun before is thrown away when it ends.
    epoch: u64,
    /// Grows with every step.
    touched: u64,
    /// When the last one was made.
    at: Option<Millis>,
}

/// What it waits for.
#[derive(Default)]
enum Expect {
    #[default]
    Start,
    /// Six words are shown; nothing is stored until they are typed back.
    Retyping { page: PageKey, passphrase: Arc<Passphrase> },
    /// Unlocked.
    Step { page: PageKey, open: Arc<Open> },
}

impl Area {
    /// Locks, and forgets.
    pub(crate) fn close(&mut self) {
        self.expect = Expect::Start;
        self.epoch += 1;
    }

    /// New words are shown in this window. An area open elsewhere is locked.
    pub(crate) fn show(&mut self, page: PageKey, passphrase: Arc<Passphrase>) {
        self.close();
        self.expect = Expect::Retyping { page, passphrase };
    }

    /// The words shown in this window.
    pub(crate) fn shown(&self, page: &str) -> Option<Arc<Passphrase>> {
        match &self.expect {
            Expect::Retyping { page: ours, passphrase } if ours.0 == page => Some(Arc::clone(passphrase)),
            _ => None,
        }
    }

    /// The mailbox opened in this window.
    pub(crate) fn open(&self, page: &str) -> Option<Arc<Open>> {
        match &self.expect {
            Expect::Step { page: ours, open } if ours.0 == page => Some(Arc::clone(open)),
            _ => None,
        }
    }

    /// An opening starts; it takes a while. Give the number to [`Area::opened`].
    pub(crate) fn opening(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch
    }

    /// The opening ended. `false` if the area was closed meanwhile, or another opening started: then it stays closed.
    pub(crate) fn opened(&mut self, opening: u64, page: PageKey, open: Open) -> bool {
        if self.epoch != opening {
            return false;
        }
        self.expect = Expect::Step { page, open: Arc::new(open) };
        true
    }

    /// Locks if the last step was too long ago by the clock: a timer does not count the time for which a computer sleeps.
    pub(crate) fn doze(&mut self, now: Millis) {
        if self.at.is_some_and(|at| u128::from(now.0.saturating_sub(at.0)) >= IDLE.as_millis()) {
            self.close();
        }
    }

    fn sleep(&mut self, touched: u64) {
        if self.touched == touched {
            self.close();
        }
    }
}

/// A step was made: the five minutes begin anew.
pub(crate) fn keep_awake(app: &Arc<App>) {
    let touched = {
        let (now, mut area) = (app.now(), app.area());
        (area.touched, area.at) = (area.touched + 1, Some(now));
        area.touched
    };
    let app: Weak<App> = Arc::downgrade(app);
    tokio::spawn(async move {
        tokio::time::sleep(IDLE).await;
        if let Some(app) = app.upgrade() {
            app.area().sleep(touched);
        }
    });
}
