/*
 * cpuid.c - reads CPUID into a bitmap of features and a description.
 *
 * Which leaf, register and bit a feature has stands in cpu_features.def; a
 * leaf beyond the CPU's highest reads as nothing (SDM 2A, CPUID).
 */
#include "kernel/x86/cpuid.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"

#define LEAF_VENDOR     0x00000000u
#define LEAF_MODEL      0x00000001u
#define LEAF_EXTENDED   0x80000000u
#define LEAF_BRAND      0x80000002u
#define LEAF_BRAND_LAST 0x80000004u
#define LEAF_ADDRESS    0x80000008u

#define MODEL_STEPPING  BITS(3, 0)
#define MODEL_MODEL     BITS(7, 4)
#define MODEL_FAMILY    BITS(11, 8)
#define MODEL_EXT_MODEL BITS(19, 16)
#define MODEL_EXT_FAMILY BITS(27, 20)
#define FAMILY_EXTENDED 15u
#define FAMILY_P6       6u

/*
 * Without leaf 80000008h a CPU with PAE "generally" has 36 address bits (SDM
 * 2A, CPUID).  QEMU's qemu32 has 32, and faults on more; what tells
 * it from others is PSE-36.  That the Pentium Pro has none costs one with more
 * than 4 GB the rest.
 */
#define ADDRESS_BITS    BITS(7, 0)
#define PSE36_ADDRESS_BITS 36u
#define OLD_ADDRESS_BITS 32u

enum cpuid_register { EAX, EBX, ECX, EDX };

struct feature {
    uint32_t leaf;
    uint8_t reg;
    uint8_t bit;
    const char *text;
};

static const struct feature features[CPU_FEATURE_COUNT] = {
#define CPU_FEATURE(name, leaf, reg, bit, text) \
    [CPU_##name] = { leaf, reg, bit, text },
#include "kernel/x86/cpu_features.def"
#undef CPU_FEATURE
};

static bool present[CPU_FEATURE_COUNT];
static struct cpu_model model;

/* All four registers of LEAF; zeros when the CPU has no such leaf. */
static void
read_leaf(uint32_t leaf, uint32_t regs[4])
{
    struct cpuid_regs r;

    cpuid(leaf & LEAF_EXTENDED, 0, &r);
    if (r.eax < leaf || (r.eax ^ leaf) & LEAF_EXTENDED) {
        memset(regs, 0, 4 * sizeof(regs[0]));
        return;
    }
    cpuid(leaf, 0, &r);
    regs[EAX] = r.eax;
    regs[EBX] = r.ebx;
    regs[ECX] = r.ecx;
    regs[EDX] = r.edx;
}

static void
read_vendor(void)
{
    uint32_t r[4];

    read_leaf(LEAF_VENDOR, r);
    memcpy(model.vendor, &r[EBX], 4);
    memcpy(model.vendor + 4, &r[EDX], 4);
    memcpy(model.vendor + 8, &r[ECX], 4);
}

/* The brand string is padded with blanks in front on some CPUs. */
static void
read_brand(void)
{
    char text[sizeof(model.brand)] = "";
    const char *start = text;

    for (uint32_t leaf = LEAF_BRAND; leaf <= LEAF_BRAND_LAST; leaf++) {
        uint32_t r[4];

        read_leaf(leaf, r);
        memcpy(text + (leaf - LEAF_BRAND) * sizeof(r), r, sizeof(r));
    }
    while (*start == ' ')
        start++;
    str_copy(model.brand, start, sizeof(model.brand));
}

static void
read_model(void)
{
    uint32_t r[4];

    read_leaf(LEAF_MODEL, r);
    model.stepping = FIELD_GET(r[EAX], MODEL_STEPPING);
    model.family = FIELD_GET(r[EAX], MODEL_FAMILY);
    model.model = FIELD_GET(r[EAX], MODEL_MODEL);
    if (model.family == FAMILY_P6 || model.family == FAMILY_EXTENDED)
        model.model |= FIELD_GET(r[EAX], MODEL_EXT_MODEL) << 4;
    if (model.family == FAMILY_EXTENDED)
        model.family += FIELD_GET(r[EAX], MODEL_EXT_FAMILY);

    read_leaf(LEAF_ADDRESS, r);
    model.physical_bits = FIELD_GET(r[EAX], ADDRESS_BITS);
    if (model.physical_bits == 0)
        model.physical_bits = cpu_has(CPU_PSE36) ? PSE36_ADDRESS_BITS
                                                 : OLD_ADDRESS_BITS;
}

void
cpuid_init(void)
{
    for (unsigned i = 0; i < CPU_FEATURE_COUNT; i++) {
        uint32_t r[4];

        read_leaf(features[i].leaf, r);
        present[i] = (r[features[i].reg] & BIT(features[i].bit)) != 0;
    }
    read_vendor();
    read_brand();
    read_model();
}

bool
cpu_has(enum cpu_feature feature)
{
    return present[feature];
}

const char *
cpu_feature_name(enum cpu_feature feature)
{
    return features[feature].text;
}

const struct cpu_model *
cpu_model(void)
{
    return &model;
}
