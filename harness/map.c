/* SPDX-License-Identifier: MIT
 * map.c - one block of lines a moment, in the order they came, for gnuplot's `index`:
 *
 *     # peak
 *     arena pool class_bytes used capacity
 *     0 0 64 255 255
 *     ...
 *     (two empty lines)
 */
#include "map.h"

#include <errno.h>
#include <string.h>

#include "../allocators/pymalloc/survey.h"

static FILE *map_file;          /* NULL: not asked for */

bool map_begin(const char *path, const char *allocator, verdict *said) {
    if (strstr(allocator, "pymalloc") == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--map: %s has no pools to show; use --allocator=pymalloc", allocator);
    map_file = fopen(path, "w");
    if (map_file == NULL)
        return verdict_say(said, OUTCOME_BAD_INPUT, "--map: %s cannot be written: %s", path, strerror(errno));
    return true;
}

void map_moment(const char *label) {
    if (map_file == NULL)
        return;
    fprintf(map_file, "# %s\n", label);
    survey_map(map_file);
    fputs("\n\n", map_file);
}

bool map_end(verdict *said) {
    if (map_file == NULL)
        return true;
    bool written = !ferror(map_file);
    written &= fclose(map_file) == 0;
    map_file = NULL;
    return written || verdict_say(said, OUTCOME_BAD_INPUT, "--map: not all could be written: %s", strerror(errno));
}
