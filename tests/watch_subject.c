/* SPDX-License-Identifier: MIT
 * watch_subject.c - one mistake with a block of 21 bytes, or none: watch_subject ALLOCATOR MISTAKE
 */
#include "allocators/allocator.h"

#include <string.h>

int main(int argc, char **argv) {
    char why[512];
    const allocator *subject = argc == 3 ? allocator_open(argv[1], why, sizeof why) : NULL;
    if (!subject)
        return 2;
    volatile char *block = subject->alloc(21, 16);
    block[20] = 1;
    if (!strcmp(argv[2], "beyond"))
        block[21] = 1;
    if (!strcmp(argv[2], "never granted"))
        (void)block[33];                                /* the block carved next */
    if (!strcmp(argv[2], "shrunk")) {
        block = subject->resize((void *)block, 21, 20); /* stays, and its end moves */
        block[20] = 1;
    }
    subject->release((void *)block, 0);
    if (!strcmp(argv[2], "released"))
        (void)block[3];
    return 0;
}
