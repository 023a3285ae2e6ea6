//! Simulated readers: the same device as everybody's, without a screen and without a disk. Their cover is what a tip hides in.

use std::sync::Arc;

use anyhow::Context as _;
use client::{Device, Kdf, Place};
use tokio::task::JoinSet;

use crate::ambient::{self, Stop};
use crate::config;

/// Runs the readers until told to stop.
pub(crate) async fn run(config: config::Crowd, stop: Stop) -> anyhow::Result<()> {
    let directory = std::fs::read(&config.directory)
        .with_context(|| format!("cannot read {}", config.directory.display()))?;
    let mut readers = JoinSet::new();
    for _ in 0..config.readers {
        let device = client::Config {
            edge: config.edge.clone(),
            network: config.network,
            directory: directory.clone(),
            place: Place::Memory,
            kdf: Kdf::desktop(),
            desk: None,
        };
        let device = Arc::new(Device::open(device, ambient::clock(), ambient::rng()?)?);
        let mut stop = stop.clone();
        readers.spawn(async move {
            device
                .run(async move {
                    let _ = stop.wait_for(|stop| *stop).await;
                })
                .await
        });
    }
    println!("ready crowd");
    while let Some(ended) = readers.join_next().await {
        ended.context("a simulated reader failed")??;
    }
    Ok(())
}
