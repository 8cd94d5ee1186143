/* SPDX-License-Identifier: MIT
 * memory.c - memory for a workload's own tables, which must be in nobody's figures.
 *
 * It comes from mmap, so that no allocator under test sees it, and every page is written at once, so
 * that no page fault of ours falls into a measured stretch and the baseline RSS already contains it.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "workload.h"

void *workload_map(size_t bytes) {
    if (bytes == 0) bytes = 1;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t at = 0; at < bytes; at += page_bytes) *(volatile char *)(memory + at) = 0;
    return memory;
}

void workload_unmap(void *memory, size_t bytes) {
    if (memory) munmap(memory, bytes ? bytes : 1);
}
