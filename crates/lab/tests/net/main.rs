//! The whole network in one process, over real HTTP on loopback, with things going wrong.

mod cut;
mod proxy;
mod town;
mod turn;
mod wire;
