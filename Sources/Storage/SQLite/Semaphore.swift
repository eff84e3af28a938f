internal import Glibc

/// A counting semaphore for threads.
final class Semaphore: @unchecked Sendable {
    // Sendable because POSIX semaphores are made for several threads, and the pointer never changes.
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// Creates a semaphore that stands at zero.
    init() {
        self.semaphore = .allocate(capacity: 1)
        sem_init(self.semaphore, 0, 0)
    }

    deinit {
        sem_destroy(self.semaphore)
        self.semaphore.deallocate()
    }

    /// Lets one waiter go.
    func signal() {
        sem_post(self.semaphore)
    }

    /// Waits for a signal.
    func wait() {
        while sem_wait(self.semaphore) != 0 && errno == EINTR {}
    }
}
