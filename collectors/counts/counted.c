/* SPDX-License-Identifier: MIT
 * counted.c - the tally of counted.h. */
#include "../collector.h"

struct counted_operations counted_operations;
