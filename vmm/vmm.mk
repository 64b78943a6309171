# vmm.mk - builds the monitor, build/vmm.elf, and what of it goes into
# vmkernel.elf: a copy without symbols, between vmm_image_start and _end.
#
# Linked alone, so that the monitor cannot name anything of the VMkernel's.

VMM_SRC := $(wildcard vmm/*.c bt/*.c kernel/base/*.c kernel/x86/*.c \
             $(foreach d,core dev interp mmu seg,vmm/$d/*.c vmm/$d/*.S))
VMM_OBJ := $(patsubst %,$(B)/vmk/%.o,$(VMM_SRC))

$(B)/gen/vmm.ld: vmm/vmm.ld vmm/layout.h | build/.have-build
	$(Q)$(into) $(CC) -E -P -undef -x assembler-with-cpp -I. $< -o

$(B)/vmm.elf: $(VMM_OBJ) $(B)/gen/vmm.ld
	$(call say,LD,$@)
	$(Q)$(into) $(CC) $(LDFLAGS) -Wl,-z,max-page-size=4096 -T $(B)/gen/vmm.ld \
	    $(VMM_OBJ) -lgcc -Wl,-Map=$(B)/vmm.map -o

$(B)/gen/vmm_image.elf: $(B)/vmm.elf
	$(Q)$(into) $(OBJCOPY) --strip-all $<

$(B)/vmk/vmm/vmk/vmm_image.S.o: $(B)/gen/vmm_image.elf
