/* SPDX-License-Identifier: MIT
 * map.h - which of pymalloc's pools have how much, at each moment of a run: --map=FILE.
 */
#ifndef REFARENA_HARNESS_MAP_H
#define REFARENA_HARNESS_MAP_H

#include "verdict.h"

/* Begin to write to `path`. False: the allocator has no pools that can be shown, or the file cannot be written. */
bool map_begin(const char *path, const char *allocator, verdict *said);

/* All pools, under the moment's name; nothing where no map was asked for. */
void map_moment(const char *label);

bool map_end(verdict *said);

#endif
