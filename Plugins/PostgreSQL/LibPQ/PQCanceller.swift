internal import CLibPQ

/// Stops what a connection runs, from any thread, over a connection of its own.
///
/// Blocks.
///
/// `@unchecked Sendable`: a `PGcancel` is never changed after it was made, and `PQcancel` may be called from any thread.
final class PQCanceller: @unchecked Sendable {
    private let raw: OpaquePointer

    init(_ raw: OpaquePointer) { self.raw = raw }

    deinit { PQfreeCancel(self.raw) }

    func cancel() {
        var words = [CChar](repeating: 0, count: 256)
        _ = PQcancel(self.raw, &words, Int32(words.count))
    }
}
