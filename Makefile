# Socle's one Makefile.  `make` builds build/vmkernel.elf and build/socle.iso;
# `make run`, `test`, `lint`, `bench` and `clean` do what they say.  DEBUG=1
# builds with expensive checks into build/debug.  V=1 shows the commands.
#
# A folder's sources are found by wildcard; the layers between folders are
# checked by `make lint`.

B       := build$(if $(DEBUG),/debug)
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')
need     = @scripts/need.sh
# Files appear when they are whole: several runs of make may share a folder.
into     = scripts/into.sh $@
DEPS     = -MMD -MP -MT $@

# --- Toolchain: i686-elf-, else i686-linux-gnu-, else the native gcc -m32 ----
CROSS   ?= $(firstword $(foreach p,i686-elf- i686-linux-gnu-,\
                $(if $(shell command -v $(p)gcc),$(p))))
CC      := $(if $(CROSS),$(CROSS)gcc,gcc -m32)
OBJCOPY := $(CROSS)objcopy
NM      := $(CROSS)nm
HOSTCC  := gcc
PYTHON  := /usr/bin/python3

WARN    := -Wall -Wextra -Werror -Wshadow -Wundef -Wstrict-prototypes \
           -Wmissing-prototypes -Wvla -Woverride-init -Wpointer-arith \
           -Wwrite-strings
CFLAGS  := -std=gnu11 -O2 -g $(WARN) -I. -I$(B)/gen -march=i686 \
           -ffreestanding -fno-strict-aliasing -fno-pic -fno-pie \
           -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
           -fno-stack-protector -fcf-protection=none -freg-struct-return \
           -mno-mmx -mno-sse -mgeneral-regs-only -Wa,--fatal-warnings \
           -fmacro-prefix-map=$(CURDIR)/= $(if $(DEBUG),-DDEBUG)
LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
           -Wl,--no-warn-rwx-segments -Wl,--fatal-warnings

# --- The VMkernel ------------------------------------------------------------
VMK_DIRS := boot kernel kernel/base kernel/x86 mm sched drivers console \
            $(addprefix vmm/,boot config vmk)
VMK_SRC := vmm/vcpu.c $(foreach d,$(VMK_DIRS),$(wildcard $(d)/*.[cS]))
VMK_OBJ := $(patsubst %,$(B)/vmk/%.o,$(VMK_SRC))
GEN     := $(B)/gen/version.h

.PHONY: all run test lint bench clean iso unit fuzz boot-test
all: $(B)/vmkernel.elf $(B)/socle.iso $(B)/btrun $(B)/vmrun
include vmm/vmm.mk

# What is fetched is the same with DEBUG=1: links to the folders in build.
$(B)/i386 $(B)/guests:
	@mkdir -p $(B) build/$(@F)
	@[ -d $@ ] || ln -s ../$(@F) $@

build/.have-%: scripts/need.sh scripts/packages
	@mkdir -p $(@D)
	$(need) $*
	@touch $@

$(B)/vmk/%.c.o: %.c Makefile | $(GEN) build/.have-build
	$(call say,CC,$<)
	$(Q)$(into) $(CC) $(CFLAGS) $(DEPS) -c $< -o

$(B)/vmk/%.S.o: %.S Makefile | build/.have-build
	$(call say,AS,$<)
	$(Q)$(into) $(CC) $(CFLAGS) -D__ASSEMBLY__ $(DEPS) -c $< -o

# The version is the newest commit; the file changes only when that does.
$(B)/gen/version.h: FORCE
	@mkdir -p $(@D)
	@new=$@.$$$$ && scripts/version.sh >$$new && \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi
.PHONY: FORCE
FORCE:

# Linked twice: the first link gives the addresses for the symbol table, which
# sits behind all code, so the second link moves no function.
$(B)/vmkernel.1.elf: $(VMK_OBJ) linker.ld $(B)/gen/symtab_empty.o
	$(Q)$(into) $(CC) $(LDFLAGS) -T linker.ld $(VMK_OBJ) \
	    $(B)/gen/symtab_empty.o -lgcc -o

$(B)/gen/symtab_empty.o: scripts/symtab.sh | build/.have-build
	$(Q)scripts/symtab.sh </dev/null | $(into) $(CC) -x assembler -c - -o

$(B)/gen/symtab.o: $(B)/vmkernel.1.elf scripts/symtab.sh
	$(Q)$(NM) -n $< | scripts/symtab.sh | \
	    $(into) $(CC) -x assembler -c - -o

$(B)/vmkernel.elf: $(B)/gen/symtab.o
	$(call say,LD,$@)
	$(Q)$(into) $(CC) $(LDFLAGS) -T linker.ld $(VMK_OBJ) $< -lgcc \
	    -Wl,-Map=$(B)/vmkernel.map -o

$(B)/socle.iso: $(B)/vmkernel.elf $(B)/vms.cpio iso/grub.cfg iso/mkiso.sh \
    | build/.have-iso
	$(call say,ISO,$@)
	$(Q)iso/mkiso.sh $< iso/grub.cfg $@ "$(OBJCOPY)" $(B)/vms.cpio

iso: $(B)/socle.iso

run: $(B)/socle.iso | build/.have-qemu
	$(Q)scripts/run.sh $(B)/socle.iso

# --- Programs for the build machine: unit tests, fuzzers, benchmarks ---------
# PURE code runs in VMkernel or monitor, and as an ordinary program too.
PURE := $(wildcard bt/*.c vmm/*.c $(addprefix vmm/core/,serial_rings.c \
            tc_layout.c undefined_flags.c windows.c) \
          $(foreach d,boot config dev interp mmu, \
            vmm/$d/*.c) $(addprefix vmm/seg/,backing.c cached.c direct.c \
            shadow_table.c) boot/boot_info.c kernel/config.c kernel/options.c \
          kernel/timerq.c $(addprefix kernel/base/,bitmap.c format.c \
            memory_map.c number.c ring.c status.c str.c time_scale.c) \
          $(addprefix sched/,prop_share.c runqueue.c water_fill.c) \
          mm/buddy.c mm/heap.c mm/memmap.c \
          $(addprefix vmm/vmk/,byte_log.c vm_archive.c vm_context.c vm_elf.c \
            vm_params.c) \
          $(addprefix drivers/,acpi_aml.c acpi_fadt.c acpi_madt.c \
            acpi_tables.c firmware.c keymap.c mp_tables.c pci.c pci_ids.c \
            pci_scan.c platform.c rtc_time.c screen.c) \
          $(addprefix console/,args.c command.c completion.c history.c \
            line_buffer.c line_editor.c line_view.c terminal.c units.c \
            words.c))
HOST_INC := -I. -I$(B)/gen -Itests
HOST_FLAGS := -std=gnu11 -g -O1 $(WARN) $(HOST_INC) -DDEBUG \
           -fno-strict-aliasing -fno-omit-frame-pointer \
           -fsanitize=address,undefined -fno-sanitize-recover=all
CMOCKA32 := $(B)/i386/usr
LIB64   := -lcmocka
LIB32   := -L$(CMOCKA32)/lib/i386-linux-gnu -lcmocka \
           -Wl,-rpath,$(CURDIR)/$(CMOCKA32)/lib/i386-linux-gnu
UNIT    := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
FAKES   := $(wildcard tests/unit/fake_*.c)
# Tests with libraries of their own, which exist for 64 bits only.
UNIT_64_ONLY := test_decode_zydis test_interp_unicorn
# Instructions are executed natively, as the 32-bit code that they are.
UNIT_32_ONLY := test_interp_vs_cpu test_translate_native test_translate_cpu
LIBS_test_decode_zydis := -lZydis
LIBS_test_interp_unicorn := -lunicorn

define host_rules
$(B)/host$(1)/%.o: %.c Makefile | build/.have-test \
    $(B)/i386/.done
	$$(call say,CC$(1),$$<)
	$$(Q)$$(into) $$(HOSTCC) -m$(1) $$(HOST_FLAGS) $$(DEPS) -c $$< -o

$(B)/host$(1)/pure.a: $(PURE:%.c=$(B)/host$(1)/%.o)
	$$(Q)$$(into) sh -c 'ar rcs $$$$0 $$^'

$(B)/unit$(1)/%: $(B)/host$(1)/tests/unit/%.o \
    $(FAKES:%.c=$(B)/host$(1)/%.o) $(B)/host$(1)/pure.a
	$$(Q)$$(into) $$(HOSTCC) -m$(1) -fsanitize=address,undefined $$^ \
	    $$(LIB$(1)) $$(LIBS_$$*) -o
endef
$(foreach n,32 64,$(eval $(call host_rules,$(n))))
.SECONDARY:

# cmocka for 32-bit programs, without adding an architecture to the system.
$(B)/i386/.done: scripts/fetch_i386.sh | build/.have-test $(B)/i386
	$(call say,FETCH,libcmocka for i386)
	$(Q)scripts/fetch_i386.sh $(B)/i386 libcmocka0 libcmocka-dev
	@touch $@

UNIT_BIN := $(patsubst %,$(B)/unit64/%,\
              $(filter-out $(UNIT_32_ONLY),$(UNIT))) \
            $(patsubst %,$(B)/unit32/%,$(filter-out $(UNIT_64_ONLY),$(UNIT)))
include tests/programs/programs.mk
include tests/lockstep/lockstep.mk
include tests/vmrun/vmrun.mk
include tests/guest/guest.mk
include tests/entry/entry.mk
include iso/vms.mk
unit: $(UNIT_BIN)
	$(Q)$(PYTHON) tests/run.py unit $(UNIT_BIN)

# One fuzzer per tests/fuzz/fuzz_*.c, by clang's libFuzzer, with its corpus.
FUZZ    := $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 10
FUZZ_BIN := $(FUZZ:%=$(B)/fuzz/%)
FUZZ_CC := clang -std=gnu11 -g -O1 $(HOST_INC) -DDEBUG -fno-strict-aliasing \
           -Wno-initializer-overrides -fsanitize=fuzzer,address,undefined \
           -fno-sanitize-recover=all
$(B)/hostfuzz/%.o: %.c Makefile | build/.have-test
	$(call say,CCFUZZ,$<)
	$(Q)$(into) $(FUZZ_CC) $(DEPS) -c $< -o

$(B)/hostfuzz/pure.a: $(PURE:%.c=$(B)/hostfuzz/%.o)
	$(Q)$(into) sh -c 'ar rcs $$0 $^'

$(B)/fuzz/%: $(B)/hostfuzz/tests/fuzz/%.o \
    $(FAKES:%.c=$(B)/hostfuzz/%.o) $(B)/hostfuzz/pure.a
	$(Q)$(into) $(FUZZ_CC) $^ -o

fuzz: $(FUZZ_BIN)
	$(Q)$(PYTHON) tests/run.py fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_BIN)

# The boot tests also want a kernel with the expensive checks.
BOOT_FILES := $(B)/vmkernel.elf $(B)/socle.iso $(B)/vmrun $(GUESTS)
ifndef DEBUG
BOOT_FILES += build/debug/vmkernel.elf
build/debug/vmkernel.elf: FORCE
	$(Q)$(MAKE) --no-print-directory DEBUG=1 $@
endif
boot-test: $(BOOT_FILES) | build/.have-test
	$(Q)$(PYTHON) tests/run.py boot $(B)

test: $(UNIT_BIN) $(FUZZ_BIN) $(BOOT_FILES) | build/.have-test
	$(Q)$(PYTHON) tests/run.py all --seconds $(FUZZ_SECONDS) $(B) \
	    $(UNIT_BIN) $(FUZZ_BIN)

lint: $(B)/vmkernel.elf | build/.have-lint
	$(Q)tests/lint/lint.sh "$(CC)" "$(CFLAGS)" $<

# btrun runs 32-bit Linux programs under the translator, far above where they
# want to be.  Optimised, without sanitizers: speed counts, as vmrun's does.
NATIVE  := $(HOSTCC) -m32 -std=gnu11 -O2 -g $(WARN) -I. -Itests -D_GNU_SOURCE \
           -freg-struct-return -fno-strict-aliasing -static -no-pie -fno-pie
BTRUN_SRC := $(wildcard tests/btrun/*.[cS] bt/*.c vmm/interp/*.c) \
           kernel/base/format.c kernel/base/str.c vmm/vcpu.c \
           tests/unit/fake_native.c
HEADERS := Makefile $(wildcard $(addsuffix /*.[hd]*,tests/btrun bt vmm \
           vmm/*))
$(B)/btrun: $(BTRUN_SRC) $(HEADERS) | build/.have-build
	$(call say,NATIVE,$@)
	$(Q)$(into) $(NATIVE) -Wl,-Ttext-segment=0x70000000 $(BTRUN_SRC) -o

# Benchmarks in C, tests/bench/bench_*.c: optimised, 32-bit like the VMkernel.
BENCH_BIN := $(patsubst tests/%.c,$(B)/%,$(wildcard tests/bench/bench_*.c))
BENCH_SRC := $(filter-out tests/vmrun/%,$(VMRUN_SRC)) $(wildcard bt/*.c) \
             tests/unit/fake_guest.c tests/unit/fake_image.c
$(B)/bench/%: tests/bench/%.c $(BENCH_SRC) $(HEADERS) | build/.have-test
	$(call say,BENCH,$<)
	$(Q)$(into) $(NATIVE) $< $(sort $(BENCH_SRC)) -o

bench: $(B)/socle.iso $(B)/btrun $(BENCH_BIN) $(PROGRAMS) | build/.have-bench
	$(Q)$(PYTHON) -B tests/bench/bench_vm.py $(B)
	$(Q)$(PYTHON) tests/bench/bench_bt.py $(B)
	$(Q)$(PYTHON) tests/bench/bench.py $(B)

clean:
	rm -rf build

-include $(shell find $(B) -type f -name '[!.]*.d' 2>/dev/null)
