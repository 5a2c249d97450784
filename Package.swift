// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")]

/// The folder of a target: `Sources/Base/Logging` for `SagamoreLogging` of the group `Base`.
func folder(_ root: String, _ group: String, _ target: String) -> String {
    let prefix = ["CSagamore", "Sagamore"].first { target.hasPrefix($0) && target != $0 } ?? ""
    return "\(root)/\(group)/\(target.dropFirst(prefix.count))"
}

func wrapper(_ name: String, apt: String, brew: String) -> Target {
    .systemLibrary(
        name: name,
        path: folder("Sources", "CLibraries", name),
        providers: [.apt([apt]), .brew([brew])]
    )
}

/// The engine is a group of one room, without a folder inside.
func library(_ group: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: name == "SagamoreEngine" ? "Sources/Engine" : folder("Sources", group, name),
        swiftSettings: settings
    )
}

func testSupport(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: folder("Tests", "Support", name),
        swiftSettings: settings
    )
}

func simulated(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: folder("Tests", "Simulation", name),
        swiftSettings: settings
    )
}

func tests(
    _ group: String,
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: folder("Tests", group, name),
        exclude: exclude,
        swiftSettings: settings
    )
}

// The groups below are the folders of Sources and Tests, from the ground up: a room imports from groups below its own,
// and within its group what scripts/floors.txt allows.

let cLibraries: [Target] = [
    wrapper("CSagamoreHTTP2", apt: "libnghttp2-dev", brew: "libnghttp2"),
    wrapper("CSagamoreTLS", apt: "libssl-dev", brew: "openssl"),
    wrapper("CSagamoreCrypto", apt: "libssl-dev", brew: "openssl"),
    wrapper("CSagamoreCurl", apt: "libcurl4-openssl-dev", brew: "curl"),
    wrapper("CSagamoreDeflate", apt: "libdeflate-dev", brew: "libdeflate"),
    wrapper("CSagamoreYAML", apt: "libyaml-dev", brew: "libyaml"),
    wrapper("CSagamoreMicroHTTPD", apt: "libmicrohttpd-dev", brew: "libmicrohttpd"),
    wrapper("CSagamorePostgres", apt: "libpq-dev", brew: "libpq"),
    wrapper("CSagamoreRdKafka", apt: "librdkafka-dev", brew: "librdkafka"),
    .systemLibrary(name: "CSagamoreAllocator", path: folder("Sources", "CLibraries", "CSagamoreAllocator")),
    .target(name: "CSagamoreSteadyWaits", path: folder("Sources", "CLibraries", "CSagamoreSteadyWaits")),
    .target(name: "CSagamoreWorkflowHooks", path: folder("Sources", "CLibraries", "CSagamoreWorkflowHooks")),
]

let base: [Target] = [
    library("Base", "SagamoreThreads"),
    library("Base", "SagamoreProtobuf"),
    library("Base", "SagamoreLogging", ["SagamoreThreads"]),
    library("Base", "SagamoreYAML", ["CSagamoreYAML"]),
    library("Base", "SagamoreMetrics", ["SagamoreThreads"]),
    library("Base", "SagamoreJSONText"),
    library("Base", "SagamoreCommandLineArguments"),

    tests("Base", "SagamoreThreadsTests", ["SagamoreThreads"]),
    tests("Base", "SagamoreProtobufTests", ["SagamoreProtobuf"]),
    tests("Base", "SagamoreLoggingTests", ["SagamoreLogging"]),
    tests("Base", "SagamoreYAMLTests", ["SagamoreYAML"]),
    tests("Base", "SagamoreMetricsTests", ["SagamoreMetrics"]),
    tests("Base", "SagamoreJSONTextTests", ["SagamoreJSONText"]),
    tests("Base", "SagamoreCommandLineArgumentsTests", ["SagamoreCommandLineArguments"]),
]

let connections: [Target] = [
    library("Connections", "SagamoreAPI", ["SagamoreProtobuf"]),
    library(
        "Connections",
        "SagamoreGRPC",
        ["CSagamoreHTTP2", "CSagamoreTLS", "CSagamoreDeflate", "SagamoreMetrics", "SagamoreThreads"]
    ),
    library("Connections", "SagamoreHTTPClient", ["CSagamoreCurl"]),
    library("Connections", "SagamorePostgresClient", ["CSagamorePostgres"]),
    library("Connections", "SagamoreEmbeddedPostgres", ["SagamoreThreads"]),
    library("Connections", "SagamoreKafkaClient", ["CSagamoreRdKafka", "CSagamoreSteadyWaits", "SagamoreThreads"]),

    testSupport("SagamorePostgresTestSupport", ["SagamoreEmbeddedPostgres", "SagamorePostgresClient"]),
    testSupport("SagamoreKafkaTestSupport", ["SagamoreKafkaClient", "SagamoreThreads"]),
    testSupport("SagamoreGRPCTestSupport", []),
    testSupport("SagamoreWebTestSupport", []),
    tests("Connections", "SagamoreAPITests", ["SagamoreAPI", "SagamoreProtobuf"], exclude: ["exchange.py"]),
    tests(
        "Connections",
        "SagamoreGRPCTests",
        ["SagamoreGRPCTestSupport", "SagamoreGRPC", "SagamoreThreads"],
        exclude: ["Python"]
    ),
    tests(
        "Connections",
        "SagamorePostgresClientTests",
        ["SagamorePostgresTestSupport", "SagamorePostgresClient", "SagamoreEmbeddedPostgres", "SagamoreThreads"]
    ),
    tests(
        "Connections",
        "SagamoreEmbeddedPostgresTests",
        ["SagamorePostgresTestSupport", "SagamoreEmbeddedPostgres", "SagamorePostgresClient", "SagamoreThreads"]
    ),
    tests(
        "Connections",
        "SagamoreKafkaClientTests",
        ["SagamoreKafkaTestSupport", "SagamoreKafkaClient", "SagamoreThreads"],
        exclude: ["Sanitizers"]
    ),
]

let engine: [Target] = [
    library("Engine", "SagamoreEngine", ["SagamoreAPI", "SagamoreProtobuf", "SagamoreJSONText"]),

    testSupport("SagamoreEngineTestSupport", ["SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]),
    tests(
        "Engine",
        "SagamoreEngineTests",
        ["SagamoreEngineTestSupport", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]
    ),
]

let services: [Target] = [
    library("Services", "SagamoreServices", ["SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]),
    library(
        "Services",
        "SagamoreScheduling",
        ["SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreJSONText"]
    ),
    library(
        "Services",
        "SagamoreScheduleService",
        [
            "SagamoreScheduling", "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamorePostgresClient", "SagamoreMetrics", "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    library(
        "Services",
        "SagamoreBatchService",
        [
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient",
            "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    library(
        "Services",
        "SagamoreVisibility",
        [
            "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
            "SagamorePostgresClient", "SagamoreJSONText", "SagamoreCommandLineArguments", "SagamoreLogging",
            "SagamoreThreads",
        ]
    ),
    library(
        "Services",
        "SagamorePersistence",
        ["SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient"]
    ),
    library(
        "Services",
        "SagamoreHistoryService",
        [
            "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
            "SagamoreMetrics", "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    library(
        "Services",
        "SagamoreMatchingService",
        [
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreLogging",
            "SagamoreThreads",
        ]
    ),
    library(
        "Services",
        "SagamoreNamespaces",
        [
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient",
            "SagamoreLogging", "SagamoreThreads",
        ]
    ),

    tests(
        "Services",
        "SagamoreSchedulingTests",
        ["SagamoreSimulatedTime", "SagamoreScheduling", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]
    ),
    tests(
        "Services",
        "SagamoreScheduleServiceTests",
        [
            "SagamorePostgresTestSupport", "SagamoreScheduleService", "SagamoreScheduling", "SagamorePersistence",
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient",
            "SagamoreEmbeddedPostgres", "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    tests(
        "Services",
        "SagamorePersistenceTests",
        [
            "SagamorePostgresTestSupport", "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
        ]
    ),
    tests(
        "Services",
        "SagamoreHistoryServiceTests",
        [
            "SagamorePostgresTestSupport", "SagamoreEngineTestSupport", "SagamoreHistoryService",
            "SagamoreMatchingService", "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamoreLogging", "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            "SagamoreThreads",
        ]
    ),
    tests(
        "Services",
        "SagamoreMatchingServiceTests",
        [
            "SagamoreEngineTestSupport", "SagamoreMatchingService", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamoreLogging",
        ]
    ),
    tests(
        "Services",
        "SagamoreVisibilityTests",
        [
            "SagamorePostgresTestSupport", "SagamoreVisibility", "SagamorePersistence", "SagamoreServices",
            "SagamoreEngine", "SagamoreAPI", "SagamorePostgresClient", "SagamoreEmbeddedPostgres", "SagamoreLogging",
        ]
    ),
    tests(
        "Services",
        "SagamoreNamespacesTests",
        [
            "SagamorePostgresTestSupport", "SagamoreNamespaces", "SagamorePersistence", "SagamoreServices",
            "SagamoreEngine", "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
        ]
    ),
]

let fronts: [Target] = [
    library("Fronts", "SagamoreAuthorization", ["CSagamoreCrypto", "SagamoreJSONText", "SagamoreThreads"]),
    library(
        "Fronts",
        "SagamoreGRPCFront",
        [
            "SagamoreAuthorization", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
            "SagamoreGRPC", "SagamoreMetrics", "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    library(
        "Fronts",
        "SagamoreKafkaFront",
        [
            "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
            "SagamoreKafkaClient", "SagamoreJSONText", "SagamoreMetrics", "SagamoreLogging", "SagamoreThreads",
        ]
    ),
    library("Fronts", "SagamoreWebFront", ["CSagamoreMicroHTTPD", "SagamoreThreads"]),

    tests("Fronts", "SagamoreAuthorizationTests", ["SagamoreAuthorization"]),
    tests("Fronts", "SagamoreWebFrontTests", ["SagamoreWebTestSupport", "SagamoreWebFront"]),
    tests(
        "Fronts",
        "SagamoreGRPCFrontTests",
        [
            "SagamoreEngineTestSupport", "SagamoreGRPCFront", "SagamoreAuthorization", "SagamoreMetrics",
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamoreGRPC", "SagamoreLogging",
        ]
    ),
    tests(
        "Fronts",
        "SagamoreKafkaFrontTests",
        [
            "SagamorePostgresTestSupport", "SagamoreKafkaTestSupport", "SagamoreKafkaFront", "SagamorePersistence",
            "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreKafkaClient",
            "SagamoreJSONText", "SagamoreLogging", "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            "SagamoreThreads",
        ]
    ),
]

let program: [Target] = [
    library(
        "Program",
        "SagamoreServer",
        [
            "CSagamoreAllocator", "SagamoreAuthorization", "SagamoreHTTPClient", "SagamoreGRPCFront",
            "SagamoreKafkaFront", "SagamoreHistoryService",
            "SagamoreMatchingService",
            "SagamoreNamespaces", "SagamoreVisibility", "SagamoreBatchService", "SagamoreScheduleService",
            "SagamorePersistence",
            "SagamoreServices", "SagamoreEngine",
            "SagamoreEmbeddedPostgres", "SagamoreGRPC", "SagamorePostgresClient",
            "SagamoreKafkaClient", "SagamoreWebFront", "SagamoreJSONText", "SagamoreMetrics", "SagamoreLogging",
            "SagamoreThreads",
        ]
    ),
    library(
        "Program",
        "SagamoreConfiguration",
        [
            "SagamoreServer", "SagamoreAuthorization", "SagamoreEngine", "SagamoreGRPC", "SagamoreGRPCFront",
            "SagamoreKafkaFront", "SagamoreKafkaClient", "SagamoreYAML", "SagamoreJSONText",
            "SagamoreCommandLineArguments",
            "SagamoreThreads",
        ]
    ),
    .executableTarget(
        name: "SagamoreCLI",
        dependencies: [
            "SagamoreServer", "SagamoreConfiguration", "SagamoreAuthorization", "SagamorePersistence",
            "SagamoreEngine", "SagamoreGRPC", "SagamoreGRPCFront", "SagamoreAPI",
            "SagamoreServices", "SagamoreProtobuf", "SagamoreHTTPClient", "SagamoreKafkaClient",
            "SagamorePostgresClient", "SagamoreCommandLineArguments", "SagamoreJSONText", "SagamoreLogging",
            "SagamoreThreads",
        ],
        path: folder("Sources", "Program", "SagamoreCLI"),
        swiftSettings: settings
    ),

    tests("Program", "SagamoreServerTests", ["SagamoreServer", "SagamoreEngine"]),
    tests(
        "Program",
        "SagamoreConfigurationTests",
        ["SagamoreConfiguration", "SagamoreServer", "SagamoreKafkaFront", "SagamoreEngine", "SagamoreYAML"]
    ),
    testSupport("SagamoreProgramTestSupport", ["SagamoreJSONText", "SagamoreCLI"]),
    tests(
        "Program",
        "SagamoreCLITests",
        [
            "SagamoreProgramTestSupport", "SagamorePostgresTestSupport", "SagamoreKafkaTestSupport",
            "SagamoreGRPCTestSupport", "SagamoreWebTestSupport", "SagamoreCLI", "SagamoreServer", "SagamorePersistence",
            "SagamoreGRPC",
            "SagamoreKafkaClient", "SagamoreJSONText", "SagamoreCommandLineArguments", "SagamoreAPI",
            "SagamoreProtobuf", "SagamorePostgresClient", "SagamoreEmbeddedPostgres", "SagamoreLogging",
        ]
    ),
]

// What users of the service write workflows with: it stands beside the service, on the ground and the wire contract.
let sdk: [Target] = [
    library(
        "SDK",
        "Sagamore",
        [
            "CSagamoreWorkflowHooks", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPC", "SagamoreLogging",
            "SagamoreJSONText", "SagamoreThreads",
        ]
    ),
    library(
        "SDK",
        "SagamoreTesting",
        ["Sagamore", "SagamoreAPI", "SagamoreProtobuf", "SagamoreJSONText", "SagamoreThreads"]
    ),
    .executableTarget(
        name: "TravelBookingWorker",
        dependencies: ["Sagamore"],
        path: "sagas/TravelBooking/Sources",
        swiftSettings: settings
    ),

    .executableTarget(
        name: "SagamoreCrashFamilies",
        dependencies: ["Sagamore"],
        path: "Tests/Crash/Families",
        swiftSettings: settings
    ),
    tests(
        "SDK",
        "SagamoreSDKTests",
        [
            "SagamoreGRPCTestSupport", "Sagamore", "SagamoreTesting", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPC",
            "SagamoreThreads",
        ]
    ),
    tests(
        "SDK",
        "SagamoreWorkerTests",
        [
            "SagamoreProgramTestSupport", "Sagamore", "SagamoreTesting", "SagamoreAPI", "SagamoreProtobuf",
            "SagamoreGRPC", "SagamoreJSONText", "SagamoreThreads",
        ],
        exclude: ["Python", "Histories"]
    ),
    tests("SDK", "TravelBookingTests", ["TravelBookingWorker", "SagamoreProgramTestSupport", "Sagamore"]),
]

// Measurements: `make bench`.
let benchmarks: [Target] = [
    .executableTarget(
        name: "SagamoreBenchmarks",
        dependencies: [
            "SagamoreEngineTestSupport", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPC",
            "SagamoreThreads",
        ],
        path: "Benchmarks/SagamoreBenchmarks",
        swiftSettings: settings
    )
]

// The whole service in a world made of values, driven by a seed.
let simulation: [Target] = [
    simulated("SagamoreSimulatedTime", ["SagamoreEngine"]),
    tests("Simulation", "SagamoreSimulatedTimeTests", ["SagamoreSimulatedTime", "SagamoreEngine"]),
    simulated(
        "SagamoreSimulatedDatabase",
        ["SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreProtobuf", "SagamorePostgresClient"]
    ),
    simulated(
        "SagamoreSimulatedBroker",
        ["SagamoreSimulatedTime", "SagamoreKafkaFront", "SagamoreEngine", "SagamoreKafkaClient"]
    ),
    simulated(
        "SagamoreSimulatedWorkers",
        ["SagamoreSimulatedTime", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]
    ),
    simulated(
        "SagamoreSimulation",
        [
            "SagamoreSimulatedTime", "SagamoreSimulatedDatabase", "SagamoreSimulatedWorkers", "SagamoreHistoryService",
            "SagamoreMatchingService", "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf", "SagamorePostgresClient", "SagamoreLogging", "SagamoreSimulatedBroker",
            "SagamoreKafkaFront", "SagamoreKafkaClient", "SagamoreJSONText",
        ]
    ),
    .executableTarget(
        name: "SagamoreSimulate",
        dependencies: ["SagamoreSimulation", "SagamoreEngine", "SagamoreCommandLineArguments", "SagamoreThreads"],
        path: folder("Tests", "Simulation", "SagamoreSimulate"),
        swiftSettings: settings
    ),
    tests(
        "Simulation",
        "SagamoreSimulationTests",
        [
            "SagamoreSimulation", "SagamoreSimulatedTime", "SagamoreSimulatedDatabase", "SagamoreSimulatedWorkers",
            "SagamoreHistoryService", "SagamorePersistence", "SagamoreServices", "SagamoreEngine",
        ]
    ),
    tests(
        "Simulation",
        "SagamoreSimulatedDatabaseTests",
        [
            "SagamoreSimulatedDatabase", "SagamoreSimulatedTime", "SagamorePostgresTestSupport",
            "SagamorePersistence", "SagamoreServices",
            "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient",
        ]
    ),
    tests(
        "Simulation",
        "SagamoreSimulatedBrokerTests",
        [
            "SagamoreSimulatedBroker", "SagamoreSimulatedTime", "SagamoreKafkaTestSupport", "SagamoreKafkaFront",
            "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
            "SagamoreKafkaClient", "SagamorePostgresClient", "SagamoreLogging",
        ]
    ),
    tests(
        "Simulation",
        "SagamoreSimulatedWorkersTests",
        [
            "SagamoreSimulatedWorkers", "SagamoreSimulatedTime", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
            "SagamoreProtobuf",
        ]
    ),
]

let package = Package(
    name: "sagamore",
    products: [
        .executable(name: "sagamore", targets: ["SagamoreCLI"]),
        .library(name: "Sagamore", targets: ["Sagamore"]),
        .library(name: "SagamoreTesting", targets: ["SagamoreTesting"]),
        .executable(name: "TravelBooking", targets: ["TravelBookingWorker"]),
    ],
    targets: cLibraries + base + connections + engine + services + fronts + program + sdk + benchmarks
        + simulation,
    swiftLanguageModes: [.v6]
)
