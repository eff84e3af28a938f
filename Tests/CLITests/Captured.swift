import ArgumentParser
import Foundation
import Synchronization
import Values

@testable import junction

/// Output of a command that runs inside the tests.
final class Captured: Sendable {
    private let bytes = Mutex((data: [UInt8](), notes: [UInt8]()))

    var streams: Streams {
        Streams(
            data: { bytes in self.bytes.withLock { $0.data += bytes } },
            notes: { bytes in self.bytes.withLock { $0.notes += bytes } })
    }

    var data: String { bytes.withLock { String(decoding: $0.data, as: UTF8.self) } }
    var notes: String { bytes.withLock { String(decoding: $0.notes, as: UTF8.self) } }
}

/// A folder that goes away with its owner; its path is short enough for sockets.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/jc-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file below the folder; its path.
    func write(_ name: String, _ text: String) throws -> String {
        let url = URL(fileURLWithPath: path).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url.path
    }
}

/// How a command ended and what it wrote.
struct CommandRun: Sendable {
    var status: Int32
    var output: String
    var notes: String

    var lines: [String] { output.split(separator: "\n").map { String($0) } }
    /// The output as JSON, an object a line.
    var values: [Value] { lines.compactMap { try? JSON.parse($0) } }
}

/// Runs the command line inside the tests, as if in a pipe.
func junction(_ arguments: String..., variables: [String: String] = [:]) async -> CommandRun {
    await junction(arguments, variables: variables)
}

/// Runs the command line inside the tests, as if in a pipe.
func junction(_ arguments: [String], variables: [String: String] = [:]) async -> CommandRun {
    let captured = Captured()
    let environment = Environment(lookup: { ["USER": "ada"].merging(variables) { $1 }[$0] })
    let status: Int32 = await Streams.$current.withValue(captured.streams) {
        await Environment.$current.withValue(environment) {
            do {
                var command = try Junction.parseAsRoot(arguments)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
                return 0
            } catch {
                if let error = error as? ExitCode { return error.rawValue }
                captured.streams.notes(Array(Junction.fullMessage(for: error).utf8))
                return Junction.exitCode(for: error).rawValue
            }
        }
    }
    return CommandRun(status: status, output: captured.data, notes: captured.notes)
}

/// Small models.
enum Model {
    /// Start, then these elements in a row, then the end.
    static func sequence(_ id: String, _ elements: String...) -> String {
        var flows = ""
        var previous = "start"
        for element in elements {
            let name = element.firstMatch(of: /id="([a-z]+)"/).map { String($0.1) } ?? ""
            flows += #"<bpmn:sequenceFlow id="to-\#(name)" sourceRef="\#(previous)" targetRef="\#(name)"/>"#
            previous = name
        }
        flows += #"<bpmn:sequenceFlow id="to-end" sourceRef="\#(previous)" targetRef="end"/>"#
        return #"""
            <?xml version="1.0" encoding="UTF-8"?>
            <bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
                xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                id="d" targetNamespace="urn:test">
              <bpmn:message id="paid" name="paid">
                <bpmn:extensionElements><zeebe:subscription correlationKey="=order"/></bpmn:extensionElements>
              </bpmn:message>
              <bpmn:process id="\#(id)" isExecutable="true">
                <bpmn:startEvent id="start"/>\#(elements.joined())<bpmn:endEvent id="end"/>\#(flows)
              </bpmn:process>
            </bpmn:definitions>
            """#
    }

    static let script = #"""
        <bpmn:scriptTask id="double"><bpmn:extensionElements>
        <zeebe:script expression="=amount * 2" resultVariable="doubled"/></bpmn:extensionElements></bpmn:scriptTask>
        """#
    static let person = #"<bpmn:userTask id="approve" name="Approve it"/>"#
    static let worker = #"""
        <bpmn:serviceTask id="charge"><bpmn:extensionElements><zeebe:taskDefinition type="charge" retries="3"/>
        </bpmn:extensionElements></bpmn:serviceTask>
        """#
    static let message = #"""
        <bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="paid"/>
        </bpmn:intermediateCatchEvent>
        """#
}
