//! The common tests over every method of this room.

fn main() {
    guerdon_core::laws::main(guerdon_judge::METHODS);
}
