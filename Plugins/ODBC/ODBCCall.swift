internal import CODBC
internal import SQLSupport
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// One call under way: what can end it from outside.
final class ODBCCall: Sendable {
    /// Why a call is to end.
    enum Ending: Sendable, Hashable {
        case timedOut, cancelled, closed
    }

    /// A statement's handle.
    ///
    /// `@unchecked Sendable`: another thread only passes it to `SQLCancel`, which ODBC allows, and only while the lock
    /// is held under which the owner forgets it before it frees it.
    private struct Handle: @unchecked Sendable {
        var raw: SQLHSTMT
    }

    /// How often, and how long apart, a driver is asked to stop: it does not hear it just before it begins.
    private static let cancelAttempts = 40
    private static let cancelPauseMicroseconds: UInt32 = 50_000

    /// How long the call may take.
    let timeout: Duration
    private let reason = Mutex<Ending?>(nil)
    private let statement = Mutex<Handle?>(nil)

    init(timeout: Duration) { self.timeout = timeout }

    /// Why the call is to end, if it is.
    var ending: Ending? { self.reason.withLock { $0 } }

    /// Whole seconds for drivers, which know no others.
    var timeoutSeconds: UInt {
        let (seconds, attoseconds) = self.timeout.components
        return UInt(max(1, min(seconds, 86_400) + (attoseconds > 0 ? 1 : 0)))
    }

    /// Ends the call: what runs is cancelled, and nothing more is begun.
    ///
    /// The first reason stands.
    func end(_ ending: Ending) {
        let isFirst = self.reason.withLock { reason in
            guard reason == nil else { return false }
            reason = ending
            return true
        }
        guard isFirst else { return }
        // Drivers connect to the server for it, which may take its time.
        DedicatedThread.detach { self.cancelStatement() }
    }

    private func cancelStatement() {
        for _ in 0..<Self.cancelAttempts {
            let isRunning = self.statement.withLock { statement in
                guard let statement else { return false }
                _ = SQLCancel(statement.raw)
                return true
            }
            guard isRunning else { return }
            usleep(Self.cancelPauseMicroseconds)
        }
    }

    /// `statement` is about to run; returns whether it may.
    func began(_ statement: SQLHSTMT) -> Bool {
        self.statement.withLock { running in
            guard self.ending == nil else { return false }
            running = Handle(raw: statement)
            return true
        }
    }

    /// Nothing runs any more.
    ///
    /// Waits for a cancelling that is under way.
    func ended() {
        self.statement.withLock { $0 = nil }
    }
}

/// A value that two may want to give, and one waits for: the first counts.
final class FirstOf<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var continuation: CheckedContinuation<Value, Never>?
        var isOver = false
    }

    private let state = Mutex(State())

    init() {}

    /// Gives the value; returns whether it is the first.
    @discardableResult
    func give(_ value: Value) -> Bool {
        let (isFirst, continuation) = self.state.withLock { state -> (Bool, CheckedContinuation<Value, Never>?) in
            guard !state.isOver else { return (false, nil) }
            state.isOver = true
            state.value = value
            let continuation = state.continuation
            state.continuation = nil
            return (true, continuation)
        }
        continuation?.resume(returning: value)
        return isFirst
    }

    /// Waits for the first value.
    ///
    /// Once only.
    func wait() async -> Value {
        await withCheckedContinuation { continuation in
            let value = self.state.withLock { state -> Value? in
                if state.value == nil { state.continuation = continuation }
                return state.value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
