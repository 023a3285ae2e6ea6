//! A device in each state of which its screens say something, brought there by what its edge serves.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use client::{Device, Health, Place};
use proto::{Clock as _, Round, path};

use crate::network::{Town, Upload, story};

/// What there is to say, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Nothing,
    Offline,
    Unverified,
    Forked,
    TwoPages,
    Frozen,
    Unwitnessed,
    Stale,
    Clock,
    StartedOver,
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 10] = [
        Trouble::Nothing,
        Trouble::Offline,
        Trouble::Unverified,
        Trouble::Forked,
        Trouble::TwoPages,
        Trouble::Frozen,
        Trouble::Unwitnessed,
        Trouble::Stale,
        Trouble::Clock,
        Trouble::StartedOver,
    ];

    /// A reader's device or a desk's that took three editions, and then came into this.
    pub(crate) async fn befalls(self, a_desk: bool) -> (Town, Arc<Device>) {
        let mut town = Town::found(3).await;
        let config = if a_desk { town.desk_config(Place::Memory) } else { town.config(Place::Memory) };
        let device = town.open(config, 4);
        for r in 0..3 {
            town.round(r, &[&device]).await;
        }
        let health = match self {
            Self::Nothing => Health::Good,
            Self::Offline => {
                town.edge.set_upload(Upload::Busy);
                town.round(3, &[&device]).await;
                Health::Offline
            }
            Self::Unverified => {
                town.publish(3, vec![story(3)]);
                town.edge.bend(&path::edition(Round(3)), 40);
                town.next(&device).await;
                Health::Unverified
            }
            Self::Forked => {
                town.publish(3, vec![story(3)]);
                town.edge.remove(&path::edition(Round(3)));
                town.round(4, &[&device]).await;
                Health::Forked
            }
            Self::TwoPages => {
                town.other_front = Some((vec![story(9)], true));
                town.round(3, &[&device]).await;
                Health::TwoPages
            }
            Self::Frozen | Self::Unwitnessed => {
                town.awake.store(false, Ordering::SeqCst);
                town.publish(3, vec![story(3)]);
                let frozen = self == Self::Frozen;
                let at = if frozen { town.start(0) } else { town.clock.now() };
                let by = if frozen { &[0, 1][..] } else { &[1] };
                town.serve(town.checkpoint(), by, at);
                town.clock.set(town.start(4));
                town.next(&device).await;
                if frozen { Health::Frozen } else { Health::Unwitnessed }
            }
            Self::Stale => {
                while town.next(&device).await.round < Round(6) {}
                Health::Stale
            }
            Self::Clock => {
                town.round(40, &[&device]).await;
                town.clock.set(town.start(8));
                town.next(&device).await;
                Health::Clock
            }
            Self::StartedOver => {
                town.round(400, &[&device]).await;
                Health::Good
            }
        };
        let status = device.status();
        assert_eq!((status.health, status.started_over), (health, self == Self::StartedOver), "{self:?}");
        (town, device)
    }

    /// Of which of these a page says its sentence, and how many sentences of trouble it has.
    pub(crate) fn said(page: &str, sentences: &[(Trouble, &str)]) -> (Vec<Trouble>, usize) {
        let said = sentences.iter().filter(|(_, sentence)| page.contains(sentence)).map(|(of, _)| *of);
        let trouble = ["<p class=\"problem\"", "<p class=\"note\""].map(|p| page.matches(p).count());
        (said.collect(), trouble.iter().sum())
    }
}
