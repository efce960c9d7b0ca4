"""Asks for an address by DHCP on eth0 of this network namespace, as the hardware address that eth0 has; prints JSON or nothing.
A second word is the name that it says it has."""

import json
import socket
import struct
import sys
import time

mac = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", "")) if len(sys.argv) < 2 or sys.argv[1] == "" else bytes.fromhex(sys.argv[1].replace(":", ""))
said = sys.argv[2].encode() if len(sys.argv) > 2 else b""
ETHERNET = struct.Struct("!6s6sH")


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def message(kind, options=b""):
    bootp = struct.pack("!BBBBIHH4s4s4s4s16s64s128s", 1, 1, 6, 0, 0x51, 0, 0x8000, *[bytes(4)] * 4, mac, b"", b"")
    body = bootp + bytes.fromhex("63825363") + bytes([53, 1, kind]) + options + (bytes([12, len(said)]) + said if said else b"") + bytes([55, 5, 1, 3, 6, 12, 15, 255])
    udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ETHERNET.pack(b"\xff" * 6, mac, 0x0800) + head + udp


def hear(opened, kind):
    end = time.monotonic() + 2
    while time.monotonic() < end:
        opened.settimeout(max(0.01, end - time.monotonic()))
        try:
            got = opened.recv(2048)
        except TimeoutError:
            return None
        if got[12:14] != b"\x08\x00" or got[23] != 17 or got[36:38] != b"\x00\x44":
            continue
        bootp, at, options = got[42:], 240, {}
        while at < len(bootp) and bootp[at] != 255:
            options[bootp[at]] = bootp[at + 2 : at + 2 + bootp[at + 1]]
            at += 2 + bootp[at + 1]
        if options.get(53) == bytes([kind]):
            return ".".join(map(str, bootp[16:20])), options
    return None


def main():
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(0x0800))
    opened.bind(("eth0", 0x0800))
    opened.send(message(1))
    offer = hear(opened, 2)
    if offer is None:
        return
    address, options = offer
    opened.send(message(3, bytes([50, 4, *map(int, address.split("."))]) + bytes([54, 4]) + options[54]))
    answer = hear(opened, 5)
    if answer is None:
        return
    address, options = answer
    text = lambda number: ".".join(map(str, options[number])) if number in options else None
    name = options.get(12, b"").decode()
    print(json.dumps({"address": address, "mask": text(1), "router": text(3), "names": text(6), "host": name, "domain": options.get(15, b"").decode()}))


main()
