/* SPDX-License-Identifier: MIT
 * kernel.c - proc(5), read into a fixed buffer. */
#include "kernel.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void kernel_read(const char *path, const char *const *names, uint64_t *bytes, unsigned count) {
    static char text[8192];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0, more;
    while (file >= 0 && (more = read(file, text + length, sizeof text - 1 - (size_t)length)) > 0)
        length += more;
    if (file >= 0) close(file);
    text[length] = '\0';
    for (unsigned i = 0; i < count; i++) {
        const char *line = strstr(text, names[i]);
        bytes[i] = 0;
        if (line != NULL && sscanf(line + strlen(names[i]), "%" SCNu64, &bytes[i]) == 1) bytes[i] *= 1024;
    }
}

uint64_t kernel_private_dirty(void) {
    static const char *const name = "\nPrivate_Dirty:";
    uint64_t bytes;
    kernel_read("/proc/self/smaps_rollup", &name, &bytes, 1);
    return bytes;
}
