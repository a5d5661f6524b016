//! What comes out: leaderboards as JSON, as a text table and as a page.

pub mod changes;
pub mod leaderboard;
pub mod page;
mod plot;
mod table;
