#pragma once

// HTTP transfers over libcurl's multi interface, without libcurl's variadic functions.
//
// One `jhc_multi` belongs to one thread; only `jhc_multi_wakeup` may be called from others. Results are plain ints:
// 0 is success, anything else a CURLcode or CURLMcode as the function says. No function keeps a pointer it was given
// unless it says so.

#include <stddef.h>
#include <stdint.h>

typedef struct jhc_multi jhc_multi;
typedef struct jhc_transfer jhc_transfer;

// One part of a request body: bytes, or a stretch of an open file.
typedef struct {
    const uint8_t *bytes;               // NULL: the file
    int file;                           // a descriptor; read with pread, so that it has no position of its own
    int64_t offset;
    int64_t count;
} jhc_part;

// Takes bytes of a response; returns 0 to refuse them, which ends the transfer.
typedef int (*jhc_sink)(void *context, const uint8_t *bytes, size_t count);

// Which version of HTTP is spoken.
typedef enum {
    JHC_HTTP_AUTO = 0,                  // HTTP/2 where TLS agrees on it, else HTTP/1.1
    JHC_HTTP_1,
    JHC_HTTP_2,                         // HTTP/2 at once, also without TLS
} jhc_http_version;

// Bytes that stay in memory; NULL when absent.
typedef struct {
    const uint8_t *bytes;
    size_t count;
} jhc_bytes;

// What a transfer asks for. `jhc_transfer_prepare` copies everything but files, which it duplicates, and the sink, which
// must outlive the transfer.
typedef struct {
    const char *method;
    const char *url;
    const char *const *headers;         // complete lines, `Name: value`
    size_t header_count;
    const jhc_part *body;
    size_t body_parts;
    int has_body;                       // nonzero with no parts: an empty body
    long timeout_ms;
    long connect_timeout_ms;
    int64_t response_bytes_max;         // in memory, counted after decompression
    size_t header_bytes_max;
    jhc_sink sink;                      // NULL: everything goes to memory; else what a status of 200 to 299 brings
    void *sink_context;
    int64_t sink_bytes_max;
    int allow_private;                  // nonzero: do not check the address
    int once;                           // nonzero: libcurl must never send it again by itself
    jhc_http_version http_version;
    int tls13_only;                     // nonzero: at least TLS 1.3; else at least 1.2
    const char *ca_file;                // NULL: the system's
    jhc_bytes certificate;              // PEM, with the chain
    jhc_bytes key;                      // PEM
    const char *key_password;           // NULL: none
    const char *proxy;                  // NULL: none
    const char *proxy_user;             // NULL: none
    const char *proxy_password;
    const char *user_agent;
} jhc_request;

// What became of it. Pointers stay valid until the transfer is destroyed.
typedef struct {
    long status;
    const uint8_t *headers;             // raw header lines of the final response, without the status line
    size_t header_bytes;
    const uint8_t *body;
    size_t body_bytes;
    int64_t sink_bytes;                 // given to the sink
    int64_t request_bytes;              // bytes of request sent; 0: the remote has seen nothing
    int64_t total_us;
    int http_version;                   // 10, 11, 20, 30, or 0
    int address_denied;                 // nonzero: the resolved address was private
    int body_too_large;
    int headers_too_large;
    int is_bomb;                        // nonzero: the body grew beyond reason when decompressed
    int sink_refused;
    int reused_connection;
    const char *address;                // the remote's, "" when there was no connection
    const char *error;                  // libcurl's words, "" when it has none
} jhc_response;

// What a CURLcode means for a caller.
typedef enum {
    JHC_OK = 0,
    JHC_MALFORMED_URL,
    JHC_UNRESOLVED,
    JHC_UNREACHABLE,
    JHC_TIMEOUT,
    JHC_UNTRUSTED,
    JHC_TLS,
    JHC_INTERRUPTED,
    JHC_TOO_LARGE,
    JHC_REFUSED_RESPONSE,
    JHC_OTHER,
} jhc_failure;

// Parts of a URL, each NULL when absent. Free with `jhc_url_free`.
typedef struct {
    char *scheme;
    char *user;
    char *host;
    char *port;                         // the scheme's default when the URL has none
    char *path;
    char *query;
    char *fragment;
    char *whole;
} jhc_url;

// Once per process, before anything else; safe to call again and from any thread. Returns a CURLcode.
int jhc_global_init(void);
const char *jhc_version(void);
int jhc_has_http2(void);

jhc_multi *jhc_multi_create(long host_connections_max, long connections_max);
void jhc_multi_destroy(jhc_multi *multi);
int jhc_multi_wakeup(jhc_multi *multi);
int jhc_multi_add(jhc_multi *multi, jhc_transfer *transfer);
void jhc_multi_remove(jhc_multi *multi, jhc_transfer *transfer);
// Moves all transfers on. Returns a CURLMcode.
int jhc_multi_perform(jhc_multi *multi, int *running);
// Waits for sockets, a wake-up or the timeout. Returns a CURLMcode.
int jhc_multi_poll(jhc_multi *multi, int timeout_ms);
// The next transfer that ended, taken out of the multi, or NULL.
jhc_transfer *jhc_multi_next_done(jhc_multi *multi, int *result);

jhc_transfer *jhc_transfer_create(void);
void jhc_transfer_destroy(jhc_transfer *transfer);
// Sets up the request, once: a transfer serves one request. Open connections are kept by the multi, not by transfers,
// and libcurl up to 8.0 crashes when a handle that was used before gets a response that begins with a folded header line
// (it unfolds into a header of the response before, which is gone). Returns a CURLcode.
int jhc_transfer_prepare(jhc_transfer *transfer, const jhc_request *request);
void jhc_transfer_response(jhc_transfer *transfer, jhc_response *response);
// A number of the caller's own.
void jhc_transfer_set_tag(jhc_transfer *transfer, uint64_t tag);
uint64_t jhc_transfer_tag(const jhc_transfer *transfer);

jhc_failure jhc_failure_of(int curl_code);
const char *jhc_failure_text(int curl_code);

// Whether a connection to this address is refused unless private addresses are allowed: loopback, link-local, private,
// shared, documentation, multicast and reserved ranges, also inside IPv6 forms that carry an IPv4 address.
// Text that is no address counts as denied.
int jhc_address_is_denied(const char *text);

// Parses a URL, relative to `base` when that is not NULL. Returns 0, or a CURLUcode.
int jhc_url_parse(const char *base, const char *text, jhc_url *url);
void jhc_url_free(jhc_url *url);

// Unix seconds of an HTTP date, or -1.
int64_t jhc_parse_date(const char *text);
