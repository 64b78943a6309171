# entry.mk - the monitor's entry code alone on a machine.
#
#   build/guest/entry.elf         a Multiboot program; .iso, for Bochs
#
# The objects under test are those of vmm.elf; the rest is compiled and linked
# as the programs of tests/guest are.

ENTRY_TESTED := $(addprefix vmm/core/,vmm_entry.S stack16.S guest_enter.c fpu.c \
                  native_exec.c) vmm/vcpu.c \
                $(addprefix kernel/x86/,cpuid.c exception.c)
ENTRY_SRC := $(wildcard tests/entry/*.[cS]) tests/guest/report.c \
             $(addprefix kernel/base/,format.c string.c str.c)
ENTRY_OBJ := $(ENTRY_TESTED:%=$(B)/vmk/%.o) $(ENTRY_SRC:%=$(B)/guest/%.o)

$(B)/guest/entry.elf: $(ENTRY_OBJ) tests/guest/guest.ld
	$(Q)$(into) $(GUEST_LINK) $(filter %.o,$^) -lgcc -o

$(B)/guest/entry.iso: $(B)/guest/entry.elf tests/guest/grub.cfg iso/mkiso.sh \
    | build/.have-iso
	$(call say,ISO,$@)
	$(Q)iso/mkiso.sh $< tests/guest/grub.cfg $@ "$(OBJCOPY)"

boot-test test: $(B)/guest/entry.elf $(B)/guest/entry.iso
