"""bochs.py - a Machine in Bochs 2.7, which checks what real processors check.

It boots the ISO only.  The display is an RFB server that nobody looks at; the
debugger that this build has is told to continue.
"""
import os
import socket

from machine import Machine

CONFIGURATION = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, \
serial=1, e1000=0
memory: guest={memory}, host={memory}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=vbe, update_freq=1, realtime=0
cpu: model={cpu}, count={smp}, ips=50000000, reset_on_triple_fault=0, \
ignore_bad_msrs=0
clock: sync=none, time0=946684800, rtc_sync=0
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
mouse: enabled=0
private_colormap: enabled=0
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
com2: enabled=1, mode=null
port_e9_hack: enabled=1
log: {log}
debug: action=ignore
info: action=report
error: action=report
panic: action=fatal
"""


class Bochs(Machine):
    """CPU is one of Bochs's models; MEMORY is in MB."""

    def __init__(self, log_path, iso, *, cpu="corei7_icelake_u", memory=128,
                 smp=1):
        self.settings = {"iso": os.path.abspath(iso), "cpu": cpu,
                         "memory": memory, "smp": smp,
                         "log": os.path.abspath(f"{log_path}.bochs")}
        super().__init__(log_path)

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.settings["port"] = listener.getsockname()[1]
        return listener

    def command_line(self):
        for name, text in (("bochsrc", CONFIGURATION.format(**self.settings)),
                           ("debugger", "c\n")):
            with open(os.path.join(self.folder, name), "w",
                      encoding="ascii") as file:
                file.write(text)
        return ["bochs", "-q", "-rc", "debugger", "-f", "bochsrc"]
