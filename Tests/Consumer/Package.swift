// swift-tools-version: 6.2
import PackageDescription

// A package of a user's, apart from ours: its targets may have any names, and it sees what is public only.
let sagamore = Target.Dependency.product(name: "Sagamore", package: "sagamore")

let package = Package(
    name: "consumer",
    dependencies: [.package(name: "sagamore", path: "../..")],
    targets: [
        .target(name: "Logging"),
        .target(name: "Metrics"),
        .executableTarget(name: "Shop", dependencies: ["Logging", "Metrics", sagamore]),
        // The code of the documentation.
        .executableTarget(name: "Hello", dependencies: [sagamore]),
        .target(name: "Guide", dependencies: [sagamore, .product(name: "SagamoreTesting", package: "sagamore")]),
    ],
    swiftLanguageModes: [.v6]
)
