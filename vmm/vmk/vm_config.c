/*
 * vm_config.c - a VM's configuration, and changes to it.
 *
 * It is changed by writing it out with the change and reading that again: the
 * parser is the only judge of what is right, and what it refuses has changed
 * nothing.
 *
 * Called by the world that acts for the person; no locks.
 */
#include "kernel/base/string.h"
#include "mm/mm.h"
#include "vmm/vmk/vm_int.h"

struct vm_config *
vm_config_alloc(size_t size)
{
    return heap_alloc_zero(sizeof(struct vm_config) + size + 1);
}

/* C with the key of WORD ("key=value") changed, not yet parsed, or NULL. */
static struct vm_config *
config_change(const struct vm_config *c, const char *word, size_t *size)
{
    char key[VMX_MESSAGE_MAX];
    const char *equals = strchr(word, '=');
    struct vmx_change change = { .key = key, .value = equals + 1 };
    struct vm_config *changed;

    memcpy(key, word, (size_t)(equals - word));
    key[equals - word] = '\0';
    if (*change.value == '\0')
        change.value = NULL;
    *size = vmx_format(&c->vmx, &change, NULL, 0);
    changed = vm_config_alloc(*size);
    if (changed != NULL)
        vmx_format(&c->vmx, &change, changed->text, *size + 1);
    return changed;
}

/* The parser's message without its line, which nobody wrote. */
static const char *
without_line(const char *message)
{
    const char *colon = strchr(message, ':');

    return str_starts_with(message, "line ") && colon != NULL &&
           colon[1] == ' ' ? colon + 2 : message;
}

/* KEY=VALUE; a blank is not part of a key. */
static bool
is_change(const char *word)
{
    size_t size = 0;

    while (word[size] != '\0' && word[size] != '=' &&
           !char_is_space(word[size]))
        size++;
    return size > 0 && size < VMX_MESSAGE_MAX && word[size] == '=';
}

/* Make one change to *C, which is replaced; else it stays. */
static status_t
apply_change(struct vm_config **c, const char *word, struct vm_why *why)
{
    struct vm_config *changed;
    status_t status;
    size_t size;

    if (!is_change(word))
        return vm_refuse(why, ERR_SYNTAX, "'%.40s' is no change: expected "
                         "KEY=VALUE without blanks around =", word);
    changed = config_change(*c, word, &size);
    if (changed == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for that");
    status = vmx_parse(&changed->vmx, changed->text, size);
    if (status != OK) {
        (void)vm_refuse(why, status, "%s", without_line(changed->vmx.message));
        heap_free(changed);
        return status;
    }
    heap_free(*c);
    *c = changed;
    return OK;
}

status_t
vm_config_make(const struct vm_config *from,
               const struct vm_changes *changes, struct vm_config **result,
               struct vm_why *why)
{
    static const struct vmx empty;
    const struct vmx *vmx = from != NULL ? &from->vmx : &empty;
    size_t size = vmx_format(vmx, NULL, NULL, 0);
    struct vm_config *c = vm_config_alloc(size);
    status_t status;

    if (c == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for that");
    vmx_format(vmx, NULL, c->text, size + 1);
    status = vmx_parse(&c->vmx, c->text, size);
    if (status != OK)
        (void)vm_refuse(why, status, "%s", c->vmx.message);
    for (unsigned n = 0; status == OK && n < changes->count; n++)
        status = apply_change(&c, changes->word[n], why);
    if (status == OK)
        *result = c;
    else
        heap_free(c);
    return status;
}
