/*
 * string.h - memory and strings, the C library's names and contracts.
 *
 * The compiler itself calls the mem* functions.  In programs that run on the
 * build machine the C library's own serve, and string.c is left out; the
 * str_* functions below are ours in both and live in str.c.
 */
#ifndef KERNEL_BASE_STRING_H
#define KERNEL_BASE_STRING_H

#include "kernel/base/types.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *s, int c);

/*
 * Copy SRC to DST and end it with a NUL within SIZE bytes (SIZE > 0).
 * Returns false if the text had to be cut.
 */
bool str_copy(char *dst, const char *src, size_t size);

bool str_starts_with(const char *s, const char *prefix);

/* ASCII only; the locale is the C one. */
bool char_is_space(char c);
bool char_is_digit(char c);
bool char_is_print(char c);
char char_to_lower(char c);

#endif
