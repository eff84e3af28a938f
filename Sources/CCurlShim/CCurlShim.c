#include "CCurlShim.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    uint8_t *bytes;
    size_t count;
    size_t capacity;
} buffer;

struct jhc_multi {
    CURLM *handle;
};

typedef struct {
    size_t start;                       // where its bytes begin in `request_body`
    int file;                           // -1: bytes
    int64_t offset;
    int64_t count;
} part;

struct jhc_transfer {
    CURL *handle;
    struct curl_slist *headers;
    uint8_t *request_body;
    part *parts;
    size_t part_count;
    size_t part_index;                  // where reading goes on
    int64_t part_position;
    buffer response_headers;
    buffer response_body;
    size_t response_bytes_max;
    size_t header_bytes_max;
    size_t header_bytes_seen;           // interim responses included
    jhc_sink sink;
    void *sink_context;
    int64_t sink_bytes_max;
    int64_t sink_bytes;
    int once;
    int has_read;                       // whether anything of the body was given out
    int allow_private;
    int address_denied;
    int body_too_large;
    int headers_too_large;
    int is_bomb;
    int sink_refused;
    uint64_t tag;
    char error[CURL_ERROR_SIZE];
};

// MARK: - Process

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static CURLcode init_result;

static void initialise(void) {
    init_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int jhc_global_init(void) {
    pthread_once(&init_once, initialise);
    return (int)init_result;
}

const char *jhc_version(void) {
    return curl_version();
}

int jhc_has_http2(void) {
    return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) != 0;
}

// MARK: - Buffers

static int buffer_append(buffer *buffer, const void *bytes, size_t count) {
    if (count > buffer->capacity - buffer->count) {
        size_t capacity = buffer->capacity ? buffer->capacity : 4096;
        while (capacity - buffer->count < count) {
            if (capacity > SIZE_MAX / 2) return 0;
            capacity *= 2;
        }
        uint8_t *grown = realloc(buffer->bytes, capacity);
        if (!grown) return 0;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
    return 1;
}

// MARK: - Addresses

static int ipv4_is_denied(uint32_t address) {
    static const struct { uint32_t network; int bits; } ranges[] = {
        {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
        {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
        {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint32_t mask = ~(uint32_t)0 << (32 - ranges[i].bits);
        if ((address & mask) == ranges[i].network) return 1;
    }
    return 0;
}

static uint32_t big_endian_32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int ipv6_is_denied(const uint8_t *a) {
    static const uint8_t zeros[16];
    static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
    if (memcmp(a, zeros, 10) == 0 && a[10] == 0xFF && a[11] == 0xFF) return ipv4_is_denied(big_endian_32(a + 12));
    if (memcmp(a, zeros, 12) == 0) return 1;                                // ::, ::1, IPv4-compatible
    if (memcmp(a, nat64, 12) == 0) return ipv4_is_denied(big_endian_32(a + 12));
    if (a[0] == 0x20 && a[1] == 0x02) return ipv4_is_denied(big_endian_32(a + 2));  // 6to4
    if ((a[0] & 0xE0) != 0x20) return 1;                                    // nothing outside 2000::/3 is public
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] <= 0x01) return 1;             // Teredo, benchmarks, ORCHID, …
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8) return 1;     // documentation
    if (a[0] == 0x3F && a[1] == 0xFF && (a[2] & 0xF0) == 0) return 1;               // documentation
    return 0;
}

static int address_is_denied(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return ipv4_is_denied(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        return ipv6_is_denied(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    }
    return 1;
}

int jhc_address_is_denied(const char *text) {
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1) return ipv4_is_denied(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, text, &v6) == 1) return ipv6_is_denied(v6.s6_addr);
    return 1;
}

// MARK: - Callbacks

// Beyond the first MiB, a body may be this many times as large as what came over the wire. Text rarely reaches 50,
// zeros in gzip 1,032.
enum { RATIO_MAX = 100, RATIO_FREE_BYTES = 1 << 20, WIRE_BUFFER_BYTES = 16 * 1024 };

// libcurl counts a piece of the wire only after it gave us what was in it, so one buffer is granted.
static int grew_beyond_reason(jhc_transfer *transfer, int64_t count) {
    if (count <= RATIO_FREE_BYTES) return 0;
    curl_off_t wire = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_SIZE_DOWNLOAD_T, &wire);
    return count / RATIO_MAX > wire + WIRE_BUFFER_BYTES;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    jhc_transfer *transfer = context;
    size_t total = size * count;
    long status = 0;
    if (transfer->sink) curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    int streams = status >= 200 && status < 300;
    int64_t before = streams ? transfer->sink_bytes : (int64_t)transfer->response_body.count;
    int64_t limit = streams ? transfer->sink_bytes_max : (int64_t)transfer->response_bytes_max;
    if ((int64_t)total > limit - before) {
        transfer->body_too_large = 1;
        return CURL_WRITEFUNC_ERROR;
    }
    if (grew_beyond_reason(transfer, before + (int64_t)total)) {
        transfer->body_too_large = transfer->is_bomb = 1;
        return CURL_WRITEFUNC_ERROR;
    }
    if (!streams) return buffer_append(&transfer->response_body, bytes, total) ? total : CURL_WRITEFUNC_ERROR;
    if (!transfer->sink(transfer->sink_context, (const uint8_t *)bytes, total)) {
        transfer->sink_refused = 1;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer->sink_bytes += (int64_t)total;
    return total;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
    jhc_transfer *transfer = context;
    size_t total = size * count;
    if (total > transfer->header_bytes_max - transfer->header_bytes_seen) {
        transfer->headers_too_large = 1;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer->header_bytes_seen += total;
    if (total >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        // A new response: what came before was an interim one.
        transfer->response_headers.count = 0;
        return total;
    }
    return buffer_append(&transfer->response_headers, bytes, total) ? total : CURL_WRITEFUNC_ERROR;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *context) {
    jhc_transfer *transfer = context;
    size_t room = size * count;
    size_t filled = 0;
    transfer->has_read = 1;
    while (filled < room && transfer->part_index < transfer->part_count) {
        const part *part = &transfer->parts[transfer->part_index];
        int64_t left = part->count - transfer->part_position;
        size_t wanted = left < (int64_t)(room - filled) ? (size_t)left : room - filled;
        if (wanted == 0) {
            transfer->part_index++;
            transfer->part_position = 0;
            continue;
        }
        if (part->file < 0) {
            memcpy(bytes + filled, transfer->request_body + part->start + transfer->part_position, wanted);
        } else {
            ssize_t got = pread(part->file, bytes + filled, wanted, part->offset + transfer->part_position);
            // Shorter than it was: the length is promised already.
            if (got <= 0) return CURL_READFUNC_ABORT;
            wanted = (size_t)got;
        }
        filled += wanted;
        transfer->part_position += (int64_t)wanted;
    }
    return filled;
}

// libcurl goes back to the start when a connection it reused was dead.
static int on_seek(void *context, curl_off_t offset, int origin) {
    jhc_transfer *transfer = context;
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
    // What may have arrived must not be sent a second time.
    if (transfer->once && transfer->has_read) return CURL_SEEKFUNC_FAIL;
    transfer->part_index = 0;
    transfer->part_position = offset;
    while (transfer->part_index < transfer->part_count
           && transfer->part_position > transfer->parts[transfer->part_index].count) {
        transfer->part_position -= transfer->parts[transfer->part_index].count;
        transfer->part_index++;
    }
    return CURL_SEEKFUNC_OK;
}

// Before a socket is made: nothing is sent to a private address, not even a SYN.
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    jhc_transfer *transfer = context;
    if (purpose == CURLSOCKTYPE_IPCXN && !transfer->allow_private && address_is_denied(&address->addr)) {
        transfer->address_denied = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Before a request is sent, also over a connection that another request opened.
static int on_request(void *context, char *address, char *local, int port, int local_port) {
    jhc_transfer *transfer = context;
    (void)local;
    (void)port;
    (void)local_port;
    if (transfer->allow_private || !jhc_address_is_denied(address)) return CURL_PREREQFUNC_OK;
    transfer->address_denied = 1;
    return CURL_PREREQFUNC_ABORT;
}

// MARK: - Transfers

jhc_transfer *jhc_transfer_create(void) {
    jhc_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) return NULL;
    transfer->handle = curl_easy_init();
    if (!transfer->handle) {
        free(transfer);
        return NULL;
    }
    return transfer;
}

void jhc_transfer_destroy(jhc_transfer *transfer) {
    if (!transfer) return;
    curl_easy_cleanup(transfer->handle);
    curl_slist_free_all(transfer->headers);
    for (size_t i = 0; i < transfer->part_count; i++) {
        if (transfer->parts[i].file >= 0) close(transfer->parts[i].file);
    }
    free(transfer->parts);
    free(transfer->request_body);
    free(transfer->response_headers.bytes);
    free(transfer->response_body.bytes);
    free(transfer);
}

void jhc_transfer_set_tag(jhc_transfer *transfer, uint64_t tag) {
    transfer->tag = tag;
}

uint64_t jhc_transfer_tag(const jhc_transfer *transfer) {
    return transfer->tag;
}

#define SET(option, value)                                                  \
    do {                                                                    \
        CURLcode code = curl_easy_setopt(transfer->handle, option, value);  \
        if (code != CURLE_OK) return (int)code;                             \
    } while (0)

// The least libcurl takes; its own 64 KiB are for large bodies.
enum { UPLOAD_BUFFER_BYTES_MIN = 16 * 1024 };

// Copies the parts. Returns the length of the body, or -1.
static int64_t copy_body(jhc_transfer *transfer, const jhc_request *request) {
    size_t bytes = 0;
    int64_t total = 0;
    for (size_t i = 0; i < request->body_parts; i++) {
        if (request->body[i].bytes) bytes += (size_t)request->body[i].count;
        total += request->body[i].count;
    }
    transfer->request_body = malloc(bytes ? bytes : 1);
    transfer->parts = calloc(request->body_parts ? request->body_parts : 1, sizeof *transfer->parts);
    if (!transfer->request_body || !transfer->parts) return -1;
    bytes = 0;
    for (size_t i = 0; i < request->body_parts; i++) {
        const jhc_part *given = &request->body[i];
        part *part = &transfer->parts[i];
        part->file = -1;
        part->count = given->count;
        transfer->part_count = i + 1;
        if (given->bytes) {
            memcpy(transfer->request_body + bytes, given->bytes, (size_t)given->count);
            part->start = bytes;
            bytes += (size_t)given->count;
        } else {
            part->offset = given->offset;
            part->file = fcntl(given->file, F_DUPFD_CLOEXEC, 0);
            if (part->file < 0) return -1;
        }
    }
    return total;
}

// libcurl sends a request again by itself when a connection it used before turns out to be dead. A body it cannot go back
// to the start of keeps it from that, unless nothing of the body was sent, which harms nothing. Without a body only a new
// connection does. A connection that rested for long is the likeliest to be dead, so it is not used at all.
static int prepare_once(jhc_transfer *transfer) {
    int has_body = 0;
    for (size_t i = 0; i < transfer->part_count; i++) has_body |= transfer->parts[i].count > 0;
    if (has_body) {
        SET(CURLOPT_MAXAGE_CONN, 2L);
    } else {
        SET(CURLOPT_FRESH_CONNECT, 1L);
    }
    return 0;
}

static int prepare_method(jhc_transfer *transfer, const jhc_request *request) {
    if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return 0;
    }
    int is_post = strcmp(request->method, "POST") == 0;
    if (request->has_body || is_post) {
        int64_t total = copy_body(transfer, request);
        if (total < 0) return CURLE_OUT_OF_MEMORY;
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)total);
        int is_memory = transfer->part_count == 0 || (transfer->part_count == 1 && transfer->parts[0].file < 0);
        if (is_memory && !(transfer->once && total > 0)) {
            SET(CURLOPT_POSTFIELDS, transfer->request_body);
        } else {
            if (total <= UPLOAD_BUFFER_BYTES_MIN) SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES_MIN);
            SET(CURLOPT_READFUNCTION, on_read);
            SET(CURLOPT_READDATA, transfer);
            SET(CURLOPT_SEEKFUNCTION, on_seek);
            SET(CURLOPT_SEEKDATA, transfer);
        }
    }
    if (!is_post && (request->has_body || strcmp(request->method, "GET") != 0)) {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
    return 0;
}

static int prepare_tls(jhc_transfer *transfer, const jhc_request *request) {
    // Without certificate checks there is no TLS worth the name, so there is no option for that.
    long version = request->tls13_only ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
    SET(CURLOPT_SSLVERSION, version);
    SET(CURLOPT_PROXY_SSLVERSION, version);
    if (request->ca_file) {
        SET(CURLOPT_CAINFO, request->ca_file);
        SET(CURLOPT_PROXY_CAINFO, request->ca_file);
    }
    if (request->certificate.bytes) {
        struct curl_blob blob = {(void *)request->certificate.bytes, request->certificate.count, CURL_BLOB_COPY};
        SET(CURLOPT_SSLCERT_BLOB, &blob);
    }
    if (request->key.bytes) {
        struct curl_blob blob = {(void *)request->key.bytes, request->key.count, CURL_BLOB_COPY};
        SET(CURLOPT_SSLKEY_BLOB, &blob);
    }
    if (request->key_password) SET(CURLOPT_KEYPASSWD, request->key_password);
    return 0;
}

static int prepare_proxy(jhc_transfer *transfer, const jhc_request *request) {
    // Proxies named by the environment would bypass the address check; so would its list of exceptions.
    SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    if (!request->proxy) return 0;
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (request->proxy_user) {
        SET(CURLOPT_PROXYUSERNAME, request->proxy_user);
        SET(CURLOPT_PROXYPASSWORD, request->proxy_password ? request->proxy_password : "");
    }
    return 0;
}

static int prepare_version(jhc_transfer *transfer, const jhc_request *request) {
    switch (request->http_version) {
    case JHC_HTTP_1: SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); break;
    case JHC_HTTP_2: SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE); break;
    default: SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS); break;
    }
    // Rather a stream of a connection that is being opened than a connection more.
    if (request->http_version != JHC_HTTP_1) SET(CURLOPT_PIPEWAIT, 1L);
    return 0;
}

static int prepare_headers(jhc_transfer *transfer, const jhc_request *request) {
    // libcurl would wait for `100 Continue`, and would name a content type of its own.
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    int has_content_type = 0;
    for (size_t i = 0; list && i < request->header_count; i++) {
        has_content_type |= strncasecmp(request->headers[i], "content-type:", 13) == 0;
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (!longer) curl_slist_free_all(list);
        list = longer;
    }
    if (list && !has_content_type) {
        struct curl_slist *longer = curl_slist_append(list, "Content-Type:");
        if (!longer) curl_slist_free_all(list);
        list = longer;
    }
    if (!list) return CURLE_OUT_OF_MEMORY;
    transfer->headers = list;
    SET(CURLOPT_HTTPHEADER, list);
    return 0;
}

int jhc_transfer_prepare(jhc_transfer *transfer, const jhc_request *request) {
    transfer->response_bytes_max = (size_t)request->response_bytes_max;
    transfer->header_bytes_max = request->header_bytes_max;
    transfer->allow_private = request->allow_private;
    transfer->once = request->once;
    transfer->sink = request->sink;
    transfer->sink_context = request->sink_context;
    transfer->sink_bytes_max = request->sink_bytes_max;

    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->timeout_ms);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(request->sink ? request->sink_bytes_max : request->response_bytes_max));
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_TCP_NODELAY, 1L);
    // So that changes of DNS take effect.
    SET(CURLOPT_MAXAGE_CONN, 60L);
    SET(CURLOPT_MAXLIFETIME_CONN, 600L);
    SET(CURLOPT_USERAGENT, request->user_agent);

    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, transfer);

    int result = prepare_tls(transfer, request);
    if (!result) result = prepare_proxy(transfer, request);
    if (!result) result = prepare_version(transfer, request);
    if (!result) result = prepare_method(transfer, request);
    if (!result && request->once) result = prepare_once(transfer);
    return result ? result : prepare_headers(transfer, request);
}

void jhc_transfer_response(jhc_transfer *transfer, jhc_response *response) {
    memset(response, 0, sizeof *response);
    CURL *handle = transfer->handle;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response->status);
    response->headers = transfer->response_headers.bytes;
    response->header_bytes = transfer->response_headers.count;
    response->body = transfer->response_body.bytes;
    response->body_bytes = transfer->response_body.count;
    long request_bytes = 0;
    curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &request_bytes);
    response->request_bytes = request_bytes;
    curl_off_t total = 0;
    curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME_T, &total);
    response->total_us = total;
    long version = 0;
    curl_easy_getinfo(handle, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0: response->http_version = 10; break;
    case CURL_HTTP_VERSION_1_1: response->http_version = 11; break;
    case CURL_HTTP_VERSION_2_0: response->http_version = 20; break;
    case CURL_HTTP_VERSION_3: response->http_version = 30; break;
    default: break;
    }
    long opened = 0;
    curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &opened);
    response->reused_connection = response->status != 0 && opened == 0;
    char *address = NULL;
    curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &address);
    response->address = address ? address : "";
    response->error = transfer->error;
    response->address_denied = transfer->address_denied;
    response->body_too_large = transfer->body_too_large;
    response->headers_too_large = transfer->headers_too_large;
    response->is_bomb = transfer->is_bomb;
    response->sink_refused = transfer->sink_refused;
    response->sink_bytes = transfer->sink_bytes;
}

// MARK: - Multi

jhc_multi *jhc_multi_create(long host_connections_max, long connections_max) {
    jhc_multi *multi = calloc(1, sizeof *multi);
    if (!multi) return NULL;
    multi->handle = curl_multi_init();
    if (!multi->handle) {
        free(multi);
        return NULL;
    }
    curl_multi_setopt(multi->handle, CURLMOPT_MAX_HOST_CONNECTIONS, host_connections_max);
    curl_multi_setopt(multi->handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, connections_max);
    return multi;
}

void jhc_multi_destroy(jhc_multi *multi) {
    if (!multi) return;
    curl_multi_cleanup(multi->handle);
    free(multi);
}

int jhc_multi_wakeup(jhc_multi *multi) {
    return (int)curl_multi_wakeup(multi->handle);
}

int jhc_multi_add(jhc_multi *multi, jhc_transfer *transfer) {
    return (int)curl_multi_add_handle(multi->handle, transfer->handle);
}

void jhc_multi_remove(jhc_multi *multi, jhc_transfer *transfer) {
    curl_multi_remove_handle(multi->handle, transfer->handle);
}

int jhc_multi_perform(jhc_multi *multi, int *running) {
    return (int)curl_multi_perform(multi->handle, running);
}

int jhc_multi_poll(jhc_multi *multi, int timeout_ms) {
    return (int)curl_multi_poll(multi->handle, NULL, 0, timeout_ms, NULL);
}

jhc_transfer *jhc_multi_next_done(jhc_multi *multi, int *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi->handle, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL *handle = message->easy_handle;
        *result = (int)message->data.result;
        char *transfer = NULL;
        curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
        curl_multi_remove_handle(multi->handle, handle);
        return (jhc_transfer *)transfer;
    }
    return NULL;
}

// MARK: - Failures

jhc_failure jhc_failure_of(int curl_code) {
    switch ((CURLcode)curl_code) {
    case CURLE_OK: return JHC_OK;
    case CURLE_URL_MALFORMAT: return JHC_MALFORMED_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return JHC_UNRESOLVED;
    case CURLE_PROXY:
    case CURLE_COULDNT_CONNECT: return JHC_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT: return JHC_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return JHC_UNTRUSTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CIPHER: return JHC_TLS;
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return JHC_INTERRUPTED;
    case CURLE_FILESIZE_EXCEEDED: return JHC_TOO_LARGE;
    // The first two are also what libcurl calls an answer without a status line (HTTP/0.9), and one that begins with a
    // folded header.
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return JHC_REFUSED_RESPONSE;
    default: return JHC_OTHER;
    }
}

const char *jhc_failure_text(int curl_code) {
    return curl_easy_strerror((CURLcode)curl_code);
}

// MARK: - URLs and dates

int jhc_url_parse(const char *base, const char *text, jhc_url *url) {
    memset(url, 0, sizeof *url);
    CURLU *handle = curl_url();
    if (!handle) return CURLUE_OUT_OF_MEMORY;
    CURLUcode code = CURLUE_OK;
    if (base) code = curl_url_set(handle, CURLUPART_URL, base, 0);
    if (code == CURLUE_OK) code = curl_url_set(handle, CURLUPART_URL, text, 0);
    if (code == CURLUE_OK) code = curl_url_get(handle, CURLUPART_SCHEME, &url->scheme, 0);
    if (code == CURLUE_OK) code = curl_url_get(handle, CURLUPART_HOST, &url->host, 0);
    if (code == CURLUE_OK) code = curl_url_get(handle, CURLUPART_PORT, &url->port, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK) code = curl_url_get(handle, CURLUPART_PATH, &url->path, 0);
    if (code == CURLUE_OK) code = curl_url_get(handle, CURLUPART_URL, &url->whole, 0);
    if (code == CURLUE_OK) {
        // These may be absent.
        curl_url_get(handle, CURLUPART_USER, &url->user, 0);
        curl_url_get(handle, CURLUPART_QUERY, &url->query, 0);
        curl_url_get(handle, CURLUPART_FRAGMENT, &url->fragment, 0);
    } else {
        jhc_url_free(url);
    }
    curl_url_cleanup(handle);
    return (int)code;
}

void jhc_url_free(jhc_url *url) {
    curl_free(url->scheme);
    curl_free(url->user);
    curl_free(url->host);
    curl_free(url->port);
    curl_free(url->path);
    curl_free(url->query);
    curl_free(url->fragment);
    curl_free(url->whole);
    memset(url, 0, sizeof *url);
}

int64_t jhc_parse_date(const char *text) {
    return (int64_t)curl_getdate(text, NULL);
}
