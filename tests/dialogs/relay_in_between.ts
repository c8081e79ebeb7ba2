/** A TCP relay between client and server that can put octets in. */
import net from "node:net";

/** One that passes on one connection. */
export interface Relay {
  readonly port: number;
  /** Sends octets to the server as if the client had. */
  readonly inject: (octets: Uint8Array) => void;
  readonly close: () => void;
}

/** Listens on a loopback port and passes on to another. */
export function relayTo(port: number): Promise<Relay> {
  const host = "127.0.0.1";
  let upstream: net.Socket | undefined;
  const server = net.createServer((client) => {
    const onward = upstream = net.connect({ port, host });
    client.on("data", (bytes: Uint8Array) => void onward.write(bytes));
    onward.on("data", (bytes: Uint8Array) => void client.write(bytes));
    client.on("close", () => onward.destroy());
    onward.on("close", () => client.destroy());
    client.on("error", () => {}); // "close" follows
    onward.on("error", () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      resolve({
        port: (server.address() as net.AddressInfo).port,
        inject: (octets) => void upstream?.write(octets),
        close: () => void server.close(),
      });
    });
  });
}
