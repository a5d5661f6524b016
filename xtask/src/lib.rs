//! What the project's tasks share: running commands, and knowing the rooms.

pub mod rooms;
pub mod run;
