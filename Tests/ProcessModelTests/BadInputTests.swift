import ProcessModel
import Testing
import Values

/// Documents nobody should have sent: one clear finding, in bounded time and memory.
@Suite struct BadInputTests {
    private static func bomb() -> String {
        let levels = (1...9).map { "<!ENTITY l\($0) \"\(String(repeating: "&l\($0 - 1);", count: 10))\">" }
        return "<!DOCTYPE definitions [<!ENTITY l0 \"lol\">\(levels.joined())]><definitions>&l9;</definitions>"
    }

    @Test(arguments: [
        ("empty", "", "BP101"),
        ("no XML", "{\"json\": true}", "BP101"),
        ("truncated", "<definitions xmlns=\"\(Namespace.bpmn)\"><process id=\"p\"><task", "BP101"),
        ("undeclared prefix", "<bpmn:definitions/>", "BP101"),
        ("entity bomb", bomb(), "BP106"),
        ("external entity", "<!DOCTYPE d [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><d>&e;</d>", "BP106"),
        ("external DTD", "<!DOCTYPE d SYSTEM \"http://127.0.0.1:9/d.dtd\"><d/>", "BP106"),
        ("deep nesting", String(repeating: "<a>", count: 100_000), "BP104"),
        ("many elements", "<a>" + String(repeating: "<b/>", count: 500_000) + "</a>", "BP105"),
        ("many names", "<a>" + (0..<20_000).map { "<b\($0)/>" }.joined() + "</a>", "BP105"),
        ("huge attribute", "<a b=\"\(String(repeating: "x", count: 4 << 20))\"/>", "BP107"),
        ("unknown encoding", "<?xml version=\"1.0\" encoding=\"X-NONE\"?><a/>", "BP102"),
        ("other XML", "<html/>", "BP108"),
        ("another namespace", "<definitions xmlns=\"http://schema.omg.org/spec/BPMN/2.0\"/>", "BP108"),
        ("nothing inside", "<definitions xmlns=\"\(Namespace.bpmn)\"/>", "BP317"),
    ])
    func oneFinding(_ row: (name: String, text: String, code: String)) {
        let result = importOnly(Array(row.text.utf8), file: "f")
        #expect(result.diagnostics.map(\.code) == [row.code], "\(result.diagnostics)")
        #expect(result.processes.isEmpty)
        #expect(result.isRefused)
        let report = BPMNImporter.report(Array(row.text.utf8), file: "f")
        #expect(report.diagnostics == result.diagnostics)
    }

    @Test func aHugeFileIsRefusedUnread() {
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: 100_000_000)
        #expect(importOnly(bytes, file: nil).diagnostics.map(\.code) == ["BP103"])
    }

    @Test func invalidUTF8IsFoundAtItsPlace() throws {
        let bytes = Array("<definitions>\n <process id=\"".utf8) + [0xFF] + Array("\"/></definitions>".utf8)
        let finding = try #require(importOnly(bytes, file: "f").diagnostics.first)
        #expect(finding.code == "BP102")
        #expect(finding.line == 2)
        #expect(finding.column == 15)
    }

    /// Cuts a model after every byte, and breaks every byte: nothing but findings may come of it.
    @Test func brokenModelsNeverCrash() {
        let whole = document(
            around(serviceTask("<zeebe:ioMapping><zeebe:input source=\"=a\" target=\"b\"/></zeebe:ioMapping>")))
        for length in 0..<whole.count {
            #expect(importOnly(Array(whole[..<length]), file: nil).isRefused)
        }
        var generator = SeededGenerator(seed: 20_260_101)
        for position in whole.indices {
            var broken = whole
            broken[position] = UInt8.random(in: 0...127, using: &generator)
            let result = importOnly(broken, file: nil)
            #expect(result.isRefused == result.processes.isEmpty, "seed 20260101, byte \(position)")
        }
    }

    @Test func aLongChainOfProcessesThatCallEachOtherIsChecked() {
        let count = 20_000
        let processes = (0..<count).map { number in
            """
            <process id="p\(number)" isExecutable="true"><startEvent id="s\(number)"/>
            <callActivity id="c\(number)" calledElement="p\((number + 1) % count)"/>
            <sequenceFlow id="f\(number)" sourceRef="s\(number)" targetRef="c\(number)"/></process>
            """
        }
        let text = "<definitions xmlns=\"\(Namespace.bpmn)\">" + processes.joined() + "</definitions>"
        let found = importOnly(Array(text.utf8), file: nil).diagnostics
        #expect(found.count == 1_001)
        #expect(found.first?.code == "BP310")
    }
}

/// A small generator with a seed (xorshift64*), so that failures can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed == 0 ? 1 : seed
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
