/* SPDX-License-Identifier: MIT
 * areas.c - /proc/self/smaps, summed by kind of mapping; /proc/self/pagemap for a part of one.
 *
 *     5581a000-5581b000 r-xp 00002000 fe:01 1234   /usr/bin/x       text: a file, executable
 *     5581c000-5581d000 rw-p 00003000 fe:01 1234   /usr/bin/x       data
 *     5581d000-5581f000 rw-p 00000000 00:00 0                       zeroed data, or memory of anybody
 *     5581f000-55840000 rw-p 00000000 00:00 0      [heap]
 *     Rss:                  12 kB
 *
 * Adjacent anonymous mappings may be one to the kernel, with a name or without: the heap begins right behind the
 * program's zeroed data where addresses are not random, and any memory may come to lie behind a library's. What lies in
 * them is told apart by address (zeroed data, by the program headers; locals) or known to be resident (tables), and
 * taken out of the sum. proc(5) has both files, dl_iterate_phdr(3) the headers.
 * (I1) The sum of all areas is the resident set, but for pages that come or go meanwhile.
 */
#include "areas.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
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

/* Resident bytes between two addresses: bit 63 of a page's entry says that it is in memory. */
static int64_t areas_resident(uint64_t from, uint64_t to) {
    static uint64_t entries[AREAS_ENTRIES];
    uint64_t page_bytes = os_page_bytes(), resident = 0;
    uint64_t page = from / page_bytes, end = to / page_bytes;
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

/* --- zeroed data ----------------------------------------------------------------------------------------- */

typedef struct areas_span {
    uint64_t start, end;                    /* addresses of a mapping */
    uint64_t zeroed;                        /* bytes of it that are zeroed data */
    int64_t  resident;                      /* bytes of these that are in memory */
} areas_span;

/* The whole pages of an object's segments that no file fills, as far as they lie in the span. */
static int areas_add_zeroed(struct dl_phdr_info *object, size_t size, void *context) {
    areas_span *span = context;
    uint64_t page_bytes = os_page_bytes();
    (void)size;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uint64_t at = object->dlpi_addr + segment->p_vaddr;
        uint64_t start = (at + segment->p_filesz + page_bytes - 1) / page_bytes * page_bytes;
        uint64_t end = (at + segment->p_memsz + page_bytes - 1) / page_bytes * page_bytes;
        start = start > span->start ? start : span->start;
        end = end < span->end ? end : span->end;
        if (segment->p_type == PT_LOAD && start < end) {
            span->zeroed += end - start;
            span->resident += areas_resident(start, end);
        }
    }
    return 0;
}

/* Of the resident bytes of an anonymous mapping, those of zeroed data. A page that was only ever read counts in part of
 * a mapping, where the kernel's own sum leaves it out: never more than that sum. */
static int64_t areas_zeroed(areas_span span, int64_t rss) {
    span.zeroed = 0, span.resident = 0;
    dl_iterate_phdr(areas_add_zeroed, &span);
    return span.zeroed == span.end - span.start || span.resident > rss ? rss : span.resident;
}

/* --- the sum ----------------------------------------------------------------------------------------------- */

/* Which area a mapping is of, by the first line about it; NULL: the kernel's own. */
static int64_t *areas_of(areas_figures *sum, const char *line, areas_span *span, bool *anonymous) {
    char access[8] = "";
    int at = 0;
    sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %n", &span->start, &span->end, access, &at);
    const char *name = line + at;
    bool heap = strcmp(name, "[heap]") == 0;
    *anonymous = heap || *name == '\0' || strncmp(name, "[anon:", 6) == 0;      /* named by prctl(2) */
    if (*anonymous)
        return heap ? &sum->heap : &sum->mapped;
    if (*name == '/')
        return access[1] == 'w' ? &sum->data : access[2] == 'x' ? &sum->text : &sum->constants;
    return strcmp(name, "[stack]") == 0 ? &sum->stack : NULL;
}

static bool areas_is_mapping(const char *line) {        /* "5581a000-...": all other lines begin with a capital */
    return (line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f');
}

static bool areas_sum(areas_figures *sum) {
    static areas_reader reader;
    static char line[AREAS_LINE];
    areas_span span = { 0 };
    bool anonymous = false;
    uint64_t kib;
    int64_t *area = NULL;
    reader.file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    reader.length = reader.next = 0;
    if (reader.file < 0)
        return false;
    while (areas_line(&reader, line))
        if (areas_is_mapping(line)) {
            area = areas_of(sum, line, &span, &anonymous);
        } else if (area != NULL && sscanf(line, "Rss: %" SCNu64, &kib) == 1) {
            int64_t rss = (int64_t)kib * 1024, zeroed = anonymous ? areas_zeroed(span, rss) : 0;
            sum->data += zeroed;
            *area += rss - zeroed;
        }
    close(reader.file);
    return true;
}

bool areas_read(const session *s, areas_figures *now) {
    memset(now, 0, sizeof *now);
    if (!areas_sum(now))
        return false;
    for (unsigned i = 0; i < s->asked->threads; i++) {
        const mutator_base *base = (const mutator_base *)s->runs[i].mutator;
        if (base != NULL)
            now->locals += areas_resident((uintptr_t)base->stack, (uintptr_t)base->limit);
    }
    now->tables = (int64_t)workload_mapped_bytes();
    now->mapped -= now->locals + now->tables;
    return true;
}
