import Glibc

/// Where output goes: standard output and standard error of the process, unless a task says otherwise.
struct Streams: Sendable {
    /// Takes data.
    let data: @Sendable ([UInt8]) -> Void
    /// Takes everything else.
    let notes: @Sendable ([UInt8]) -> Void

    /// The streams of the process.
    ///
    /// A reader that closes standard output early ends the program quietly with success.
    static let process: Streams = {
        signal(SIGPIPE, SIG_IGN)
        return Streams(
            data: { bytes in if !Self.write(bytes, to: STDOUT_FILENO) { exit(0) } },
            notes: { bytes in _ = Self.write(bytes, to: STDERR_FILENO) })
    }()

    /// The streams of this task.
    @TaskLocal static var current = Streams.process

    /// Writes everything; false when the reader has closed a pipe.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno != EPIPE
            }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
