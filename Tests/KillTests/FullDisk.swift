import Foundation

/// Makes a program find its disk full while a marker file is there: a library that is loaded before the others and lets
/// no write through.
///
/// It needs neither a file system of its own nor any rights.
struct FullDisk {
    /// What the program must be started with.
    let environment: [String: String]
    private let marker: URL

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdlib.h>
        #include <sys/types.h>
        #include <unistd.h>

        static int is_full(void) {
            const char *marker = getenv("FULL_DISK_MARKER");
            return marker && access(marker, F_OK) == 0;
        }

        #define WRITE(name, offset)                                                          \\
            ssize_t name(int file, const void *bytes, size_t count, offset at) {             \\
                if (is_full()) { errno = ENOSPC; return -1; }                                \\
                ssize_t (*next)(int, const void *, size_t, offset) = dlsym(RTLD_NEXT, #name); \\
                return next(file, bytes, count, at);                                         \\
            }

        WRITE(pwrite, off_t)
        WRITE(pwrite64, off64_t)

        """

    /// Builds the library in a folder.
    init(in folder: URL) async throws {
        let (code, library) = (folder.appending(path: "full.c"), folder.appending(path: "full.so"))
        try Data(Self.source.utf8).write(to: code)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["cc", "-shared", "-fPIC", "-o", library.path, code.path, "-ldl"]
        let status = try await withCheckedThrowingContinuation { continuation in
            compiler.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try compiler.run() } catch { continuation.resume(throwing: error) }
        }
        guard status == 0 else { throw UnixHTTP.Failure(what: "cc ended with \(status)") }
        marker = folder.appending(path: "full")
        environment = ["LD_PRELOAD": library.path, "FULL_DISK_MARKER": marker.path]
    }

    func fill() throws { try Data().write(to: marker) }

    func makeRoom() throws { try FileManager.default.removeItem(at: marker) }
}
