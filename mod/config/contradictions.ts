/**
 * Pairs of settings that are each right and cannot be true together. One row
 * a rule; a rule is asked only if what it looks at was readable, so that one
 * mistake is not reported as three.
 */
import { hostPortText, isLoopback } from "./names.ts";
import { durationText, sizeText } from "./quantities.ts";
import type { Config } from "./settings.ts";

/** What a rule found: the key to blame, and what to do. */
export interface Finding {
  readonly path: readonly string[];
  readonly message: string;
}

/** One rule. `needs` are dotted keys and names of free sections. */
export interface Contradiction {
  readonly needs: readonly string[];
  find(config: Config): readonly Finding[];
}

/** All rules. */
export const CONTRADICTIONS: readonly Contradiction[] = [
  {
    needs: ["server.local_domains", "server.relay_domains"],
    find: ({ server }) =>
      server.relay_domains.filter((one) => server.local_domains.includes(one))
        .map((one) => ({
          path: ["server", "relay_domains"],
          message:
            `${one} is in server.local_domains too: mail for it either ` +
            "ends here or goes on; remove it from one of them",
        })),
  },
  {
    needs: ["server.local_domains", "routes"],
    find: ({ server, routes }) =>
      routes.filter((one) => server.local_domains.includes(one.domain))
        .map((one) => ({
          path: ["routes", one.domain],
          message: `${one.domain} is in server.local_domains too: its mail ` +
            "ends here and needs no route; remove one of them",
        })),
  },
  {
    needs: ["server.local_domains", "aliases"],
    find: ({ server, aliases }) => {
      const local = new Set(server.local_domains);
      return aliases.filter(({ name }) =>
        name.includes("@") && !local.has(name.slice(name.lastIndexOf("@") + 1))
      ).map(({ name }) => ({
        path: ["aliases", name],
        message: "is not in a domain of server.local_domains, so it would " +
          "never be used",
      }));
    },
  },
  {
    needs: ["server.local_domains", "server.postmaster"],
    find: ({ server }) => {
      const domain = server.postmaster?.slice(
        server.postmaster.lastIndexOf("@") + 1,
      );
      return domain === undefined || server.local_domains.includes(domain)
        ? []
        : [{
          path: ["server", "postmaster"],
          message: `${domain} is not in server.local_domains: name a mailbox ` +
            "of this server",
        }];
    },
  },
  {
    needs: [
      "smtp.listen",
      "submission.listen",
      "submission.tls_listen",
      "console.listen",
    ],
    find: listenTwice,
  },
  {
    needs: ["console.listen", "console.tls"],
    find: ({ console: { listen, tls } }) =>
      listen === null || tls || isLoopback(listen.host) ? [] : [{
        path: ["console", "listen"],
        message: `${hostPortText(listen)} is no loopback address, so whoever ` +
          "is on the way could read a sign-in: set console.tls, or reach it " +
          "by `ssh -L` or a proxy with TLS",
      }],
  },
  {
    needs: ["console.listen", "console.open"],
    find: ({ console: { listen, open } }) =>
      listen === null || !open || isLoopback(listen.host) ? [] : [{
        path: ["console", "open"],
        message: "would show everybody's mail to whoever reaches " +
          `${hostPortText(listen)}: remove it, or listen on a loopback ` +
          "address",
      }],
  },
  {
    needs: ["console.tls", "tls.mode"],
    find: ({ console: page, tls }) =>
      page.tls && tls.mode === "off"
        ? [{
          path: ["console", "tls"],
          message: 'needs a certificate, and tls.mode is "off"',
        }]
        : [],
  },
  {
    needs: ["smtp.listen", "routes"],
    find: ({ smtp, routes }) => {
      const own = new Set(smtp.listen.map(hostPortText));
      return routes.filter(({ nextHop }) =>
        nextHop.kind === "host" && own.has(hostPortText(nextHop))
      ).map(({ domain }) => ({
        path: ["routes", domain],
        message: "is an address of smtp.listen: the mail would come back to " +
          "this server",
      }));
    },
  },
  {
    needs: ["smtp.listen", "outbound.smarthost"],
    find: ({ smtp, outbound: { smarthost } }) =>
      smarthost !== null &&
        smtp.listen.some((one) => hostPortText(one) === hostPortText(smarthost))
        ? [{
          path: ["outbound", "smarthost"],
          message: "is an address of smtp.listen: the mail would come back " +
            "to this server",
        }]
        : [],
  },
  {
    needs: ["outbound.source"],
    find: ({ outbound: { source } }) =>
      new Set(source.map((one) => one.includes(":"))).size < source.length
        ? [{
          path: ["outbound", "source"],
          message: "has two addresses of one family: write one",
        }]
        : [],
  },
  {
    needs: ["outbound.smarthost", "routes"],
    find: ({ outbound, routes }) =>
      outbound.smarthost !== null && routes.some(({ domain }) => domain === "*")
        ? [{
          path: ["routes", "*"],
          message: "says where all other mail goes, and so does " +
            "outbound.smarthost: remove one of them",
        }]
        : [],
  },
  {
    needs: ["outbound.smarthost", "outbound.smarthost_password_file"],
    find: ({ outbound: { smarthost, smarthost_password_file: file } }) => {
      const at = (message: string) => [{
        path: ["outbound", "smarthost_password_file"],
        message,
      }];
      const isWanted = smarthost?.user != null && smarthost.password === null;
      if (file === null) {
        return isWanted
          ? [{
            path: ["outbound", "smarthost"],
            message: "has a user and no password: write USER:PASSWORD@, or " +
              "name a file in outbound.smarthost_password_file",
          }]
          : [];
      }
      if (isWanted) return [];
      return smarthost?.password == null
        ? at("is only used by an outbound.smarthost with a user")
        : at("holds a password, and so does outbound.smarthost: remove one");
    },
  },
  {
    needs: ["tls.mode", "tls.certificate", "tls.key"],
    find: ({ tls }) =>
      (["certificate", "key"] as const).flatMap((file) => {
        if (tls.mode === "files" && tls[file] === null) {
          return [{
            path: ["tls", "mode"],
            message: `is "files", which needs tls.${file} too`,
          }];
        }
        return tls.mode !== "files" && tls[file] !== null
          ? [{
            path: ["tls", file],
            message: `is only used with tls.mode = "files"; it is ` +
              `"${tls.mode}": change that or remove this`,
          }]
          : [];
      }),
  },
  {
    needs: ["queue.first_retry", "queue.max_retry"],
    find: ({ queue }) =>
      queue.max_retry >= queue.first_retry ? [] : [{
        path: ["queue", "max_retry"],
        message: `is ${durationText(queue.max_retry)}, less than ` +
          `queue.first_retry (${durationText(queue.first_retry)})`,
      }],
  },
  {
    needs: ["queue.first_retry", "queue.expire"],
    find: ({ queue }) =>
      queue.expire >= queue.first_retry ? [] : [{
        path: ["queue", "expire"],
        message: `is ${durationText(queue.expire)}, less than ` +
          `queue.first_retry (${durationText(queue.first_retry)}): nothing ` +
          "would be tried twice",
      }],
  },
  {
    needs: ["queue.max_jobs", "queue.max_jobs_per_destination"],
    find: ({ queue }) =>
      queue.max_jobs >= queue.max_jobs_per_destination ? [] : [{
        path: ["queue", "max_jobs_per_destination"],
        message: `is ${queue.max_jobs_per_destination}, more than ` +
          `queue.max_jobs (${queue.max_jobs})`,
      }],
  },
  {
    needs: ["spool.segment_size", "spool.ready_segments", "spool.max_size"],
    find: ({ spool }) => {
      const least = spool.segment_size * spool.ready_segments;
      return spool.max_size >= least ? [] : [{
        path: ["spool", "max_size"],
        message: `is ${sizeText(spool.max_size)}, less than ` +
          `${spool.ready_segments} segments of ` +
          `${sizeText(spool.segment_size)} (spool.segment_size)`,
      }];
    },
  },
  {
    needs: ["smtp.max_message_size", "spool.max_size"],
    find: ({ smtp, spool }) =>
      spool.max_size >= smtp.max_message_size ? [] : [{
        path: ["spool", "max_size"],
        message: `is ${sizeText(spool.max_size)}, less than one message may ` +
          `have (smtp.max_message_size, ${sizeText(smtp.max_message_size)})`,
      }],
  },
  {
    needs: [
      "smtp.command_timeout",
      "smtp.message_timeout",
      "smtp.session_timeout",
    ],
    find: ({ smtp }) =>
      (["command_timeout", "message_timeout"] as const)
        .filter((part) => smtp[part] > smtp.session_timeout)
        .map((part) => ({
          path: ["smtp", "session_timeout"],
          message: `is ${durationText(smtp.session_timeout)}, less than ` +
            `smtp.${part} (${durationText(smtp[part])})`,
        })),
  },
  {
    needs: ["smtp.max_sessions", "smtp.max_sessions_per_client"],
    find: ({ smtp }) =>
      smtp.max_sessions >= smtp.max_sessions_per_client ? [] : [{
        path: ["smtp", "max_sessions_per_client"],
        message: `is ${smtp.max_sessions_per_client}, more than ` +
          `smtp.max_sessions (${smtp.max_sessions})`,
      }],
  },
  {
    needs: ["screening.allow", "screening.deny"],
    find: ({ screening }) =>
      screening.deny.filter((one) => screening.allow.includes(one))
        .map((one) => ({
          path: ["screening", "deny"],
          message: `${one} is in screening.allow too: remove it from one of ` +
            "them",
        })),
  },
  {
    needs: ["greylist.delay", "greylist.window"],
    find: ({ greylist }) =>
      greylist.window > greylist.delay ? [] : [{
        path: ["greylist", "window"],
        message: `is ${durationText(greylist.window)}, not more than ` +
          `greylist.delay (${durationText(greylist.delay)}): nothing would ` +
          "ever pass",
      }],
  },
];

function listenTwice(config: Config): Finding[] {
  const { smtp, submission, console: page } = config;
  const all = [
    ...smtp.listen.map((one) => ({ one, path: ["smtp", "listen"] })),
    ...submission.listen.map((one) => ({
      one,
      path: ["submission", "listen"],
    })),
    ...submission.tls_listen.map((one) => ({
      one,
      path: ["submission", "tls_listen"],
    })),
    ...[page.listen].flatMap((one) =>
      one === null ? [] : [{ one, path: ["console", "listen"] }]
    ),
  ];
  return all.flatMap(({ one, path }, at) => {
    const other = all.slice(0, at).find((before) => clash(before.one, one));
    return other === undefined ? [] : [{
      path,
      message: `${hostPortText(one)} cannot be opened beside ` +
        `${hostPortText(other.one)} of ${other.path.join(".")}: choose ` +
        "another port",
    }];
  });
}

// A wildcard address takes the port on every address of its family.
function clash(
  one: { host: string; port: number },
  other: { host: string; port: number },
): boolean {
  if (one.port !== other.port) return false;
  if (one.host === other.host) return true;
  return one.host.includes(":") === other.host.includes(":") &&
    [one.host, other.host].some((host) => host === "0.0.0.0" || host === "::");
}
