/* SPDX-License-Identifier: MIT
 * larger_pages.c - for LD_PRELOAD: a process on a kernel whose pages have REFARENA_PAGE_BYTES, 16 or 64 KiB.
 *
 *   sysconf, getpagesize                        say so
 *   mmap, mremap                                give addresses that are multiples of it
 *   mmap, munmap, madvise, mprotect, mremap     take a length for whole pages; an address or an offset that is no multiple
 *                                               is refused with EINVAL, as there
 *
 * Every call that was refused so is named on standard error, and a process that made one, or whose children did, ends with
 * LARGER_PAGES_REFUSED: whoever ignores the EINVAL is noticed too.
 * Not changed: what the C library maps for itself, and /proc, whose statm still counts in true pages.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LARGER_PAGES_REFUSED = 70, LARGER_PAGES_TRUE_BYTES = 4096 };

static size_t      page_bytes;      /* 0: not yet read; other constructors may call before ours */
static atomic_int *refused;         /* in memory that children share */

static size_t page(void) {
    if (page_bytes) return page_bytes;
    const char *asked = getenv("REFARENA_PAGE_BYTES");
    size_t bytes = asked ? strtoul(asked, NULL, 10) : 0;
    if (bytes < LARGER_PAGES_TRUE_BYTES || bytes & (bytes - 1)) {
        dprintf(STDERR_FILENO, "larger_pages: REFARENA_PAGE_BYTES must be a power of two, 4096 or more\n");
        _exit(2);
    }
    refused = (atomic_int *)syscall(SYS_mmap, NULL, sizeof *refused, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page_bytes = bytes;
}

static int refuse(const char *call, const void *address, size_t bytes) {
    dprintf(STDERR_FILENO, "larger_pages: %s(%p, %zu): not a multiple of %zu\n", call, address, bytes, page());
    atomic_fetch_add(refused, 1);
    errno = EINVAL;
    return -1;
}

static bool begins_a_page(const void *address) { return (uintptr_t)address % page() == 0; }
static size_t whole_pages(size_t bytes) { return bytes > SIZE_MAX - page() ? bytes : (bytes + page() - 1) & ~(page() - 1); }

/* --- what is asked --- */

int getpagesize(void) { return (int)page(); }

long __sysconf(int name);
long sysconf(int name) { return name == _SC_PAGESIZE ? (long)page() : __sysconf(name); }

/* --- what is mapped --- */

static void true_munmap(char *from, const char *to) {
    if (from < to) syscall(SYS_munmap, from, to - from);
}

/* A page more is mapped, and what lies before and behind is given back. */
static void *map_anywhere(size_t bytes, int protection, int flags, int file, off_t offset) {
    if (bytes > SIZE_MAX - 2 * page()) return errno = ENOMEM, MAP_FAILED;
    size_t whole = whole_pages(bytes);
    char *room = (char *)syscall(SYS_mmap, NULL, whole + page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return MAP_FAILED;
    char *start = room + (-(uintptr_t)room & (page() - 1));
    true_munmap(room, start);
    true_munmap(start + whole, room + whole + page());
    void *mapped = (void *)syscall(SYS_mmap, start, file < 0 ? whole : bytes, protection, flags | MAP_FIXED, file, offset);
    if (mapped == MAP_FAILED) true_munmap(start, start + whole);
    return mapped;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (flags & MAP_FIXED && !begins_a_page(address)) return refuse("mmap", address, bytes), MAP_FAILED;
    if ((size_t)offset % page()) return refuse("mmap, offset", (void *)offset, bytes), MAP_FAILED;
    if (flags & MAP_FIXED || bytes == 0) return (void *)syscall(SYS_mmap, address, whole_pages(bytes), protection, flags, file, offset);
    return map_anywhere(bytes, protection, flags, file, offset);
}

void *mmap64(void *address, size_t bytes, int protection, int flags, int file, off_t offset) __attribute__((alias("mmap")));

int munmap(void *address, size_t bytes) {
    return begins_a_page(address) ? (int)syscall(SYS_munmap, address, whole_pages(bytes)) : refuse("munmap", address, bytes);
}

int madvise(void *address, size_t bytes, int advice) {
    return begins_a_page(address) ? (int)syscall(SYS_madvise, address, whole_pages(bytes), advice) : refuse("madvise", address, bytes);
}

int mprotect(void *address, size_t bytes, int protection) {
    return begins_a_page(address) ? (int)syscall(SYS_mprotect, address, whole_pages(bytes), protection)
                                  : refuse("mprotect", address, bytes);
}

/* What grows moves, if it may: to where an aligned room was found. */
void *mremap(void *address, size_t old_bytes, size_t new_bytes, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    void *to = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
    va_end(rest);
    size_t before = whole_pages(old_bytes), whole = whole_pages(new_bytes);
    if (!begins_a_page(address) || !begins_a_page(to)) return refuse("mremap", address, old_bytes), MAP_FAILED;
    if (whole <= before || !(flags & MREMAP_MAYMOVE) || to)
        return (void *)syscall(SYS_mremap, address, before, whole, flags, to);
    char *room = map_anywhere(whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return MAP_FAILED;
    void *moved = (void *)syscall(SYS_mremap, address, before, whole, flags | MREMAP_FIXED, room);
    if (moved == MAP_FAILED) true_munmap(room, room + whole);
    return moved;
}

/* --- at the end --- */

__attribute__((constructor)) static void larger_pages_begin(void) { page(); }

__attribute__((destructor)) static void larger_pages_end(void) {
    if (atomic_load(refused)) {
        fflush(NULL);
        _exit(LARGER_PAGES_REFUSED);
    }
}
