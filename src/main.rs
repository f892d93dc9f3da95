//! The `subgate` command.

fn main() {}
