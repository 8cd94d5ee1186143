/* SPDX-License-Identifier: MIT
 * snapshot_maker.h - writes a small heap snapshot by hand: rings, chains that end in leaves, and what holds them.
 */
#ifndef REFARENA_TESTS_SNAPSHOT_MAKER_H
#define REFARENA_TESTS_SNAPSHOT_MAKER_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "../allocators/recorder.h"
#include "../workloads/object_graph.h"
#include "support.h"

enum { SNAPSHOT_MAKER_BYTES = 1 << 16, SNAPSHOT_MAKER_RING = 3, SNAPSHOT_MAKER_CHAIN = 4 };

typedef struct snapshot_maker {
    unsigned char     raw[SNAPSHOT_MAKER_BYTES], file[SNAPSHOT_MAKER_BYTES];
    size_t            raw_used, file_used;
    object_graph_head head;         /* counts kept by the functions below, to be spoilt before snapshot_maker_seal */
} snapshot_maker;

static inline void snapshot_maker_number(snapshot_maker *m, uint64_t number) {
    for (; number >= 0x80; number >>= 7) m->raw[m->raw_used++] = (unsigned char)((number & 0x7f) | 0x80);
    m->raw[m->raw_used++] = (unsigned char)number;
}

static inline void snapshot_maker_type(snapshot_maker *m, const char *name) {
    snapshot_maker_number(m, strlen(name));
    memcpy(m->raw + m->raw_used, name, strlen(name));
    m->raw_used += strlen(name);
    m->head.types++;
}

/* The next object, and what it refers to, by number. */
static inline void snapshot_maker_object(snapshot_maker *m, unsigned type, unsigned flags, uint64_t bytes, size_t count,
                                         const uint64_t *targets) {
    uint64_t before = m->head.objects++;
    snapshot_maker_number(m, (uint64_t)type << 2 | flags);
    snapshot_maker_number(m, bytes);
    snapshot_maker_number(m, count);
    for (size_t i = 0; i < count; i++) {
        snapshot_maker_number(m, targets[i] >= before ? (targets[i] - before) << 1 : (before - targets[i]) << 1 | 1);
        before = targets[i];
    }
    m->head.references += count;
    m->head.tracked += (flags & OBJECT_GRAPH_TRACKED) != 0;
    m->head.roots += (flags & OBJECT_GRAPH_ROOT) != 0;
    m->head.bytes += bytes;
}

static inline void snapshot_maker_start(snapshot_maker *m) {
    memset(m, 0, sizeof *m);
    m->head.start = (packed_head){.frame_magic = RECORDER_FRAME_MAGIC, .frame_bytes = sizeof m->head - 8,
                                  .version = OBJECT_GRAPH_VERSION, .finished = 1};
    memcpy(m->head.start.magic, OBJECT_GRAPH_MAGIC, sizeof m->head.start.magic);
    strcpy(m->head.program, "made by hand");
}

static inline void snapshot_maker_seal(snapshot_maker *m) {
    size_t packed = ZSTD_compress(m->file + sizeof m->head, sizeof m->file - sizeof m->head, m->raw, m->raw_used, 3);
    assert_false(ZSTD_isError(packed));
    m->file_used = sizeof m->head + packed;
    m->head.raw_bytes = m->raw_used;
    m->head.raw_checksum = recorder_checksum(RECORDER_CHECKSUM_START, m->raw, m->raw_used);
    m->head.head_checksum = recorder_checksum(RECORDER_CHECKSUM_START, &m->head, offsetof(object_graph_head, head_checksum));
    memcpy(m->file, &m->head, sizeof m->head);
}

/* So many rings of three tracked objects, each with a leaf of random size; and chains of four, root first, that
 * end in a tuple of two leaves. Counting frees the chains; the rings are left for a collector. */
static inline void snapshot_maker_life(snapshot_maker *m, uint64_t rings, uint64_t chains) {
    uint64_t next = 7;
    snapshot_maker_start(m);
    snapshot_maker_type(m, "node");
    snapshot_maker_type(m, "bytes");
    for (uint64_t r = 0; r < rings; r++) {
        uint64_t first = m->head.objects, leaf = first + SNAPSHOT_MAKER_RING;
        for (uint64_t i = 0; i < SNAPSHOT_MAKER_RING; i++)
            snapshot_maker_object(m, 0, OBJECT_GRAPH_TRACKED | (i == 0 ? OBJECT_GRAPH_ROOT : 0), 48, 2,
                                  (uint64_t[]){first + (i + 1) % SNAPSHOT_MAKER_RING, leaf});
        snapshot_maker_object(m, 1, 0, 16 + support_random(&next) % 300, 0, NULL);
    }
    for (uint64_t c = 0; c < chains; c++) {
        uint64_t first = m->head.objects;
        for (uint64_t i = 1; i < SNAPSHOT_MAKER_CHAIN; i++)
            snapshot_maker_object(m, 0, OBJECT_GRAPH_TRACKED | (i == 1 ? OBJECT_GRAPH_ROOT : 0), 24, 1, (uint64_t[]){first + i});
        snapshot_maker_object(m, 1, 0, 40, 3, (uint64_t[]){first + 4, first + 5, first + 4});
        snapshot_maker_object(m, 1, 0, 28, 0, NULL);
        snapshot_maker_object(m, 1, 0, 16 + support_random(&next) % 5000, 0, NULL);
    }
    m->head.freed_by_counting = chains * (SNAPSHOT_MAKER_CHAIN + 2);
    m->head.left = rings * (SNAPSHOT_MAKER_RING + 1);
    m->head.found = rings * SNAPSHOT_MAKER_RING;
    snapshot_maker_seal(m);
}

/* The path of a new file with these bytes, that is in no folder and goes with the process. */
static inline void snapshot_maker_file(char path[64], const void *bytes, size_t count) {
    int file = memfd_create("snapshot", MFD_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, count), (ssize_t)count);
    snprintf(path, 64, "/proc/self/fd/%d", file);
}

#endif
