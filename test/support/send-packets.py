"""Sends frames out of one network namespace and tells where each arrives, one JSON line for all.

usage: send-packets.py SENDER BRIDGE WITNESS... < JSON
The JSON has the parties' addresses (me, other, gateway, bridge's mac). SENDER and WITNESS are network namespaces, whose
interface is eth0, or `tap:N`, the other end of a virtual machine's cable as descriptor N; BRIDGE is an interface of the host. What arrives is known by a mark of its own in each frame.
"""

import ctypes
import json
import os
import re
import select
import socket
import sys
import time

from scapy.all import (ARP, BOOTP, DHCP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6ND_RA, ICMP, IPv6, Raw, fragment)

WAIT_S = 0.06
# A busy machine is late with some.
LAST_WAIT_S = 1
MARK = re.compile(rb"<(\d{6})>")
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)


def open_socket(namespace, interface):
    if namespace is not None:
        fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        assert libc.setns(fd, 0) == 0, "setns"
        os.close(fd)
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        opened.bind((interface, 3))
        opened.setblocking(False)
        return opened
    finally:
        assert libc.setns(home, 0) == 0, "setns"


class Tap:
    """A machine's end of its cable, as its QEMU has it: each frame behind virtio's header."""

    HEADER = bytes(10)

    def __init__(self, descriptor):
        self.descriptor = descriptor
        os.set_blocking(descriptor, False)

    def fileno(self):
        return self.descriptor

    def send(self, frame):
        os.write(self.descriptor, self.HEADER + frame)

    def recv(self, size):
        return os.read(self.descriptor, size + len(self.HEADER))[len(self.HEADER):]


def open_end(name):
    return Tap(int(name[4:])) if name.startswith("tap:") else open_socket(name, "eth0")


def frames(me, other, gateway):
    """Name and frame; each with a payload that `mark` fills in."""
    ether = Ether(src=me["mac"], dst=other["mac"])
    up = Ether(src=me["mac"], dst=gateway["mac"])
    everyone = Ether(src=me["mac"], dst="ff:ff:ff:ff:ff:ff")
    stranger = "02:51:00:00:00:99"
    nowhere = me["address"].rsplit(".", 1)[0] + ".77"
    own = IP(src=me["address"])
    udp = UDP(sport=4000, dport=4000)

    def toward(ip, dst):
        filled = ip.copy()
        filled.dst = dst
        return filled

    def arp(ether, **fields):
        return ether / ARP(hwsrc=fields.pop("hwsrc", me["mac"]), **fields)

    def dhcp(chaddr, kind="discover", op=1, src="0.0.0.0", sport=68, dport=67):
        bootp = BOOTP(op=op, chaddr=bytes.fromhex(chaddr.replace(":", "")), xid=1, flags=0x8000)
        return everyone / IP(src=src, dst="255.255.255.255") / UDP(sport=sport, dport=dport) / bootp / DHCP(options=[("message-type", kind), "end"])

    yield "own ip to gateway", up / toward(own, gateway["address"]) / udp
    yield "own arp for gateway", arp(everyone, op=1, psrc=me["address"], pdst=gateway["address"])
    yield "own dhcp discover", dhcp(me["mac"])
    yield "own fragment to gateway", up / IP(src=me["address"], dst=gateway["address"], flags="MF") / Raw(b"x" * 8)

    yield "foreign ip to gateway", up / IP(src=nowhere, dst=gateway["address"]) / udp
    yield "foreign ip to other", ether / IP(src=nowhere, dst=other["address"]) / udp
    yield "gateway's ip to other", ether / IP(src=gateway["address"], dst=other["address"]) / udp
    yield "outside ip to gateway", up / IP(src="198.51.100.9", dst=gateway["address"]) / udp
    yield "foreign mac to gateway", Ether(src=stranger, dst=gateway["mac"]) / toward(own, gateway["address"]) / udp
    yield "other's mac to gateway", Ether(src=other["mac"], dst=gateway["mac"]) / IP(src=other["address"], dst=gateway["address"]) / udp
    yield "gateway's mac to other", Ether(src=gateway["mac"], dst=other["mac"]) / IP(src=gateway["address"], dst=other["address"]) / udp
    yield "ip to other", ether / toward(own, other["address"]) / udp
    yield "tcp to other", ether / toward(own, other["address"]) / TCP(sport=4000, dport=4000, flags="S")
    yield "tcp to other's screen", ether / toward(own, other["address"]) / TCP(sport=4000, dport=5102, flags="S")
    yield "ip broadcast", everyone / toward(own, "255.255.255.255") / udp
    yield "ip multicast", Ether(src=me["mac"], dst="01:00:5e:00:00:fb") / toward(own, "224.0.0.251") / UDP(sport=5353, dport=5353)
    yield "first fragment to other", ether / IP(src=me["address"], dst=other["address"], flags="MF") / udp
    yield "later fragment to other", ether / IP(src=me["address"], dst=other["address"], frag=4) / Raw(b"x" * 8)
    yield "hairpin through gateway", up / toward(own, other["address"]) / udp

    yield "arp for other", arp(everyone, op=1, psrc=me["address"], pdst=other["address"])
    yield "arp gateway is me", arp(ether, op=2, psrc=gateway["address"], pdst=other["address"], hwdst=other["mac"])
    yield "arp other is me", arp(up, op=2, psrc=other["address"], pdst=gateway["address"], hwdst=gateway["mac"])
    yield "gratuitous arp for other", arp(everyone, op=1, psrc=other["address"], pdst=other["address"])
    yield "arp with another mac inside", arp(everyone, op=1, hwsrc=stranger, psrc=me["address"], pdst=gateway["address"])
    yield "arp probe for other", arp(everyone, op=1, psrc="0.0.0.0", pdst=other["address"])
    yield "arp of another kind", everyone / ARP(hwtype=6, hwsrc=me["mac"], psrc=me["address"], pdst=gateway["address"])

    yield "dhcp discover for other", dhcp(other["mac"])
    yield "dhcp discover for nobody", dhcp(stranger)
    yield "dhcp offer to all", dhcp(other["mac"], "offer", 2, me["address"], 67, 68)
    yield "dhcp offer from gateway", dhcp(other["mac"], "offer", 2, gateway["address"], 67, 68)
    yield "dhcp ack to other", ether / toward(own, other["address"]) / UDP(sport=67, dport=68) / BOOTP(op=2) / DHCP(options=[("message-type", "ack"), "end"])

    yield "router advertisement", Ether(src=me["mac"], dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1") / ICMPv6ND_RA()
    yield "neighbour advertisement", Ether(src=me["mac"], dst="33:33:00:00:00:01") / IPv6(src="fe80::2", dst="ff02::1") / ICMPv6ND_NA(tgt="fe80::2")
    yield "ipv6 to other", ether / IPv6(src="fe80::1", dst="fe80::2") / udp
    yield "ipv6 dhcp offer", ether / IPv6(src="fe80::1", dst="fe80::2") / UDP(sport=547, dport=546)
    yield "vlan to other", ether / Dot1Q(vlan=0) / toward(own, other["address"]) / udp
    yield "double vlan to other", ether / Dot1Q(vlan=1, type=0x8100) / Dot1Q(vlan=2) / toward(own, other["address"]) / udp
    yield "unknown ethertype", Ether(src=me["mac"], dst=other["mac"], type=0x88B5) / Raw(b"x" * 46)
    yield "pppoe discovery", Ether(src=me["mac"], dst="ff:ff:ff:ff:ff:ff", type=0x8863) / Raw(b"\x11\x09\x00\x00\x00\x00" + b"x" * 40)
    yield "spanning tree", Ether(src=me["mac"], dst="01:80:c2:00:00:00", type=0x0026) / Raw(b"\x42\x42\x03" + b"x" * 43)


def main():
    sender, bridge, *witnesses = sys.argv[1:]
    parties = json.load(sys.stdin)
    listeners = {"host": open_socket(None, bridge)}
    for name in witnesses:
        listeners[name] = open_end(name)
    out = open_end(sender)
    names = []
    seen = []

    def listen(seconds):
        """However late it gets to look: what has come by then is read."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            ready = select.select(list(listeners.values()), [], [], max(0, left))[0]
            for one in ready:
                for number in map(int, MARK.findall(one.recv(4096))):
                    if number < len(seen):
                        seen[number].update(key for key, value in listeners.items() if value is one)
            if left <= 0 and not ready:
                return

    for number, (name, frame) in enumerate(frames(parties["me"], parties["other"], parties["gateway"])):
        mark = b"<%06d>" % number
        # Twice: what is routed loses what follows the packet, and not everything has a payload.
        data = bytes(frame / Raw(mark)) if frame.haslayer(UDP) or frame.haslayer(TCP) else bytes(frame)
        names.append(name)
        seen.append(set())
        out.send(data + mark)
        listen(WAIT_S)
    listen(LAST_WAIT_S)
    print(json.dumps({name: sorted(where) for name, where in zip(names, seen)}))


main()
