//! Writes the registry of this room.

fn main() {
    guerdon_build::registry(&["judge"]);
}
