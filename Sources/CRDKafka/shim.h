#pragma once

// librdkafka, and the few of its parts that Swift cannot see: macros with casts and variadic functions.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/eventfd.h>

static const int32_t jkr_partition_unassigned = RD_KAFKA_PARTITION_UA;
static const int64_t jkr_offset_invalid = RD_KAFKA_OFFSET_INVALID;

// Adds a message to the producer's queue; never waits. Key, value and topic are copied. `headers` may be NULL; they
// belong to the library after success and to the caller after failure. A `timestamp_ms` of 0 means now.
static inline rd_kafka_resp_err_t jkr_produce(
    rd_kafka_t *handle, const char *topic, int32_t partition, const void *key, size_t key_bytes, const void *value,
    size_t value_bytes, int64_t timestamp_ms, rd_kafka_headers_t *headers, void *opaque) {
    if (headers == NULL) {
        return rd_kafka_producev(
            handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key, key_bytes), RD_KAFKA_V_VALUE((void *)value, value_bytes),
            RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    }
    return rd_kafka_producev(
        handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_bytes), RD_KAFKA_V_VALUE((void *)value, value_bytes),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

// The library writes its log to standard error unless there is a function that takes it; what matters arrives as an
// error event.
static inline void jkr_discard_log(const rd_kafka_t *handle, int level, const char *facility, const char *text) {
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static inline void jkr_conf_discard_log(rd_kafka_conf_t *conf) { rd_kafka_conf_set_log_cb(conf, jkr_discard_log); }

// A counter of the kernel's that can be polled; -1 and errno when there may be no more descriptors.
static inline int jkr_wakeup_new(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
