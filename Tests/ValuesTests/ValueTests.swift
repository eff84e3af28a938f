import Testing
import Values

@Suite struct ValueTests {
    @Test func valueStaysSmall() {
        #expect(MemoryLayout<Value>.size <= 24)
    }
}
