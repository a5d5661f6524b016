//! The `advantage.*` methods: a reward becomes what the trainer multiplies the gradient with.

pub mod grpo;
pub mod rloo;
pub mod rules;
