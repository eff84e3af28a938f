internal import CRDKafka
internal import ConnectorKit

/// Frees clients of the library, with a bound.
///
/// The library waits for its threads as long as anything refers to them, and some versions of it lose track of a
/// reference: whoever closes a connection must not wait for that.
enum ClientEnd {
    /// `@unchecked Sendable`: handed to the thread that destroys it, and used by nobody else any more.
    private struct Client: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// Says that the client is gone; closed when nobody knows it any more.
    private final class Gone: Sendable {
        let wakeup: WakeupDescriptor
        init() throws { self.wakeup = try WakeupDescriptor() }
        deinit { self.wakeup.close() }
    }

    private static let patience = Duration.seconds(5)

    /// Destroys `client`, which nobody may use any more; blocks the calling thread, at most for `patience`.
    ///
    /// Returns whether it is gone; if not, a thread of its own goes on with it, and what its callbacks refer to must
    /// stay.
    @discardableResult
    static func destroy(_ client: OpaquePointer, flags: Int32 = 0) -> Bool {
        let client = Client(pointer: client)
        do {
            let gone = try Gone()
            try KafkaThread.start {
                rd_kafka_destroy_flags(client.pointer, flags)
                gone.wakeup.signal()
            }
            return gone.wakeup.wait(Self.patience)
        } catch {
            // No thread or descriptor is to be had.
            rd_kafka_destroy_flags(client.pointer, flags)
            return true
        }
    }
}
