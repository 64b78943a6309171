"""test_vm_lockstep.py - VMs that are disturbed, and VMs that are compared.

`vm.stress` makes a monitor forget at random; `vm.engine = lockstep` lets the
interpreter do again what translated code did.  A guest sees neither.
"""
import pytest

from guest_deviations import VM_QEMU
from socle import check_log
from test_guest import TOPICS, Results
from test_vm_linux import Linux, check_boot_log
from test_vmrun import check_shell, long_test
from vms import Vm, boot, make_archive

TOPIC_TIMEOUT = 120
# Each is short of something else, or of nothing: vmm/core/stress.c.
SEEDS = 4, 5, 6
SLOW_SEEDS = {4}                # for Linux: its code does not fit
# TCG checks no segments: there the interpreter is right, and lockstep says so.
DIFFERENT = {"exceptions", "kernel_segments"}
# For the same reason it reads the TC, where now this and now that is.
ODD = {"top"}


def archive(path, build, line):
    """The topics and Debian, with LINE in their .vmx files."""
    words = []
    for topic in TOPICS:
        vmx = path / f"{topic}.vmx"
        vmx.write_text(f'memsize = "32"\nboot.kernel = "kernel"\n{line}\n')
        words += (f"{topic}/{topic}.vmx={vmx}",
                  f"{topic}/kernel={build / 'guest' / f'{topic}.elf'}")
    vmx = path / "debian.vmx"
    vmx.write_text('memsize = "128"\nboot.kernel = "linux"\n'
                   'boot.initrd = "initrd"\n'
                   'boot.cmdline = "console=ttyS0 nokaslr '
                   f'cryptomgr.notests"\n{line}\n')
    return make_archive(path / "vms.cpio", *words, f"debian/debian.vmx={vmx}",
                        f"debian/linux={build / 'guests' / 'linux-686'}",
                        f"debian/initrd={build / 'guests/initramfs.cpio'}")


def check_topic(vm):
    vm.start()
    end = vm.wait_off(TOPIC_TIMEOUT)
    assert end == "off", end
    Results(vm.output()).check({}, VM_QEMU)


def check_linux(machine):
    linux = Linux(machine, "debian")
    check_boot_log(linux.boot())
    check_shell(linux, "686")
    linux.power_off()


@pytest.mark.parametrize("seed", SEEDS)
def test_stress(qemu, build, tmp_path, seed):
    machine = boot(qemu, archive(tmp_path, build, f'vm.stress = "{seed}"'),
                   memory="256M")
    for topic in TOPICS:
        check_topic(Vm(machine, topic))
    if seed not in SLOW_SEEDS:
        check_linux(machine)
    check_log(machine.boot_log)


def test_lockstep(qemu, build, tmp_path):
    machine = boot(qemu, archive(tmp_path, build, 'vm.engine = "lockstep"'),
                   memory="256M")
    for topic in TOPICS:
        vm = Vm(machine, topic)
        if topic not in DIFFERENT | ODD:
            check_topic(vm)
            continue
        vm.start()
        ends = ("crashed: lockstep:", "off")[:1 + (topic in ODD)]
        assert vm.wait_off(TOPIC_TIMEOUT).startswith(ends)


@long_test
def test_lockstep_linux(qemu, build, tmp_path):
    machine = boot(qemu, archive(tmp_path, build, 'vm.engine = "lockstep"'),
                   memory="256M")
    check_linux(machine)
