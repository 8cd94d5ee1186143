/* SPDX-License-Identifier: MIT
 * recorder.h - the trace file: what recorder.c writes and workloads/blocks/trace.c reads.
 *
 *     | head: a skippable zstd frame, plain bytes | zstd frame | zstd frame | ...
 *
 * `zstd -d` skips the head and gives the stream of events. Each event is one byte, its kind, and then
 * numbers in LEB128 (seven bits a byte, low ones first, the high bit set on all but the last):
 *
 *     alloc bytes        zeroed bytes        aligned log2(alignment) bytes
 *     resize age bytes   release age         thread number (of all events until the next such)
 *
 * A block is named by its age: how many blocks were born since, itself included, so the youngest is 1.
 * Most blocks die young, hence ages are short numbers that compress well, and no address is stored.
 *
 * The head is written twice: unfinished when recording starts, complete when it ends. Together with the
 * two checksums this tells a whole trace from one that was cut or damaged anywhere. Numbers are
 * little-endian, as on all machines the project runs on.
 */
#ifndef REFARENA_RECORDER_H
#define REFARENA_RECORDER_H

#include <stddef.h>
#include <stdint.h>

enum {
    RECORDER_VERSION       = 1,
    RECORDER_COMMAND_BYTES = 512,
    RECORDER_RAW_BYTES     = 1 << 20,       /* of events in a zstd frame at most: so far may unpacking look back */
};

/* One of the sixteen magic numbers of skippable frames (RFC 8878, section 3.1.2). */
#define RECORDER_FRAME_MAGIC UINT32_C(0x184d2a5a)
#define RECORDER_MAGIC       "refarena"

typedef enum recorder_kind {
    RECORDER_ALLOC, RECORDER_ZEROED, RECORDER_ALIGNED, RECORDER_RESIZE, RECORDER_RELEASE,
    RECORDER_THREAD, RECORDER_KINDS
} recorder_kind;

typedef struct recorder_head {
    uint32_t frame_magic, frame_bytes;      /* what makes it a skippable frame; bytes after these two */
    char     magic[8];
    uint32_t version;
    uint32_t finished;                      /* 1: the recording came to its end */
    uint64_t threads;                       /* that made an event */
    uint64_t allocations, resizes, releases;    /* events; alloc, zeroed and aligned are all allocations */
    uint64_t peak_blocks;                   /* most alive at once */
    uint64_t peak_bytes;                    /* most requested bytes alive at once */
    uint64_t peak_event;                    /* after so many events they were */
    uint64_t total_bytes;                   /* requested by allocations and resizes */
    uint64_t raw_bytes;                     /* of the event stream, not compressed */
    uint64_t raw_checksum;                  /* of the event stream */
    char     command[RECORDER_COMMAND_BYTES];   /* that was recorded, ended by 0 */
    uint64_t head_checksum;                 /* of all above */
} recorder_head;

/* FNV-1a, 64 bits, continued from `checksum` (Fowler, Noll & Vo; draft-eastlake-fnv). Every single
 * changed byte changes it, because each step is one-to-one. */
#define RECORDER_CHECKSUM_START UINT64_C(0xcbf29ce484222325)
static inline uint64_t recorder_checksum(uint64_t checksum, const void *bytes, size_t count) {
    for (const unsigned char *at = bytes, *end = at + count; at < end; at++)
        checksum = (checksum ^ *at) * UINT64_C(0x100000001b3);
    return checksum;
}

#endif
