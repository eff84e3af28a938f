import Foundation
import ProcessModel
import Testing
import Values

/// Random documents: what is written can be read and says the same; what is broken is refused or says something, and
/// never ends the program.
///
/// `JUNCTION_SOAK_ROUNDS` repeats all with other seeds; a failure names its seed.
@Suite struct DocumentPropertyTests {
    private static let rounds = max(1, Int(ProcessInfo.processInfo.environment["JUNCTION_SOAK_ROUNDS"] ?? "") ?? 1)
    private static let seeds = (0..<UInt64(rounds)).flatMap { round in (1...8).map { round * 1_000 + $0 } }

    @Test(arguments: seeds)
    func randomTreesRoundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let bytes = Array(RandomTree.document(using: &generator).utf8)
            let document = try BPMNDocument(bytes)
            let written = document.export()
            let again = try BPMNDocument(written)
            #expect(again.firstDifference(from: document) == nil, "seed \(seed)")
            #expect(again.semanticDigest == document.semanticDigest, "seed \(seed)")
            #expect(again.export() == written, "seed \(seed)")
            #expect(again.descendants(of: again.root).count == document.descendants(of: document.root).count)
        }
    }

    @Test(arguments: seeds)
    func brokenDocumentsAreRefusedOrRead(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var read = 0
        for _ in 0..<40 {
            var bytes = Array(RandomTree.document(using: &generator).utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
                default: bytes.removeLast(min(bytes.count - 1, place / 20))
                }
            }
            do {
                let document = try BPMNDocument(bytes)
                read += 1
                let drawn = document.withLayout()
                #expect(try BPMNDocument(drawn.export()).isSemanticallyEqual(to: drawn), "seed \(seed)")
                #expect(document.svg().hasSuffix("</svg>\n"))
            } catch {
                #expect(error.diagnostic.code.hasPrefix("BP1"), "seed \(seed)")
            }
        }
        #expect(read < 40, "seed \(seed): nothing was broken")
    }

    @Test func everyTruncationIsRefused() {
        var generator = SeededGenerator(seed: 7)
        let bytes = Array(RandomTree.document(using: &generator).utf8)
        let end = bytes.lastIndex(of: UInt8(ascii: ">")) ?? 0
        for length in stride(from: 0, through: end, by: 7) {
            #expect(throws: DocumentFailure.self) { try BPMNDocument(Array(bytes[..<length])) }
        }
    }
}

/// Random documents of known and unknown elements, prefixes, texts, comments, with references right and wrong.
private enum RandomTree {
    private static let names = [
        "process", "subProcess", "task", "startEvent", "boundaryEvent", "exclusiveGateway", "sequenceFlow", "laneSet",
        "lane", "flowNodeRef", "dataObjectReference", "textAnnotation", "association", "text", "documentation",
        "extensionElements", "incoming", "unknown", "collaboration", "participant", "messageFlow",
    ]
    private static let texts = ["", " ", "a", "x & y", "<tag>", "]]>", "Grüße 🎉", "line\nbreak", "\"quoted\"", "\t"]
    private static let attributes = [
        "id", "name", "sourceRef", "targetRef", "attachedToRef", "processRef", "default", "calledElement",
    ]

    static func document(using generator: inout SeededGenerator) -> String {
        var number = 0
        let content = (0..<Int.random(in: 1...4, using: &generator))
            .map { _ in element(depth: 0, number: &number, using: &generator) }.joined()
        return """
            <?xml version="1.0"?><!-- start --><m:definitions xmlns:m="\(Namespace.bpmn)" xmlns="\(Namespace.bpmn)" \
            xmlns:x="urn:x" targetNamespace="urn:me" xmlns:me="urn:me">\(content)</m:definitions><?end?>
            """
    }

    private static func element(depth: Int, number: inout Int, using generator: inout SeededGenerator) -> String {
        let prefix = ["", "m:", "x:"].randomElement(using: &generator) ?? ""
        let name = prefix + (names.randomElement(using: &generator) ?? "task")
        var text = "<\(name)"
        if Int.random(in: 0..<10, using: &generator) == 0 { text += " xmlns:x=\"urn:y\(depth)\"" }
        for attribute in attributes where Int.random(in: 0..<3, using: &generator) == 0 {
            number += attribute == "id" ? 1 : 0
            let reference = "e\(Int.random(in: 0...max(number, 1), using: &generator))"
            let prefixed = Bool.random(using: &generator) ? "me:" + reference : reference
            let value = attribute == "id" ? "e\(number)" : attribute == "name" ? self.text(using: &generator) : prefixed
            text += " \(attribute)=\"\(escaped(value))\""
        }
        text += ">"
        for _ in 0..<Int.random(in: 0...(depth > 5 ? 0 : 5), using: &generator) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: text += escaped(self.text(using: &generator))
            case 1: text += "<!-- comment \(number) -->"
            case 2: text += "<![CDATA[\(self.text(using: &generator).replacing("]]>", with: ""))]]>"
            case 3: text += "<?do it?>\n  "
            default: text += element(depth: depth + 1, number: &number, using: &generator)
            }
        }
        return text + "</\(name)>"
    }

    private static func text(using generator: inout SeededGenerator) -> String {
        texts.randomElement(using: &generator) ?? ""
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("\n", with: "&#10;")
    }
}
