import Dispatch
import Storage
import Synchronization

/// Calls a `SourceStateStore` without blocking the caller's thread, several resources at once.
struct OwnerTable: Sendable {
    private let store: any SourceStateStore
    private let queue = DispatchQueue(label: "source-ownership")

    init(_ store: any SourceStateStore) { self.store = store }

    /// Takes all of `resources` or none; the fences by resource, or nil when one of them is somebody else's.
    func acquire(
        _ resources: [String], owner: String, until: Int64, now: Int64
    ) async throws(StoreError) -> [String: Int64]? {
        try await self.perform { store throws(StoreError) in
            var fences: [String: Int64] = [:]
            do throws(StoreError) {
                for resource in resources {
                    guard let fence = try store.acquire(resource, owner: owner, until: until, now: now) else {
                        Self.release(fences, owner: owner, in: store)
                        return nil
                    }
                    fences[resource] = fence
                }
            } catch {
                Self.release(fences, owner: owner, in: store)
                throw error
            }
            return fences
        }
    }

    /// Extends the leases of all; false when one of them was taken.
    func renew(_ fences: [String: Int64], owner: String, until: Int64) async throws(StoreError) -> Bool {
        try await self.perform { store throws(StoreError) in
            for (resource, fence) in fences.sorted(by: { $0.key < $1.key }) {
                guard try store.renew(resource, owner: owner, fence: fence, until: until) else { return false }
            }
            return true
        }
    }

    /// Gives all back; what cannot be given back runs out.
    func release(_ fences: [String: Int64], owner: String) async {
        try? await self.perform { store throws(StoreError) in Self.release(fences, owner: owner, in: store) }
    }

    /// Calls the store on a thread of its own.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (any SourceStateStore) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let store = self.store
        let result: Swift.Result<Result, StoreError> = await withCheckedContinuation { continuation in
            self.queue.async {
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body(store)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private static func release(_ fences: [String: Int64], owner: String, in store: any SourceStateStore) {
        for (resource, fence) in fences { _ = try? store.release(resource, owner: owner, fence: fence) }
    }
}
