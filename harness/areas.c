/* SPDX-License-Identifier: MIT
 * areas.c - /proc/self/smaps, summed by kind of mapping; /proc/self/pagemap for a part of one.
 *
 *     5581a000-5581b000 r-xp 00002000 fe:01 1234   /usr/bin/x       text: a file, executable
 *     5581c000-5581d000 rw-p 00003000 fe:01 1234   /usr/bin/x       data, and so is what has no name right behind it
 *     5581f000-55840000 rw-p 00000000 00:00 0      [heap]
 *     Rss:                  12 kB
 *
 * Adjacent anonymous mappings may be one to the kernel: what lies in them is told apart by address (locals) or known
 * to be resident (tables), and taken out of the sum. proc(5) has both files.
 * (I1) The sum of all areas is the resident set, but for pages that come or go meanwhile.
 */
#include "areas.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "../allocators/os_page.h"
#include "../collectors/mutator.h"

enum { AREAS_LINE = 512, AREAS_ENTRIES = 512 };

/* Lines of a file without stdio, which allocates; a line that is too long is cut. */
typedef struct areas_reader { int file; char text[4096]; ssize_t length, next; } areas_reader;

static bool areas_line(areas_reader *r, char *line) {
    size_t used = 0;
    for (;;) {
        if (r->next == r->length) {
            r->length = read(r->file, r->text, sizeof r->text);
            r->next = 0;
            if (r->length <= 0)
                return r->length = 0, false;
        }
        char c = r->text[r->next++];
        if (c == '\n')
            return line[used] = '\0', true;
        if (used < AREAS_LINE - 1)
            line[used++] = c;
    }
}

/* Which area a mapping is of, by the first line about it; NULL: the kernel's own. */
static int64_t *areas_of(areas_figures *sum, const char *line, uint64_t *data_end) {
    uint64_t start, end;
    char access[8] = "";
    int name = 0;
    sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %n", &start, &end, access, &name);
    bool writable = access[1] == 'w', file = line[name] == '/', behind = start == *data_end && line[name] == '\0';
    if ((file && writable) || behind)
        return *data_end = end, &sum->data;
    if (file)
        return access[2] == 'x' ? &sum->text : &sum->constants;
    if (line[name] == '\0')
        return &sum->mapped;
    return strcmp(line + name, "[heap]") == 0 ? &sum->heap : strcmp(line + name, "[stack]") == 0 ? &sum->stack : NULL;
}

static bool areas_is_mapping(const char *line) {        /* "5581a000-...": all other lines begin with a capital */
    return (line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f');
}

static bool areas_sum(areas_figures *sum) {
    static areas_reader reader;
    static char line[AREAS_LINE];
    uint64_t data_end = 0, kib;
    int64_t *area = NULL;
    reader.file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    reader.length = reader.next = 0;
    if (reader.file < 0)
        return false;
    while (areas_line(&reader, line))
        if (areas_is_mapping(line))
            area = areas_of(sum, line, &data_end);
        else if (area != NULL && sscanf(line, "Rss: %" SCNu64, &kib) == 1)
            *area += (int64_t)kib * 1024;
    close(reader.file);
    return true;
}

/* Resident bytes between two addresses: bit 63 of a page's entry says that it is in memory. */
static int64_t areas_resident(const void *from, const void *to) {
    static uint64_t entries[AREAS_ENTRIES];
    uint64_t page_bytes = os_page_bytes(), resident = 0;
    uint64_t page = (uint64_t)(uintptr_t)from / page_bytes, end = (uint64_t)(uintptr_t)to / page_bytes;
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (ssize_t got = 1; file >= 0 && page < end && got > 0; page += (uint64_t)got) {
        uint64_t wanted = end - page < AREAS_ENTRIES ? end - page : AREAS_ENTRIES;
        got = pread(file, entries, wanted * sizeof *entries, (off_t)(page * sizeof *entries)) / (ssize_t)sizeof *entries;
        for (ssize_t i = 0; i < got; i++)
            resident += entries[i] >> 63;
    }
    if (file >= 0)
        close(file);
    return (int64_t)(resident * page_bytes);
}

bool areas_read(const session *s, areas_figures *now) {
    memset(now, 0, sizeof *now);
    if (!areas_sum(now))
        return false;
    for (unsigned i = 0; i < s->asked->threads; i++) {
        const mutator_base *base = (const mutator_base *)s->runs[i].mutator;
        if (base != NULL)
            now->locals += areas_resident(base->stack, base->limit);
    }
    now->tables = (int64_t)workload_mapped_bytes();
    now->mapped -= now->locals + now->tables;
    return true;
}
