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

// What a transfer asks for. Everything is copied by `jhc_transfer_prepare`.
typedef struct {
    const char *method;
    const char *url;
    const char *const *headers;         // complete lines, `Name: value`
    size_t header_count;
    const uint8_t *body;                // NULL: no body
    size_t body_bytes;
    long timeout_ms;
    long connect_timeout_ms;
    int64_t response_bytes_max;         // counted after decompression
    size_t header_bytes_max;
    int allow_private;                  // nonzero: do not check the address
    int fresh_connection;               // nonzero: never reuse one, so that libcurl never resends by itself
    const char *ca_file;                // NULL: the system's
    const char *user_agent;
} jhc_request;

// What became of it. Pointers stay valid until the transfer is destroyed.
typedef struct {
    long status;
    const uint8_t *headers;             // raw header lines of the final response, without the status line
    size_t header_bytes;
    const uint8_t *body;
    size_t body_bytes;
    int64_t request_bytes;              // bytes of request sent; 0: the remote has seen nothing
    int64_t total_us;
    int http_version;                   // 10, 11, 20, 30, or 0
    int address_denied;                 // nonzero: the resolved address was private
    int body_too_large;
    int headers_too_large;
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
