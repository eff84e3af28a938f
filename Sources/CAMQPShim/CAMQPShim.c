#include "CAMQPShim.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { CHANNELS = 256, FRAME_MIN = 4096, FRAME_MAX = 131072 };

// How rabbitmq-c marks an answer that is the header of another protocol version: by its first letter.
enum { PROTOCOL_HEADER = 'A' };

// A message that is arriving on a channel.
typedef struct {
    jrq_event_kind kind;     // JRQ_EVENT_NONE: nothing is arriving
    int has_header;
    uint64_t tag;
    int redelivered;
    int code;
    amqp_bytes_t text;
    amqp_bytes_t exchange;
    amqp_bytes_t routing_key;
    const amqp_basic_properties_t *properties;
    uint64_t body_size;
    uint64_t received;
    uint8_t *body;
    size_t capacity;
} assembly;

struct jrq_connection {
    amqp_connection_state_t state;
    assembly channels[CHANNELS];
    // The channel whose buffers the last event points into; 0xFFFF: none.
    uint16_t lent;
    uint8_t *headers;        // the last event's field table
    amqp_pool_t pool;        // what is written
};

// MARK: - Failures

static int fail(jrq_failure *failure, jrq_failure_kind kind, int code, const char *text) {
    memset(failure, 0, sizeof *failure);
    failure->kind = kind;
    failure->code = code;
    snprintf(failure->text, sizeof failure->text, "%s", text);
    return -1;
}

static int fail_with_bytes(jrq_failure *failure, jrq_failure_kind kind, int code, amqp_bytes_t text,
                           uint16_t class_id, uint16_t method_id) {
    memset(failure, 0, sizeof *failure);
    failure->kind = kind;
    failure->code = code;
    failure->class_id = class_id;
    failure->method_id = method_id;
    size_t count = text.len < sizeof failure->text - 1 ? text.len : sizeof failure->text - 1;
    if (count > 0) memcpy(failure->text, text.bytes, count);
    return -1;
}

static int fail_with_status(jrq_failure *failure, int status) {
    jrq_failure_kind kind;
    switch (status) {
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: kind = JRQ_FAILURE_RESOLVE; break;
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_CONNECTION_FAILED: kind = JRQ_FAILURE_TLS; break;
    case AMQP_STATUS_TIMEOUT: kind = JRQ_FAILURE_TIMEOUT; break;
    case AMQP_STATUS_HEARTBEAT_TIMEOUT: kind = JRQ_FAILURE_HEARTBEAT; break;
    case AMQP_STATUS_CONNECTION_CLOSED:
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_SOCKET_CLOSED:
    case AMQP_STATUS_TCP_ERROR:
    case AMQP_STATUS_SSL_ERROR: kind = JRQ_FAILURE_LOST; break;
    case AMQP_STATUS_NO_MEMORY: kind = JRQ_FAILURE_MEMORY; break;
    default: kind = JRQ_FAILURE_PROTOCOL; break;
    }
    return fail(failure, kind, status, amqp_error_string2(status));
}

// Answers a closing broker and tells what it said.
static int fail_with_close(jrq_connection *connection, uint16_t channel, const amqp_method_t *method,
                           jrq_failure *failure) {
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = method->decoded;
        fail_with_bytes(failure, JRQ_FAILURE_CHANNEL, close->reply_code, close->reply_text, close->class_id,
                        close->method_id);
        amqp_channel_close_ok_t reply = {0};
        amqp_send_method(connection->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &reply);
        return -1;
    }
    const amqp_connection_close_t *close = method->decoded;
    fail_with_bytes(failure, JRQ_FAILURE_CONNECTION, close->reply_code, close->reply_text, close->class_id,
                    close->method_id);
    amqp_connection_close_ok_t reply = {0};
    amqp_send_method(connection->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &reply);
    return -1;
}

// What became of the last question to the broker.
static int check_reply(jrq_connection *connection, uint16_t channel, jrq_failure *failure) {
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection->state);
    switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return 0;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return fail_with_status(failure, reply.library_error);
    case AMQP_RESPONSE_SERVER_EXCEPTION:
        if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD || reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
            return fail_with_close(connection, channel, &reply.reply, failure);
        }
        return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "unexpected answer");
    default: return fail(failure, JRQ_FAILURE_LOST, 0, "the connection ended");
    }
}

// MARK: - Opening

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval interval(int64_t milliseconds) {
    if (milliseconds < 0) milliseconds = 0;
    struct timeval value = {.tv_sec = milliseconds / 1000, .tv_usec = (milliseconds % 1000) * 1000};
    return value;
}

// Waits for one of the methods the handshake may bring next.
static int await_method(jrq_connection *connection, int64_t deadline, amqp_method_number_t expected,
                        amqp_method_t *method, jrq_failure *failure) {
    for (;;) {
        amqp_frame_t frame;
        struct timeval left = interval(deadline - milliseconds_now());
        int status = amqp_simple_wait_frame_noblock(connection->state, &frame, &left);
        if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
        if (frame.frame_type == PROTOCOL_HEADER) {
            return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "the broker speaks another version of AMQP");
        }
        if (frame.frame_type != AMQP_FRAME_METHOD || frame.channel != 0) {
            return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "unexpected frame in the handshake");
        }
        if (frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
            return fail_with_close(connection, 0, &frame.payload.method, failure);
        }
        if (frame.payload.method.id != expected) {
            return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "unexpected method in the handshake");
        }
        *method = frame.payload.method;
        return 0;
    }
}

static int send_method(jrq_connection *connection, amqp_method_number_t id, void *method, jrq_failure *failure) {
    int status = amqp_send_method(connection->state, 0, id, method);
    return status == AMQP_STATUS_OK ? 0 : fail_with_status(failure, status);
}

static int has_word(amqp_bytes_t words, const char *word) {
    const char *start = words.bytes;
    size_t length = strlen(word), left = words.len;
    while (left >= length) {
        const char *blank = memchr(start, ' ', left);
        size_t count = blank ? (size_t)(blank - start) : left;
        if (count == length && memcmp(start, word, length) == 0) return 1;
        if (!blank) return 0;
        left -= count + 1;
        start = blank + 1;
    }
    return 0;
}

static amqp_table_entry_t text_entry(const char *key, const char *text) {
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(text);
    return entry;
}

static amqp_table_entry_t flag_entry(const char *key) {
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

// rabbitmq-c could log in by itself, but believes any frame size the broker proposes, and a tiny one makes it write
// outside its buffer; and it keeps no deadline for the whole.
static int log_in(jrq_connection *connection, const jrq_options *options, int64_t deadline, jrq_failure *failure) {
    int status = amqp_send_header(connection->state);
    if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
    amqp_method_t method;
    if (await_method(connection, deadline, AMQP_CONNECTION_START_METHOD, &method, failure)) return -1;
    const amqp_connection_start_t *start = method.decoded;
    if (start->version_major != 0 || start->version_minor != 9) {
        return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "the broker speaks another version of AMQP");
    }
    if (!has_word(start->mechanisms, "PLAIN")) {
        return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "the broker does not offer the SASL mechanism PLAIN");
    }

    size_t user = strlen(options->user), password = strlen(options->password);
    amqp_bytes_t response = amqp_bytes_malloc(user + password + 2);
    if (!response.bytes) return fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
    char *plain = response.bytes;
    plain[0] = 0;
    memcpy(plain + 1, options->user, user);
    plain[user + 1] = 0;
    memcpy(plain + user + 2, options->password, password);
    amqp_table_entry_t abilities[] = {
        flag_entry("authentication_failure_close"), flag_entry("basic.nack"), flag_entry("connection.blocked"),
        flag_entry("consumer_cancel_notify"),       flag_entry("publisher_confirms"),
    };
    amqp_table_entry_t capabilities = {.key = amqp_cstring_bytes("capabilities")};
    capabilities.value.kind = AMQP_FIELD_KIND_TABLE;
    capabilities.value.value.table.entries = abilities;
    capabilities.value.value.table.num_entries = sizeof abilities / sizeof *abilities;
    amqp_table_entry_t entries[] = {
        text_entry("product", options->product), text_entry("connection_name", options->name), capabilities};
    amqp_connection_start_ok_t start_ok = {
        .client_properties = {.num_entries = sizeof entries / sizeof *entries, .entries = entries},
        .mechanism = amqp_cstring_bytes("PLAIN"),
        .response = response,
        .locale = amqp_cstring_bytes("en_US"),
    };
    int sent = send_method(connection, AMQP_CONNECTION_START_OK_METHOD, &start_ok, failure);
    memset(response.bytes, 0, response.len);
    amqp_bytes_free(response);
    if (sent) return -1;

    if (await_method(connection, deadline, AMQP_CONNECTION_TUNE_METHOD, &method, failure)) return -1;
    const amqp_connection_tune_t *tune = method.decoded;
    int channel_max = options->channel_max, frame_max = FRAME_MAX, heartbeat = options->heartbeat_s;
    if (tune->channel_max != 0 && tune->channel_max < channel_max) channel_max = tune->channel_max;
    if (tune->frame_max != 0 && tune->frame_max < FRAME_MAX) frame_max = (int)tune->frame_max;
    if (tune->heartbeat != 0 && tune->heartbeat < heartbeat) heartbeat = tune->heartbeat;
    if (frame_max < FRAME_MIN) {
        return fail(failure, JRQ_FAILURE_PROTOCOL, 0, "the broker proposes frames below 4096 bytes");
    }
    status = amqp_tune_connection(connection->state, channel_max, frame_max, heartbeat);
    if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
    amqp_connection_tune_ok_t tune_ok = {
        .channel_max = (uint16_t)channel_max, .frame_max = (uint32_t)frame_max, .heartbeat = (uint16_t)heartbeat};
    if (send_method(connection, AMQP_CONNECTION_TUNE_OK_METHOD, &tune_ok, failure)) return -1;
    amqp_connection_open_t open = {.virtual_host = amqp_cstring_bytes(options->vhost), .insist = 1};
    if (send_method(connection, AMQP_CONNECTION_OPEN_METHOD, &open, failure)) return -1;
    return await_method(connection, deadline, AMQP_CONNECTION_OPEN_OK_METHOD, &method, failure);
}

static amqp_socket_t *make_socket(jrq_connection *connection, const jrq_options *options, jrq_failure *failure) {
    if (!options->tls) {
        amqp_socket_t *socket = amqp_tcp_socket_new(connection->state);
        if (!socket) fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
        return socket;
    }
    amqp_socket_t *socket = amqp_ssl_socket_new(connection->state);
    if (!socket) {
        fail(failure, JRQ_FAILURE_TLS, 0, "TLS cannot be set up");
        return NULL;
    }
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    if (amqp_ssl_socket_set_cacert(socket, options->ca_file) != AMQP_STATUS_OK) {
        fail(failure, JRQ_FAILURE_TLS, 0, "the CA file cannot be read");
        return NULL;
    }
    if (options->certificate_file &&
        amqp_ssl_socket_set_key(socket, options->certificate_file, options->key_file) != AMQP_STATUS_OK) {
        fail(failure, JRQ_FAILURE_TLS, 0, "the client certificate or its key cannot be read");
        return NULL;
    }
    return socket;
}

jrq_connection *jrq_open(const jrq_options *options, jrq_failure *failure) {
    memset(failure, 0, sizeof *failure);
    int64_t deadline = milliseconds_now() + options->connect_timeout_ms;
    jrq_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
        return NULL;
    }
    connection->lent = 0xFFFF;
    connection->state = amqp_new_connection();
    if (!connection->state) {
        free(connection);
        fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
        return NULL;
    }
    init_amqp_pool(&connection->pool, 4096);
    amqp_socket_t *socket = make_socket(connection, options, failure);
    if (socket) {
        struct timeval timeout = interval(options->connect_timeout_ms);
        int status = amqp_socket_open_noblock(socket, options->host, options->port, &timeout);
        if (status != AMQP_STATUS_OK) {
            fail_with_status(failure, status);
            if (failure->kind == JRQ_FAILURE_LOST || failure->kind == JRQ_FAILURE_PROTOCOL) {
                failure->kind = JRQ_FAILURE_CONNECT;
            }
        } else if (log_in(connection, options, deadline, failure) == 0) {
            amqp_maybe_release_buffers(connection->state);
            struct timeval rpc = interval(options->rpc_timeout_ms);
            amqp_set_rpc_timeout(connection->state, &rpc);
#ifdef TCP_USER_TIMEOUT
            // Writing waits without end for a broker that does not read; this ends it.
            unsigned int patience = (unsigned int)options->rpc_timeout_ms * 2;
            setsockopt(amqp_get_sockfd(connection->state), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
#endif
            return connection;
        }
    }
    jrq_destroy(connection, 0);
    return NULL;
}

void jrq_destroy(jrq_connection *connection, int polite) {
    if (!connection) return;
    if (polite) amqp_connection_close(connection->state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(connection->state);
    for (int channel = 0; channel < CHANNELS; channel++) free(connection->channels[channel].body);
    free(connection->headers);
    empty_amqp_pool(&connection->pool);
    free(connection);
}

int jrq_descriptor(jrq_connection *connection) { return amqp_get_sockfd(connection->state); }
int jrq_heartbeat_s(jrq_connection *connection) { return amqp_get_heartbeat(connection->state); }
int jrq_frame_max(jrq_connection *connection) { return amqp_get_frame_max(connection->state); }

int jrq_channel_max(jrq_connection *connection) {
    int maximum = amqp_get_channel_max(connection->state);
    return maximum == 0 || maximum > CHANNELS - 1 ? CHANNELS - 1 : maximum;
}

int jrq_can_write(jrq_connection *connection) {
    struct pollfd polled = {.fd = amqp_get_sockfd(connection->state), .events = POLLOUT};
    // A broken socket counts as writable: writing tells what is wrong.
    return poll(&polled, 1, 0) != 0;
}

// MARK: - Questions

static amqp_bytes_t lend(jrq_bytes bytes) {
    amqp_bytes_t lent = {.len = bytes.count, .bytes = (void *)bytes.bytes};
    return lent;
}

static jrq_bytes show(amqp_bytes_t bytes) {
    jrq_bytes shown = {.bytes = bytes.bytes, .count = bytes.len};
    return shown;
}

static int read_table(jrq_connection *connection, jrq_bytes encoded, amqp_table_t *table, jrq_failure *failure) {
    *table = amqp_empty_table;
    if (encoded.count == 0) return 0;
    size_t offset = 0;
    int status = amqp_decode_table(lend(encoded), &connection->pool, table, &offset);
    return status == AMQP_STATUS_OK ? 0 : fail_with_status(failure, status);
}

int jrq_channel_open(jrq_connection *connection, uint16_t channel, int confirms, jrq_failure *failure) {
    amqp_channel_open(connection->state, channel);
    if (check_reply(connection, channel, failure)) return -1;
    if (!confirms) return 0;
    amqp_confirm_select(connection->state, channel);
    return check_reply(connection, channel, failure);
}

int jrq_channel_close(jrq_connection *connection, uint16_t channel, jrq_failure *failure) {
    amqp_rpc_reply_t reply = amqp_channel_close(connection->state, channel, AMQP_REPLY_SUCCESS);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return 0;
    return check_reply(connection, channel, failure);
}

int jrq_queue_declare(
    jrq_connection *connection, uint16_t channel, const char *queue, int passive, int durable, int exclusive,
    int auto_delete, jrq_bytes arguments, jrq_failure *failure) {
    amqp_table_t table;
    recycle_amqp_pool(&connection->pool);
    if (read_table(connection, arguments, &table, failure)) return -1;
    amqp_queue_declare(connection->state, channel, amqp_cstring_bytes(queue), passive, durable, exclusive,
                       auto_delete, table);
    return check_reply(connection, channel, failure);
}

int jrq_prefetch(jrq_connection *connection, uint16_t channel, uint16_t prefetch, jrq_failure *failure) {
    amqp_basic_qos(connection->state, channel, 0, prefetch, 0);
    return check_reply(connection, channel, failure);
}

int jrq_consume(
    jrq_connection *connection, uint16_t channel, const char *queue, const char *tag, int exclusive,
    jrq_bytes arguments, jrq_failure *failure) {
    amqp_table_t table;
    recycle_amqp_pool(&connection->pool);
    if (read_table(connection, arguments, &table, failure)) return -1;
    amqp_basic_consume(connection->state, channel, amqp_cstring_bytes(queue), amqp_cstring_bytes(tag), 0, 0,
                       exclusive, table);
    return check_reply(connection, channel, failure);
}

// MARK: - Statements

int jrq_publish(
    jrq_connection *connection, uint16_t channel, jrq_bytes exchange, jrq_bytes routing_key, int mandatory,
    const jrq_properties *properties, jrq_bytes body, jrq_failure *failure) {
    amqp_basic_properties_t written = {0};
    uint32_t flags = properties->flags;
    if (flags & JRQ_HEADERS) {
        recycle_amqp_pool(&connection->pool);
        if (read_table(connection, properties->headers, &written.headers, failure)) return -1;
        written._flags |= AMQP_BASIC_HEADERS_FLAG;
    }
#define WRITE(flag, bit, field, value) \
    if (flags & (flag)) { written._flags |= (bit); written.field = (value); }
    WRITE(JRQ_CONTENT_TYPE, AMQP_BASIC_CONTENT_TYPE_FLAG, content_type, lend(properties->content_type))
    WRITE(JRQ_CONTENT_ENCODING, AMQP_BASIC_CONTENT_ENCODING_FLAG, content_encoding, lend(properties->content_encoding))
    WRITE(JRQ_DELIVERY_MODE, AMQP_BASIC_DELIVERY_MODE_FLAG, delivery_mode, properties->delivery_mode)
    WRITE(JRQ_PRIORITY, AMQP_BASIC_PRIORITY_FLAG, priority, properties->priority)
    WRITE(JRQ_CORRELATION_ID, AMQP_BASIC_CORRELATION_ID_FLAG, correlation_id, lend(properties->correlation_id))
    WRITE(JRQ_REPLY_TO, AMQP_BASIC_REPLY_TO_FLAG, reply_to, lend(properties->reply_to))
    WRITE(JRQ_EXPIRATION, AMQP_BASIC_EXPIRATION_FLAG, expiration, lend(properties->expiration))
    WRITE(JRQ_MESSAGE_ID, AMQP_BASIC_MESSAGE_ID_FLAG, message_id, lend(properties->message_id))
    WRITE(JRQ_TIMESTAMP, AMQP_BASIC_TIMESTAMP_FLAG, timestamp, properties->timestamp)
    WRITE(JRQ_TYPE, AMQP_BASIC_TYPE_FLAG, type, lend(properties->type))
    WRITE(JRQ_USER_ID, AMQP_BASIC_USER_ID_FLAG, user_id, lend(properties->user_id))
    WRITE(JRQ_APP_ID, AMQP_BASIC_APP_ID_FLAG, app_id, lend(properties->app_id))
#undef WRITE
    int status = amqp_basic_publish(connection->state, channel, lend(exchange), lend(routing_key), mandatory, 0,
                                    &written, lend(body));
    return status == AMQP_STATUS_OK ? 0 : fail_with_status(failure, status);
}

int jrq_ack(jrq_connection *connection, uint16_t channel, uint64_t tag, int multiple, jrq_failure *failure) {
    int status = amqp_basic_ack(connection->state, channel, tag, multiple);
    return status == AMQP_STATUS_OK ? 0 : fail_with_status(failure, status);
}

int jrq_nack(
    jrq_connection *connection, uint16_t channel, uint64_t tag, int multiple, int requeue, jrq_failure *failure) {
    int status = amqp_basic_nack(connection->state, channel, tag, multiple, requeue);
    return status == AMQP_STATUS_OK ? 0 : fail_with_status(failure, status);
}

// MARK: - What the broker says

static int show_properties(jrq_connection *connection, const amqp_basic_properties_t *from, jrq_properties *to,
                           jrq_failure *failure) {
    memset(to, 0, sizeof *to);
#define READ(flag, bit, field, value) \
    if (from->_flags & (bit)) { to->flags |= (flag); to->field = (value); }
    READ(JRQ_CONTENT_TYPE, AMQP_BASIC_CONTENT_TYPE_FLAG, content_type, show(from->content_type))
    READ(JRQ_CONTENT_ENCODING, AMQP_BASIC_CONTENT_ENCODING_FLAG, content_encoding, show(from->content_encoding))
    READ(JRQ_DELIVERY_MODE, AMQP_BASIC_DELIVERY_MODE_FLAG, delivery_mode, from->delivery_mode)
    READ(JRQ_PRIORITY, AMQP_BASIC_PRIORITY_FLAG, priority, from->priority)
    READ(JRQ_CORRELATION_ID, AMQP_BASIC_CORRELATION_ID_FLAG, correlation_id, show(from->correlation_id))
    READ(JRQ_REPLY_TO, AMQP_BASIC_REPLY_TO_FLAG, reply_to, show(from->reply_to))
    READ(JRQ_EXPIRATION, AMQP_BASIC_EXPIRATION_FLAG, expiration, show(from->expiration))
    READ(JRQ_MESSAGE_ID, AMQP_BASIC_MESSAGE_ID_FLAG, message_id, show(from->message_id))
    READ(JRQ_TIMESTAMP, AMQP_BASIC_TIMESTAMP_FLAG, timestamp, from->timestamp)
    READ(JRQ_TYPE, AMQP_BASIC_TYPE_FLAG, type, show(from->type))
    READ(JRQ_USER_ID, AMQP_BASIC_USER_ID_FLAG, user_id, show(from->user_id))
    READ(JRQ_APP_ID, AMQP_BASIC_APP_ID_FLAG, app_id, show(from->app_id))
#undef READ
    if (!(from->_flags & AMQP_BASIC_HEADERS_FLAG) || from->headers.num_entries == 0) return 0;
    // What came in one frame fits into the space of one.
    if (!connection->headers) connection->headers = malloc(FRAME_MAX);
    if (!connection->headers) return fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
    amqp_bytes_t space = {.len = FRAME_MAX, .bytes = connection->headers};
    amqp_table_t table = from->headers;
    size_t used = 0;
    int status = amqp_encode_table(space, &table, &used);
    if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
    to->flags |= JRQ_HEADERS;
    to->headers.bytes = connection->headers;
    to->headers.count = used;
    return 0;
}

static int protocol_failure(jrq_failure *failure, const char *text) {
    return fail(failure, JRQ_FAILURE_PROTOCOL, 0, text);
}

static const amqp_basic_properties_t no_properties = {0};

// Begins to collect the message a method announced.
static int begin(assembly *arriving, const amqp_method_t *method, jrq_failure *failure) {
    if (arriving->kind != JRQ_EVENT_NONE) return protocol_failure(failure, "a message inside another");
    arriving->has_header = 0;
    arriving->received = 0;
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        arriving->kind = JRQ_EVENT_DELIVERY;
        arriving->tag = deliver->delivery_tag;
        arriving->redelivered = deliver->redelivered;
        arriving->exchange = deliver->exchange;
        arriving->routing_key = deliver->routing_key;
    } else {
        const amqp_basic_return_t *returned = method->decoded;
        arriving->kind = JRQ_EVENT_RETURNED;
        arriving->code = returned->reply_code;
        arriving->text = returned->reply_text;
        arriving->exchange = returned->exchange;
        arriving->routing_key = returned->routing_key;
    }
    return 0;
}

// Ends the message that has arrived in full: 1 and the event.
static int complete(jrq_connection *connection, uint16_t channel, jrq_event *event, jrq_failure *failure) {
    assembly *arriving = &connection->channels[channel];
    event->kind = arriving->kind;
    event->channel = channel;
    event->tag = arriving->tag;
    event->redelivered = arriving->redelivered;
    event->exchange = show(arriving->exchange);
    event->routing_key = show(arriving->routing_key);
    event->code = arriving->code;
    event->text = show(arriving->text);
    event->body_size = arriving->body_size;
    if (arriving->kind == JRQ_EVENT_DELIVERY) {
        event->body.bytes = arriving->body;
        event->body.count = (size_t)arriving->body_size;
    }
    if (show_properties(connection, arriving->properties, &event->properties, failure)) return -1;
    arriving->kind = JRQ_EVENT_NONE;
    connection->lent = channel;
    return 1;
}

// Takes the frame that says how long a message is: 1 if that completes it.
static int take_header(jrq_connection *connection, const amqp_frame_t *frame, uint64_t body_max, jrq_event *event,
                       jrq_failure *failure) {
    assembly *arriving = &connection->channels[frame->channel];
    if (arriving->kind == JRQ_EVENT_NONE || arriving->has_header ||
        frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
        return protocol_failure(failure, "a content header that belongs to nothing");
    }
    arriving->has_header = 1;
    arriving->properties = frame->payload.properties.decoded;
    arriving->body_size = frame->payload.properties.body_size;
    if (arriving->kind == JRQ_EVENT_DELIVERY && arriving->body_size > body_max) {
        // Its pieces are let go one by one, and with them everything that was said before.
        arriving->kind = JRQ_EVENT_OVERSIZED;
        arriving->exchange = arriving->routing_key = amqp_empty_bytes;
        arriving->properties = &no_properties;
    }
    return arriving->body_size == 0 ? complete(connection, frame->channel, event, failure) : 0;
}

// Takes a piece of a message: 1 if that completes it. Memory grows with what has come, not with what was announced.
static int take_body(jrq_connection *connection, const amqp_frame_t *frame, jrq_event *event, jrq_failure *failure) {
    assembly *arriving = &connection->channels[frame->channel];
    amqp_bytes_t piece = frame->payload.body_fragment;
    if (arriving->kind == JRQ_EVENT_NONE || !arriving->has_header ||
        piece.len > arriving->body_size - arriving->received) {
        return protocol_failure(failure, "a content body that belongs to nothing");
    }
    if (arriving->kind == JRQ_EVENT_DELIVERY) {
        size_t needed = (size_t)arriving->received + piece.len;
        if (needed > arriving->capacity) {
            size_t capacity = needed > 2 * arriving->capacity ? needed : 2 * arriving->capacity;
            uint8_t *grown = realloc(arriving->body, capacity);
            if (!grown) return fail(failure, JRQ_FAILURE_MEMORY, 0, "out of memory");
            arriving->body = grown;
            arriving->capacity = capacity;
        }
        memcpy(arriving->body + arriving->received, piece.bytes, piece.len);
    }
    if (arriving->kind == JRQ_EVENT_OVERSIZED) connection->lent = frame->channel;
    arriving->received += piece.len;
    return arriving->received == arriving->body_size ? complete(connection, frame->channel, event, failure) : 0;
}

// Takes a method: 1 if it is an event by itself.
static int take_method(jrq_connection *connection, const amqp_frame_t *frame, jrq_event *event,
                       jrq_failure *failure) {
    const amqp_method_t *method = &frame->payload.method;
    assembly *arriving = &connection->channels[frame->channel];
    event->channel = frame->channel;
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD: return begin(arriving, method, failure);
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;
        event->kind = JRQ_EVENT_ACK;
        event->tag = ack->delivery_tag;
        event->multiple = ack->multiple;
        break;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = method->decoded;
        event->kind = JRQ_EVENT_NACK;
        event->tag = nack->delivery_tag;
        event->multiple = nack->multiple;
        break;
    }
    case AMQP_BASIC_CANCEL_METHOD: event->kind = JRQ_EVENT_CANCELLED; break;
    case AMQP_CONNECTION_BLOCKED_METHOD:
        event->kind = JRQ_EVENT_BLOCKED;
        event->text = show(((const amqp_connection_blocked_t *)method->decoded)->reason);
        break;
    case AMQP_CONNECTION_UNBLOCKED_METHOD: event->kind = JRQ_EVENT_UNBLOCKED; break;
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *close = method->decoded;
        event->kind = JRQ_EVENT_CHANNEL_CLOSED;
        event->code = close->reply_code;
        event->text = show(close->reply_text);
        arriving->kind = JRQ_EVENT_NONE;
        amqp_channel_close_ok_t reply = {0};
        int status = amqp_send_method(connection->state, frame->channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &reply);
        if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
        break;
    }
    case AMQP_CONNECTION_CLOSE_METHOD: return fail_with_close(connection, 0, method, failure);
    default: return protocol_failure(failure, "a method that may not come here");
    }
    connection->lent = frame->channel;
    return 1;
}

int jrq_next(jrq_connection *connection, uint64_t body_max, jrq_event *event, jrq_failure *failure) {
    memset(event, 0, sizeof *event);
    // A broker that never stops sending must not keep the caller here.
    for (int frames = 0; frames < 1000; frames++) {
        if (connection->lent != 0xFFFF) {
            amqp_maybe_release_buffers_on_channel(connection->state, connection->lent);
            connection->lent = 0xFFFF;
        }
        amqp_frame_t frame;
        struct timeval now = {0};
        int status = amqp_simple_wait_frame_noblock(connection->state, &frame, &now);
        if (status == AMQP_STATUS_TIMEOUT) return 0;
        if (status != AMQP_STATUS_OK) return fail_with_status(failure, status);
        if (frame.channel >= CHANNELS) return protocol_failure(failure, "a frame on a channel that is not open");
        int taken;
        switch (frame.frame_type) {
        case AMQP_FRAME_METHOD: taken = take_method(connection, &frame, event, failure); break;
        case AMQP_FRAME_HEADER: taken = take_header(connection, &frame, body_max, event, failure); break;
        case AMQP_FRAME_BODY: taken = take_body(connection, &frame, event, failure); break;
        default: taken = protocol_failure(failure, "an unknown kind of frame"); break;
        }
        if (taken != 0) return taken < 0 ? -1 : 0;
    }
    event->kind = JRQ_EVENT_PROGRESS;
    return 0;
}
