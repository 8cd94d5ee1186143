/* SPDX-License-Identifier: MIT
 * size_class.h - 32 sizes of block, 16 bytes apart: 16, 32, ... 512.
 *
 * A request of n bytes gets the smallest block that holds it, so at most 15 bytes of it are lost.
 * Source: CPython 3.12, Objects/obmalloc.c and Include/internal/pycore_obmalloc.h.
 */
#ifndef REFARENA_PYMALLOC_SIZE_CLASS_H
#define REFARENA_PYMALLOC_SIZE_CLASS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIZE_CLASS_SHIFT   = 4,
    SIZE_CLASS_LARGEST = 512,       /* bytes; larger requests are passed on to malloc */
    SIZE_CLASS_COUNT   = SIZE_CLASS_LARGEST >> SIZE_CLASS_SHIFT,
};

static inline uint32_t size_class_of(size_t bytes) {        /* 1 <= bytes <= SIZE_CLASS_LARGEST */
    return (uint32_t)(bytes - 1) >> SIZE_CLASS_SHIFT;
}

static inline uint32_t size_class_bytes(uint32_t size_class) {
    return (size_class + 1) << SIZE_CLASS_SHIFT;
}

#endif
