internal import CCurlShim

/// One HTTP request, ready to be sent as it is.
struct CurlRequest: Sendable {
    /// A client's certificate and key, in PEM.
    struct Identity: Sendable {
        var certificate: [UInt8]
        var key: [UInt8]
        var password: String?
    }

    struct Proxy: Sendable {
        var url: String
        var user: String?
        var password: String?
    }

    var method: String
    var url: String
    /// Complete header lines.
    var headers: [String]
    var body: HTTPContent?
    var timeout: Duration
    var connectTimeout: Duration
    var responseBytesMaximum: Int
    var headerBytesMaximum = 128 * 1024
    /// Takes the body of a success instead of memory.
    var sink: SinkBox?
    var allowsPrivateAddress = false
    /// Never sent twice: libcurl sends a request again by itself when a connection it used before turns out to be dead.
    var isSentOnce = false
    var version = HTTPVersion.auto
    var isTLS13Only = false
    var caFile: String?
    var identity: Identity?
    var proxy: Proxy?
}

/// What came back, or how far it got.
struct CurlResult: Sendable {
    var code: Int32
    var failure: jhc_failure
    var status = 0
    var headerBytes: [UInt8] = []
    var body: [UInt8] = []
    /// Bytes that went to the sink.
    var sinkBytes: Int64 = 0
    /// Bytes of the request that left; 0 means that the remote has seen nothing of it.
    var requestBytes: Int64 = 0
    var duration: Duration = .zero
    var version = 0
    var isAddressDenied = false
    var isBodyTooLarge = false
    var areHeadersTooLarge = false
    var isBomb = false
    var isSinkRefused = false
    var reusedConnection = false
    var address = ""
    var message = ""
    var isCancelled = false

    init(code: Int32) {
        self.code = code
        self.failure = jhc_failure_of(code)
    }

    /// Copies everything out of a transfer that ended, or was stopped, with `code`.
    init(code: Int32, of transfer: OpaquePointer) {
        self.init(code: code)
        var response = jhc_response()
        jhc_transfer_response(transfer, &response)
        self.status = Int(response.status)
        self.headerBytes = Array(UnsafeBufferPointer(start: response.headers, count: response.header_bytes))
        self.body = Array(UnsafeBufferPointer(start: response.body, count: response.body_bytes))
        self.sinkBytes = response.sink_bytes
        self.requestBytes = response.request_bytes
        self.duration = .microseconds(response.total_us)
        self.version = Int(response.http_version)
        self.reusedConnection = response.reused_connection != 0
        guard code != 0 else { return }
        self.isAddressDenied = response.address_denied != 0
        self.isBodyTooLarge = response.body_too_large != 0
        self.areHeadersTooLarge = response.headers_too_large != 0
        self.isBomb = response.is_bomb != 0
        self.isSinkRefused = response.sink_refused != 0
        self.address = String(cString: response.address)
        let words = String(cString: response.error)
        self.message = words.isEmpty ? String(cString: jhc_failure_text(code)) : words
    }
}

/// A sink that C can point to.
///
/// Whoever sends the request keeps it alive until the transfer ended.
final class SinkBox: Sendable {
    let sink: any HTTPBodySink
    let bytesMaximum: Int64

    init(_ sink: any HTTPBodySink, bytesMaximum: Int64) {
        self.sink = sink
        self.bytesMaximum = bytesMaximum
    }
}

extension CurlRequest {
    /// Sets up `transfer` for this request.
    ///
    /// Returns a CURLcode.
    func prepare(_ transfer: OpaquePointer, userAgent: String) -> Int32 {
        var request = jhc_request()
        request.timeout_ms = Int(max(1, self.timeout.wholeMilliseconds))
        request.connect_timeout_ms = Int(max(1, self.connectTimeout.wholeMilliseconds))
        request.response_bytes_max = Int64(self.responseBytesMaximum)
        request.header_bytes_max = self.headerBytesMaximum
        request.allow_private = self.allowsPrivateAddress ? 1 : 0
        request.once = self.isSentOnce ? 1 : 0
        request.tls13_only = self.isTLS13Only ? 1 : 0
        request.http_version = self.version.word
        if let sink = self.sink {
            request.sink = curlSink
            request.sink_context = Unmanaged.passUnretained(sink).toOpaque()
            request.sink_bytes_max = sink.bytesMaximum
        }
        var texts = TextPool()
        let method = texts.add(self.method)
        let url = texts.add(self.url)
        let agent = texts.add(userAgent)
        let caFile = self.caFile.map { texts.add($0) }
        let keyPassword = self.identity?.password.map { texts.add($0) }
        let proxy = self.proxy.map { texts.add($0.url) }
        let proxyUser = self.proxy?.user.map { texts.add($0) }
        let proxyPassword = self.proxy?.password.map { texts.add($0) }
        let lines = self.headers.map { texts.add($0) }
        return texts.withCStrings { pool in
            guard let start = pool.baseAddress else { return 27 }
            request.method = start + method
            request.url = start + url
            request.user_agent = start + agent
            request.ca_file = caFile.map { start + $0 }
            request.key_password = keyPassword.map { start + $0 }
            request.proxy = proxy.map { start + $0 }
            request.proxy_user = proxyUser.map { start + $0 }
            request.proxy_password = proxyPassword.map { start + $0 }
            let pointers: [UnsafePointer<CChar>?] = lines.map { start + $0 }
            return pointers.withUnsafeBufferPointer { headers in
                request.headers = headers.baseAddress
                request.header_count = headers.count
                return self.prepareBytes(transfer, &request)
            }
        }
    }

    private func prepareBytes(_ transfer: OpaquePointer, _ request: inout jhc_request) -> Int32 {
        let memory = self.body?.memory ?? []
        return memory.withUnsafeBufferPointer { bytes in
            let parts = self.body?.cParts(bytes) ?? []
            request.has_body = self.body == nil ? 0 : 1
            return parts.withUnsafeBufferPointer { parts in
                request.body = parts.baseAddress
                request.body_parts = parts.count
                guard let identity = self.identity else { return jhc_transfer_prepare(transfer, &request) }
                return identity.certificate.withUnsafeBufferPointer { certificate in
                    identity.key.withUnsafeBufferPointer { key in
                        request.certificate = jhc_bytes(bytes: certificate.baseAddress, count: certificate.count)
                        request.key = jhc_bytes(bytes: key.baseAddress, count: key.count)
                        return jhc_transfer_prepare(transfer, &request)
                    }
                }
            }
        }
    }
}

/// Texts as C strings in one buffer, so that one closure keeps them all alive.
private struct TextPool {
    private var bytes: [UInt8] = []

    init() { self.bytes.reserveCapacity(1_024) }

    /// Where the text begins.
    mutating func add(_ text: String) -> Int {
        let start = self.bytes.count
        self.bytes.append(contentsOf: text.utf8)
        self.bytes.append(0)
        return start
    }

    func withCStrings<Result>(_ body: (UnsafeBufferPointer<CChar>) -> Result) -> Result {
        self.bytes.withUnsafeBytes { $0.withMemoryRebound(to: CChar.self, body) }
    }
}

/// The sink's function.
///
/// A name, because C takes no method.
private func curlSink(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let context else { return 0 }
    let box = Unmanaged<SinkBox>.fromOpaque(context).takeUnretainedValue()
    return box.sink.write(UnsafeRawBufferPointer(start: bytes, count: count)) ? 1 : 0
}

extension HTTPVersion {
    fileprivate var word: jhc_http_version {
        switch self {
        case .auto: JHC_HTTP_AUTO
        case .http1: JHC_HTTP_1
        case .http2: JHC_HTTP_2
        }
    }
}

extension Duration {
    /// Length in milliseconds, rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
