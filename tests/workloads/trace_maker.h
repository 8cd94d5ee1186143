/* SPDX-License-Identifier: MIT
 * trace_maker.h - writes small traces by hand, right ones and wrong ones with right checksums.
 */
#ifndef REFARENA_TESTS_TRACE_MAKER_H
#define REFARENA_TESTS_TRACE_MAKER_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "../../allocators/recorder.h"
#include "../support.h"

enum { TRACE_MAKER_BYTES = 1 << 16 };

typedef struct trace_maker {
    unsigned char raw[TRACE_MAKER_BYTES], file[TRACE_MAKER_BYTES];
    size_t        raw_used, file_used;
    recorder_head head;         /* counts kept by the functions below, to be spoilt before trace_maker_seal */
    uint64_t      live_blocks, live_bytes;
} trace_maker;

static inline void trace_maker_byte(trace_maker *m, unsigned byte) { m->raw[m->raw_used++] = (unsigned char)byte; }

static inline void trace_maker_number(trace_maker *m, uint64_t number) {
    for (; number >= 0x80; number >>= 7) trace_maker_byte(m, (unsigned)(number & 0x7f) | 0x80);
    trace_maker_byte(m, (unsigned)number);
}

static inline void trace_maker_start(trace_maker *m) {
    memset(m, 0, sizeof *m);
    m->head = (recorder_head){.frame_magic = RECORDER_FRAME_MAGIC, .frame_bytes = sizeof(recorder_head) - 8,
                              .version = RECORDER_VERSION, .finished = 1, .threads = 1, .command = "made by hand"};
    memcpy(m->head.magic, RECORDER_MAGIC, sizeof m->head.magic);
}

static inline void trace_maker_count(trace_maker *m, uint64_t less, uint64_t more) {
    m->live_bytes += more - less;
    m->head.total_bytes += more;
    if (m->live_blocks > m->head.peak_blocks) m->head.peak_blocks = m->live_blocks;
    if (m->live_bytes <= m->head.peak_bytes) return;
    m->head.peak_bytes = m->live_bytes;
    m->head.peak_event = m->head.allocations + m->head.resizes + m->head.releases;
}

static inline void trace_maker_birth(trace_maker *m, recorder_kind kind, unsigned log2, uint64_t bytes) {
    trace_maker_byte(m, kind);
    if (kind == RECORDER_ALIGNED) trace_maker_number(m, log2);
    trace_maker_number(m, bytes);
    m->head.allocations++;
    m->live_blocks++;
    trace_maker_count(m, 0, bytes);
}

static inline void trace_maker_resize(trace_maker *m, uint64_t age, uint64_t before, uint64_t after) {
    trace_maker_byte(m, RECORDER_RESIZE);
    trace_maker_number(m, age);
    trace_maker_number(m, after);
    m->head.resizes++;
    trace_maker_count(m, before, after);
}

static inline void trace_maker_release(trace_maker *m, uint64_t age, uint64_t bytes) {
    trace_maker_byte(m, RECORDER_RELEASE);
    trace_maker_number(m, age);
    m->head.releases++;
    m->live_blocks--;
    trace_maker_count(m, bytes, 0);
}

static inline void trace_maker_thread(trace_maker *m, uint64_t thread) {
    trace_maker_byte(m, RECORDER_THREAD);
    trace_maker_number(m, thread);
    if (thread >= m->head.threads) m->head.threads = thread + 1;
}

/* Lay the file out in m->file: head, and the stream in frames of frame_bytes. */
static inline void trace_maker_seal(trace_maker *m, size_t frame_bytes) {
    m->file_used = sizeof m->head;
    for (size_t at = 0; at < m->raw_used; at += frame_bytes) {
        size_t count = m->raw_used - at < frame_bytes ? m->raw_used - at : frame_bytes;
        size_t room = sizeof m->file - m->file_used;
        size_t packed = ZSTD_compress(m->file + m->file_used, room, m->raw + at, count, 3);
        assert_false(ZSTD_isError(packed));
        m->file_used += packed;
    }
    m->head.raw_bytes = m->raw_used;
    m->head.raw_checksum = recorder_checksum(RECORDER_CHECKSUM_START, m->raw, m->raw_used);
    m->head.head_checksum = recorder_checksum(RECORDER_CHECKSUM_START, &m->head, offsetof(recorder_head, head_checksum));
    memcpy(m->file, &m->head, sizeof m->head);
}

/* The path of a new file that is in no folder and goes with the process. */
static inline void trace_maker_path(char path[64]) {
    int file = memfd_create("trace", MFD_CLOEXEC);
    assert_true(file >= 0);
    snprintf(path, 64, "/proc/self/fd/%d", file);
}

static inline void trace_maker_write(const char *path, const void *bytes, size_t count) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, count), (ssize_t)count);
    close(file);
}

/* A life of a few hundred random events, sealed in two frames or so. */
static inline void trace_maker_random(trace_maker *m, uint64_t seed, int births) {
    uint64_t sizes[1024] = {0}, next = seed;     /* by birth; 0: dead */
    trace_maker_start(m);
    for (int born = 0; born < births; born++) {
        uint64_t bytes = 1 + support_random(&next) % 3000;
        if (support_random(&next) % 8 == 0) trace_maker_thread(m, support_random(&next) % 3);
        recorder_kind kind = born % 7 == 3 ? RECORDER_ALIGNED : born % 5 == 2 ? RECORDER_ZEROED : RECORDER_ALLOC;
        trace_maker_birth(m, kind, 4 + born % 9, bytes);
        sizes[born] = bytes;
        int victim = (int)(support_random(&next) % (uint64_t)(born + 1));
        int other = (int)(support_random(&next) % (uint64_t)(born + 1));
        if (sizes[other] && born % 3 == 0) {
            uint64_t after = 1 + support_random(&next) % 5000;
            trace_maker_resize(m, (uint64_t)(born + 1 - other), sizes[other], after);
            sizes[other] = after;
        }
        if (sizes[victim]) {
            trace_maker_release(m, (uint64_t)(born + 1 - victim), sizes[victim]);
            sizes[victim] = 0;
        }
    }
    trace_maker_seal(m, m->raw_used / 2 + 1);
}

#endif
