/* SPDX-License-Identifier: MIT
 * one.c - remembers that the one mutator is there. */
#include "../collector.h"

atomic_bool one_entered;
