/// How a SQLite file of the embedded store is opened.
///
/// The defaults are measured; see docs/performance.md.
public struct SQLiteOptions: Sendable {
    /// Bytes per page of a new file; an existing file keeps its own.
    public var pageBytes: Int
    /// Bytes of pages the writing connection keeps in memory.
    public var writerCacheBytes: Int
    /// Bytes of pages each reading connection keeps in memory.
    public var readerCacheBytes: Int
    /// Bytes the write-ahead log may reach before it is copied into the file in the background.
    public var walBytes: Int
    /// Most pages the file may have; nil is SQLite's own limit.
    ///
    /// A full file behaves as a full disk.
    public var pageCountMaximum: Int?
    /// A registered SQLite VFS; nil is the operating system's.
    ///
    /// For fault injection.
    public var vfs: String?

    /// Creates options.
    public init(
        pageBytes: Int = 4096, writerCacheBytes: Int = 64 << 20, readerCacheBytes: Int = 16 << 20,
        walBytes: Int = 8 << 20, pageCountMaximum: Int? = nil, vfs: String? = nil
    ) {
        self.pageBytes = pageBytes
        self.writerCacheBytes = writerCacheBytes
        self.readerCacheBytes = readerCacheBytes
        self.walBytes = walBytes
        self.pageCountMaximum = pageCountMaximum
        self.vfs = vfs
    }
}

extension SQLiteConnection {
    /// Opens the writing connection of a file in WAL mode; `synchronous` is FULL or NORMAL.
    static func writer(
        path: String, synchronous: String, options: SQLiteOptions
    ) throws(StoreError) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, access: .readWrite, vfs: options.vfs)
        // Debian's SQLite overwrites deleted content with zeros unless told otherwise, which doubles what trimming writes.
        try connection.execute(
            """
            PRAGMA page_size = \(options.pageBytes);
            PRAGMA auto_vacuum = NONE;
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = \(synchronous);
            PRAGMA wal_autocheckpoint = 0;
            PRAGMA journal_size_limit = \(options.walBytes * 4);
            PRAGMA secure_delete = OFF;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -\(options.writerCacheBytes / 1024);
            """)
        if let pages = options.pageCountMaximum { try connection.execute("PRAGMA max_page_count = \(pages)") }
        return connection
    }

    /// Opens a reading connection of a file that a writer has open.
    static func reader(path: String, options: SQLiteOptions) throws(StoreError) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, access: .readOnly, vfs: options.vfs)
        try connection.execute(
            """
            PRAGMA query_only = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -\(options.readerCacheBytes / 1024);
            """)
        return connection
    }
}
