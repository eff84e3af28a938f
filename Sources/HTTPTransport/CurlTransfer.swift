internal import CCurlShim

/// One HTTP request, ready to be sent as it is.
struct CurlRequest: Sendable {
    var method: String
    var url: String
    /// Complete header lines.
    var headers: [String]
    var body: [UInt8]?
    var timeout: Duration
    var connectTimeout: Duration
    var responseBytesMaximum: Int
    var headerBytesMaximum = 128 * 1024
    var allowsPrivateAddress = false
    /// Never over a used connection: libcurl sends a request again by itself when a used one turns out to be dead.
    var needsFreshConnection = false
    var caFile: String?
}

/// What came back, or how far it got.
struct CurlResult: Sendable {
    var code: Int32
    var failure: jhc_failure
    var status = 0
    var headerBytes: [UInt8] = []
    var body: [UInt8] = []
    /// Bytes of the request that left; 0 means that the remote has seen nothing of it.
    var requestBytes: Int64 = 0
    var duration: Duration = .zero
    var version = 0
    var isAddressDenied = false
    var isBodyTooLarge = false
    var areHeadersTooLarge = false
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
        self.requestBytes = response.request_bytes
        self.duration = .microseconds(response.total_us)
        self.version = Int(response.http_version)
        self.isAddressDenied = response.address_denied != 0
        self.isBodyTooLarge = response.body_too_large != 0
        self.areHeadersTooLarge = response.headers_too_large != 0
        self.reusedConnection = response.reused_connection != 0
        self.address = String(cString: response.address)
        let words = String(cString: response.error)
        self.message = words.isEmpty && code != 0 ? String(cString: jhc_failure_text(code)) : words
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
        request.fresh_connection = self.needsFreshConnection ? 1 : 0
        // All texts in one buffer of C strings, so that one closure keeps them all alive.
        var texts = [self.method, self.url, userAgent, self.caFile ?? ""]
        texts += self.headers
        var bytes: [CChar] = []
        var offsets: [Int] = []
        for text in texts {
            offsets.append(bytes.count)
            bytes.append(contentsOf: text.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
        return bytes.withUnsafeBufferPointer { pool in
            guard let start = pool.baseAddress else { return 27 }
            request.method = start + offsets[0]
            request.url = start + offsets[1]
            request.user_agent = start + offsets[2]
            request.ca_file = self.caFile == nil ? nil : start + offsets[3]
            let lines: [UnsafePointer<CChar>?] = offsets[4...].map { start + $0 }
            return lines.withUnsafeBufferPointer { headers in
                request.headers = headers.baseAddress
                request.header_count = headers.count
                guard let body = self.body else { return jhc_transfer_prepare(transfer, &request) }
                return body.withUnsafeBufferPointer { content in
                    // An empty array has no address, and NULL means that there is no body at all.
                    let empty: UInt8 = 0
                    return withUnsafePointer(to: empty) { none in
                        request.body = content.baseAddress ?? none
                        request.body_bytes = content.count
                        return jhc_transfer_prepare(transfer, &request)
                    }
                }
            }
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
