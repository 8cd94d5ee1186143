/* SPDX-License-Identifier: MIT
 * packed.h - files of recordings: a head in plain bytes, then a stream of numbers in zstd frames.
 *
 *     | head: a skippable zstd frame | zstd frame | zstd frame | ...
 *
 * Traces (allocators/recorder.h) and heap snapshots (object_graph.h) are such files; each has a head of its
 * own, which begins with a packed_head and ends with the checksum of all before it.
 *
 * Nothing in a file is believed. Whatever is wrong with it is one line in `why`, and its memory is
 * workload_map's, zstd's too: reading a recording leaves no mark on the allocator under test.
 */
#ifndef REFARENA_PACKED_H
#define REFARENA_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_ADVICE "; record it again with `make recordings`"

typedef struct packed_head {
    uint32_t frame_magic, frame_bytes;      /* of a skippable frame; bytes after these two */
    char     magic[8];                      /* which kind of recording */
    uint32_t version;
    uint32_t finished;                      /* 1: the recording came to its end */
} packed_head;

typedef struct packed_bytes { unsigned char *start; size_t count; } packed_bytes;     /* mapped */

/* Which file is read, and where to say what is wrong with it. */
typedef struct packed_source { const char *kind, *path; char *why; size_t why_bytes; } packed_source;

/* Put "<kind> <path>: ..." into why; always false. */
__attribute__((format(printf, 2, 3))) bool packed_refuse(const packed_source *from, const char *format, ...);

/* The whole file, mapped, to be unmapped by workload_unmap whatever is returned. */
bool packed_read(packed_bytes *file, const packed_source *from);

/* Copy the head, `bytes` long, out of the file, where it is whole, of this kind and version, and finished. */
bool packed_read_head(void *head, size_t bytes, const char *magic, uint32_t version, packed_bytes file,
                      const packed_source *from);

/* Unpack the frames behind the head into `raw`. Returns how many bytes came out; *broken: zstd found damage,
 * or the file goes on behind them. */
size_t packed_unpack(packed_bytes raw, packed_bytes file, size_t head_bytes, bool *broken);

/* The number in LEB128 at *at, which moves behind it. False: it does not end before `end`, or in 64 bits. */
bool packed_number(const unsigned char **at, const unsigned char *end, uint64_t *number);

/* The path of what a user calls `name`: itself if it is a path, else workloads/recordings/<name>.<kind>.zst
 * above the executable or in the current folder. The result, in `path`, need not exist. */
void packed_find(const char *name, const char *kind, char *path, size_t path_bytes);

#endif
