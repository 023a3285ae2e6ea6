//! The directory in force: from the newest edition, so that a mix that runs for months knows who came and who went.
//! Spec: mix.md §13.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proto::directory::{Directory, DirectoryRejected, Role};
use proto::edition::{Edition, UnverifiedHead};
use proto::keys::DAY;
use proto::sign::IdentitySecret;
use proto::{Digest, NetworkId, Round};

use super::upstream::Upstream;
use super::{Me, MixError};
use crate::faults::{Side, Step};
use crate::state::write_durably;
use crate::store::StoreError;

/// How many rounds before a day an edition is looked for that names the day's directory.
const LOOKED_BACK: u32 = 4 * DAY;

/// Where looking for a later directory stands.
pub(super) struct Follow {
    /// The round in which was looked last.
    looked: Option<Round>,
    /// A directory that was not taken. It is said once.
    refused: Option<Digest>,
    /// Where the later one is kept, under the digest of the one that this mix was given to start with.
    file: PathBuf,
}

impl Follow {
    /// The directory to start with: `given` by the operator or, if this mix was started with the same one before, what came after it
    /// and stands in `folder`.
    pub(super) fn resume(
        given: Arc<Directory>,
        folder: &Path,
        network: &NetworkId,
    ) -> Result<(Self, Arc<Directory>), StoreError> {
        let failed = |cause| StoreError::because("reading the directory", cause);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = folder.join(given.digest().to_string());
        let kept = match std::fs::read(&file) {
            Ok(bytes) => Some(bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(failed(e)),
        };
        let follow = Self { looked: None, refused: None, file };
        let Some(bytes) = kept else { return Ok((follow, given)) };
        let later = Directory::read(&bytes, network).ok();
        if later.is_none() {
            tracing::warn!("The directory that was kept is damaged and comes again. Check the disk.");
        }
        Ok((follow, later.map_or(given, Arc::new)))
    }

    /// Once a round, at `now`: takes the directory that the edition of the round before names.
    pub(super) fn step(
        &mut self,
        me: &mut Me,
        upstream: &mut impl Upstream,
        now: Round,
    ) -> Result<(), MixError> {
        let Some(round) = now.0.checked_sub(1).map(Round) else { return Ok(()) };
        if self.looked == Some(now) {
            return Ok(());
        }
        let head = upstream.edition(round)?;
        self.looked = Some(now);
        let Some(head) = head.and_then(|bytes| UnverifiedHead::from_bytes(&bytes).ok()) else {
            return Ok(());
        };
        let Ok(named) = head.dangerously_directory() else { return Ok(()) };
        if named == me.directory.digest() || self.refused == Some(named) {
            return Ok(());
        }
        let Some(bytes) = upstream.directory(&named)?.filter(|bytes| Digest::of(bytes) == named) else {
            return Ok(());
        };
        match later(me, &head, &bytes, round, now) {
            Ok(None) => {}
            Ok(Some(directory)) => {
                me.hook.at(Step::DirectoryKept, Side::Before)?;
                write_durably(&self.file, &bytes)
                    .map_err(|cause| StoreError::because("keeping a directory", cause))?;
                me.hook.at(Step::DirectoryKept, Side::After)?;
                me.directory = Arc::new(directory);
            }
            Err(why) => {
                tracing::warn!("A later directory is not taken: {why}. The one before stays in use.");
                self.refused = Some(named);
            }
        }
        Ok(())
    }
}

// PAS-02
/// The directory by which a day's pass is given out: the one that the last edition before that day names, so that every desk knows
/// which; on the network's first day, and if no edition is there of the days before, the one in force.
pub(super) fn of_day(
    me: &Me,
    upstream: &mut impl Upstream,
    day: u32,
    now: Round,
) -> Result<Arc<Directory>, MixError> {
    let last = last_before(me, upstream, Round(day.saturating_mul(DAY)), now)?;
    Ok(last.unwrap_or_else(|| Arc::clone(&me.directory)))
}

/// The directory that the last edition before the round `border` names. `None`: there is no edition of the four days before.
pub(super) fn last_before(
    me: &Me,
    upstream: &mut impl Upstream,
    border: Round,
    now: Round,
) -> Result<Option<Arc<Directory>>, MixError> {
    for round in (border.0.saturating_sub(LOOKED_BACK)..border.0).rev().map(Round) {
        if let Some((_, directory)) = edition(me, upstream, round, now, &me.directory)? {
            return Ok(Some(directory));
        }
    }
    Ok(None)
}

/// The edition of `round` with the directory that it names, both as readers take them. It may be `known`, or the one in force;
/// any other is asked for. `None`: there is none, or it is not in order.
pub(super) fn edition(
    me: &Me,
    upstream: &mut impl Upstream,
    round: Round,
    now: Round,
    known: &Arc<Directory>,
) -> Result<Option<(Edition, Arc<Directory>)>, MixError> {
    let head = upstream.edition(round)?.and_then(|bytes| UnverifiedHead::from_bytes(&bytes).ok());
    let Some(head) = head else { return Ok(None) };
    let Ok(named) = head.dangerously_directory() else { return Ok(None) };
    let directory = match [known, &me.directory].into_iter().find(|it| it.digest() == named) {
        Some(it) => Arc::clone(it),
        None => {
            let bytes = upstream.directory(&named)?.filter(|bytes| Digest::of(bytes) == named);
            let directory = bytes.and_then(|bytes| Directory::read(&bytes, &me.wire.network).ok());
            let Some(directory) = directory.filter(|it| may_name(me, it, round)) else { return Ok(None) };
            Arc::new(directory)
        }
    };
    Ok(head.verify(&directory, round, now, None).ok().map(|edition| (edition, directory)))
}

/// Whether a directory other than the one in force may be that of an edition of `round`: a press that was replaced signs no
/// editions of rounds after its own, by the roster that named it.
fn may_name(me: &Me, directory: &Directory, round: Round) -> bool {
    let press = me.directory.roster().press(round);
    directory.follows_roster(&me.directory).is_ok()
        || press.is_none_or(|press| directory.roster().press(round) == Some(press))
}

/// Whether the identity is one that the directory names for the mix at `hop`, whether it has taken effect or not.
pub(super) fn lists(directory: &Directory, hop: u8, identity: &IdentitySecret) -> bool {
    directory.roster().operator(&identity.public()).is_some_and(|o| o.role == Role::Mix(hop))
}

/// The directory that `head`, of `round`, names. `None`: the head is not the press's, which says nothing of the directory.
fn later(
    me: &Me,
    head: &UnverifiedHead,
    bytes: &[u8],
    round: Round,
    now: Round,
) -> Result<Option<Directory>, &'static str> {
    let directory = Directory::read(bytes, &me.wire.network).map_err(|_| "it is not in order")?;
    if head.verify(&directory, round, now, None).is_err() {
        tracing::warn!("An edition that names a later directory is not in order. Ask the edge's operator.");
        return Ok(None);
    }
    // DIR-13, DIR-15. Not DIR-14: a mix that was off for two days cannot know what was said in time, and readers see to that.
    directory.follows_roster(&me.directory).map_err(|why| match why {
        DirectoryRejected::OtherSizes => "its roster has other sizes, which only another network can have",
        _ => "its roster is older",
    })?;
    // MIX-12: what stands in this mix's files was counted, drawn and sealed by these.
    if directory.roster().parameters != me.directory.roster().parameters {
        return Err("it has other parameters; start this program again with it");
    }
    if !lists(&directory, me.hop, &me.identity) {
        return Err("it does not list this mix");
    }
    Ok(Some(directory))
}

#[cfg(test)]
mod tests {
    use proto::edition::{Bundle, Head, page_digest, sign_head};

    use super::*;
    use crate::faults::Hook;
    use crate::testing::{GENESIS, Town};

    /// The head of round 6, naming `directory`.
    fn head(town: &Town, directory: &[u8], press: &IdentitySecret) -> UnverifiedHead {
        let (_, named) = Bundle::default().pack();
        let head = Head {
            round: Round(6),
            previous: Digest([0; 32]),
            made: GENESIS,
            directory: Digest::of(directory),
            changes: named,
            front: named,
            page: page_digest(&[]),
            manifests: vec![],
            round_keys: vec![],
        };
        UnverifiedHead::from_bytes(&sign_head(&head, &town.network, press)).unwrap()
    }

    /// MIX-12, DIR-13
    #[test]
    fn mix_12_only_a_directory_that_fits_this_mix_is_taken() {
        let town = Town::new(1);
        let me = Me {
            hop: 1,
            wire: town.directory.wire(),
            directory: Arc::clone(&town.directory),
            identity: Arc::new(IdentitySecret::from_seed(&town.mixes[1].to_seed())),
            hook: Hook::none(),
        };
        let taken = |bytes: &[u8], head: &UnverifiedHead| {
            later(&me, head, bytes, Round(6), Round(7)).map(|taken| taken.map(|directory| directory.digest()))
        };
        let good = town.without_desk();
        assert_eq!(taken(&good, &head(&town, &good, &town.press)), Ok(Some(Digest::of(&good))));
        let next = town.later(|roster, _| (roster.number, roster.name) = (2, "Wendral and Ossin".into()));
        assert_eq!(taken(&next, &head(&town, &next, &town.press)), Ok(Some(Digest::of(&next))));

        let refused = |bytes: &[u8], part: &str| {
            let why = taken(bytes, &head(&town, bytes, &town.press)).expect_err(part);
            assert!(why.contains(part), "{why}");
        };
        refused(&[], "not in order");
        refused(&Town::new(2).bytes, "not in order");
        refused(&town.later(|roster, _| roster.number = 0), "older");
        refused(&town.later(|roster, _| roster.name = "Ossin".into()), "older");
        refused(
            &town.later(|roster, _| (roster.number, roster.parameters.n_min) = (2, 2)),
            "other parameters",
        );
        refused(
            &town.later(|roster, _| (roster.number, roster.parameters.desk_slots) = (2, 5)),
            "other sizes",
        );
        let other = IdentitySecret::from_seed(&[9; 32]).public();
        let replaced = town.later(|roster, _| {
            roster.number = 2;
            let mix = roster.operators.iter_mut().find(|o| o.role == Role::Mix(1)).unwrap();
            mix.key = other;
        });
        refused(&replaced, "does not list this mix");
        let strangers = head(&town, &good, &town.mixes[0]);
        assert_eq!(taken(&good, &strangers), Ok(None), "an edition that the press did not sign");
        assert_eq!(
            taken(&good, &head(&town, &next, &town.press)),
            Ok(None),
            "another than the edition names"
        );
    }
}
