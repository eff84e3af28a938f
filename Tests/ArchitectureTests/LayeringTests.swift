import Foundation
import Testing

/// Dependencies point downwards only, in the sources and in the manifest.
@Suite struct LayeringTests {
    @Test func everyTargetFolderHasARow() throws {
        let folders = try ["Sources", "Plugins"].flatMap { parent in
            try Repository.entries(of: parent).map { "\(parent)/\($0)" }
        }
        #expect(Set(folders) == Set(LayerMap.targets.map(\.folder)))
        #expect(Set(LayerMap.targets.map(\.name)).count == LayerMap.targets.count)
    }

    @Test func theMapPointsDownwards() {
        for (index, rule) in LayerMap.targets.enumerated() {
            let above = LayerMap.targets[..<index]
            for name in rule.targets {
                let imported = above.first { $0.name == name }
                #expect(imported != nil, "\(rule.name) may import \(name), which is not a row above it")
                #expect(imported.map { $0.layer <= rule.layer } ?? true, "\(rule.name) imports upwards: \(name)")
            }
        }
    }

    @Test func pluginsSeeOnlyTheKitAndTheirLibrary() {
        for rule in LayerMap.targets where rule.layer == .plugins {
            let shims = LayerMap.targets.filter { $0.layer == .shims }.map(\.name)
            // A plugin whose remote is a process of its own has the kit for processes too, one that speaks HTTP the
            // kit for that; a library that blocks has a thread, and databases share what SQL is the same in.
            let kits = ["PluginHost", "HTTPTransport", "SocketThread", "SQLSupport"]
            let others = Set(rule.targets).subtracting(shims + kits)
            #expect(others == ["ConnectorKit", "Values"], "\(rule.name)")
        }
    }

    @Test(arguments: LayerMap.targets)
    func sourcesImportOnlyWhatTheMapAllows(rule: TargetRule) throws {
        let allowed = Set(rule.targets + rule.modules)
        for file in try Repository.files(under: rule.folder, endingIn: ".swift") {
            for module in SwiftSource(try Repository.text(file)).imports where !allowed.contains(module) {
                Issue.record("\(file) imports \(module); \(rule.name) may import \(allowed.sorted())")
            }
        }
    }

    @Test(arguments: LayerMap.targets)
    func theManifestDependsOnlyOnWhatTheMapAllows(rule: TargetRule) throws {
        let target = try #require(
            try Manifest.read().targets[rule.name], "Package.swift has no target \(rule.name)")
        #expect(Set(target.targets).subtracting(rule.targets) == [], "\(rule.name)")
        #expect(Set(target.products).subtracting(rule.modules) == [], "\(rule.name)")
    }

    @Test(arguments: LayerMap.targets)
    func theManifestNamesWhatTheSourcesImport(rule: TargetRule) throws {
        let target = try #require(try Manifest.read().targets[rule.name])
        let ours = Set(LayerMap.targets.map(\.name))
        for file in try Repository.files(under: rule.folder, endingIn: ".swift") {
            for module in SwiftSource(try Repository.text(file)).imports
            where ours.contains(module) && !target.targets.contains(module) {
                Issue.record("\(file) imports \(module), but Package.swift does not make \(rule.name) depend on it")
            }
        }
    }

    /// Importing libxml2's headers beside Foundation clashes, so the shims' own headers show nothing of their library.
    @Test(arguments: ["CXML", "CCurlShim"])
    func shimHeadersHideTheirLibrary(shim: String) throws {
        let standard: Set = ["stddef.h", "stdint.h", "stdbool.h"]
        for file in try Repository.files(under: "Sources/\(shim)/include", endingIn: ".h") {
            for include in try Repository.text(file).matches(of: /#\s*include\s*[<"]([^>"]+)[>"]/) {
                #expect(standard.contains(String(include.1)), "\(file) shows \(include.1)")
            }
        }
    }
}

/// What Package.swift says about targets, read as text: a test must not start another build.
struct Manifest {
    struct Target {
        var targets: [String]
        var products: [String]
    }

    var targets: [String: Target] = [:]

    static func read() throws -> Manifest {
        Manifest(try Repository.text("Package.swift"))
    }

    init(_ text: String) {
        let declaration = /\.(?:target|executableTarget|systemLibrary)\(\s*name:\s*"(\w+)"/
        let starts = text.matches(of: declaration)
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : text.endIndex
            targets[String(start.1)] = Self.target(text[start.range.upperBound..<end])
        }
    }

    private static func target(_ body: Substring) -> Target {
        var dependencies = body[body.startIndex..<body.startIndex]
        if let start = body.firstMatch(of: /dependencies:\s*\[/) {
            let rest = body[start.range.upperBound...]
            dependencies = rest[..<(rest.firstIndex(of: "]") ?? rest.endIndex)]
        }
        let products = dependencies.matches(of: /\.product\(name:\s*"(\w+)"/).map { String($0.1) }
        let plain = dependencies.replacing(/\.product\([^)]*\)/, with: "").matches(of: /"(\w+)"/).map { String($0.1) }
        let ours = Set(LayerMap.targets.map(\.name))
        // A plain string may also name the only product of a package, such as "Yams".
        return Target(targets: plain.filter(ours.contains), products: products + plain.filter { !ours.contains($0) })
    }
}
