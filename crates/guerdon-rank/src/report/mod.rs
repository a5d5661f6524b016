//! What comes out: leaderboards as JSON, as a text table and as a page.

pub mod leaderboard;
mod table;
