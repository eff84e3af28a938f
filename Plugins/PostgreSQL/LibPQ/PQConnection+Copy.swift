internal import CLibPQ

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

extension PQConnection {
    /// Sends a piece of a COPY FROM STDIN.
    func putCopy(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: Limits) throws(PQFailure) {
        while true {
            let state = bytes.withMemoryRebound(to: CChar.self) {
                PQputCopyData(self.raw, $0.baseAddress, Int32($0.count))
            }
            guard state != 1 else { break }
            guard state == 0 else { throw .broken(self.message) }
            try self.flush(limits)
        }
        try self.flush(limits)
    }

    /// Ends a COPY FROM STDIN; with a `reason`, the server is asked to fail it.
    func endCopy(failing reason: String?, _ limits: Limits) throws(PQFailure) {
        while true {
            let state = PQputCopyEnd(self.raw, reason)
            guard state != 1 else { break }
            guard state == 0 else { throw .broken(self.message) }
            try self.flush(limits)
        }
        try self.flush(limits)
    }

    /// The next piece of a COPY TO STDOUT; `nil` at its end, after which its result is to be read.
    func getCopy(_ limits: Limits) throws(PQFailure) -> [UInt8]? {
        while true {
            var buffer: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(self.raw, &buffer, 1)
            if let buffer, count > 0 {
                defer { PQfreemem(buffer) }
                return buffer.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                    Array(UnsafeBufferPointer(start: $0, count: Int(count)))
                }
            }
            switch count {
            case 0:
                try self.wait(Int16(POLLIN), limits)
                try self.consume()
            case -1: return nil
            default: throw .broken(self.message)
            }
        }
    }
}
