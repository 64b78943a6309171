"""test_vm_audit.py - VMs whose shadow page tables are compared with the guest's
own, again and again (vm.audit, vmm/mmu/mmu_audit.c).

An audit that finds a difference ends the VM as crashed.  The build with the
expensive checks runs them.
"""
import re

import pytest

from guest_deviations import VM_QEMU
from test_vm_guest import MACHINE, check_topics
from test_vm_linux import Linux, check_boot_log
from vms import boot, make_archive

# Entries to the guest for each audit, and how many audits that must be.
TOPIC_PERIOD, TOPIC_AUDITS = 16, 1000
LINUX_PERIOD, LINUX_AUDITS = 500, 300
KERNELS = "686", "686-pae"


def audits(vm):
    match = re.search(r"(\d+) audits", vm.do("stats"))
    return int(match[1]) if match else 0


def test_topics(qemu_debug, build):
    machine = boot(qemu_debug, build / "guest" / "vms.cpio", **MACHINE)
    vms = check_topics(machine, "qemu", VM_QEMU, f"vm.audit={TOPIC_PERIOD}")
    assert sum(map(audits, vms)) >= TOPIC_AUDITS


@pytest.mark.parametrize("kernel", KERNELS)
def test_linux(qemu_debug, build, tmp_path, kernel):
    guests = build / "guests"
    vmx = tmp_path / "debian.vmx"
    vmx.write_text('memsize = "128"\nboot.kernel = "linux"\n'
                   'boot.initrd = "initrd"\n'
                   'boot.cmdline = "console=ttyS0 nokaslr '
                   'cryptomgr.notests"\n'
                   f'vm.audit = "{LINUX_PERIOD}"\n')
    machine = boot(qemu_debug, make_archive(
        tmp_path / "vms.cpio", f"debian/debian.vmx={vmx}",
        f"debian/linux={guests / f'linux-{kernel}'}",
        f"debian/initrd={guests / 'initramfs.cpio'}"), memory="256M")
    linux = Linux(machine, "debian")
    check_boot_log(linux.boot())
    linux.detach()
    assert audits(linux) >= LINUX_AUDITS
    assert "was killed" in linux.do("kill")
