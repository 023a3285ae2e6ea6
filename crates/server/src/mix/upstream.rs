//! Where a mix's inputs come from and its outputs go. In production that is the edge over HTTP; a bench gives a folder.

use std::error::Error;
use std::path::Path;

use bytes::Bytes;
use proto::directory::{MAX_DIRECTORY, MixKey};
use proto::edition::MAX_HEAD;
use proto::mix::BatchId;
use proto::sign::Unverified;
use proto::size::ENVELOPE;
use proto::{Digest, Round, codec, path};
use tokio::runtime::Handle;

use crate::handing::Outgoing;
use crate::http::{EdgeClient, RUN, RequestError};

/// Why nothing could be pulled, pushed or released. Nothing is lost: the mix tries again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The edge.
    #[error(transparent)]
    Edge(#[from] RequestError),
    /// It answered what it never should.
    #[error("The edge's answer makes no sense. Check that edge and mix are of the same version.")]
    Nonsense,
    /// Another upstream than the edge failed.
    #[error("inputs or outputs cannot be reached")]
    Other(#[source] Box<dyn Error + Send + Sync>),
}

/// Envelopes in the order in which the edge took them.
pub struct Run {
    /// One after the other.
    pub bytes: Bytes,
    /// How many the round has in all, once there will be no more.
    pub sealed: Option<u64>,
}

/// Where inputs come from and outputs go. Calls may wait: a mix steps on a thread that may.
///
/// Contract: an input that is listed stays until it is released, and never changes; envelopes of a round only grow until
/// it is sealed. `push` returns once the output is durable, and pushing the same again succeeds and changes nothing.
/// `release` is idempotent.
pub trait Upstream: Send {
    /// Inputs that wait for this mix. The first mix's are rounds, with part 0; a later one's are the outputs of the mix
    /// before.
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError>;

    /// For the first mix: envelopes of `round` from the `from`-th on, as many as come at once. `None`: no such round.
    fn envelopes(&mut self, round: Round, from: u64) -> Result<Option<Run>, UpstreamError>;

    /// For a later mix: an output of the mix before with its manifest, of at most `limit` bytes, into a file that is made
    /// anew. `false`: it is not there.
    fn batch(&mut self, id: BatchId, limit: usize, file: &Path) -> Result<bool, UpstreamError>;

    /// Hands over an output; returns once it is durable.
    fn push(&mut self, id: BatchId, output: &Outgoing) -> Result<(), UpstreamError>;

    /// Lets go of an input.
    fn release(&mut self, id: BatchId) -> Result<(), UpstreamError>;

    /// Hands over the public half of the key whose first round is `from`; returns once it is durable. Handing over the same
    /// again succeeds and changes nothing.
    fn hand_key(&mut self, hop: u8, from: Round, key: &Unverified<MixKey>) -> Result<(), UpstreamError>;

    /// The head of the edition of `round`, not checked. `None`: there is none, or not yet.
    fn edition(&mut self, round: Round) -> Result<Option<Vec<u8>>, UpstreamError>;

    /// The directory of this digest, not checked. `None`: it is not there.
    fn directory(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, UpstreamError>;

    /// The desk drop of `round`, of at most `limit` bytes. `None`: it is not there.
    fn desk_drop(&mut self, round: Round, limit: usize) -> Result<Option<Vec<u8>>, UpstreamError>;
}

/// The edge over HTTP. Its calls block: never from a thread that runs the runtime's tasks.
pub struct HttpUpstream {
    client: EdgeClient,
    runtime: Handle,
    hop: u8,
    exit: u8,
}

impl HttpUpstream {
    /// For the mix at `hop`, where `exit` is the last hop. `runtime` does the waiting.
    pub fn new(client: EdgeClient, runtime: Handle, hop: u8, exit: u8) -> Self {
        Self { client, runtime, hop, exit }
    }

    fn input_path(&self, id: BatchId) -> String {
        match self.hop.checked_sub(1) {
            None => path::round(id.round),
            Some(before) => path::batch(before, id),
        }
    }
}

/// The most that a list of inputs weighs, in bytes.
const LIST: usize = 64 * 1024;

impl Upstream for HttpUpstream {
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
        let path = match self.hop.checked_sub(1) {
            None => path::ROUNDS.to_owned(),
            Some(before) => path::batches(before),
        };
        let Some(answer) = self.runtime.block_on(self.client.get(&path, LIST))? else { return Ok(vec![]) };
        let text = std::str::from_utf8(&answer.bytes).map_err(|_| UpstreamError::Nonsense)?;
        text.lines().map(|line| parse_id(line).ok_or(UpstreamError::Nonsense)).collect()
    }

    fn envelopes(&mut self, round: Round, from: u64) -> Result<Option<Run>, UpstreamError> {
        let path = path::envelopes_from(round, from);
        let answer = self.runtime.block_on(self.client.get(&path, RUN * ENVELOPE))?;
        Ok(answer.map(|a| Run { bytes: a.bytes, sealed: a.sealed }))
    }

    fn batch(&mut self, id: BatchId, limit: usize, file: &Path) -> Result<bool, UpstreamError> {
        let path = self.input_path(id);
        Ok(self.runtime.block_on(self.client.get_file(&path, limit as u64, file))?)
    }

    fn push(&mut self, id: BatchId, output: &Outgoing) -> Result<(), UpstreamError> {
        let path = if self.hop == self.exit { path::drops(id.round) } else { path::batch(self.hop, id) };
        Ok(self.runtime.block_on(self.client.put_file(&path, output))?)
    }

    fn release(&mut self, id: BatchId) -> Result<(), UpstreamError> {
        let path = self.input_path(id);
        Ok(self.runtime.block_on(self.client.delete(&path))?)
    }

    fn hand_key(&mut self, hop: u8, from: Round, key: &Unverified<MixKey>) -> Result<(), UpstreamError> {
        let body = codec::encode(key);
        Ok(self.runtime.block_on(self.client.put(&path::mix_key(hop, from), body.into()))?)
    }

    fn edition(&mut self, round: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
        let answer = self.runtime.block_on(self.client.get(&path::edition(round), MAX_HEAD))?;
        Ok(answer.map(|answer| answer.bytes.into()))
    }

    fn directory(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
        let answer = self.runtime.block_on(self.client.get(&path::directory(digest), MAX_DIRECTORY))?;
        Ok(answer.map(|answer| answer.bytes.into()))
    }

    fn desk_drop(&mut self, round: Round, limit: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
        let answer = self.runtime.block_on(self.client.get(&path::desk_drop(round), limit))?;
        Ok(answer.map(|answer| answer.bytes.into()))
    }
}

/// "round" or "round part".
fn parse_id(line: &str) -> Option<BatchId> {
    let mut fields = line.split(' ');
    let round = Round(fields.next()?.parse().ok()?);
    let part = fields.next().map_or(Some(0), |part| part.parse().ok())?;
    fields.next().is_none().then_some(BatchId { round, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_strictly() {
        let id = |round, part| Some(BatchId { round: Round(round), part });
        assert_eq!(parse_id("7"), id(7, 0));
        assert_eq!(parse_id("7 3"), id(7, 3));
        for bad in ["", " ", "7 ", "x", "7 x", "7 3 1", "-1", "4294967296", "7 65536"] {
            assert_eq!(parse_id(bad), None, "{bad:?}");
        }
    }
}
