/*
 * string.c - the memory functions of C for freestanding code.
 *
 * memcpy and memset use the string instructions: short to write, fast on every
 * CPU since the Pentium Pro for the page-sized blocks that matter here, and
 * the same code serves VMkernel and monitor.  The direction flag is clear in
 * all C code (the ABI's rule; trap entry clears it).
 *
 * Not linked into programs for the build machine, which use their C library.
 */
#include "kernel/base/string.h"

#include "kernel/x86/cpu.h"

void *
memcpy(void *restrict dst, const void *restrict src, size_t size)
{
    copy_forward(dst, src, size);
    return dst;
}

void *
memmove(void *dst, const void *src, size_t size)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    if ((uintptr_t)d - (uintptr_t)s >= size) {
        copy_forward(d, s, size);
        return dst;
    }
    while (size-- > 0)
        d[size] = s[size];
    return dst;
}

void *
memset(void *dst, int byte, size_t size)
{
    fill_forward(dst, (uint8_t)byte, size);
    return dst;
}

int
memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (size_t i = 0; i < size; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

size_t
strlen(const char *s)
{
    const char *end = s;

    while (*end != '\0')
        end++;
    return (size_t)(end - s);
}

int
strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int
strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; a++, b++, size--) {
        if (*a != *b)
            return (uint8_t)*a < (uint8_t)*b ? -1 : 1;
        if (*a == '\0')
            break;
    }
    return 0;
}

char *
strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (*s == '\0')
            return NULL;
    }
}
