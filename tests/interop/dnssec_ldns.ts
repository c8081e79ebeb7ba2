/** Zones of the DNSSEC lab that a signer of others' making signs: ldns. */
import type { Name } from "../../mod/dns/message.ts";
import { record } from "../../mod/dns/message_fixture.ts";
import { type Draft, NOW_S } from "./dnssec_zones.ts";

/** What a zone is signed with. */
export interface LdnsChoice {
  /** As `ldns-keygen -a` has it. */
  readonly algorithm: string;
  /** Of `ldns-signzone`, for its kind of denial. */
  readonly args: readonly string[];
}

const DAY_S = 86_400;

/** With an unsigned zone below, `bare`. */
const TEXT = `
@ 300 IN SOA ns.test. root.test. 1 3600 600 86400 60
@ 300 IN NS ns.test.
@ 300 IN MX 10 Mx
mx 300 IN A 192.0.2.1
b.ent 300 IN TXT "text; with \\"signs\\""
*.wild 300 IN A 192.0.2.3
alias 300 IN CNAME mx
bare 300 IN NS ns.test.
`;

/** Makes keys for a zone, signs it, and says what the parent must have. */
export function ldnsZones(
  name: Name,
  { algorithm, args }: LdnsChoice,
): Draft[] {
  const cwd = Deno.makeTempDirSync({ prefix: "bulkhead-ldns-" });
  try {
    const key = (...more: string[]) =>
      run("ldns-keygen", { cwd, args: ["-a", algorithm, ...more, name] });
    const ksk = key("-k", "-b", "2048");
    const zsk = key("-b", "2048");
    Deno.writeTextFileSync(`${cwd}/zone`, `$ORIGIN ${name}.${TEXT}`);
    const times = ["-i", `${NOW_S - DAY_S}`, "-e", `${NOW_S + 9 * DAY_S}`];
    run("ldns-signzone", { cwd, args: [...times, ...args, "zone", zsk, ksk] });
    const ds = Deno.readTextFileSync(`${cwd}/${ksk}.ds`).trim().split(/\s+/);
    return [
      {
        name,
        ready: Deno.readTextFileSync(`${cwd}/zone.signed`),
        ds: [record(`${name}. 300 DS ${ds.slice(3).join(" ")}`)],
      },
      { name: `bare.${name}`, keys: [] },
    ];
  } finally {
    Deno.removeSync(cwd, { recursive: true });
  }
}

function run(
  command: string,
  { cwd, args }: { cwd: string; args: readonly string[] },
): string {
  const { success, stdout, stderr } = new Deno.Command(`/usr/bin/${command}`, {
    args: [...args],
    cwd,
  }).outputSync();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command}: ${text.decode(stderr)}`);
  return text.decode(stdout).trim();
}
