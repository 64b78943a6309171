# lockstep.mk - builds lockstep: translator, interpreter and CPU side by side.
#
#   build/lockstep                a fixed set of programs, as `make unit` runs it
#   make lockstep COUNT=100000    more of them, from SEED on
#
# A 32-bit program far above where its guests are.

LOCKSTEP_SRC := $(wildcard tests/lockstep/*.[cS] bt/*.c vmm/interp/*.c) \
                vmm/vcpu.c kernel/base/format.c kernel/base/str.c
LOCKSTEP_FLAGS := -m32 -std=gnu11 -g $(WARN) $(HOST_INC) -D_GNU_SOURCE \
                -DDEBUG -fno-strict-aliasing -fno-pie
LOCKSTEP_LINK := -m32 -no-pie -Wl,-Ttext-segment=0x70000000
$(B)/host-lockstep/%.o: % Makefile tests/lockstep/lockstep.mk \
    | build/.have-build
	$(call say,CC32,$<)
	$(Q)$(into) $(HOSTCC) $(LOCKSTEP_FLAGS) -O1 -freg-struct-return $(DEPS) \
	    -c $< -o

$(B)/lockstep: $(LOCKSTEP_SRC:%=$(B)/host-lockstep/%.o)
	$(Q)$(into) $(HOSTCC) $(LOCKSTEP_LINK) -static $^ -o

UNIT_BIN += $(B)/lockstep
all: $(B)/lockstep

COUNT   ?= 20000
SEED    ?= 1
.PHONY: lockstep
lockstep: $(B)/lockstep
	$(Q)$< --seed $(SEED) --count $(COUNT)

# The fuzzer of translated code is a 32-bit program, too.
FUZZ32_SRC := tests/fuzz/fuzz_lockstep.c \
            $(filter-out $(addprefix tests/lockstep/,atoms_flow.c \
              atoms_row.c atoms_system.c generate.c listing.c main.c),\
              $(LOCKSTEP_SRC))
$(B)/hostfuzz32/%.o: % Makefile tests/lockstep/lockstep.mk \
    | build/.have-test
	$(call say,FUZZ32,$<)
	$(Q)$(into) $(FUZZ_CC) -m32 -D_GNU_SOURCE -fno-pie $(DEPS) -c $< -o

$(B)/fuzz/fuzz_lockstep: $(FUZZ32_SRC:%=$(B)/hostfuzz32/%.o)
	$(Q)$(into) $(FUZZ_CC) $(LOCKSTEP_LINK) $^ -o
