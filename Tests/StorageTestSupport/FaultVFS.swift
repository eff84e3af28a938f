internal import CSQLite
internal import Glibc
internal import Synchronization

/// A SQLite VFS that fails writes and syncs when told to: what a full or broken disk does to a real store.
///
/// Pass `name` as `SQLiteOptions.vfs`. Only files opened through it are affected; reads always work.
public final class FaultVFS: Sendable {
    /// An operation that can fail.
    public enum Operation: Sendable, Hashable, CaseIterable {
        /// Writing a page or a log frame.
        case write
        /// Making a file durable.
        case sync
    }

    /// Which operation fails, and how.
    public struct Fault: Sendable {
        /// The operation.
        public var operation: Operation
        /// Which one, counted from 1 since `arm`.
        public var number: Int
        /// Whether all later ones fail as well.
        public var isPersistent: Bool
        /// Whether the disk is full; otherwise it is broken.
        public var isFull: Bool
        /// Whether the operation takes effect although it fails.
        public var takesEffect: Bool
        /// Whether only the database file is affected, not its log: checkpoints fail, commits do not.
        public var isDatabaseOnly: Bool

        /// Creates a fault.
        public init(
            _ operation: Operation, number: Int, isPersistent: Bool = false, isFull: Bool = false,
            takesEffect: Bool = false, isDatabaseOnly: Bool = false
        ) {
            self.operation = operation
            self.number = number
            self.isPersistent = isPersistent
            self.isFull = isFull
            self.takesEffect = takesEffect
            self.isDatabaseOnly = isDatabaseOnly
        }
    }

    private struct State {
        var fault: Fault?
        var counts: [Operation: Int] = [:]
        var wasHit = false
    }

    /// The name under which SQLite knows it.
    public let name: String
    private let state = Mutex(State())

    /// Registers a VFS for the rest of the process: SQLite may hold on to it, so it never goes.
    public init() {
        let number = Self.created.add(1, ordering: .relaxed).newValue
        self.name = "junction-fault-\(number)"
        guard let system = sqlite3_vfs_find(nil) else { fatalError("SQLite has no VFS") }
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: system.pointee)
        vfs.pointee.pNext = nil
        vfs.pointee.zName = UnsafePointer(strdup(self.name))
        vfs.pointee.pAppData = Unmanaged.passRetained(self).toOpaque()
        vfs.pointee.xOpen = { vfs, path, file, flags, outFlags in
            FaultVFS.open(vfs, path, file, flags, outFlags)
        }
        sqlite3_vfs_register(vfs, 0)
    }

    /// Counts from now on, and fails as told; nil heals the disk.
    public func arm(_ fault: Fault?) {
        self.state.withLock { $0 = State(fault: fault) }
    }

    /// Whether the fault has happened since `arm`.
    public var wasHit: Bool { self.state.withLock { $0.wasHit } }

    private static let created = Atomic<Int>(0)

    /// The fault that an operation meets, if any.
    private func meet(_ operation: Operation, isDatabase: Bool) -> Fault? {
        self.state.withLock { state in
            guard let fault = state.fault, fault.operation == operation, isDatabase || !fault.isDatabaseOnly else {
                return nil
            }
            state.counts[operation, default: 0] += 1
            let count = state.counts[operation, default: 0]
            guard fault.isPersistent ? count >= fault.number : count == fault.number else { return nil }
            state.wasHit = true
            return fault
        }
    }

    // MARK: What SQLite calls

    /// The open files of all fault VFSs, by the address of SQLite's handle.
    ///
    /// Sendable because method tables are constants of SQLite.
    private struct OpenFile: @unchecked Sendable {
        let vfs: FaultVFS
        let isDatabase: Bool
        let methods: UnsafePointer<sqlite3_io_methods>
    }

    /// Addresses instead of pointers, which are not Sendable.
    private static let files = Mutex<[Int: OpenFile]>([:])

    private static func open(
        _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?,
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let context = vfs?.pointee.pAppData, let file, let system = sqlite3_vfs_find(nil) else {
            return SQLITE_CANTOPEN
        }
        let code = system.pointee.xOpen(system, path, file, flags, outFlags)
        guard code == SQLITE_OK, let methods = file.pointee.pMethods else { return code }
        let own = Unmanaged<FaultVFS>.fromOpaque(context).takeUnretainedValue()
        let isDatabase = flags & SQLITE_OPEN_MAIN_DB != 0
        self.files.withLock { $0[Int(bitPattern: file)] = OpenFile(vfs: own, isDatabase: isDatabase, methods: methods) }
        let replaced = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        replaced.initialize(to: methods.pointee)
        replaced.pointee.xWrite = { FaultVFS.write($0, $1, $2, $3) }
        replaced.pointee.xSync = { FaultVFS.sync($0, $1) }
        replaced.pointee.xClose = { FaultVFS.close($0) }
        file.pointee.pMethods = UnsafePointer(replaced)
        return SQLITE_OK
    }

    private static func opened(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile {
        guard let found = self.files.withLock({ $0[Int(bitPattern: file)] }) else { fatalError("not an open file") }
        return found
    }

    private static func write(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ bytes: UnsafeRawPointer?, _ count: Int32, _ offset: Int64
    ) -> Int32 {
        let opened = self.opened(file)
        let fault = opened.vfs.meet(.write, isDatabase: opened.isDatabase)
        if let fault, !fault.takesEffect {
            // A write that fails may have come half-way.
            _ = opened.methods.pointee.xWrite(file, bytes, count / 2, offset)
            return fault.isFull ? SQLITE_FULL : SQLITE_IOERR | (3 << 8)
        }
        let code = opened.methods.pointee.xWrite(file, bytes, count, offset)
        return fault == nil ? code : SQLITE_IOERR | (3 << 8)
    }

    private static func sync(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32) -> Int32 {
        let opened = self.opened(file)
        let fault = opened.vfs.meet(.sync, isDatabase: opened.isDatabase)
        if let fault, !fault.takesEffect { return fault.isFull ? SQLITE_FULL : SQLITE_IOERR | (4 << 8) }
        let code = opened.methods.pointee.xSync(file, flags)
        return fault == nil ? code : SQLITE_IOERR | (4 << 8)
    }

    private static func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
        let opened = self.opened(file)
        self.files.withLock { $0[Int(bitPattern: file)] = nil }
        file?.pointee.pMethods?.deallocate()
        file?.pointee.pMethods = opened.methods
        return opened.methods.pointee.xClose(file)
    }
}
