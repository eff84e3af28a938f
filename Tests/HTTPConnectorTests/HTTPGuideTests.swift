import ConnectorKit
import Foundation
import HTTPConnector
import Testing
import Values
import Yams

/// The connections of docs/guides/http-connector.md can be used as they stand there.
struct HTTPGuideTests {
    private static func value(_ any: Any?) -> Value {
        switch any {
        case let text as String: .string(text)
        case let flag as Bool: .boolean(flag)
        case let number as Int: .number(Number(Int64(number)))
        case let list as [Any]: .list(list.map { Self.value($0) })
        case let map as [String: Any]: .context(ValueContext(map.map { ($0.key, Self.value($0.value)) }))
        default: .null
        }
    }

    @Test func everyExampleIsAConnection() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let guide = try String(contentsOf: root.appending(path: "docs/guides/http-connector.md"), encoding: .utf8)
        var count = 0
        for block in guide.matches(of: /```yaml\n((?s).*?)```/) {
            let document = try #require(try Yams.load(yaml: String(block.1)) as? [String: Any])
            for (name, declaration) in try #require(document["connections"] as? [String: Any]) {
                let fields = try #require(declaration as? [String: Any])
                #expect(fields["connector"] as? String == "http")
                await #expect(throws: Never.self, "\(name)") {
                    let connection = try await HTTPModule().connect(
                        ConnectionConfiguration(id: name, parameters: Self.value(fields["parameters"])))
                    await connection.close()
                }
                count += 1
            }
        }
        #expect(count == 13)
    }
}
