import Testing

/// Each test runs a server of its own; one after the other is enough for two cores.
@Suite(.serialized, .timeLimit(.minutes(2)))
enum FrontTests {}
