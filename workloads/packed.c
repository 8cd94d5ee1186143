/* SPDX-License-Identifier: MIT
 * packed.c - reads and unpacks the files of recordings. */
#define ZSTD_STATIC_LINKING_ONLY            /* ZSTD_initStaticDStream: a context in our own memory */
#include "packed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "../allocators/recorder.h"
#include "workload.h"

bool packed_refuse(const packed_source *from, const char *format, ...) {
    enum { SHOWN = 100 };       /* of a long path: its end, which says more than its start */
    size_t length = strlen(from->path), hidden = length > SHOWN ? length - SHOWN : 0;
    int used = snprintf(from->why, from->why_bytes, "%s %s%s: ", from->kind, hidden ? "..." : "", from->path + hidden);
    va_list values;
    va_start(values, format);
    if (used >= 0 && (size_t)used < from->why_bytes)
        vsnprintf(from->why + used, from->why_bytes - (size_t)used, format, values);
    va_end(values);
    return false;
}

bool packed_read(packed_bytes *file, const packed_source *from) {
    struct stat status;
    int fd = open(from->path, O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && fstat(fd, &status) == 0;
    if (fine && !S_ISREG(status.st_mode)) errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL, fine = false;
    if (fine) {
        file->count = (size_t)status.st_size;
        file->start = workload_map(file->count);
        fine = file->start != NULL;
    }
    for (size_t done = 0; fine && done < file->count;) {
        ssize_t n = read(fd, file->start + done, file->count - done);
        if (n > 0) done += (size_t)n;
        else if (n == 0) file->count = done;
        else fine = errno == EINTR;
    }
    int error = errno;
    if (fd >= 0) close(fd);
    if (!fine) packed_refuse(from, "cannot be read: %s; name one of workloads/recordings, or the path of another", strerror(error));
    return fine;
}

bool packed_read_head(void *head, size_t bytes, const char *magic, uint32_t version, packed_bytes file,
                      const packed_source *from) {
    uint64_t checksum;
    packed_head start;
    if (file.count < bytes) return packed_refuse(from, "truncated in its head" PACKED_ADVICE);
    memcpy(head, file.start, bytes);
    memcpy(&start, head, sizeof start);
    memcpy(&checksum, (char *)head + bytes - sizeof checksum, sizeof checksum);
    if (start.frame_magic != RECORDER_FRAME_MAGIC || start.frame_bytes != bytes - 8
        || memcmp(start.magic, magic, sizeof start.magic) != 0)
        return packed_refuse(from, "not a recorded %s, or damaged in its head" PACKED_ADVICE, from->kind);
    if (recorder_checksum(RECORDER_CHECKSUM_START, head, bytes - sizeof checksum) != checksum)
        return packed_refuse(from, "damaged in its head" PACKED_ADVICE);
    if (start.version != version)
        return packed_refuse(from, "has version %u, this program reads %u" PACKED_ADVICE, start.version, version);
    if (!start.finished)
        return packed_refuse(from, "unfinished: its program was killed, or is still running" PACKED_ADVICE);
    return true;
}

size_t packed_unpack(packed_bytes raw, packed_bytes file, size_t head_bytes, bool *broken) {
    size_t context_bytes = ZSTD_estimateDStreamSize(RECORDER_RAW_BYTES);
    void *context = workload_map(context_bytes);
    ZSTD_DStream *stream = context ? ZSTD_initStaticDStream(context, context_bytes) : NULL;
    ZSTD_inBuffer in = {file.start, file.count, head_bytes};
    ZSTD_outBuffer out = {raw.start, raw.count, 0};
    size_t missing = 0;                                 /* 0: at the end of a frame */
    bool moves = stream != NULL;
    *broken = stream == NULL;
    while (moves && !*broken) {                         /* until there is no more to read, or no room for more */
        size_t in_before = in.pos, out_before = out.pos;
        size_t hint = ZSTD_decompressStream(stream, &out, &in);
        *broken = ZSTD_isError(hint);
        moves = in.pos != in_before || out.pos != out_before;
        if (moves) missing = hint;                      /* a call that does nothing asks for another frame */
    }
    if (out.pos == out.size && (in.pos < in.size || missing)) *broken = true;
    workload_unmap(context, context_bytes);
    return out.pos;
}

bool packed_number(const unsigned char **at, const unsigned char *end, uint64_t *number) {
    *number = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char byte = *(*at)++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

void packed_find(const char *name, const char *kind, char *path, size_t path_bytes) {
    if (strchr(name, '/') || strstr(name, ".zst")) {
        snprintf(path, path_bytes, "%s", name);
        return;
    }
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = 0;
    /* build/bin/ is two folders below the top, build/address/bin/ three */
    for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
        *slash = 0;
        int used = snprintf(path, path_bytes, "%s/workloads/recordings/%s.%s.zst", folder, name, kind);
        if (used >= 0 && (size_t)used < path_bytes && access(path, F_OK) == 0) return;
    }
    snprintf(path, path_bytes, "workloads/recordings/%s.%s.zst", name, kind);
}
