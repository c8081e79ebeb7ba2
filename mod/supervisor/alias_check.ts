/**
 * Aliases that can never deliver, found before the first message finds them:
 * those that only name one another, and targets that nobody has.
 */
import type { Config } from "../config/settings.ts";
import type { Mailbox } from "../core/shapes.ts";

/** Names that mail always reaches, RFC 5321 §4.5.1 and RFC 2142. */
const ALWAYS = new Set(["postmaster", "abuse"]);

/** One sentence for each alias that leads nowhere. */
export function deadAliases(
  config: Config,
  mailboxes: readonly Mailbox[],
): string[] {
  const world = new World(config, mailboxes);
  return config.aliases.flatMap((alias) =>
    world.domainsOf(alias.name).flatMap((domain) => {
      const dead = alias.targets.filter((target) =>
        !world.leadsSomewhere(target, domain)
      );
      if (dead.length === 0) return [];
      const outcome = dead.length === alias.targets.length
        ? "its mail is refused"
        : "the others still get theirs";
      return [
        `alias ${JSON.stringify(alias.name)} names ${dead.join(", ")}, which ` +
        `is no mailbox in ${domain} and no alias that leads to one: ${outcome}`,
      ];
    })
  );
}

class World {
  readonly #aliases: ReadonlySet<string>;
  readonly #mailboxes: ReadonlySet<string>;
  readonly #domains: readonly string[];
  readonly #delimiters: string;
  /** `alias domain` of the aliases that are known to lead somewhere. */
  readonly #live = new Set<string>();

  constructor(config: Config, mailboxes: readonly Mailbox[]) {
    this.#aliases = new Set(config.aliases.map((one) => one.name));
    this.#mailboxes = new Set(
      mailboxes.map((one) => `${one.user}@${one.domain}`),
    );
    this.#domains = config.server.local_domains;
    this.#delimiters = config.resolve.recipient_delimiter;
    // From what surely delivers outwards, until nothing is added: a ring of
    // aliases that only name one another is never reached.
    for (let before = -1; before < this.#live.size;) {
      before = this.#live.size;
      for (const { name, targets } of config.aliases) {
        for (const domain of this.domainsOf(name)) {
          const isLive = targets.some((one) =>
            this.leadsSomewhere(one, domain)
          );
          if (isLive) this.#live.add(`${name} ${domain}`);
        }
      }
    }
  }

  /** The domains that a name is looked for in: its own, or all. */
  domainsOf(name: string): readonly string[] {
    const at = name.lastIndexOf("@");
    return at < 0 ? this.#domains : [name.slice(at + 1)];
  }

  /** True if mail for a target reaches a mailbox or another server. */
  leadsSomewhere(target: string, domain: string): boolean {
    const at = target.lastIndexOf("@");
    const user = (at < 0 ? target : target.slice(0, at)).toLowerCase();
    const where = at < 0 ? domain : target.slice(at + 1).toLowerCase();
    if (!this.#domains.includes(where)) return true;
    return [user, this.#withoutExtension(user)].some((name) =>
      this.#mailboxes.has(`${name}@${where}`) || ALWAYS.has(name) ||
      [`${name}@${where}`, name, `@${where}`].some((alias) =>
        this.#aliases.has(alias) && this.#live.has(`${alias} ${where}`)
      )
    );
  }

  #withoutExtension(user: string): string {
    for (let at = 1; at < user.length; at++) {
      if (this.#delimiters.includes(user[at]!)) return user.slice(0, at);
    }
    return user;
  }
}
