# vmrun.mk - builds vmrun, a virtual machine under the interpreter, and fetches
# its guests.
#
#   build/vmrun                       a 32-bit program, as the monitor is
#   build/guests/.linux, .mach        what `make boot-test` runs under it
#   build/guests/.netboot             and with LONG_TESTS=1

VMRUN_SRC := $(wildcard tests/vmrun/*.c bt/d*.c $(addsuffix /*.c,vmm \
               vmm/boot vmm/config vmm/dev vmm/interp)) \
             $(addprefix vmm/mmu/,gpa_map.c guest_walk.c) \
             $(addprefix kernel/base/,format.c number.c status.c str.c) \
             tests/unit/fake_native.c
$(B)/vmrun: $(VMRUN_SRC) tests/vmrun/vmrun.mk Makefile | build/.have-build
	$(call say,NATIVE,$@)
	$(Q)$(into) $(NATIVE) $(VMRUN_SRC) -o
$(B)/vmrun: $(wildcard $(addsuffix /*.[hd]*,tests/vmrun tests/unit bt vmm \
              vmm/*))

GUESTS := $(patsubst %,$(B)/guests/.%,linux mach $(if $(LONG_TESTS),netboot))
$(B)/guests/.%: scripts/guests.sh scripts/guest_init.sh scripts/initramfs.py \
    scripts/fetch_i386.sh | build/.have-build $(B)/guests
	$(call say,FETCH,$* guest)
	$(Q)scripts/guests.sh $(B)/guests $* && touch $@
