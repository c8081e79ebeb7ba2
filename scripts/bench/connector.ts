/**
 * A client that does nothing but come and go: connects, waits for the
 * greeting, if asked shakes hands for TLS, says QUIT, and waits for the
 * answer. Runs as a process of its own, so that it is counted as a client.
 *
 *     connector.ts PORT plain|tls CONNECTIONS AT-ONCE FROM
 */
import net from "node:net";
import tls from "node:tls";

const [port, door, connections, atOnce, localAddress] = Deno.args;

/** One connection; rejects if the server does anything unexpected. */
function visit(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const plain = net.connect({
    host: "127.0.0.1",
    port: Number(port),
    localAddress: localAddress!,
  });
  // What is said, and the code that answers what was said before.
  const lines: [code: string, say: string][] = door === "tls"
    ? [["220", "EHLO bench.test"], ["250", "STARTTLS"], ["220", ""]]
    : [["220", "QUIT"], ["221", ""]];
  const secured: [code: string, say: string][] = [
    ["250", "QUIT"],
    ["221", ""],
  ];
  const converse = (
    socket: net.Socket,
    script: typeof lines,
    end: () => void,
  ) => {
    let text = "";
    const onData = (bytes: Uint8Array) => {
      text += String.fromCharCode(...bytes);
      const last = text.trimEnd().split("\r\n").at(-1)!;
      if (!text.endsWith("\r\n") || last[3] !== " ") return;
      const [code, say] = script.shift()!;
      if (!last.startsWith(code)) return reject(new Error(last));
      text = "";
      if (say !== "") return void socket.write(`${say}\r\n`);
      socket.off("data", onData);
      end();
    };
    socket.on("data", onData);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed too early")));
  };
  const done = (socket: net.Socket) => () => {
    resolve();
    socket.destroy();
  };
  converse(plain, lines, () => {
    if (door !== "tls") return done(plain)();
    const channel = tls.connect({ socket: plain, rejectUnauthorized: false });
    converse(channel, secured, done(channel));
    channel.once("secureConnect", () => channel.write("EHLO bench.test\r\n"));
  });
  return promise;
}

let left = Number(connections);
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await visit();
  }),
);
