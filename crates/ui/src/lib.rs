//! What the pages of reader, desk and edge share: the frame, one stylesheet and one module, security headers, the
//! loopback guard, and the parts that show stories and rounds.
//!
//! Everything is rendered here on the server and works without script. No page asks any host but its own: fonts are
//! the system's, styles and the module are embedded in the program.

pub mod answers;
pub mod assets;
pub mod guard;
pub mod headers;
pub mod page;
pub mod passphrase;
pub mod status;
pub mod story;
pub mod text;
pub mod when;

pub use guard::Guard;
pub use page::{Frame, Link, page};
pub use when::Zone;
