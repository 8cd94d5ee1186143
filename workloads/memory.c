/* SPDX-License-Identifier: MIT
 * memory.c - memory for a workload's own tables, which must be in nobody's figures.
 *
 * It comes from mmap, so that no allocator under test sees it, and every page is written at once, so
 * that no page fault of ours falls into a measured stretch. All of it is resident: what was mapped after a
 * baseline can be subtracted from what the process grew by.
 */
#include <stdatomic.h>
#include <sys/mman.h>

#include "../allocators/os_page.h"
#include "workload.h"

static _Atomic size_t memory_mapped_bytes;

static size_t memory_whole_pages(size_t bytes) {
    return bytes ? os_page_up(bytes) : os_page_bytes();
}

void *workload_map(size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    bytes = memory_whole_pages(bytes);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    for (size_t at = 0; at < bytes; at += os_page_bytes()) *(volatile char *)(memory + at) = 0;
    atomic_fetch_add(&memory_mapped_bytes, bytes);
    return memory;
}

void workload_unmap(void *memory, size_t bytes) {
    if (!memory) return;
    munmap(memory, memory_whole_pages(bytes));
    atomic_fetch_sub(&memory_mapped_bytes, memory_whole_pages(bytes));
}

size_t workload_mapped_bytes(void) { return atomic_load(&memory_mapped_bytes); }
