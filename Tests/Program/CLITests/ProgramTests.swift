import Testing

/// Tests that start the program. They run one at a time, because each starts servers.
@Suite(.serialized)
struct ProgramTests {}
