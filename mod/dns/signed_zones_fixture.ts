/** A little signed internet for tests: the root, `test` and `signed.test`. */
import { record } from "./message_fixture.ts";
import { dsFor, makeKey, signZone, zoneText } from "./signer_fixture.ts";

/** Texts of its zones by name, and the DS to trust. */
export function signedZones(): {
  zones: Record<string, string>;
  anchor: string;
} {
  const key = makeKey(13);
  const nowS = Math.floor(Date.now() / 1_000);
  const zone = (name: string, below: string, ...more: string[]) => {
    const at = name === "" ? "." : `${name}.`;
    return zoneText(signZone({
      name,
      keys: [key],
      nowS,
      records: [
        record(`${at} 300 SOA ns. hm. 1 3600 600 86400 60`),
        record(`${at} 300 NS ns.signed.test.`),
        ...below === ""
          ? []
          : [record(`${below}. 300 NS ns.signed.test.`), dsFor(below, key)],
        ...more.map(record),
      ],
    }));
  };
  const { data } = dsFor("", key);
  return {
    zones: {
      ".": zone("", "test"),
      "test": zone("test", "signed.test"),
      "signed.test": zone(
        "signed.test",
        "",
        "ns.signed.test. 300 A 127.0.0.1",
        "signed.test. 300 MX 5 mx.signed.test.",
        "mx.signed.test. 300 A 192.0.2.1",
        "_25._tcp.mx.signed.test. 300 TLSA 3 1 1 00ff",
      ),
    },
    anchor: `. DS ${(data[0]! << 8) | data[1]!} 13 2 ${
      data.subarray(4).toHex()
    }`,
  };
}
