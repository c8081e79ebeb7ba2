import assert from "node:assert/strict";
import { AttemptedHosts, type HostEnd } from "./attempt.ts";
import type { Reached } from "./wanted.ts";

const end: HostEnd = {
  to: { host: "mx.x.test", address: "192.0.2.1", port: 25 },
  policy: {
    profile: "may",
    demand: "",
    dns: { mx: "", address: "", tlsa: "" },
    mtaSts: "",
    report: undefined,
  },
  result: "250 ok",
  tookMs: 1,
};
const reached = (how: Reached["reached"], fault: Reached["fault"] = "") => ({
  reached: how,
  tls: how === "clear" ? "" : "TLSv1.3",
  certificate: "",
  fault,
});

const CASES: { name: string; end: Partial<HostEnd>; counted: string[] }[] = [
  {
    name: "DANE",
    end: { reached: reached("dane") },
    counted: ["reached-dane"],
  },
  {
    name: "a certificate that nobody vouched for",
    end: { reached: reached("encrypted", "certificate-not-trusted") },
    counted: ["reached-encrypted", "tls-fault-certificate-not-trusted"],
  },
  {
    name: "a policy that failed before the host was asked",
    end: { fault: "tlsa-invalid" },
    counted: ["reached-nobody", "tls-fault-tlsa-invalid"],
  },
  {
    name: "no TLS where none was owed",
    end: { reached: reached("clear") },
    counted: ["reached-clear"],
  },
];

for (const { name, end: more, counted } of CASES) {
  Deno.test(`AttemptedHosts counts ${name}`, () => {
    const names: string[] = [];
    new AttemptedHosts((one) => names.push(one)).add({ ...end, ...more });
    assert.deepEqual(names, counted);
  });
}

Deno.test("AttemptedHosts counts every host, and keeps the first ones", () => {
  let count = 0;
  const hosts = new AttemptedHosts(() => count++);
  for (let n = 0; n < 30; n++) hosts.add(end);
  assert.deepEqual([count, hosts.hosts.length], [30, 20]);
});
