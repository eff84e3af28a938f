import Testing
import Values

@Suite struct DiagnosticTests {
    @Test(arguments: [
        (
            Diagnostic(
                code: "BPMN-1", severity: .error, message: "No such element", remedy: "Check the id", file: "a.bpmn",
                line: 3,
                column: 7, elementID: "task1"),
            "a.bpmn:3:7: error BPMN-1 [task1]: No such element — Check the id"
        ),
        (Diagnostic(code: "X", severity: .warning, message: "m", file: "a"), "a: warning X: m"),
        (Diagnostic(code: "X", severity: .info, message: "m", line: 2), "2: info X: m"),
        (Diagnostic(code: "X", severity: .info, message: "m", column: 2), "info X: m"),
    ])
    func oneLineSaysAll(_ row: (diagnostic: Diagnostic, text: String)) {
        #expect(row.diagnostic.description == row.text)
    }

    @Test func severitiesAreOrdered() {
        #expect([Diagnostic.Severity.error, .info, .warning].sorted() == [.info, .warning, .error])
    }
}

@Suite struct StableHashTests {
    /// Published FNV-1a test vectors.
    @Test(arguments: [
        ("", 0xCBF2_9CE4_8422_2325 as UInt64), ("a", 0xAF63_DC4C_8601_EC8C), ("foobar", 0x8594_4171_F739_67E8),
    ])
    func matchesKnownHashes(_ row: (text: String, hash: UInt64)) {
        #expect(StableHash.fnv1a64(row.text) == row.hash)
        #expect(StableHash.fnv1a64(Array(row.text.utf8)) == row.hash)
    }

    @Test func continuesFromAState() {
        #expect(StableHash.fnv1a64("bar", state: StableHash.fnv1a64("foo")) == StableHash.fnv1a64("foobar"))
    }

    @Test func mixingSpreadsNeighbours() {
        let buckets = Set((0..<64).map { StableHash.mixed(UInt64($0)) % 64 })
        #expect(buckets.count > 32)
        #expect(StableHash.mixed(1) == 0xB456_BCFC_34C2_CB2C)
    }
}
