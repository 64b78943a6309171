/*
 * memory_int.h - what the files of the monitor's memory share.
 *
 *      memory.c            putting it together; views, A20, code fetch, audit
 *      memory_access.c     guest_mem.h: linear accesses
 *      memory_phys.c       ... and guest-physical ones
 *      memory_pmap.c       guest page to machine page, and to a pointer
 *      memory_shadow.c     what the shadow MMU asks of the machine
 */
#ifndef VMM_CORE_MEMORY_INT_H
#define VMM_CORE_MEMORY_INT_H

#include "kernel/base/string.h"
#include "vmm/core/memory.h"
#include "vmm/core/windows.h"
#include "vmm/mmu/claims.h"

#define MEMORY_SHADOW_MAX   1024u       /* shadow pages */
#define NO_PAGE             UINT32_MAX  /* no RAM or ROM */

struct memory {
    struct vcpu *vcpu;
    struct gpa_map map;
    struct shadow shadow;
    struct claims claims;
    struct windows pages;               /* guest pages, by page of the store */
    bool (*written)(uint32_t ppn, uint32_t offset, uint32_t size);
    uint32_t odd_accesses;
};

extern struct memory memory;

/* COUNT windows from linear AT; GENERATION as in struct windows_place. */
struct windows_place memory_windows(uint32_t at, unsigned count,
                                    uint32_t *generation);

/* --- memory_pmap.c: PAGE is one of the store, as gpa_map_find() says -------*/

void memory_pmap_init(void);

/* The pmap's word; of a page that is there, or not. */
uint32_t memory_pmap_peek(uint32_t page);

/* The same, and it is there, for writing if IS_WRITE; may take long. */
uint32_t memory_pmap_touch(uint32_t page, bool is_write);

/* pmap_get of struct shadow_machine. */
enum pmap_result memory_pmap_get(void *ctx, ppn_t ppn,
                                 enum pmap_intent intent,
                                 struct pmap_page *page);

/* Which page of the store is at PPN for this access, or NO_PAGE. */
uint32_t memory_page_of(ppn_t ppn, bool is_write);

/* Which window shows PAGE. */
unsigned memory_window(uint32_t page, bool is_write);

static inline uint8_t *
memory_pointer(uint32_t page, bool is_write)
{
    return windows_use(&memory.pages, memory_window(page, is_write));
}

/* --- memory_shadow.c -------------------------------------------------------*/

/* ERR_NO_MEMORY as shadow_init(). */
MUST_CHECK status_t memory_shadow_init(const struct vmm_params *params);

/* --- memory_access.c -------------------------------------------------------*/

void memory_access_init(void);

/* SIZE bytes at OFFSET of PAGE were written: traces fire. */
void memory_fire(uint32_t page, uint32_t offset, size_t size);

/* What linear addresses mean changed; what is cached here goes. */
void memory_forget_linear(void);

/* Those whose size the compiler knows are single moves. */
static inline void
memory_copy(void *to, const void *from, size_t size)
{
    switch (size) {
    case sizeof(uint8_t):
        memcpy(to, from, sizeof(uint8_t));
        break;
    case sizeof(uint16_t):
        memcpy(to, from, sizeof(uint16_t));
        break;
    case sizeof(uint32_t):
        memcpy(to, from, sizeof(uint32_t));
        break;
    case sizeof(uint64_t):
        memcpy(to, from, sizeof(uint64_t));
        break;
    default:
        memcpy(to, from, size);
    }
}

#endif
