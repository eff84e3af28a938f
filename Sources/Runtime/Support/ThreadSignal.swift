import Glibc

/// Wakes a thread that waits for work.
///
/// A notification before the wait is not lost.
///
/// Sendable: the fields are guarded by `mutex`, which lives as long as the object.
final class ThreadSignal: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isSet = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Lets the waiting thread, or the next one that waits, go on.
    func notify() {
        pthread_mutex_lock(mutex)
        let wasSet = isSet
        isSet = true
        pthread_mutex_unlock(mutex)
        if !wasSet { pthread_cond_signal(condition) }
    }

    /// Waits for a notification, at most this long; nil waits without end.
    func wait(nanoseconds: Int64?) {
        pthread_mutex_lock(mutex)
        defer {
            isSet = false
            pthread_mutex_unlock(mutex)
        }
        guard !isSet else { return }
        guard let nanoseconds else {
            while !isSet { pthread_cond_wait(condition, mutex) }
            return
        }
        guard nanoseconds > 0 else { return }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let end = Int64(deadline.tv_nsec) + nanoseconds
        deadline.tv_sec += Int(end / 1_000_000_000)
        deadline.tv_nsec = Int(end % 1_000_000_000)
        while !isSet {
            if pthread_cond_timedwait(condition, mutex, &deadline) != 0 { return }
        }
    }
}
