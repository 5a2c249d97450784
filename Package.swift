// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [.enableUpcomingFeature("InternalImportsByDefault")]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "sagamore",
    products: [
        .executable(name: "sagamore", targets: ["SagamoreCLI"]),
        .library(name: "Sagamore", targets: ["Sagamore"]),
        .executable(name: "TravelBooking", targets: ["TravelBookingWorker"]),
    ],
    targets: [
        // Floor 0: C libraries, and one small thing each.
        .systemLibrary(name: "CSagamoreGRPC", providers: [.apt(["libgrpc-dev"]), .brew(["grpc"])]),
        .systemLibrary(name: "CSagamoreHTTP2", providers: [.apt(["libnghttp2-dev"]), .brew(["libnghttp2"])]),
        .systemLibrary(name: "CSagamoreTLS", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
        .systemLibrary(
            name: "CSagamoreDeflate",
            providers: [.apt(["libdeflate-dev"]), .brew(["libdeflate"])]
        ),
        .systemLibrary(name: "CSagamorePostgres", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(name: "CSagamoreRdKafka", providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),
        .target(name: "CSagamoreWorkflowHooks"),
        library("SagamoreProtobuf"),
        library("SagamoreLogging"),
        library("SagamoreJSONText"),
        library("SagamoreCommandLineArguments"),

        // Floor 1: the wire contract, and the clients of what we build on.
        library("SagamoreAPI", ["SagamoreProtobuf"]),
        library("SagamoreGRPC", ["CSagamoreGRPC"]),
        library("SagamorePostgresClient", ["CSagamorePostgres"]),
        library("SagamoreKafkaClient", ["CSagamoreRdKafka"]),

        // Floors 2 to 5: one execution, how it is stored, the services that run many.
        library("SagamoreEngine", ["SagamoreAPI", "SagamoreProtobuf"]),
        library("SagamoreGRPCServer", ["SagamoreGRPC", "CSagamoreHTTP2", "CSagamoreTLS", "CSagamoreDeflate"]),
        library("SagamoreEmbeddedPostgres"),
        library("SagamoreServices", ["SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]),
        library(
            "SagamorePersistence",
            ["SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient"]
        ),
        library(
            "SagamoreHistoryService",
            [
                "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
                "SagamoreLogging",
            ]
        ),
        library("SagamoreMatchingService", ["SagamoreServices", "SagamoreEngine", "SagamoreLogging"]),

        library("SagamoreNamespaces", ["SagamoreServices", "SagamoreEngine", "SagamorePostgresClient"]),

        // Floor 6: entrances and exits.
        library(
            "SagamoreGRPCFront",
            [
                "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPC",
                "SagamoreGRPCServer", "SagamoreLogging",
            ]
        ),

        library(
            "SagamoreKafkaFront",
            [
                "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
                "SagamoreKafkaClient", "SagamoreJSONText", "SagamoreLogging",
            ]
        ),

        // Floors 7 and 8: the whole, and the program.
        library(
            "SagamoreServer",
            [
                "SagamoreGRPCFront", "SagamoreKafkaFront", "SagamoreHistoryService", "SagamoreMatchingService",
                "SagamoreNamespaces", "SagamorePersistence", "SagamoreServices", "SagamoreEngine",
                "SagamoreEmbeddedPostgres", "SagamoreGRPCServer", "SagamoreGRPC", "SagamorePostgresClient",
                "SagamoreKafkaClient", "SagamoreJSONText", "SagamoreLogging",
            ]
        ),
        .executableTarget(
            name: "SagamoreCLI",
            dependencies: [
                "SagamoreServer", "SagamorePersistence", "SagamoreGRPC", "SagamoreAPI", "SagamoreProtobuf",
                "SagamoreKafkaClient", "SagamorePostgresClient", "SagamoreCommandLineArguments", "SagamoreJSONText",
                "SagamoreLogging",
            ],
            swiftSettings: settings
        ),

        // What users of the service write workflows with.
        library(
            "Sagamore",
            [
                "CSagamoreWorkflowHooks", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPC", "SagamoreLogging",
                "SagamoreJSONText",
            ]
        ),

        // Samples.
        .executableTarget(
            name: "TravelBookingWorker",
            dependencies: ["Sagamore"],
            path: "sagas/TravelBooking/Sources",
            swiftSettings: settings
        ),

        // Measurements: `make bench`.
        .executableTarget(
            name: "SagamoreBenchmarks",
            dependencies: ["SagamoreEngineTestSupport", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"],
            path: "Benchmarks/SagamoreBenchmarks",
            swiftSettings: settings
        ),

        // Tests, and what they share.
        .target(
            name: "SagamoreEngineTestSupport",
            dependencies: ["SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"],
            path: "Tests/Support/SagamoreEngineTestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "SagamoreProgramTestSupport",
            dependencies: ["SagamoreJSONText", "SagamoreCLI"],
            path: "Tests/Support/SagamoreProgramTestSupport",
            swiftSettings: settings
        ),
        tests(
            "SagamoreEngineTests",
            ["SagamoreEngineTestSupport", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf"]
        ),
        tests(
            "SagamoreKafkaFrontTests",
            [
                "SagamoreKafkaFront", "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI",
                "SagamoreProtobuf", "SagamoreKafkaClient", "SagamoreJSONText", "SagamoreLogging",
                "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            ]
        ),
        tests(
            "SagamoreNamespacesTests",
            [
                "SagamoreNamespaces", "SagamorePersistence", "SagamoreServices", "SagamoreEngine",
                "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            ]
        ),
        tests(
            "SagamoreHistoryServiceTests",
            [
                "SagamoreHistoryService", "SagamoreMatchingService", "SagamorePersistence", "SagamoreServices",
                "SagamoreEngineTestSupport", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf", "SagamoreLogging",
                "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            ]
        ),
        tests(
            "SagamoreCLITests",
            [
                "SagamoreProgramTestSupport", "SagamoreCLI", "SagamoreServer", "SagamoreKafkaClient",
                "SagamoreJSONText",
                "SagamoreCommandLineArguments", "SagamoreAPI", "SagamoreProtobuf", "SagamorePostgresClient",
                "SagamoreEmbeddedPostgres", "SagamoreLogging",
            ]
        ),
        tests(
            "SagamorePersistenceTests",
            [
                "SagamorePersistence", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
                "SagamorePostgresClient", "SagamoreEmbeddedPostgres",
            ]
        ),
        tests(
            "SagamoreMatchingServiceTests",
            [
                "SagamoreMatchingService", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
                "SagamoreLogging",
            ]
        ),
        tests(
            "SagamoreSDKTests",
            ["Sagamore", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPCServer", "SagamoreGRPC"]
        ),
        tests(
            "SagamoreWorkerTests",
            [
                "SagamoreProgramTestSupport", "Sagamore", "SagamoreAPI", "SagamoreProtobuf", "SagamoreGRPCServer",
                "SagamoreGRPC",
            ],
            exclude: ["Python", "Histories"]
        ),
        tests("TravelBookingTests", ["TravelBookingWorker", "SagamoreProgramTestSupport", "Sagamore"]),
        tests("SagamoreProtobufTests", ["SagamoreProtobuf"]),
        tests("SagamoreLoggingTests", ["SagamoreLogging"]),
        tests("SagamoreJSONTextTests", ["SagamoreJSONText"]),
        tests("SagamoreCommandLineArgumentsTests", ["SagamoreCommandLineArguments"]),
        tests("SagamoreAPITests", ["SagamoreAPI", "SagamoreProtobuf"], exclude: ["exchange.py"]),
        tests("SagamoreGRPCTests", ["SagamoreGRPCServer", "SagamoreGRPC"], exclude: ["Python"]),
        tests("SagamorePostgresClientTests", ["SagamorePostgresClient", "SagamoreEmbeddedPostgres"]),
        tests("SagamoreEmbeddedPostgresTests", ["SagamoreEmbeddedPostgres", "SagamorePostgresClient"]),
        tests("SagamoreKafkaClientTests", ["SagamoreKafkaClient"], exclude: ["Sanitizers"]),
        tests(
            "SagamoreGRPCFrontTests",
            [
                "SagamoreGRPCFront", "SagamoreServices", "SagamoreEngine", "SagamoreAPI", "SagamoreProtobuf",
                "SagamoreGRPCServer", "SagamoreGRPC", "SagamoreLogging",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
