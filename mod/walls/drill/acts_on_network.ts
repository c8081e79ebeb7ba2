/** Acts that would reach out, or let somebody in. */
import { type DrillAct, tried, triedOnDeno } from "./act.ts";
import { callActs, ipv4Address } from "./call_act.ts";
import type { Targets } from "./targets.ts";

const AF = {
  unix: 1,
  inet: 2,
  netlink: 16,
  packet: 17,
  alg: 38,
  vsock: 40,
} as const;
const SOCK = { stream: 1, datagram: 2, raw: 3, seqpacket: 5 } as const;
const IPPROTO = { icmp: 1, mptcp: 262 } as const;
const MSG_FASTOPEN = 0x2000_0000;

/** All acts on the network. */
export function networkActs(at: Targets): DrillAct[] {
  return [
    tried("connect to a port on this host", {
      do: "connect",
      host: "127.0.0.1",
      port: at.tcpPort,
    }),
    ...(at.tcp6Port === null ? [] : [
      tried("connect to a port on this host by IPv6", {
        do: "connect",
        host: "::1",
        port: at.tcp6Port,
      }),
    ]),
    tried("connect to another role's edge", {
      do: "connect-unix",
      path: at.edgeSocket,
    }),
    tried("connect to a Unix socket that is open to all", {
      do: "connect-unix",
      path: at.openSocket,
    }),
    tried("connect to an abstract Unix socket", {
      do: "connect-unix",
      path: `\0${at.abstractSocket}`,
    }),
    tried("listen on a port", { do: "listen", host: "127.0.0.1", port: 0 }),
    tried("listen on port 25 of all addresses", {
      do: "listen",
      host: "0.0.0.0",
      port: 25,
    }),
    // What Deno grants for datagrams grants this, too.
    tried("listen on a port of all addresses that the kernel chooses", {
      do: "listen",
      host: "0.0.0.0",
      port: 0,
    }),
    triedOnDeno("look up a name elsewhere", {
      do: "look-up",
      port: at.udpPort,
    }),
    triedOnDeno("fetch a page", {
      do: "fetch",
      url: `http://127.0.0.1:${at.tcpPort}/`,
    }),
    triedOnDeno("load code from the network", {
      do: "import",
      url: `http://127.0.0.1:${at.tcpPort}/code.js`,
    }),
    ...socketActs(at),
  ];
}

function socketActs(at: Targets): DrillAct[] {
  const here = ipv4Address(at.tcpPort);
  return callActs(at.machine, [
    // Data in the SYN: the connection is made by sending, not by connect(2).
    ["connect by TCP Fast Open", ["socket", AF.inet, SOCK.stream, 0], [
      "sendto",
      { step: 0 },
      { text: "x" },
      1,
      MSG_FASTOPEN,
      here,
      16,
    ]],
    // Landlock's TCP rules do not see Multipath TCP.
    ["connect by Multipath TCP", [
      "socket",
      AF.inet,
      SOCK.stream,
      IPPROTO.mptcp,
    ], ["connect", { step: 0 }, here, 16]],
    // listen(2) binds by itself; Landlock's TCP rules do not see it.
    ["listen without binding", ["socket", AF.inet, SOCK.stream, 0], [
      "listen",
      { step: 0 },
      1,
    ]],
    ["send a UDP datagram", ["socket", AF.inet, SOCK.datagram, 0], [
      "sendto",
      { step: 0 },
      { text: "x" },
      1,
      0,
      ipv4Address(at.udpPort),
      16,
    ]],
    ["wait for UDP datagrams", ["socket", AF.inet, SOCK.datagram, 0], [
      "bind",
      { step: 0 },
      ipv4Address(0, "0.0.0.0"),
      16,
    ]],
    ["open a raw socket", ["socket", AF.inet, SOCK.raw, IPPROTO.icmp]],
    ["open an ICMP socket", ["socket", AF.inet, SOCK.datagram, IPPROTO.icmp]],
    ["open a packet socket", ["socket", AF.packet, SOCK.raw, 0x0300]],
    ["open a netlink socket", ["socket", AF.netlink, SOCK.raw, 0]],
    ["open a socket to the virtual machine's host", [
      "socket",
      AF.vsock,
      SOCK.stream,
      0,
    ]],
    ["open a socket to the kernel's ciphers", [
      "socket",
      AF.alg,
      SOCK.seqpacket,
      0,
    ]],
  ]);
}
