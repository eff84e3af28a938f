import Foundation
import Testing

@testable import conformance

/// A short stretch of what `make soak` does for long.
@Suite struct FuzzTests {
    private static let corpus: String = {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus")
            .path(percentEncoded: false)
    }()

    @Test func aSeedAlwaysMakesTheSameInput() throws {
        let mutator = try FuzzBatch.mutator(.feel, corpus: Self.corpus)
        let inputs = (1...50).map { mutator.input(seed: $0) }
        #expect(inputs == (1...50).map { mutator.input(seed: $0) })
        #expect(Set(inputs).count > 40)
        #expect(inputs.allSatisfy { $0.count <= Mutator.bytesMax })
    }

    @Test(arguments: FuzzTarget.allCases)
    func mutatedInputsNeverCrash(_ target: FuzzTarget) throws {
        let mutator = try FuzzBatch.mutator(target, corpus: Self.corpus)
        for input in mutator.corpus { target.run(input) }
        for seed in UInt64(1)...100 { target.run(mutator.input(seed: seed)) }
    }

    @Test func aFolderWithoutCorpusIsRefused() {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path(percentEncoded: false)
        #expect(throws: (any Error).self) { _ = try FuzzBatch.mutator(.bpmn, corpus: folder) }
    }
}
