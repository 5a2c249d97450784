import Testing

/// Tests that start the program: one after the other, as each starts servers.
@Suite(.serialized)
struct ProgramTests {}
