/*
 * fuzz_vmx.c - any bytes as a .vmx file: accepted or refused with a message of
 * one line, and what was accepted keeps the promises of vmx_keys.def, and is
 * the same when it was written out and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "vmm/config/vmx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct vmx *v, const char *text, size_t size)
{
    uint32_t memory = vmx_uint(v, "memsize");
    const char *kernel = vmx_text(v, "boot.kernel");

    ASSERT(memory >= 4 && memory <= 3584 && memory % 4 == 0);
    ASSERT(kernel == NULL || (*kernel != '\0' && strchr(kernel, '/') == NULL));
    for (unsigned n = 0; n < v->count; n++) {
        const struct vmx_entry *e = &v->entry[n];

        ASSERT(e->key >= text && e->key < e->value);
        ASSERT(e->value + strlen(e->value) < text + size);
        ASSERT(strcmp(vmx_text(v, e->key), e->value) == 0);
    }
}

static void
check_format(const struct vmx *v)
{
    static struct vmx again;
    size_t size = vmx_format(v, NULL, NULL, 0);
    char *text = malloc(size + 1);

    ASSERT(vmx_format(v, NULL, text, size + 1) == size);
    ASSERT(strlen(text) == size);
    if (vmx_parse(&again, text, size) != OK) {
        ASSERT(size > VMX_SIZE_MAX);    /* escapes are longer */
    } else {
        ASSERT(again.count == v->count);
        for (unsigned n = 0; n < v->count; n++)
            ASSERT(strcmp(again.entry[n].value, v->entry[n].value) == 0);
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vmx v;
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    if (vmx_parse(&v, text, size) == OK) {
        check(&v, text, size);
        check_format(&v);
    } else {
        ASSERT(strlen(v.message) > 0);
    }
    free(text);
    return 0;
}
